"""Audits remember what a draw has missed.

Those that are under way begin with their next draw.
"""

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("audit", sa.Column("missed", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    op.drop_column("audit", "missed")
