"""An import keeps its file's SHA-256, and what is to be looked at though all was read.

Of the files that are there nothing is known: they are read for neither.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

_JSON = sa.JSON().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    op.add_column("import", sa.Column("sha256", sa.Text()))
    op.add_column("import", sa.Column("warnings", _JSON, nullable=False, server_default="[]"))


def downgrade() -> None:
    op.drop_column("import", "warnings")
    op.drop_column("import", "sha256")
