"""Reports that are not of one study, so that it is not proposed again."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def _record(number: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["review_id", number],
        ["record.review_id", "record.number"],
        name=f"fk_separate_reports_review_id_record_{number}",
        ondelete="CASCADE",
    )


def upgrade() -> None:
    op.create_table(
        "separate_reports",
        sa.Column("review_id", sa.Uuid(), nullable=False),
        sa.Column("first", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("second", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("said_by", sa.Uuid(), nullable=False),
        sa.Column("said_at", sa.DateTime(timezone=True), nullable=False),
        _record("first"),
        _record("second"),
        sa.ForeignKeyConstraint(
            ["said_by"], ["user_account.id"], name="fk_separate_reports_said_by_user_account"
        ),
        sa.PrimaryKeyConstraint("review_id", "first", "second", name="pk_separate_reports"),
    )
    op.create_index(
        "ix_separate_reports_review_id_second", "separate_reports", ["review_id", "second"]
    )


def downgrade() -> None:
    op.drop_table("separate_reports")
