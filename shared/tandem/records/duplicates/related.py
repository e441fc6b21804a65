"""Which records are about one work without being one: an article and its erratum."""

from collections.abc import Collection

from sqlalchemy import CompoundSelect, bindparam, literal, select, union_all
from sqlalchemy.orm import Session

from tandem.db.pieces import pieces
from tandem.db.rows import fetch
from tandem.ids import RecordNumber, ReviewId
from tandem.records.duplicates.clusters import Related
from tandem.records.duplicates.models import RecordRelation
from tandem.records.duplicates.relations import Relation
from tandem.records.models import Record


def relate(session: Session, review_id: ReviewId, found: Collection[Related]) -> None:
    """Store which records are about one work; those known already stay."""
    query = select(RecordRelation.first, RecordRelation.second).where(
        RecordRelation.review_id == review_id
    )
    known = {(first, second) for first, second in session.execute(query)}
    session.add_all(
        RecordRelation(
            review_id=review_id, first=one.first, second=one.second, relation=one.relation
        )
        for one in found
        if (one.first, one.second) not in known
    )


def related_to(
    session: Session, review_id: ReviewId, numbers: Collection[RecordNumber]
) -> dict[RecordNumber, list[tuple[Record, Relation]]]:
    """Return for each of the records those that are about the same work, and how.

    A linked record is shown as the record that it is linked to.
    """
    found: dict[RecordNumber, list[tuple[Record, Relation]]] = {n: [] for n in numbers}
    for some in pieces(sorted(numbers)):
        rows = fetch(session, _PAIRS, {"review_id": review_id, "numbers": some}).all()
        others = _records(session, review_id, {row.there for row in rows})
        for row in sorted(rows, key=lambda row: (row.end, row.there)):
            shown = other = others[row.there]
            if not other.is_shown:
                shown = session.get_one(Record, (review_id, other.shown_as))
            found[row.here].append((shown, row.relation))
    return found


def _pairs() -> CompoundSelect[int, RecordNumber, RecordNumber, Relation]:
    """Select the relations of some records, seen from their end of them."""
    first, second = RecordRelation.first, RecordRelation.second
    # Joined with the records, SQLite would begin with all that the review has.
    return union_all(
        *(
            select(
                literal(end).label("end"),
                here.label("here"),
                there.label("there"),
                RecordRelation.relation.label("relation"),
            ).where(
                RecordRelation.review_id == bindparam("review_id"),
                here.in_(bindparam("numbers", expanding=True)),
            )
            for end, (here, there) in enumerate([(first, second), (second, first)])
        )
    )


_PAIRS = _pairs()


def _records(
    session: Session, review_id: ReviewId, numbers: Collection[RecordNumber]
) -> dict[RecordNumber, Record]:
    found: dict[RecordNumber, Record] = {}
    for some in pieces(sorted(numbers)):
        query = select(Record).where(Record.review_id == review_id, Record.number.in_(some))
        found |= {record.number: record for record in session.scalars(query)}
    return found
