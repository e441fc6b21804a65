"""Why records stand where they do: the terms of a ranking, and of the records at its head."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.add_column("ranking", sa.Column("terms", _JSON, nullable=False, server_default="[]"))
    op.add_column("ranking", sa.Column("reasons", _JSON, nullable=True))


def downgrade() -> None:
    op.drop_column("ranking", "reasons")
    op.drop_column("ranking", "terms")
