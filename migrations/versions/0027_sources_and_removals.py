"""How imports were found, waves of searches, and records that are removed before screening."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "import", sa.Column("found_by", sa.String(20), nullable=False, server_default="database")
    )
    op.add_column(
        "import",
        sa.Column("starts_at", sa.String(20), nullable=False, server_default="title_abstract"),
    )
    op.add_column("import", sa.Column("wave", sa.Integer(), nullable=False, server_default="1"))
    op.add_column("record", sa.Column("not_screened_because", sa.String(20), nullable=True))
    op.create_index(
        op.f("ix_record_review_id_not_screened_because"),
        "record",
        ["review_id", "not_screened_because"],
    )
    op.create_table(
        "removal",
        sa.Column("review_id", sa.Uuid(), nullable=False),
        sa.Column("record_number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("tool", sa.Text(), nullable=True),
        sa.Column("removed_by", sa.Uuid(), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["review_id", "record_number"],
            ["record.review_id", "record.number"],
            name="fk_removal_review_id_record",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["removed_by"], ["user_account.id"], name="fk_removal_removed_by_user_account"
        ),
        sa.PrimaryKeyConstraint("review_id", "record_number", name="pk_removal"),
    )
    op.create_table(
        "wave",
        sa.Column("review_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("opened_by", sa.Uuid(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["review_id"], ["review.id"], name="fk_wave_review_id_review", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["opened_by"], ["user_account.id"], name="fk_wave_opened_by_user_account"
        ),
        sa.PrimaryKeyConstraint("review_id", "number", name="pk_wave"),
    )


def downgrade() -> None:
    op.drop_table("wave")
    op.drop_table("removal")
    op.drop_index(op.f("ix_record_review_id_not_screened_because"), table_name="record")
    op.drop_column("record", "not_screened_because")
    for name in ("wave", "starts_at", "found_by"):
        op.drop_column("import", name)
