"""The index of texts takes the records of an import's batch together; its triggers wait."""

from alembic import op

from tandem.records import search_index

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    search_index.remove(op.get_bind())
    search_index.ensure(op.get_bind())


def downgrade() -> None:
    """The index of before worked with these triggers, too."""
