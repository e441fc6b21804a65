"""A review has words to highlight, may be archived or deleted, and an import may be taken back."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)


_WORDS = sa.JSON().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    for name in ("highlights_for", "highlights_against"):
        op.add_column("review", sa.Column(name, _WORDS, nullable=False, server_default="[]"))
    op.add_column("review", sa.Column("archived_at", _TIME, nullable=True))
    op.add_column("review", sa.Column("deleted_at", _TIME, nullable=True))
    op.add_column(
        "review", sa.Column("n_taken_back", sa.Integer(), nullable=False, server_default="0")
    )
    op.add_column("import", sa.Column("taken_back_at", _TIME, nullable=True))


def downgrade() -> None:
    # The release before knows no such state, and would read the file once more.
    op.execute("UPDATE import SET state = 'failed' WHERE state = 'taken_back'")
    op.drop_column("import", "taken_back_at")
    for name in ("n_taken_back", "deleted_at", "archived_at"):
        op.drop_column("review", name)
    for name in ("highlights_against", "highlights_for"):
        op.drop_column("review", name)
