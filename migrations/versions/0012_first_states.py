"""What databases lack that were made by the first states of 0001 and 0007.

Both steps got more after the first installations had taken them. What 0006 got is made up for by
0007, which needs it.
"""

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
_INDEX = "ix_event_review_id_subject_seq"


def upgrade() -> None:
    there = sa.inspect(op.get_bind())
    if _INDEX not in {index["name"] for index in there.get_indexes("event")}:
        op.create_index(op.f(_INDEX), "event", ["review_id", "subject", "seq"])
    if "pilot_records" not in {column["name"] for column in there.get_columns("review")}:
        records = sa.Column("pilot_records", _JSON, nullable=False, server_default="[]")
        op.add_column("review", records)
        _first_criteria()
        # What stood in the log of then cannot be verified by today's rules.
        context.script.get_revision("0007").module.begin_trails()


def _first_criteria() -> None:
    """Make what the criteria are now the first version of reviews that have none."""
    op.execute(
        "INSERT INTO criteria_version"
        " (review_id, version, include, exclude, created_by, created_at)"
        " SELECT id, 1, criteria_include, criteria_exclude, created_by, created_at FROM review"
        " WHERE id NOT IN (SELECT review_id FROM criteria_version)"
    )


def downgrade() -> None:
    """Nothing: these belong to the earlier steps."""
