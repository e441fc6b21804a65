"""How far the Redis Stream has come is remembered, so that its loss is seen."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("consumer_lease", sa.Column("last_entry", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("consumer_lease", "last_entry")
