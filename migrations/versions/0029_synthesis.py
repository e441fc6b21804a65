"""Coded projects that come back, their passages, and code books."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def _of_review(table: str) -> sa.ForeignKeyConstraint:
    name = f"fk_{table}_review_id_review"
    return sa.ForeignKeyConstraint(["review_id"], ["review.id"], name=name, ondelete="CASCADE")


def _by(table: str, column: str) -> sa.ForeignKeyConstraint:
    name = f"fk_{table}_{column}_user_account"
    return sa.ForeignKeyConstraint([column], ["user_account.id"], name=name)


def upgrade() -> None:
    op.create_table(
        "synthesis_code",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("review_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(20), nullable=True),
        sa.Column("marked_by", sa.Uuid(), nullable=True),
        sa.Column("marked_at", sa.DateTime(timezone=True), nullable=True),
        _of_review("synthesis_code"),
        _by("synthesis_code", "marked_by"),
        sa.PrimaryKeyConstraint("id", name="pk_synthesis_code"),
    )
    op.create_index("ix_synthesis_code_review_id", "synthesis_code", ["review_id"])
    op.create_table(
        "code_book",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("review_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("is_given", sa.Boolean(), nullable=False),
        sa.Column("counts", sa.Boolean(), nullable=False),
        sa.Column("codes", _JSON, nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        _of_review("code_book"),
        _by("code_book", "created_by"),
        sa.PrimaryKeyConstraint("id", name="pk_code_book"),
    )
    op.create_index("ix_code_book_review_id", "code_book", ["review_id"])
    _imports()
    _passages()


def _imports() -> None:
    table = "synthesis_import"
    op.create_table(
        table,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("review_id", sa.Uuid(), nullable=False),
        sa.Column("code_book_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("project", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("coders", _JSON, nullable=False),
        sa.Column("sources", _JSON, nullable=False),
        *(
            sa.Column(name, sa.Integer(), nullable=False)
            for name in ("n_kept", "n_moved", "n_lost", "n_other")
        ),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("replaced_by", sa.Uuid(), nullable=True),
        sa.Column("taken_back_at", sa.DateTime(timezone=True), nullable=True),
        _of_review(table),
        _by(table, "created_by"),
        sa.ForeignKeyConstraint(
            ["code_book_id"], ["code_book.id"], name=f"fk_{table}_code_book_id_code_book"
        ),
        sa.ForeignKeyConstraint(
            ["replaced_by"],
            [f"{table}.id"],
            name=f"fk_{table}_replaced_by_{table}",
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
    )
    for column in ("review_id", "code_book_id", "replaced_by"):
        op.create_index(f"ix_{table}_{column}", table, [column])


def _passages() -> None:
    table = "coded_passage"
    op.create_table(
        table,
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("review_id", sa.Uuid(), nullable=False),
        sa.Column("code_id", sa.Uuid(), nullable=False),
        sa.Column("record_number", sa.Integer(), nullable=True),
        sa.Column("text_id", sa.Uuid(), nullable=True),
        sa.Column("start", sa.Integer(), nullable=True),
        sa.Column("end", sa.Integer(), nullable=True),
        sa.Column("quote", sa.Text(), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("coder", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["import_id"],
            ["synthesis_import.id"],
            name=f"fk_{table}_import_id_synthesis_import",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["code_id"], ["synthesis_code.id"], name=f"fk_{table}_code_id_synthesis_code"
        ),
        sa.ForeignKeyConstraint(
            ["review_id", "record_number"],
            ["record.review_id", "record.number"],
            name=f"fk_{table}_review_id_record",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["text_id"],
            ["report_text.id"],
            name=f"fk_{table}_text_id_report_text",
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("import_id", "position", name=f"pk_{table}"),
    )
    op.create_index(f"ix_{table}_review_id_record_number", table, ["review_id", "record_number"])
    for column in ("code_id", "text_id"):
        op.create_index(f"ix_{table}_{column}", table, [column])


def downgrade() -> None:
    for table in ("coded_passage", "synthesis_import", "code_book", "synthesis_code"):
        op.drop_table(table)
