"""The trail seals the texts of records and the times of decisions.

What is there now is sealed once, by an entry of each review's log: from then on it cannot be
changed unseen. What was changed before that day nobody knows.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
_TEXT, _INTEGER, _UUID, _TIME = sa.Text(), sa.Integer(), sa.Uuid(), sa.DateTime(timezone=True)
_BATCH = 1000


def _table(name: str, **columns: Any) -> sa.TableClause:
    return sa.table(name, *(sa.column(key, kind) for key, kind in columns.items()))


_SHOWN = {
    "title": _TEXT,
    "abstract": _TEXT,
    "authors": _JSON,
    "year": _INTEGER,
    "journal": _TEXT,
    "volume": _TEXT,
    "issue": _TEXT,
    "pages": _TEXT,
    "doi": _TEXT,
    "pmid": _TEXT,
    "url": _TEXT,
    "keywords": _JSON,
    "language": _TEXT,
    "kind": _TEXT,
}
_RECORD = _table(
    "record",
    review_id=_UUID,
    number=_INTEGER,
    import_id=_UUID,
    text_digest=sa.LargeBinary(),
    **_SHOWN,
)
_IMPORT = _table("import", id=_UUID, texts_digest=_TEXT)
_DECISION = _table(
    "decision", review_id=_UUID, labels_seq=_INTEGER, created_at=_TIME, made_at=_TIME
)
_REVIEW = _table(
    "review",
    id=_UUID,
    last_seq=_INTEGER,
    last_open_seq=_INTEGER,
    last_hash=_TEXT,
    last_record_number=_INTEGER,
)
_EVENT = _table(
    "event",
    review_id=_UUID,
    seq=_INTEGER,
    open_seq=_INTEGER,
    id=_UUID,
    type=_TEXT,
    subject=_TEXT,
    data=_JSON,
    created_at=_TIME,
    detail=_JSON,
    salt=_TEXT,
    hash=_TEXT,
)


def upgrade() -> None:
    op.add_column("record", sa.Column("text_digest", sa.LargeBinary(), nullable=True))
    rolled = sa.Column("texts_digest", sa.Text(), nullable=False, server_default="")
    op.add_column("import", rolled)
    bind = op.get_bind()
    for review in bind.execute(sa.select(_REVIEW)).all():
        texts, times = _seal_texts(bind, review.id), _seal_times(bind, review.id)
        if texts or times["n"]:
            _append(bind, review, {"texts": texts, "times": times})


def _seal_texts(bind: sa.Connection, review_id: UUID) -> dict[str, Any]:
    """Keep a digest of each record's text, and return those of the imports."""
    rolled: dict[UUID, tuple[int, str]] = {}
    for page in _pages(bind, _RECORD, review_id, _RECORD.c.number):
        changed = []
        for row in page:
            digest = _digest(row._mapping)
            n, before = rolled.get(row.import_id, (0, ""))
            text = f"{before}\n{row.number} {digest.hex()}"
            rolled[row.import_id] = n + 1, hashlib.sha256(text.encode()).hexdigest()
            changed.append({"at": row.number, "digest": digest})
        bind.execute(
            sa.update(_RECORD)
            .where(_RECORD.c.review_id == review_id, _RECORD.c.number == sa.bindparam("at"))
            .values(text_digest=sa.bindparam("digest", type_=sa.LargeBinary())),
            changed,
        )
    for import_id, (_, digest_of_all) in rolled.items():
        of_import = sa.update(_IMPORT).where(_IMPORT.c.id == import_id)
        bind.execute(of_import.values(texts_digest=digest_of_all))
    return {str(id): {"n": n, "digest": digest} for id, (n, digest) in rolled.items()}


# The forms of tandem.records.judged_text and tandem.audit.times as they were then.
def _digest(row: Mapping[Any, Any]) -> bytes:
    shown = {name: row[name] for name in _SHOWN}
    text = json.dumps(shown, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode(errors="surrogatepass")).digest()


def _seal_times(bind: sa.Connection, review_id: UUID) -> dict[str, Any]:
    found, n, last = hashlib.sha256(), 0, 0
    for page in _pages(bind, _DECISION, review_id, _DECISION.c.labels_seq):
        for row in page:
            made_at = "-" if row.made_at is None else _iso(row.made_at)
            found.update(f"{row.labels_seq} {_iso(row.created_at)} {made_at}\n".encode())
            n, last = n + 1, row.labels_seq
    return {"upto": last, "n": n, "digest": found.hexdigest()}


def _pages(
    bind: sa.Connection, table: sa.TableClause, review_id: UUID, key: Any
) -> Iterator[Sequence[Any]]:
    after = 0
    while True:
        query = sa.select(table).where(table.c.review_id == review_id, key > after)
        page = bind.execute(query.order_by(key).limit(_BATCH)).all()
        if not page:
            return
        yield page
        after = page[-1]._mapping[key]


def _append(bind: sa.Connection, review: Any, known: Mapping[str, Any]) -> None:
    """Append the entry that seals what is there to the review's log."""
    trail = context.script.get_revision("0007").module
    detail = {**known, "tx": "texts", "records": review.last_record_number}
    salt = uuid4().hex
    row = {
        "review_id": review.id,
        "seq": review.last_seq + 1,
        "open_seq": review.last_open_seq + 1,
        "id": uuid4(),
        "type": "tandem.review.changed",
        "subject": None,
        "data": {"changed": ["trail"]},
        "created_at": datetime.now(UTC),
    }
    hashed = trail._hash(review.last_hash, SimpleNamespace(**row), detail, salt)
    bind.execute(sa.insert(_EVENT), [{**row, "detail": detail, "salt": salt, "hash": hashed}])
    bind.execute(
        sa.update(_REVIEW)
        .where(_REVIEW.c.id == review.id)
        .values(last_seq=row["seq"], last_open_seq=row["open_seq"], last_hash=hashed)
    )


def _iso(time: datetime) -> str:
    utc = time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    return utc.isoformat(timespec="microseconds")


def downgrade() -> None:
    op.drop_column("import", "texts_digest")
    op.drop_column("record", "text_digest")
