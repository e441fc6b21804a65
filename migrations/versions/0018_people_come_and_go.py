"""Accounts can be switched off, sessions listed, tokens limited, passwords reset, guesses counted.

Sessions of before get an id to be listed by; they end when they would have ended.
"""

from uuid import uuid4

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    # Not in batches: SQLite would make these tables again, and delete all that hangs on them.
    op.add_column(
        "user_account",
        sa.Column("is_active", sa.Boolean(), nullable=False, server_default=sa.true()),
    )
    op.add_column(
        "user_account", sa.Column("preferences", _JSON, nullable=False, server_default="{}")
    )
    op.add_column(
        "access_token",
        sa.Column("scope", sa.String(length=20), nullable=False, server_default="manage"),
    )
    op.add_column("access_token", sa.Column("last_used_at", _TIME, nullable=True))
    _sessions()
    op.create_table(
        "account_link",
        sa.Column("secret_hash", sa.Text(), nullable=False),
        sa.Column("purpose", sa.String(length=20), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("expires_at", _TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["user_account.id"],
            name=op.f("fk_account_link_user_id_user_account"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("secret_hash", name=op.f("pk_account_link")),
    )
    op.create_index(op.f("ix_account_link_user_id"), "account_link", ["user_id"])
    op.create_table(
        "attempts",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("level", sa.Double(), nullable=False),
        sa.Column("counted_at", _TIME, nullable=False),
        sa.Column("blocked_until", _TIME, nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_attempts")),
    )
    op.create_index(op.f("ix_attempts_counted_at"), "attempts", ["counted_at"])


def _sessions() -> None:
    with op.batch_alter_table("sign_in") as table:
        table.add_column(sa.Column("id", sa.Uuid(), nullable=True))
        for name in ("idle_until", "last_used_at"):
            table.add_column(sa.Column(name, _TIME, nullable=True))
        for name in ("source", "user_agent"):
            table.add_column(sa.Column(name, sa.Text(), nullable=True))
    op.execute("UPDATE sign_in SET idle_until = expires_at, last_used_at = created_at")
    sessions = sa.table("sign_in", sa.column("secret_hash", sa.Text()), sa.column("id", sa.Uuid()))
    connection = op.get_bind()
    for (secret_hash,) in connection.execute(sa.select(sessions.c.secret_hash)).all():
        connection.execute(
            sa.update(sessions).where(sessions.c.secret_hash == secret_hash).values(id=uuid4())
        )
    with op.batch_alter_table("sign_in") as table:
        for name, kind in (("id", sa.Uuid()), ("idle_until", _TIME), ("last_used_at", _TIME)):
            table.alter_column(name, existing_type=kind, nullable=False)
        table.create_unique_constraint(op.f("uq_sign_in_id"), ["id"])


def downgrade() -> None:
    op.drop_table("attempts")
    op.drop_table("account_link")
    with op.batch_alter_table("sign_in") as table:
        table.drop_constraint(op.f("uq_sign_in_id"), type_="unique")
        for name in ("id", "idle_until", "last_used_at", "source", "user_agent"):
            table.drop_column(name)
    op.drop_column("access_token", "scope")
    op.drop_column("access_token", "last_used_at")
    op.drop_column("user_account", "is_active")
    op.drop_column("user_account", "preferences")
