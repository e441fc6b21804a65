"""Sentence vectors, who makes them, and how many a ranking knew."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sentence_vector",
        sa.Column("review_id", sa.Uuid(), nullable=False),
        sa.Column("record_number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("text_hash", sa.LargeBinary(), nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["review_id", "record_number"],
            ["record.review_id", "record.number"],
            name=op.f("fk_sentence_vector_review_id_record_number_record"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("review_id", "record_number", name=op.f("pk_sentence_vector")),
    )
    op.create_table(
        "encoding",
        sa.Column("review_id", sa.Uuid(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("corpus_seq", sa.Integer(), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("n_done", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["review_id"],
            ["review.id"],
            name=op.f("fk_encoding_review_id_review"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("review_id", name=op.f("pk_encoding")),
    )
    op.add_column(
        "ranking", sa.Column("n_vectors", sa.Integer(), server_default="0", nullable=False)
    )


def downgrade() -> None:
    op.drop_column("ranking", "n_vectors")
    op.drop_table("encoding")
    op.drop_table("sentence_vector")
