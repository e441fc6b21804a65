"""Reports have texts: files by their content, whose they are, and batches that came together."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)
_JSON = sa.JSON().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    _files()
    op.create_table(
        "report_text",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("review_id", sa.Uuid(), nullable=False),
        sa.Column("record_number", sa.Integer(), nullable=False),
        sa.Column("file_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("added_by", sa.Uuid(), nullable=False),
        sa.Column("added_at", _TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["added_by"], ["user_account.id"], name="fk_report_text_added_by_user_account"
        ),
        sa.ForeignKeyConstraint(
            ["file_id"], ["text_file.id"], name="fk_report_text_file_id_text_file"
        ),
        sa.ForeignKeyConstraint(
            ["review_id", "record_number"],
            ["record.review_id", "record.number"],
            name="fk_report_text_review_id_record_number_record",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_report_text"),
        sa.UniqueConstraint(
            "review_id",
            "record_number",
            "file_id",
            name="uq_report_text_review_id_record_number_file_id",
        ),
    )
    op.create_index("ix_report_text_file_id", "report_text", ["file_id"])
    _batches()


def _files() -> None:
    op.create_table(
        "text_file",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("review_id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("media_type", sa.String(100), nullable=False),
        sa.Column("n_bytes", sa.Integer(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("problem", sa.String(20), nullable=True),
        sa.Column("n_pages", sa.Integer(), nullable=True),
        sa.Column("page_starts", _JSON, nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("dois", _JSON, nullable=False),
        sa.Column("plain_sha256", sa.Text(), nullable=True),
        sa.Column("plain", sa.Text(), nullable=True),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("lease_until", _TIME, nullable=True),
        sa.Column("not_before", _TIME, nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("claimed_at", _TIME, nullable=True),
        sa.Column("holder", sa.Text(), nullable=True),
        sa.Column("cause", sa.Text(), nullable=True),
        sa.Column("parked_at", _TIME, nullable=True),
        sa.ForeignKeyConstraint(
            ["review_id"], ["review.id"], name="fk_text_file_review_id_review", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_text_file"),
        sa.UniqueConstraint("review_id", "sha256", name="uq_text_file_review_id_sha256"),
    )
    op.create_index("ix_text_file_state", "text_file", ["state"])


def _batches() -> None:
    op.create_table(
        "text_batch",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("review_id", sa.Uuid(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["created_by"], ["user_account.id"], name="fk_text_batch_created_by_user_account"
        ),
        sa.ForeignKeyConstraint(
            ["review_id"], ["review.id"], name="fk_text_batch_review_id_review", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_text_batch"),
    )
    op.create_index("ix_text_batch_review_id_created_at", "text_batch", ["review_id", "created_at"])
    op.create_table(
        "text_batch_item",
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("file_id", sa.Uuid(), nullable=True),
        sa.Column("text_id", sa.Uuid(), nullable=True),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("problem", sa.String(20), nullable=True),
        sa.Column("record_number", sa.Integer(), nullable=True),
        sa.Column("mapped", _JSON, nullable=False),
        sa.Column("candidates", _JSON, nullable=False),
        sa.ForeignKeyConstraint(
            ["batch_id"],
            ["text_batch.id"],
            name="fk_text_batch_item_batch_id_text_batch",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["file_id"],
            ["text_file.id"],
            name="fk_text_batch_item_file_id_text_file",
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["text_id"],
            ["report_text.id"],
            name="fk_text_batch_item_text_id_report_text",
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("batch_id", "position", name="pk_text_batch_item"),
    )
    op.create_index("ix_text_batch_item_file_id", "text_batch_item", ["file_id"])
    op.create_index("ix_text_batch_item_text_id", "text_batch_item", ["text_id"])


def downgrade() -> None:
    for table in ("text_batch_item", "text_batch", "report_text", "text_file"):
        op.drop_table(table)
