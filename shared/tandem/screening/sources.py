"""What is not screened: records removed before, and corrections of how an import was found."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from tandem.db.base import now
from tandem.db.pieces import pieces
from tandem.errors import Conflict, NotFound
from tandem.events import log
from tandem.events.types import ImportChanged, RecordRemoved, RecordRestored
from tandem.ids import ImportId, RecordNumber, ReviewId
from tandem.records import batch, imports, screened_records, waves
from tandem.records.imports import Found
from tandem.records.models import Import, Record, Removal
from tandem.records.origin import RemovalKind
from tandem.reviews.models import LockedReview, Review, Role
from tandem.reviews.policy import Stage
from tandem.reviews.service import Viewer
from tandem.screening import priors
from tandem.screening.lease_models import Lease
from tandem.screening.ledger.loading import IS_ACTIVE, IsDuplicate
from tandem.screening.models import PresentDecision, Resolution


class WasScreened(Conflict):
    """Somebody has decided the record, so it was not removed before screening."""

    code = "was_screened"


def remove(
    session: Session,
    review: LockedReview,
    viewer: Viewer,
    *,
    number: RecordNumber,
    kind: RemovalKind,
    reason: str,
    tool: str | None,
) -> Removal:
    """Remove a record, with all that are linked to it, before screening. To repeat changes nothing.

    Raises:
        NotFound: The review has no such record.
        IsDuplicate: It is shown as another record.
        Forbidden: Only an owner may.
        WasScreened: Somebody has decided it, or its full text, and has not withdrawn that.
    """
    viewer.require(Role.OWNER, "remove records before screening")
    _require_shown(session, review.id, number)
    if any(_decided(session, review.id, stage, [number]) for stage in Stage):
        raise WasScreened(
            f"Somebody has decided record {number}, so it cannot be removed before screening. "
            "Exclude it, or let them withdraw their decisions first."
        )
    row = session.get(Removal, (review.id, number))
    if row is not None and (row.kind, row.reason, row.tool) == (kind, reason, tool):
        return row
    if row is None:
        row = Removal(review_id=review.id, record_number=number)
        session.add(row)
    row.kind, row.reason, row.tool = kind, reason, tool
    row.removed_by, row.removed_at = viewer.user_id, now()
    session.execute(
        delete(Lease).where(
            Lease.review_id == review.id,
            Lease.stage == Stage.TITLE_ABSTRACT,
            Lease.record_number == number,
        )
    )
    screened_records.refresh(session, review.id, [number])
    detail = {"by": str(viewer.user_id), "reason": reason, "tool": tool}
    log.append(session, review, RecordRemoved(record_id=str(number), kind=kind, detail=detail))
    session.flush()
    return row


def restore(
    session: Session, review: LockedReview, viewer: Viewer, *, number: RecordNumber
) -> None:
    """Take a removal back: the record is screened as if it had never been removed.

    Raises:
        NotFound: The review has no such record, or it is not removed.
        IsDuplicate: It is shown as another record.
        Forbidden: Only an owner may.
    """
    viewer.require(Role.OWNER, "restore records")
    _require_shown(session, review.id, number)
    row = session.get(Removal, (review.id, number))
    if row is None:
        raise NotFound(f"Record {number} is not removed.")
    session.delete(row)
    _refresh(session, review, [number])
    detail = {"by": str(viewer.user_id)}
    log.append(session, review, RecordRestored(record_id=str(number), detail=detail))
    session.flush()
    priors.take_of_restored(session, review, viewer, number)


def removal_of(session: Session, review_id: ReviewId, number: RecordNumber) -> Removal | None:
    """Return that a record, or the one that it is linked to, is removed before screening."""
    record = session.get(Record, (review_id, number))
    shown = number if record is None else record.shown_as
    return session.get(Removal, (review_id, shown))


def change_import(
    session: Session,
    review: LockedReview,
    viewer: Viewer,
    *,
    import_id: ImportId,
    changes: Mapping[str, Any],
) -> Import:
    """Correct what is said of an import's search. Equal values change nothing.

    That is `source`, `platform`, `searched_on`, `strategy`, `found_by`, `starts_at` and `wave`.

    Raises:
        NotFound: The review has no such import, or no such wave.
        Forbidden: Only an owner may.
        MustBeScreened: Its records cannot start there.
        WasScreened: Records would leave the screening that somebody has decided.
    """
    viewer.require(Role.OWNER, "correct where records came from")
    row = imports.get_import(session, review_id=review.id, import_id=import_id)
    session.refresh(row, with_for_update=True)
    wanted = _wanted(session, review, row, changes)
    touched = {name: value for name, value in wanted.items() if getattr(row, name) != value}
    if not touched:
        return row
    before = {name: getattr(row, name) for name in touched}
    for name, value in touched.items():
        setattr(row, name, value)
    numbers = session.scalars(select(Record.number).where(Record.import_id == row.id)).all()
    if "source" in touched:
        session.execute(
            update(Record).where(Record.import_id == row.id).values(source=touched["source"])
        )
    if touched.keys() & {"found_by", "starts_at"}:
        _refresh(session, review, numbers)
        _require_undecided(session, review, numbers)
    origin = batch.sealed_origin(session, row)
    detail = {"by": str(viewer.user_id), "from": _sealed(before), "to": _sealed(touched)} | origin
    fact = ImportChanged(import_id=str(row.id), changed=sorted(touched), detail=detail)
    log.append(session, review, fact)
    session.flush()
    return row


def _wanted(
    session: Session, review: Review, row: Import, changes: Mapping[str, Any]
) -> dict[str, Any]:
    wanted = dict(changes)
    if wanted.get("wave", row.wave) is not None:
        wanted["wave"] = waves.require(session, review.id, wanted.get("wave", row.wave))
    if {"found_by", "starts_at"} & wanted.keys():
        found_by = wanted.get("found_by", row.found_by)
        starts_at = wanted.get("starts_at")
        wanted["starts_at"] = Found(found_by, starts_at).resolved_start()
    return wanted


def _sealed(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values as the audit trail keeps them."""
    return {
        name: value.isoformat() if isinstance(value, date) else value
        for name, value in values.items()
    }


def _refresh(session: Session, review: Review, numbers: Sequence[RecordNumber]) -> None:
    if screened_records.refresh(session, review.id, numbers):
        review.corpus_seq += 1
        review.labels_seq += 1


def _require_undecided(session: Session, review: Review, numbers: Collection[RecordNumber]) -> None:
    out = set[RecordNumber]()
    for some in pieces(sorted(numbers)):
        query = select(Record.shown_as).where(
            Record.review_id == review.id, Record.number.in_(some)
        )
        out.update(session.scalars(query))
    for some in pieces(sorted(out)):
        left = select(Record.number).where(
            Record.review_id == review.id,
            Record.number.in_(some),
            Record.is_left_out,
        )
        if n := _decided(session, review.id, Stage.TITLE_ABSTRACT, session.scalars(left).all()):
            raise WasScreened(
                f"{n} of its records have been screened by title and abstract, so they did not "
                "come by a way that skips it. Let their decisions be withdrawn first."
            )


def _require_shown(session: Session, review_id: ReviewId, number: RecordNumber) -> None:
    record = session.get(Record, (review_id, number))
    if record is None:
        raise NotFound(f"There is no record {number} in this review.")
    if not record.is_shown:
        raise IsDuplicate(number, record.shown_as)


def _decided(
    session: Session, review_id: ReviewId, stage: Stage, numbers: Sequence[RecordNumber]
) -> int:
    """Return how many of the records have a decision in the stage that stands."""
    found = set[RecordNumber]()
    votes = select(PresentDecision.record_number).where(
        PresentDecision.review_id == review_id,
        PresentDecision.stage == stage,
        PresentDecision.record_number.in_(numbers),
    )
    settled = select(Resolution.record_number).where(
        Resolution.review_id == review_id,
        Resolution.stage == stage,
        Resolution.record_number.in_(numbers),
        IS_ACTIVE,
    )
    for query in (votes, settled):
        found.update(session.scalars(query))
    return len(found)
