"""An index of the texts that records are searched by, where the database can have one.

What it consists of is in one place, `search_index`: it is made again wherever it got lost.
"""

from alembic import op

from tandem.records import search_index

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    search_index.ensure(op.get_bind())


def downgrade() -> None:
    search_index.remove(op.get_bind())
