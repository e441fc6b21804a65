"""The indexes of linked records and of those that are not screened hold these alone.

With all records in them, databases looked through a whole review by them to find those of a list
that are neither.
"""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

_COLUMNS = ("duplicate_of", "not_screened_because")


def upgrade() -> None:
    for name in _COLUMNS:
        only = sa.text(f"{name} IS NOT NULL")
        op.drop_index(_index(name), "record")
        op.create_index(
            _index(name), "record", ["review_id", name], sqlite_where=only, postgresql_where=only
        )


def downgrade() -> None:
    for name in _COLUMNS:
        op.drop_index(_index(name), "record")
        op.create_index(_index(name), "record", ["review_id", name])


def _index(name: str) -> str:
    return f"ix_record_review_id_{name}"
