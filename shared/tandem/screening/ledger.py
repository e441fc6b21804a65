"""What the ledger says of one record now, and its consequences."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, select
from sqlalchemy.orm import Session

from tandem.errors import Conflict as Contradiction
from tandem.errors import NotFound
from tandem.events import log
from tandem.ids import RecordNumber, ReviewId, UserId
from tandem.records.models import Record
from tandem.reviews.models import Review
from tandem.reviews.policy import Policy, Stage
from tandem.screening.following import Case, follow
from tandem.screening.models import (
    Conflict,
    Decision,
    PresentDecision,
    Resolution,
    ResolvedBy,
    ScreenedRecord,
)
from tandem.screening.rules import Status, Vote


class IsDuplicate(Contradiction):
    """The record is linked to another one, which is screened in its place."""

    code = "is_duplicate"

    def __init__(self, number: RecordNumber, shown_as: RecordNumber) -> None:
        super().__init__(f"Record {number} is a duplicate of record {shown_as}: decide that one.")
        self.record_id = str(shown_as)


@dataclass(frozen=True, slots=True)
class Place:
    """A record in a stage of a review: what a decision, a status and a conflict belong to."""

    review_id: ReviewId
    stage: Stage
    record_number: RecordNumber

    @property
    def key(self) -> tuple[ReviewId, Stage, RecordNumber]:
        return (self.review_id, self.stage, self.record_number)


@dataclass(frozen=True, slots=True)
class Page:
    """What is stored of one record in a stage: the derived rows, and what they are derived from.

    `present` are the reviewers' present decisions, the earliest first.
    """

    row: ScreenedRecord | None
    conflict: Conflict | None
    resolution: Resolution | None
    present: dict[UserId, Decision]

    @property
    def status(self) -> Status:
        return Status.UNSCREENED if self.row is None else self.row.status


def screenable(session: Session, place: Place) -> None:
    """Raise unless the record is one to decide.

    Raises:
        NotFound: The review has no such record.
        IsDuplicate: It is shown as another record; that one is to be decided.
    """
    query = select(Record.duplicate_of).where(
        Record.review_id == place.review_id, Record.number == place.record_number
    )
    _require_shown(place, session.scalars(query).all())


def open_page(session: Session, place: Place) -> Page:
    """Return what is stored of a record that is one to decide; raises as `screenable` does."""
    found, page = _read(session, place)
    _require_shown(place, found)
    return page


def _require_shown(place: Place, found: Sequence[RecordNumber | None]) -> None:
    if not found:
        raise NotFound(f"There is no record {place.record_number} in this review.")
    if found[0] is not None:
        raise IsDuplicate(place.record_number, found[0])


def _there(
    table: type[ScreenedRecord | Conflict | Resolution | PresentDecision],
) -> ColumnElement[bool]:
    return and_(
        table.review_id == Record.review_id,
        table.stage == bindparam("stage"),
        table.record_number == Record.number,
    )


_STANDS = and_(Resolution.is_set_aside.is_(False), Resolution.taken_back_at.is_(None))
_PAGE = (
    select(Record.duplicate_of, ScreenedRecord, Conflict, Resolution, Decision)
    .select_from(Record)
    .outerjoin(ScreenedRecord, _there(ScreenedRecord))
    .outerjoin(Conflict, _there(Conflict))
    .outerjoin(Resolution, and_(_there(Resolution), _STANDS))
    .outerjoin(PresentDecision, _there(PresentDecision))
    .outerjoin(Decision, Decision.id == PresentDecision.decision_id)
    .where(Record.review_id == bindparam("review_id"), Record.number == bindparam("record_number"))
    .order_by(Decision.labels_seq)
)
"""One row for each present decision, one without any. Made once: every decision reads a page."""


def _read(session: Session, place: Place) -> tuple[Sequence[RecordNumber | None], Page]:
    """Return what the record is shown as, if it is there, and its page."""
    at = {"review_id": place.review_id, "stage": place.stage, "record_number": place.record_number}
    rows = session.execute(_PAGE, at).all()
    _, row, conflict, resolution, _ = rows[0] if rows else (None,) * 5
    present = {row[-1].reviewer_id: row[-1] for row in rows if row[-1] is not None}
    return [row[0] for row in rows], Page(row, conflict, resolution, present)


def present_decisions(session: Session, place: Place) -> dict[UserId, Decision]:
    """Return each reviewer's present decision on the record, the earliest first."""
    query = (
        select(Decision)
        .join(PresentDecision, PresentDecision.decision_id == Decision.id)
        .where(
            PresentDecision.review_id == place.review_id,
            PresentDecision.stage == place.stage,
            PresentDecision.record_number == place.record_number,
        )
        .order_by(Decision.labels_seq)
    )
    return {decision.reviewer_id: decision for decision in session.scalars(query)}


def entries(session: Session, place: Place) -> Sequence[Decision]:
    """Return everything that was ever entered for the record in the stage, in order."""
    query = (
        select(Decision)
        .where(
            Decision.review_id == place.review_id,
            Decision.stage == place.stage,
            Decision.record_number == place.record_number,
        )
        .order_by(Decision.labels_seq)
    )
    return session.scalars(query).all()


def make_present(
    session: Session, place: Place, entry: Decision, *, is_first: bool = False
) -> None:
    """Make an entry of the ledger its reviewer's present decision; a withdrawal leaves none.

    `is_first`: the caller knows that they have none yet.
    """
    session.flush()
    present = None if is_first else session.get(PresentDecision, (*place.key, entry.reviewer_id))
    if entry.verdict is None:
        if present is not None:
            session.delete(present)
    elif present is not None:
        present.decision_id = entry.id
    else:
        session.add(
            PresentDecision(
                review_id=place.review_id,
                stage=place.stage,
                record_number=place.record_number,
                reviewer_id=entry.reviewer_id,
                decision_id=entry.id,
            )
        )


def conflict_at(session: Session, place: Place) -> Conflict | None:
    """Return the record's conflict in the stage, open or resolved."""
    query = select(Conflict).where(
        Conflict.review_id == place.review_id,
        Conflict.stage == place.stage,
        Conflict.record_number == place.record_number,
    )
    return session.scalars(query).one_or_none()


def votes_of(decisions: Iterable[Decision]) -> list[Vote]:
    return [
        Vote(decision.verdict, tuple(decision.reasons))
        for decision in decisions
        if decision.verdict is not None
    ]


def status(session: Session, place: Place) -> Status:
    """Return the record's status as it is stored, whoever asks."""
    row = session.get(ScreenedRecord, place.key)
    return Status.UNSCREENED if row is None else row.status


def standing_resolution(session: Session, place: Place) -> Resolution | None:
    query = select(Resolution).where(
        Resolution.review_id == place.review_id,
        Resolution.stage == place.stage,
        Resolution.record_number == place.record_number,
        _STANDS,
    )
    return session.scalars(query).one_or_none()


def settle(
    session: Session,
    review: Review,
    policy: Policy,
    place: Place,
    *,
    because: ResolvedBy,
    taken_back: Resolution | None = None,
) -> Status:
    """Bring status and conflict in line with the ledger, and tell of every change.

    Called after each change of votes or resolution, under the review's lock. A change of policy
    judges all records at once: see `policies.change`. `taken_back` is the resolution that was
    just taken back, if that is what changed.
    """
    session.flush()
    _, page = _read(session, place)
    return judge(session, review, policy, place, page, because=because, taken_back=taken_back)


def judge(
    session: Session,
    review: Review,
    policy: Policy,
    place: Place,
    page: Page,
    *,
    because: ResolvedBy,
    taken_back: Resolution | None = None,
) -> Status:
    """Do what `settle` does with a page that is up to date; nothing needs to be stored yet."""
    case = Case(
        row=page.row or _screened(session, place),
        conflict=page.conflict,
        votes=votes_of(page.present.values()),
        resolution=page.resolution,
        taken_back=taken_back,
    )
    log.append(session, review, *follow(session, review, policy, case, because=because))
    session.flush()
    return case.row.status


def _screened(session: Session, place: Place) -> ScreenedRecord:
    row = ScreenedRecord(
        review_id=place.review_id,
        stage=place.stage,
        record_number=place.record_number,
        status=Status.UNSCREENED,
        n_decisions=0,
    )
    session.add(row)
    return row


def decision_detail(entry: Decision) -> dict[str, Any]:
    """Return what the audit trail keeps of an entry of the ledger, its verdict included."""
    return {
        "verdict": entry.verdict,
        "reasons": entry.reasons,
        "labels": entry.labels,
        "note": entry.note,
        # Plus 0.0: PostgreSQL's JSON knows no -0.0, and would give back another text to hash.
        "seconds": None if entry.seconds is None else entry.seconds + 0.0,
        "informed": entry.informed,
        "rank": entry.rank,
        "ranking_id": None if entry.ranking_id is None else str(entry.ranking_id),
        "criteria_version": entry.criteria_version,
        "second_in": None if entry.second_in is None else str(entry.second_in),
        "entered_by": None if entry.entered_by is None else str(entry.entered_by),
        "decided_at": sealed_time(entry.created_at),
        "made_at": None if entry.made_at is None else sealed_time(entry.made_at),
    }


def sealed_time(at: datetime) -> str:
    """Return a time as the audit trail has it: in UTC, with microseconds."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")
