"""A decision keeps when its client says that it was made, beside the server's time."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    made_at = sa.Column("made_at", sa.DateTime(timezone=True), nullable=True)
    op.add_column("decision", made_at)


def downgrade() -> None:
    op.drop_column("decision", "made_at")
