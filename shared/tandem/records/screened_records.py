"""Which records are screened: kept right whenever their occurrences or removals change."""

from collections import defaultdict
from collections.abc import Collection

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from tandem.db.pieces import pieces
from tandem.ids import RecordNumber, ReviewId
from tandem.records.models import Import, Record, Removal
from tandem.records.origin import NotScreened, Way, why_not_screened


def refresh(session: Session, review_id: ReviewId, numbers: Collection[RecordNumber]) -> bool:
    """Bring `not_screened_because` of these records, and of those they are linked to, in line.

    The caller has locked the review. Returns whether any of them has come into the screening.
    """
    session.flush()
    came_in = False
    for some in pieces(sorted(set(numbers))):
        heads = set(
            session.scalars(
                select(Record.shown_as).where(
                    Record.review_id == review_id, Record.number.in_(some)
                )
            )
        )
        came_in |= _refresh(session, review_id, heads)
    return came_in


def left_out(
    session: Session, review_id: ReviewId, numbers: Collection[RecordNumber]
) -> set[RecordNumber]:
    """Return those of the records that are not screened."""
    found = set[RecordNumber]()
    for some in pieces(sorted(numbers)):
        # Which are left out is seen here: asked for, SQLite would read all that are in the review.
        query = select(Record.number, Record.not_screened_because).where(
            Record.review_id == review_id, Record.number.in_(some)
        )
        found |= {number for number, why in session.execute(query) if why is not None}
    return found


def _refresh(session: Session, review_id: ReviewId, heads: Collection[RecordNumber]) -> bool:
    ways = defaultdict[RecordNumber, list[Way]](list)
    was: dict[RecordNumber, NotScreened | None] = {}
    columns = (Record.number, Record.duplicate_of, Record.not_screened_because)
    query = (
        select(*columns, Import.found_by, Import.starts_at)
        .join(Import, Import.id == Record.import_id)
        .where(Record.review_id == review_id)
    )
    # One column at a time: for either at once SQLite reads the whole review.
    for column in (Record.number, Record.duplicate_of):
        for number, shown, why, found_by, starts_at in session.execute(
            query.where(column.in_(heads))
        ):
            ways[shown or number].append(Way(found_by, starts_at))
            was[number] = why
    removed = set(
        session.scalars(
            select(Removal.record_number).where(
                Removal.review_id == review_id, Removal.record_number.in_(heads)
            )
        )
    )
    came_in = False
    for number in sorted(heads):
        now = why_not_screened(ways[number], is_removed=number in removed)
        if now is not was[number]:
            came_in |= now is None
            session.execute(
                update(Record)
                .where(Record.review_id == review_id, Record.number == number)
                .values(not_screened_because=now)
            )
    return came_in
