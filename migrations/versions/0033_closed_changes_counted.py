"""A review counts the changes that are closed to the blinded: no decision has to count them."""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

_COLUMNS = ("n_closed", "last_closed_seq")


def upgrade() -> None:
    for name in _COLUMNS:
        op.add_column("review", sa.Column(name, sa.Integer(), nullable=False, server_default="0"))
    op.execute(
        "UPDATE review SET n_closed = (SELECT count(*) FROM closed_change "
        "WHERE closed_change.review_id = review.id), "
        "last_closed_seq = (SELECT coalesce(max(closed_change.labels_seq), 0) FROM closed_change "
        "WHERE closed_change.review_id = review.id)"
    )


def downgrade() -> None:
    for name in _COLUMNS:
        op.drop_column("review", name)
