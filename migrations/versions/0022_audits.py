"""A team may register a recall and show it by an audit."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)
_JSON = sa.JSON().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    op.add_column("review", sa.Column("n_audits", sa.Integer(), nullable=False, server_default="0"))
    op.create_table(
        "audit",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("review_id", sa.Uuid(), nullable=False),
        sa.Column("stage", sa.String(length=20), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("confidence", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("registered_at", _TIME, nullable=False),
        sa.Column("registered_by", sa.Uuid(), nullable=False),
        sa.Column("registered_seq", sa.Integer(), nullable=False),
        sa.Column("last_number", sa.Integer(), nullable=False),
        sa.Column("n_frame", sa.Integer(), nullable=False),
        sa.Column("seal", sa.Text(), nullable=False),
        sa.Column("seed", sa.LargeBinary(), nullable=False),
        sa.Column("serving", sa.String(length=20), nullable=False),
        sa.Column("opened_at", _TIME, nullable=True),
        sa.Column("pointer", sa.Integer(), nullable=False),
        sa.Column("carried", sa.Double(), nullable=False, server_default="0"),
        sa.Column("changes", _JSON, nullable=False),
        sa.Column("certificates", _JSON, nullable=False),
        sa.Column("ended_at", _TIME, nullable=True),
        sa.Column("followed_by", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["registered_by"], ["user_account.id"], name="fk_audit_registered_by_user_account"
        ),
        sa.ForeignKeyConstraint(
            ["review_id"], ["review.id"], name="fk_audit_review_id_review", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
    )
    op.create_index(
        "ix_audit_review_id_stage_registered_at", "audit", ["review_id", "stage", "registered_at"]
    )
    op.create_table(
        "audit_draw",
        sa.Column("audit_id", sa.Uuid(), nullable=False),
        sa.Column("place", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("record_number", sa.Integer(), nullable=False),
        sa.Column("pool", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("drawn_at", _TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["audit_id"], ["audit.id"], name="fk_audit_draw_audit_id_audit", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("audit_id", "place", name="pk_audit_draw"),
    )


def downgrade() -> None:
    op.drop_table("audit_draw")
    op.drop_index("ix_audit_review_id_stage_registered_at", table_name="audit")
    op.drop_table("audit")
    op.drop_column("review", "n_audits")
