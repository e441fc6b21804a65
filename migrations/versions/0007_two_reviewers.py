"""Two reviewers: trail, invitations, pauses, pilot round, criteria versions, second votes."""

import hashlib
import json
import secrets
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
_BATCH = 1000


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
            sa.Column("pilot_records", _JSON, nullable=False, server_default="[]"),
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
    _complete_the_sixth()
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
    begin_trails()


def _complete_the_sixth() -> None:
    """Add what 0006 got only after the first installations had taken it."""
    columns = sa.inspect(op.get_bind()).get_columns("resolution")
    if "is_set_aside" in {column["name"] for column in columns}:
        return
    aside: sa.Column[Any] = sa.Column(
        "is_set_aside", sa.Boolean(), nullable=False, server_default=sa.false()
    )
    op.add_column("resolution", aside)
    op.drop_index("uq_resolution_conflict_id", table_name="resolution")
    op.create_index(op.f("ix_resolution_conflict_id"), "resolution", ["conflict_id"])


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


def _table(name: str, **columns: Any) -> sa.TableClause:
    return sa.table(name, *(sa.column(key, kind) for key, kind in columns.items()))


_TEXT, _INTEGER, _UUID, _TIME = sa.Text(), sa.Integer(), sa.Uuid(), sa.DateTime(timezone=True)
_REVIEW = _table("review", id=_UUID, created_by=_UUID, last_hash=_TEXT)
_RECORD = _table("record", review_id=_UUID, created_at=_TIME)
_EVENT = _table(
    "event",
    review_id=_UUID,
    seq=_INTEGER,
    id=_UUID,
    type=_TEXT,
    subject=_TEXT,
    data=_JSON,
    created_at=_TIME,
    detail=_JSON,
    salt=_TEXT,
    hash=_TEXT,
)
_POLICY = _table(
    "policy_version",
    review_id=_UUID,
    stage=_TEXT,
    version=_INTEGER,
    value=_JSON,
    created_by=_UUID,
)
_OF_DECISION = {
    "verdict": _TEXT,
    "reasons": _JSON,
    "labels": _JSON,
    "note": _TEXT,
    "seconds": sa.Double(),
    "informed": sa.Boolean(),
    "rank": _INTEGER,
    "ranking_id": _UUID,
    "criteria_version": _INTEGER,
    "second_in": _UUID,
    "entered_by": _UUID,
}
_DECISION = _table("decision", review_id=_UUID, labels_seq=_INTEGER, **_OF_DECISION)
_OF_RESOLUTION = {
    "id": _UUID,
    "resolver_id": _UUID,
    "labels_seq": _INTEGER,
    "verdict": _TEXT,
    "reasons": _JSON,
    "note": _TEXT,
    "cause": _TEXT,
    "criterion": _TEXT,
    "carried_from": _INTEGER,
}
_RESOLUTION = _table(
    "resolution",
    review_id=_UUID,
    conflict_id=_UUID,
    record_number=_INTEGER,
    stage=_TEXT,
    **_OF_RESOLUTION,
)
_SCREENED = _table(
    "screened_record",
    review_id=_UUID,
    stage=_TEXT,
    record_number=_INTEGER,
    resolution_id=_UUID,
)


def begin_trails() -> None:
    """Give every event that there is a detail, as far as the tables tell, and its hash."""
    bind = op.get_bind()
    for review_id, created_by in bind.execute(sa.select(_REVIEW.c.id, _REVIEW.c.created_by)).all():
        past, last_hash = _Past(bind, review_id, created_by), ""
        for page in _events(bind, review_id):
            decisions = _decisions(bind, review_id, page)
            changed = []
            for event in page:
                detail = past.detail(event, decisions)
                salt = secrets.token_hex(16)
                last_hash = _hash(last_hash, event, detail, salt)
                changed.append({"at": event.seq, "detail": detail, "salt": salt, "hash": last_hash})
            bind.execute(
                sa.update(_EVENT)
                .where(_EVENT.c.review_id == review_id, _EVENT.c.seq == sa.bindparam("at"))
                .values(
                    detail=sa.bindparam("detail", type_=_JSON),
                    salt=sa.bindparam("salt"),
                    hash=sa.bindparam("hash"),
                ),
                changed,
            )
        of_review = sa.update(_REVIEW).where(_REVIEW.c.id == review_id)
        bind.execute(of_review.values(last_hash=last_hash))


class _Past:
    """What a review's tables tell of its events, asked in their order.

    Which of them were made in one transaction nobody knows any more: all have the same `tx`.
    Which resolutions came and went when records were linked is not known either, so the first
    event tells which of them stand now.
    """

    def __init__(self, bind: sa.Connection, review_id: UUID, created_by: UUID) -> None:
        self._created_by = created_by
        added = sa.select(_RECORD.c.created_at).where(_RECORD.c.review_id == review_id)
        self._added = [_utc(at) for at in bind.scalars(added.order_by(_RECORD.c.created_at))]
        self._policies: dict[str, list[Any]] = defaultdict(list)
        versions = sa.select(_POLICY).where(_POLICY.c.review_id == review_id)
        for row in bind.execute(versions.order_by(_POLICY.c.version)):
            self._policies[row.stage].append(row)
        self._resolutions: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self._standing: list[dict[str, Any]] = []
        query = (
            sa.select(_RESOLUTION, _SCREENED.c.resolution_id.label("standing"))
            .outerjoin(_SCREENED, _SCREENED.c.resolution_id == _RESOLUTION.c.id)
            .where(_RESOLUTION.c.review_id == review_id)
            .order_by(_RESOLUTION.c.labels_seq)
        )
        for row in bind.execute(query):
            told = {name: _plain(getattr(row, name)) for name in _OF_RESOLUTION}
            if row.carried_from is None:
                self._resolutions[str(row.conflict_id)].append(told)
            if row.standing is not None:
                at = {"record_id": str(row.record_number), "stage": row.stage}
                self._standing.append(told | at)

    def detail(self, event: Any, decisions: Mapping[int, Any]) -> dict[str, Any]:
        known: dict[str, Any] = {}
        match event.type.removeprefix("tandem."):
            case "review.created":
                known = {"by": str(self._created_by), "standing": self._standing}
                known["policy"] = {
                    stage: versions.pop(0).value for stage, versions in self._policies.items()
                }
            case "review.changed":
                known = self._changed(event.data["changed"])
            case "decision.recorded" | "decision.withdrawn":
                row = decisions[event.data["labels_seq"]]
                known = {name: _plain(getattr(row, name)) for name in _OF_DECISION}
            case "conflict.resolved" if event.data["by"] == "resolution":
                if waiting := self._resolutions[event.data["conflict_id"]]:
                    known = {"resolution": waiting.pop(0)}
        n_records = bisect_right(self._added, _utc(event.created_at))
        return known | {"tx": "before", "records": n_records}

    def _changed(self, changed: Sequence[str]) -> dict[str, Any]:
        stages = [name.removeprefix("policy.") for name in changed if name.startswith("policy.")]
        new = {stage: self._policies[stage].pop(0) for stage in stages}
        if not new:
            return {}
        by = next(iter(new.values())).created_by
        return {"by": str(by), "policy": {stage: row.value for stage, row in new.items()}}


def _events(bind: sa.Connection, review_id: UUID) -> Iterator[Sequence[Any]]:
    after = 0
    while True:
        query = sa.select(_EVENT).where(_EVENT.c.review_id == review_id, _EVENT.c.seq > after)
        page = bind.execute(query.order_by(_EVENT.c.seq).limit(_BATCH)).all()
        if not page:
            return
        yield page
        after = page[-1].seq


def _decisions(bind: sa.Connection, review_id: UUID, page: Sequence[Any]) -> dict[int, Any]:
    told = [event.data["labels_seq"] for event in page if ".decision." in event.type]
    if not told:
        return {}
    query = sa.select(_DECISION).where(
        _DECISION.c.review_id == review_id,
        _DECISION.c.labels_seq.between(min(told), max(told)),
    )
    return {row.labels_seq: row for row in bind.execute(query)}


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, UUID) else value


def _utc(time: datetime) -> datetime:
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


# The form of the trail as it was when this step was written; see tandem.events.chain.
def _hash(before: str, event: Any, detail: Mapping[str, Any], salt: str) -> str:
    told = {
        "seq": event.seq,
        "id": str(event.id),
        "type": event.type,
        "time": _utc(event.created_at).isoformat(timespec="microseconds"),
        "subject": event.subject,
        "data": event.data,
    }
    seal = _sha256(f"{salt}\n{_canonical(detail)}")
    return _sha256(f"{before}\n{_canonical(told)}\n{seal}")


def _canonical(value: Mapping[str, Any]) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def downgrade() -> None:
    op.drop_table("conflict_message")
    op.drop_table("interest")
    op.drop_table("invitation")
    op.drop_table("criteria_version")
    for table, columns in _columns().items():
        for column in columns:
            op.drop_column(table, column.name)
