"""Changes that are hidden from the blinded are stored by their `labels_seq`.

What there is of resolutions and second votes is noted. That a conflict was opened again left no
number of its own behind: those of the past stay unknown, and are counted for the blinded, too.
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "closed_change",
        sa.Column("review_id", sa.Uuid(), nullable=False),
        sa.Column("labels_seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(
            ["review_id"],
            ["review.id"],
            name=op.f("fk_closed_change_review_id_review"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("review_id", "labels_seq", name=op.f("pk_closed_change")),
    )
    # A carried resolution has a number that is there in any case, whatever the votes.
    op.execute(
        "INSERT INTO closed_change (review_id, labels_seq)"
        " SELECT review_id, labels_seq FROM resolution WHERE carried_from IS NULL"
        " UNION SELECT review_id, labels_seq FROM decision WHERE second_in IS NOT NULL"
    )


def downgrade() -> None:
    op.drop_table("closed_change")
