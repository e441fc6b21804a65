"""The log of what was served to whom; half-done records are found by an index."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "served",
        sa.Column("review_id", sa.Uuid(), nullable=False),
        sa.Column("stage", sa.String(length=20), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("pick", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("record_number", sa.Integer(), nullable=False),
        sa.Column("served_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=True),
        sa.Column("ranking_id", sa.Uuid(), nullable=True),
        sa.Column("stream", sa.String(length=20), nullable=False),
        sa.ForeignKeyConstraint(
            ["review_id", "record_number"],
            ["record.review_id", "record.number"],
            name=op.f("fk_served_review_id_record_number_record"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_served_user_id_user_account")
        ),
        sa.PrimaryKeyConstraint("review_id", "stage", "user_id", "pick", name=op.f("pk_served")),
    )
    op.create_index(
        op.f("ix_screened_record_review_id_stage_n_decisions"),
        "screened_record",
        ["review_id", "stage", "n_decisions"],
    )


def downgrade() -> None:
    op.drop_index(
        op.f("ix_screened_record_review_id_stage_n_decisions"), table_name="screened_record"
    )
    op.drop_table("served")
