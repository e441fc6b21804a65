"""The records of a review that the identifiers of incoming ones lead to."""

from collections.abc import Iterator, Sequence

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from tandem.ids import RecordNumber, ReviewId
from tandem.records.formats.entry import Entry
from tandem.records.linking import Identity, is_same
from tandem.records.models import Record


class Known:
    """The records of the review that a batch's identifiers lead to, the batch's own included."""

    def __init__(self, session: Session, review_id: ReviewId, entries: Sequence[Entry]) -> None:
        self._by_doi: dict[str, list[Identity]] = {}
        self._by_pmid: dict[str, list[Identity]] = {}
        dois = {entry.doi for entry in entries if entry.doi}
        pmids = {entry.pmid for entry in entries if entry.pmid}
        shown = Record.duplicate_of.label("shown")
        query = (
            select(Record.number, shown, Record.title, Record.year, Record.doi, Record.pmid)
            .where(
                Record.review_id == review_id,
                or_(Record.doi.in_(dois), Record.pmid.in_(pmids)),
            )
            .order_by(Record.number)
        )
        for row in session.execute(query):
            self._add(Identity(row.shown or row.number, row.title, row.year, row.doi, row.pmid))

    def find_or_add(self, entry: Entry, number: RecordNumber) -> RecordNumber | None:
        """Return the number of the record that this one is shown as, or None if it is new."""
        new = Identity(number, entry.title, entry.year, entry.doi, entry.pmid)
        candidates: Iterator[Identity] = iter(
            self._by_pmid.get(entry.pmid or "", []) + self._by_doi.get(entry.doi or "", [])
        )
        twin = next((known for known in candidates if is_same(new, known)), None)
        shown = number if twin is None else twin.number
        self._add(Identity(shown, entry.title, entry.year, entry.doi, entry.pmid))
        return None if twin is None else twin.number

    def _add(self, identity: Identity) -> None:
        if identity.doi:
            self._by_doi.setdefault(identity.doi, []).append(identity)
        if identity.pmid:
            self._by_pmid.setdefault(identity.pmid, []).append(identity)
