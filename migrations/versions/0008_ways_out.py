"""Ways out of the event log: positions of consumers, webhooks and their deliveries."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    time = sa.DateTime(timezone=True)
    op.create_table(
        "event_position",
        sa.Column("consumer", sa.Text(), nullable=False),
        sa.Column("review_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("moved_at", time, nullable=False),
        sa.ForeignKeyConstraint(
            ["review_id"],
            ["review.id"],
            name=op.f("fk_event_position_review_id_review"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("consumer", "review_id", name=op.f("pk_event_position")),
    )
    # The stream begins here: what came before it is read over HTTP (docs/events.md). Else the
    # first relay would add the history of all reviews, most of it only to be trimmed again.
    op.execute(
        "INSERT INTO event_position (consumer, review_id, seq, moved_at)"
        " SELECT 'stream', id, last_seq, CURRENT_TIMESTAMP FROM review WHERE last_seq > 0"
    )
    op.create_table(
        "consumer_lease",
        sa.Column("consumer", sa.Text(), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("lease_until", time, nullable=True),
        sa.PrimaryKeyConstraint("consumer", name=op.f("pk_consumer_lease")),
    )
    op.create_table(
        "webhook",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("review_id", sa.Uuid(), nullable=False),
        sa.Column("consumer", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("types", _JSON, nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", time, nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("old_secret", sa.Text(), nullable=True),
        sa.Column("old_secret_until", time, nullable=True),
        sa.Column("disabled_at", time, nullable=True),
        sa.Column("disabled_reason", sa.String(length=20), nullable=True),
        sa.Column("n_failures", sa.Integer(), nullable=False),
        sa.Column("failing_since", time, nullable=True),
        sa.Column("next_attempt_at", time, nullable=True),
        sa.Column("last_delivery", sa.Integer(), nullable=False),
        sa.Column("lease_until", time, nullable=True),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["user_account.id"], name=op.f("fk_webhook_owner_id_user_account")
        ),
        sa.ForeignKeyConstraint(
            ["review_id"],
            ["review.id"],
            name=op.f("fk_webhook_review_id_review"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook")),
        sa.UniqueConstraint("consumer", name=op.f("uq_webhook_consumer")),
    )
    op.create_index(op.f("ix_webhook_review_id_created_at"), "webhook", ["review_id", "created_at"])
    op.create_table(
        "webhook_delivery",
        sa.Column("webhook_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("event_type", sa.Text(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=True),
        sa.Column("attempts", _JSON, nullable=False),
        sa.Column("created_at", time, nullable=False),
        sa.Column("finished_at", time, nullable=True),
        sa.ForeignKeyConstraint(
            ["webhook_id"],
            ["webhook.id"],
            name=op.f("fk_webhook_delivery_webhook_id_webhook"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("webhook_id", "number", name=op.f("pk_webhook_delivery")),
        sa.UniqueConstraint("id", name=op.f("uq_webhook_delivery_id")),
    )
    op.create_index(
        op.f("ix_webhook_delivery_webhook_id_state"), "webhook_delivery", ["webhook_id", "state"]
    )


def downgrade() -> None:
    op.drop_table("webhook_delivery")
    op.drop_table("webhook")
    op.drop_table("consumer_lease")
    op.drop_table("event_position")
