"""What stored records are recognised by, and which of several tells most."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tandem.db.pieces import pieces
from tandem.ids import RecordNumber, ReviewId
from tandem.records.duplicates.matching import Identity
from tandem.records.formats.entry import Entry, Kind
from tandem.records.formats.normalise import says_nothing
from tandem.records.models import Record

_ABSTRACT_COMPARED = 500

_COLUMNS = (
    Record.number,
    Record.title,
    Record.authors,
    Record.year,
    Record.journal,
    Record.volume,
    Record.issue,
    Record.pages,
    Record.doi,
    Record.pmid,
    Record.kind,
    func.substr(Record.abstract, 1, _ABSTRACT_COMPARED),
    Record.registry_ids,
)


class Stored(Collection[Identity]):
    """What a review's records are recognised by, in order of number, read as it is gone through.

    All at once would take as much memory as what is made of them to compare them.
    """

    def __init__(self, session: Session, review_id: ReviewId) -> None:
        self._session, self._of = session, Record.review_id == review_id

    def __len__(self) -> int:
        return self._session.scalar(select(func.count()).where(self._of)) or 0

    def __iter__(self) -> Iterator[Identity]:
        query = select(*_COLUMNS).where(self._of).order_by(Record.number)
        with self._session.execute(query.execution_options(yield_per=5000)) as rows:
            yield from map(_identity, rows)

    def __contains__(self, identity: object) -> bool:
        return any(one == identity for one in self)


def numbered(
    session: Session, review_id: ReviewId, numbers: Collection[RecordNumber]
) -> dict[RecordNumber, Identity]:
    """Return the identities of these records by number; records that are gone are left out."""
    found: dict[RecordNumber, Identity] = {}
    for some in pieces(sorted(numbers)):
        query = select(*_COLUMNS).where(Record.review_id == review_id, Record.number.in_(some))
        found |= {row.number: _identity(row) for row in session.execute(query)}
    return found


def sharing(
    session: Session, review_id: ReviewId, *, dois: Collection[str], pmids: Collection[str]
) -> list[Identity]:
    """Return those of the records that have one of these DOIs or PMIDs, in order of number."""
    found: dict[RecordNumber, Identity] = {}
    for column, values in ((Record.doi, dois), (Record.pmid, pmids)):
        for some in pieces(sorted(values)):
            # One column at a time, and sorted afterwards: for either at once or in the order of
            # its key SQLite reads the whole review, not the column's index.
            query = select(*_COLUMNS).where(Record.review_id == review_id, column.in_(some))
            found |= {row.number: _identity(row) for row in session.execute(query)}
    return [found[number] for number in sorted(found)]


def _identity(row: Sequence[Any]) -> Identity:
    number, title, authors, *others, registry_ids = row
    last = (*others, tuple(registry_ids))
    return Identity(number, title, tuple(authors), *last)


def of_entry(entry: Entry, number: RecordNumber) -> Identity:
    """Return what a record is recognised by that is to be stored with this number."""
    return Identity(
        number=number,
        title=entry.title,
        authors=entry.authors,
        year=entry.year,
        journal=entry.journal,
        volume=entry.volume,
        issue=entry.issue,
        pages=entry.pages,
        doi=entry.doi,
        pmid=entry.pmid,
        kind=entry.kind,
        abstract=entry.abstract[:_ABSTRACT_COMPARED],
        registry_ids=entry.registry_ids,
    )


def richness(record: Record) -> tuple[int, ...]:
    """Return how much a record tells; the greatest stands for its group.

    An abstract before all, since that is what is screened; then a publication rather than its
    preprint or conference abstract; then identifiers and fields; then the longer abstract.
    """
    fields = (record.doi, record.pmid, record.year, record.journal, record.pages, record.url)
    more = (record.volume, record.issue, record.language, record.authors, record.keywords)
    return (
        bool(record.abstract) and not says_nothing(record.abstract),
        record.kind not in {Kind.PREPRINT, Kind.CONFERENCE},
        sum(map(bool, (*fields, *more))),
        len(record.abstract),
        -record.number,
    )
