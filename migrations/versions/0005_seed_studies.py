"""Studies that a review's team knows to belong in."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.add_column("review", sa.Column("seed_studies", _JSON, nullable=False, server_default="[]"))


def downgrade() -> None:
    op.drop_column("review", "seed_studies")
