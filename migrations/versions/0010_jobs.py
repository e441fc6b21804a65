"""Background work counts its tries, and is parked when all have failed."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def _columns() -> dict[str, list[sa.Column[Any]]]:
    time = sa.DateTime(timezone=True)

    def tried() -> list[sa.Column[Any]]:
        return [
            sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"),
            sa.Column("claimed_at", time, nullable=True),
            sa.Column("holder", sa.Text(), nullable=True),
            sa.Column("cause", sa.Text(), nullable=True),
            sa.Column("parked_at", time, nullable=True),
        ]

    def not_before() -> sa.Column[Any]:
        return sa.Column("not_before", time, nullable=True)

    def parked_at_corpus() -> sa.Column[Any]:
        return sa.Column("parked_corpus_seq", sa.Integer(), nullable=False, server_default="0")

    return {
        "training": [*tried(), parked_at_corpus()],
        "import": [*tried(), not_before()],
        "encoding": [*tried(), not_before(), parked_at_corpus()],
        "second_look": [*tried(), not_before(), sa.Column("asked_at", time, nullable=True)],
        "review": [sa.Column("stale_since", time, nullable=True)],
    }


def upgrade() -> None:
    for table, columns in _columns().items():
        for column in columns:
            op.add_column(table, column)
    # Of what is stale already nobody knows since when: from now on it is counted.
    op.execute(
        "UPDATE review SET stale_since = CURRENT_TIMESTAMP WHERE labels_seq >"
        " coalesce((SELECT max(training.trained_seq) FROM training"
        " WHERE training.review_id = review.id), 0)"
    )


def downgrade() -> None:
    for table, columns in _columns().items():
        for column in columns:
            op.drop_column(table, column.name)
