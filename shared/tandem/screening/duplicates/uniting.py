"""Records are linked: one record is shown for all of them, and gets the votes of the others."""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import select, union
from sqlalchemy.orm import Session

from tandem.db.pieces import pieces
from tandem.events import log
from tandem.events.types import DuplicatesMerged
from tandem.ids import RecordNumber, UserId
from tandem.records import screened_records
from tandem.records.duplicates import groups
from tandem.records.duplicates.identities import richness
from tandem.records.models import Record, Removal
from tandem.reviews.models import LockedReview, Review
from tandem.reviews.policy import Stage
from tandem.screening.blinding import exposure_notes
from tandem.screening.duplicates import transfer
from tandem.screening.duplicates.transfer import Policies
from tandem.screening.lease_models import Lease
from tandem.screening.ledger.of_stage import load_many
from tandem.screening.models import PresentDecision, Resolution, ScreenedRecord


def unite(
    session: Session,
    review: LockedReview,
    policies: Policies,
    united: Sequence[Mapping[RecordNumber, Record]],
    *,
    by: UserId | None = None,
) -> None:
    """Let one record of each group stand for all of it, and carry the others' votes to it."""
    session.flush()
    touched, removed = _touched(session, review, united), _removed(session, review, united)
    remember_exposure(session, review, policies, touched)
    unclear, shown, counted = list[RecordNumber](), list[Record](), list[Record]()
    merged, carried = list[DuplicatesMerged](), list[tuple[RecordNumber, RecordNumber]]()
    for records in united:
        first = min(records)
        counted += [record for record in first_of_each(records) if record.number != first]
        chosen = _representative(_candidates(records, removed), touched)
        # What was screened, of all of them, is screened when it is one.
        if any(record.is_left_out for record in records.values()) or removed:
            unclear.append(chosen.number)
        if not chosen.is_shown:
            chosen.duplicate_of = None
            shown.append(chosen)
        for number, record in sorted(records.items()):
            if record is chosen or record.duplicate_of == chosen.number:
                continue
            if record.is_shown and number in touched:
                carried.append((number, chosen.number))
            record.duplicate_of = chosen.number
            merged.append(
                DuplicatesMerged(
                    record_id=str(chosen.number), duplicate_id=str(number), detail=actor(by)
                )
            )
    groups.count_as(session, counted, duplicates=True)
    if merged:
        mark_changed(review, corpus=bool(shown))
    log.append(session, review, *merged)
    session.flush()
    screened_records.refresh(session, review.id, unclear)
    for source, target in carried:
        transfer.transfer(session, review, policies, source, to=target)


def remember_exposure(
    session: Session, review: Review, policies: Policies, numbers: Collection[RecordNumber]
) -> None:
    """Note to whom verdicts on records are open, before these are linked or parted."""
    for stage in Stage:
        states = load_many(session, review.id, stage, numbers)
        exposure_notes.remember(session, policies[stage], states)


def first_of_each(records: Mapping[RecordNumber, Record]) -> list[Record]:
    """Return of each record that is shown, with those linked to it, the one that came first.

    Whichever is shown: an import has brought a duplicate if another one was there before.
    """
    first: dict[RecordNumber, Record] = {}
    for number in sorted(records):
        first.setdefault(records[number].shown_as, records[number])
    return list(first.values())


def _candidates(records: Mapping[RecordNumber, Record], removed: set[RecordNumber]) -> list[Record]:
    """Return the records that may stand for all: removed ones only where all shown ones are.

    So a removal sleeps while its record is linked to one that is screened, and is there again
    when they are parted.
    """
    shown = [number for number, record in records.items() if record.is_shown]
    all_removed = bool(removed) and removed.issuperset(shown)
    return [record for number, record in records.items() if (number in removed) is all_removed]


def _removed(
    session: Session, review: Review, united: Sequence[Mapping[RecordNumber, Record]]
) -> set[RecordNumber]:
    numbers = sorted({number for records in united for number in records})
    found = set[RecordNumber]()
    for some in pieces(numbers):
        query = select(Removal.record_number).where(
            Removal.review_id == review.id, Removal.record_number.in_(some)
        )
        found.update(session.scalars(query))
    return found


def _representative(records: Sequence[Record], touched: set[RecordNumber]) -> Record:
    """Return the richest record, but one that people are at work on before a slightly richer one.

    Their record changes only where it has no abstract and another one does.
    """
    richest = max(records, key=richness)
    at_work = [record for record in records if record.number in touched]
    if not at_work:
        return richest
    best = max(at_work, key=richness)
    return richest if richest.abstract and not best.abstract else best


def _touched(
    session: Session, review: Review, united: Sequence[Mapping[RecordNumber, Record]]
) -> set[RecordNumber]:
    """Return those of the records that are shown and have a vote, a verdict or a reader."""
    shown = [number for records in united for number, record in records.items() if record.is_shown]
    tables = (PresentDecision, Resolution, Lease, ScreenedRecord)
    found = (
        select(table.record_number).where(
            table.review_id == review.id,
            table.stage.in_(list(Stage)),  # all there are, else SQLite reads the whole review
            table.record_number.in_(shown),
        )
        for table in tables
    )
    return set(session.scalars(union(*found)))


def actor(user_id: UserId | None) -> dict[str, str | None]:
    """Return for the audit trail who did it; None where the records' likeness did."""
    return {"by": None if user_id is None else str(user_id)}


def mark_changed(review: Review, *, corpus: bool) -> None:
    """Make a training due; `corpus`: there are records to rank that were not there before."""
    review.corpus_seq += corpus
    review.labels_seq += 1
