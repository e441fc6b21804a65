"""Lines about the single records of a stage, for the audit trail; page by page."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Select, select, union
from sqlalchemy.orm import Session

from tandem.audit import digests
from tandem.audit.seals import Seals
from tandem.ids import RecordNumber, ReviewId
from tandem.reviews.policy import Stage
from tandem.screening.ledger.entries import decision_detail, resolution_detail
from tandem.screening.models import Decision, PresentDecision, Resolution, ScreenedRecord

PAGE = 1000
"""Rows in memory at a time."""

Line = dict[str, Any]


def statuses(session: Session, review_id: ReviewId, stage: Stage, seals: Seals) -> Iterator[Line]:
    """Yield a line for each record with a decision in the stage."""
    after = 0
    while True:
        query = (
            select(ScreenedRecord)
            .where(
                ScreenedRecord.review_id == review_id,
                ScreenedRecord.stage == stage,
                ScreenedRecord.record_number > after,
            )
            .order_by(ScreenedRecord.record_number)
            .limit(PAGE)
        )
        page = session.scalars(query).all()
        numbers = [row.record_number for row in page]
        votes = _votes(session, review_id, stage, numbers)
        in_force = _in_force(session, review_id, stage, numbers)
        for row in page:
            hidden = seals.hide(stage, row.record_number)
            stands = None if row.resolution_id is None else str(row.resolution_id)
            yield {
                "record": str(row.record_number),
                "stage": stage,
                "status": row.status,
                "n_decisions": row.n_decisions,
                "votes": None if hidden else votes[row.record_number],
                "resolution": None if hidden else stands,
                "standing": None if hidden else in_force[row.record_number],
            }
        if len(page) < PAGE:
            return
        after = page[-1].record_number
        session.expunge_all()


def _votes(
    session: Session, review_id: ReviewId, stage: Stage, numbers: Sequence[RecordNumber]
) -> Mapping[RecordNumber, dict[str, Line]]:
    query = (
        select(
            PresentDecision.record_number,
            PresentDecision.reviewer_id,
            Decision.verdict,
            Decision.reasons,
            Decision.classification,
        )
        .join(Decision, Decision.id == PresentDecision.decision_id)
        .where(
            PresentDecision.review_id == review_id,
            PresentDecision.stage == stage,
            PresentDecision.record_number.in_(numbers),
        )
        .order_by(Decision.labels_seq)
    )
    found: dict[RecordNumber, dict[str, Line]] = defaultdict(dict)
    for number, reviewer_id, verdict, reasons, kind in session.execute(query):
        classified = {} if kind is None else {"classification": kind}
        found[number][str(reviewer_id)] = {"verdict": verdict, "reasons": reasons} | classified
    return found


def _in_force(
    session: Session, review_id: ReviewId, stage: Stage, numbers: Sequence[RecordNumber]
) -> Mapping[RecordNumber, list[Line]]:
    """Return the resolutions that are marked as in force: one at most, or rows are wrong."""
    query = _resolutions(review_id, stage, numbers).where(
        Resolution.is_set_aside.is_(False), Resolution.taken_back_at.is_(None)
    )
    found: dict[RecordNumber, list[Line]] = defaultdict(list)
    for row in session.scalars(query):
        found[row.record_number].append(_logged(row))
    return found


def ledgers(session: Session, review_id: ReviewId, stage: Stage, seals: Seals) -> Iterator[Line]:
    """Yield a line for each record that ever had an entry, linked records included."""
    after = 0
    while True:
        numbers = _next(session, review_id, stage, after)
        made = _digests(session, review_id, stage, numbers)
        own = _own(session, review_id, stage, numbers)
        for number in numbers:
            hidden, (n_entries, digest, times) = seals.hide(stage, number), made[number]
            yield {
                "ledger": str(number),
                "stage": stage,
                "n_entries": n_entries,
                "digest": None if hidden else digest.hex(),
                "times": None if hidden else times,
                "resolutions": None if hidden else own[number],
            }
        if len(numbers) < PAGE:
            return
        after = numbers[-1]
        session.expunge_all()


def _next(
    session: Session, review_id: ReviewId, stage: Stage, after: int
) -> Sequence[RecordNumber]:
    """Return the next records that have entries or resolutions."""
    both = [
        select(table.record_number.label("number"))
        .where(table.review_id == review_id, table.stage == stage, table.record_number > after)
        .distinct()
        .order_by(table.record_number)
        .limit(PAGE)
        .subquery()
        for table in (Decision, Resolution)
    ]
    some = union(*(select(one.c.number) for one in both)).subquery()
    query = select(some.c.number).order_by(some.c.number).limit(PAGE)
    return session.scalars(query).all()


def _digests(
    session: Session, review_id: ReviewId, stage: Stage, numbers: Sequence[RecordNumber]
) -> Mapping[RecordNumber, tuple[int, bytes, list[Any]]]:
    """Return the number of entries of each record, their digest, and their times."""
    query = (
        select(Decision)
        .where(
            Decision.review_id == review_id,
            Decision.stage == stage,
            Decision.record_number.in_(numbers),
        )
        .order_by(Decision.labels_seq)
    )
    found = defaultdict[RecordNumber, tuple[int, bytes, list[Any]]](
        lambda: (0, digests.NOTHING, [])
    )
    for row in session.scalars(query):
        n_entries, digest, times = found[row.record_number]
        came = row.carried_from
        data = {
            "reviewer_id": str(row.reviewer_id),
            "labels_seq": row.labels_seq,
            "carried_from": None if came is None else str(came),
        }
        detail = decision_detail(row)
        entry = digests.ledger_entry(data, detail)
        times.append([row.labels_seq, detail["decided_at"], detail["made_at"]])
        found[row.record_number] = n_entries + 1, digests.add(digest, entry), times
    return found


def _own(
    session: Session, review_id: ReviewId, stage: Stage, numbers: Sequence[RecordNumber]
) -> Mapping[RecordNumber, list[Line]]:
    """Return the resolutions that were made at the records: these are never removed."""
    query = _resolutions(review_id, stage, numbers).where(Resolution.carried_from.is_(None))
    found: dict[RecordNumber, list[Line]] = defaultdict(list)
    for row in session.scalars(query):
        back = None
        if row.taken_back_at is not None:
            back = {"by": str(row.taken_back_by), "note": row.taken_back_note}
        found[row.record_number].append(_logged(row) | {"taken_back": back})
    return found


def _resolutions(
    review_id: ReviewId, stage: Stage, numbers: Sequence[RecordNumber]
) -> Select[Resolution]:
    return (
        select(Resolution)
        .where(
            Resolution.review_id == review_id,
            Resolution.stage == stage,
            Resolution.record_number.in_(numbers),
        )
        .order_by(Resolution.labels_seq)
    )


def _logged(row: Resolution) -> Line:
    logged: Line = resolution_detail(row)["resolution"]
    return logged
