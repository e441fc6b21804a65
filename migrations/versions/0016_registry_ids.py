"""A record keeps the numbers of trial registries that it has or names.

Records that are there keep an empty list: their file can be imported again.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_JSON = sa.JSON().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    op.add_column("record", sa.Column("registry_ids", _JSON, nullable=False, server_default="[]"))


def downgrade() -> None:
    op.drop_column("record", "registry_ids")
