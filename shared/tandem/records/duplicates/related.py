"""Which records are about one work without being one: an article and its erratum."""

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from tandem.db.pieces import pieces
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

    One that is linked to another one is told as that one.
    """
    found: dict[RecordNumber, list[tuple[Record, Relation]]] = {n: [] for n in numbers}
    ends = (
        (RecordRelation.first, RecordRelation.second),
        (RecordRelation.second, RecordRelation.first),
    )
    for some in pieces(sorted(numbers)):
        for here, there in ends:
            query = (
                select(here, Record, RecordRelation.relation)
                .join(Record, (Record.review_id == review_id) & (Record.number == there))
                .where(RecordRelation.review_id == review_id, here.in_(some))
                .order_by(Record.number)
            )
            for number, record, relation in session.execute(query):
                shown = record
                if record.duplicate_of is not None:
                    shown = session.get_one(Record, (review_id, record.duplicate_of))
                found[number].append((shown, relation))
    return found
