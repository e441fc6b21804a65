"""Studies as groups of reports, ratings of reports, and near misses."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def _report(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["review_id", "record_number"],
        ["record.review_id", "record.number"],
        name=f"fk_{table}_review_id_record",
        ondelete="CASCADE",
    )


def upgrade() -> None:
    op.create_table(
        "study",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("review_id", sa.Uuid(), nullable=False),
        sa.Column("label", sa.Text(), nullable=True),
        sa.Column("primary_number", sa.Integer(), nullable=True),
        sa.Column("fields", _JSON, nullable=False, server_default="{}"),
        sa.Column("sampled", sa.Boolean(), nullable=True),
        sa.Column("sampling_note", sa.Text(), nullable=True),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["review_id"], ["review.id"], name="fk_study_review_id_review", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["created_by"], ["user_account.id"], name="fk_study_created_by_user_account"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_study"),
    )
    op.create_index("ix_study_review_id", "study", ["review_id"])
    op.create_table(
        "study_report",
        sa.Column("study_id", sa.Uuid(), nullable=False),
        sa.Column("review_id", sa.Uuid(), nullable=False),
        sa.Column("record_number", sa.Integer(), autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(
            ["study_id"], ["study.id"], name="fk_study_report_study_id_study", ondelete="CASCADE"
        ),
        _report("study_report"),
        sa.PrimaryKeyConstraint("study_id", "record_number", name="pk_study_report"),
    )
    op.create_index(
        "ix_study_report_review_id_record_number", "study_report", ["review_id", "record_number"]
    )
    op.create_table(
        "rating",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("review_id", sa.Uuid(), nullable=False),
        sa.Column("record_number", sa.Integer(), nullable=False),
        sa.Column("reviewer_id", sa.Uuid(), nullable=False),
        sa.Column("richness", sa.Integer(), nullable=True),
        sa.Column("relevance", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        _report("rating"),
        sa.ForeignKeyConstraint(
            ["reviewer_id"], ["user_account.id"], name="fk_rating_reviewer_id_user_account"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_rating"),
    )
    op.create_index(
        "ix_rating_review_id_record_number_created_at",
        "rating",
        ["review_id", "record_number", "created_at"],
    )
    op.create_table(
        "near_miss",
        sa.Column("review_id", sa.Uuid(), nullable=False),
        sa.Column("record_number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("listed", sa.Boolean(), nullable=False),
        sa.Column("explanation", sa.Text(), nullable=True),
        sa.Column("marked_by", sa.Uuid(), nullable=False),
        sa.Column("marked_at", sa.DateTime(timezone=True), nullable=False),
        _report("near_miss"),
        sa.ForeignKeyConstraint(
            ["marked_by"], ["user_account.id"], name="fk_near_miss_marked_by_user_account"
        ),
        sa.PrimaryKeyConstraint("review_id", "record_number", name="pk_near_miss"),
    )


def downgrade() -> None:
    op.drop_table("near_miss")
    op.drop_table("rating")
    op.drop_table("study_report")
    op.drop_table("study")
