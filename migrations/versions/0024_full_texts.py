"""Records go on to full text: retrieval, classifications, and which records have got so far."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

_CLASSIFIED = ("decision", "resolution", "screened_record")


def upgrade() -> None:
    for table in _CLASSIFIED:
        op.add_column(table, sa.Column("classification", sa.String(30), nullable=True))
    op.add_column(
        "screened_record",
        sa.Column("has_advanced", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.execute(
        "UPDATE screened_record SET has_advanced = true "
        "WHERE stage = 'title_abstract' AND status = 'included'"
    )
    op.add_column(
        "review", sa.Column("taught_seq", sa.Integer(), nullable=False, server_default="0")
    )
    op.execute("UPDATE review SET taught_seq = labels_seq")
    op.create_table(
        "retrieval",
        sa.Column("review_id", sa.Uuid(), nullable=False),
        sa.Column("record_number", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("via", sa.String(20), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("by_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["review_id", "record_number"],
            ["record.review_id", "record.number"],
            name="fk_retrieval_review_id_record",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["by_id"], ["user_account.id"], name="fk_retrieval_by_id_user_account"
        ),
        sa.PrimaryKeyConstraint("review_id", "record_number", "seq", name="pk_retrieval"),
    )


def downgrade() -> None:
    op.drop_table("retrieval")
    op.drop_column("review", "taught_seq")
    op.drop_column("screened_record", "has_advanced")
    for table in reversed(_CLASSIFIED):
        op.drop_column(table, "classification")
