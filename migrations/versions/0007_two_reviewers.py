"""Two reviewers: trail, invitations, pauses, pilot round, criteria versions, second votes."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


# On SQLite a nullable column is added in place; those that are not have a default.
def _columns() -> dict[str, list[sa.Column[Any]]]:
    time = sa.DateTime(timezone=True)
    return {
        "event": [
            sa.Column("detail", _JSON, nullable=False, server_default="{}"),
            sa.Column("salt", sa.Text(), nullable=False, server_default=""),
            sa.Column("hash", sa.Text(), nullable=False, server_default=""),
        ],
        "review": [
            sa.Column("exclusion_reasons", _JSON, nullable=False, server_default="[]"),
            sa.Column("criteria_version", sa.Integer(), nullable=False, server_default="1"),
            sa.Column("pilot_size", sa.Integer(), nullable=False, server_default="0"),
            sa.Column("pilot_ended_at", time, nullable=True),
            sa.Column("last_hash", sa.Text(), nullable=False, server_default=""),
        ],
        "member": [
            sa.Column("paused_at", time, nullable=True),
            sa.Column("share", sa.Double(), nullable=True),
            sa.Column("names_compared_to", sa.Integer(), nullable=False, server_default="0"),
        ],
        "decision": [
            sa.Column("criteria_version", sa.Integer(), nullable=False, server_default="1"),
            sa.Column("second_in", sa.Uuid(), nullable=True),
            sa.Column("entered_by", sa.Uuid(), nullable=True),
        ],
        "screened_record": [sa.Column("resolution_id", sa.Uuid(), nullable=True)],
        "conflict": [sa.Column("opened_seq", sa.Integer(), nullable=False, server_default="0")],
        "resolution": [
            sa.Column("criterion", sa.Text(), nullable=True),
            sa.Column("taken_back_at", time, nullable=True),
            sa.Column("taken_back_by", sa.Uuid(), nullable=True),
            sa.Column("taken_back_note", sa.Text(), nullable=True),
        ],
    }


def upgrade() -> None:
    for table, columns in _columns().items():
        for column in columns:
            op.add_column(table, column)
    op.create_table(
        "criteria_version",
        sa.Column("review_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("include", _JSON, nullable=False),
        sa.Column("exclude", _JSON, nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["created_by"],
            ["user_account.id"],
            name=op.f("fk_criteria_version_created_by_user_account"),
        ),
        sa.ForeignKeyConstraint(
            ["review_id"],
            ["review.id"],
            name=op.f("fk_criteria_version_review_id_review"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("review_id", "version", name=op.f("pk_criteria_version")),
    )
    op.create_table(
        "invitation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("review_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("secret_sha256", sa.Text(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("accepted_by", sa.Uuid(), nullable=True),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["accepted_by"],
            ["user_account.id"],
            name=op.f("fk_invitation_accepted_by_user_account"),
        ),
        sa.ForeignKeyConstraint(
            ["created_by"],
            ["user_account.id"],
            name=op.f("fk_invitation_created_by_user_account"),
        ),
        sa.ForeignKeyConstraint(
            ["review_id"],
            ["review.id"],
            name=op.f("fk_invitation_review_id_review"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitation")),
        sa.UniqueConstraint("secret_sha256", name=op.f("uq_invitation_secret_sha256")),
    )
    op.create_index(
        op.f("ix_invitation_review_id_created_at"), "invitation", ["review_id", "created_at"]
    )
    op.create_table(
        "interest",
        sa.Column("review_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("record_number", sa.Integer(), nullable=False),
        sa.Column("author", sa.Text(), nullable=True),
        sa.Column("declared", sa.Boolean(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["review_id", "record_number"],
            ["record.review_id", "record.number"],
            name=op.f("fk_interest_review_id_record_number_record"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["user_account.id"],
            name=op.f("fk_interest_user_id_user_account"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("review_id", "user_id", "record_number", name=op.f("pk_interest")),
    )
    op.create_table(
        "conflict_message",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("conflict_id", sa.Uuid(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["author_id"],
            ["user_account.id"],
            name=op.f("fk_conflict_message_author_id_user_account"),
        ),
        sa.ForeignKeyConstraint(
            ["conflict_id"],
            ["conflict.id"],
            name=op.f("fk_conflict_message_conflict_id_conflict"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conflict_message")),
    )
    op.create_index(
        op.f("ix_conflict_message_conflict_id_created_at"),
        "conflict_message",
        ["conflict_id", "created_at"],
    )
    _first_criteria()
    _standing_resolutions()


def _first_criteria() -> None:
    """Make what the criteria are now their first version."""
    op.execute(
        "INSERT INTO criteria_version"
        " (review_id, version, include, exclude, created_by, created_at)"
        " SELECT id, 1, criteria_include, criteria_exclude, created_by, created_at FROM review"
    )


def _standing_resolutions() -> None:
    op.execute(
        "UPDATE screened_record SET resolution_id ="
        " (SELECT resolution.id FROM resolution"
        " WHERE resolution.review_id = screened_record.review_id"
        " AND resolution.stage = screened_record.stage"
        " AND resolution.record_number = screened_record.record_number"
        " AND NOT resolution.is_set_aside)"
    )


def downgrade() -> None:
    op.drop_table("conflict_message")
    op.drop_table("interest")
    op.drop_table("invitation")
    op.drop_table("criteria_version")
    for table, columns in _columns().items():
        for column in columns:
            op.drop_column(table, column.name)
