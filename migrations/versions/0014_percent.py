"""An import says how far its present step is."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("import", sa.Column("percent", sa.Integer(), nullable=True))


def downgrade() -> None:
    op.drop_column("import", "percent")
