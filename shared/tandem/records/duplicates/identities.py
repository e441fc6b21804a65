"""What stored records are recognised by, and which of several tells most."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tandem.ids import ReviewId
from tandem.records.duplicates.matching import Identity
from tandem.records.formats.entry import Kind
from tandem.records.models import Record

_ABSTRACT_COMPARED = 500


def identities(session: Session, review_id: ReviewId) -> list[Identity]:
    """Return what the review's records are recognised by, in order of number."""
    columns = (
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
    )
    query = select(*columns).where(Record.review_id == review_id).order_by(Record.number)
    return [
        Identity(number, title, tuple(authors), *others)
        for number, title, authors, *others in session.execute(
            query.execution_options(yield_per=5000)
        )
    ]


def identity(record: Record) -> Identity:
    """Return what one record is recognised by."""
    return Identity(
        number=record.number,
        title=record.title,
        authors=tuple(record.authors),
        year=record.year,
        journal=record.journal,
        volume=record.volume,
        issue=record.issue,
        pages=record.pages,
        doi=record.doi,
        pmid=record.pmid,
        kind=record.kind,
        abstract=record.abstract[:_ABSTRACT_COMPARED],
    )


def richness(record: Record) -> tuple[int, ...]:
    """Return how much a record tells; the greatest stands for its group.

    An abstract before all, since that is what is screened; then a publication rather than its
    preprint or conference abstract; then identifiers and fields; then the longer abstract.
    """
    fields = (record.doi, record.pmid, record.year, record.journal, record.pages, record.url)
    more = (record.volume, record.issue, record.language, record.authors, record.keywords)
    return (
        bool(record.abstract),
        record.kind not in {Kind.PREPRINT, Kind.CONFERENCE},
        sum(map(bool, (*fields, *more))),
        len(record.abstract),
        -record.number,
    )
