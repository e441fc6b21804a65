"""A review's texts have a state that no other change of them ever has."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    state = sa.Column("corpus_state", sa.Text(), nullable=False, server_default="")
    op.add_column("review", state)


def downgrade() -> None:
    op.drop_column("review", "corpus_state")
