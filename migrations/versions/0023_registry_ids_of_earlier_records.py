"""Numbers of trial registries of records that were imported before such numbers were read.

They are found in what is stored under a field: accession number, address, first author, title and
abstract. What only the file itself has, such as a list of databases, comes with another import.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from tandem.records.formats import registries  # pure, and the forms of numbers do not change

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
_BATCH = 1000
_RECORD = sa.table(
    "record",
    sa.column("review_id", sa.Uuid()),
    sa.column("number", sa.Integer()),
    *(sa.column(name, sa.Text()) for name in ("ref", "url", "title", "abstract")),
    sa.column("authors", _JSON),
    sa.column("registry_ids", _JSON),
)
_KEY = (_RECORD.c.review_id, _RECORD.c.number)


def upgrade() -> None:
    bind = op.get_bind()
    after: tuple[Any, ...] | None = None
    while page := bind.execute(_following(after)).all():
        found = [
            {"of_review": row.review_id, "of_number": row.number, "registry_ids": numbers}
            for row in page
            if not row.registry_ids and (numbers := _numbers(row))
        ]
        if found:
            bind.execute(_UPDATE, found)
        after = (page[-1].review_id, page[-1].number)


def downgrade() -> None:
    """Leave the numbers: the column before had them too, of records imported since."""


_UPDATE = (
    sa.update(_RECORD)
    .where(
        _RECORD.c.review_id == sa.bindparam("of_review"),
        _RECORD.c.number == sa.bindparam("of_number"),
    )
    .values(registry_ids=sa.bindparam("registry_ids"))
)


def _following(after: tuple[Any, ...] | None) -> sa.Select[Any]:
    query = sa.select(_RECORD).order_by(*_KEY).limit(_BATCH)
    return query if after is None else query.where(sa.tuple_(*_KEY) > after)


def _numbers(row: Any) -> list[str]:
    own = [text for text in (row.ref, row.url, *(row.authors or [])[:1]) if text]
    return list(registries.numbers(own, (), (row.title or "", row.abstract or "")))
