"""The records of a review that the identifiers of incoming ones lead to."""

from collections.abc import Iterator, Sequence

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from tandem.ids import RecordNumber, ReviewId
from tandem.records.duplicates import identities
from tandem.records.duplicates.matching import Certainty, Identity, Match, compare
from tandem.records.duplicates.titles import plain_title
from tandem.records.formats.entry import Entry
from tandem.records.models import Record

_MOST_COMPARED = 20


class Known:
    """The records of the review that a batch's identifiers lead to, the batch's own included.

    They are found by DOI and PMID alone, so that copies are linked before anybody reads them;
    whatever else is one is found when the file is in.
    """

    def __init__(self, session: Session, review_id: ReviewId, entries: Sequence[Entry]) -> None:
        self._by_doi: dict[str, list[Identity]] = {}
        self._by_pmid: dict[str, list[Identity]] = {}
        self._titles: dict[RecordNumber, str] = {}
        self._shown_as: dict[RecordNumber, RecordNumber] = {}
        dois = {entry.doi for entry in entries if entry.doi}
        pmids = {entry.pmid for entry in entries if entry.pmid}
        query = (
            select(Record)
            .where(
                Record.review_id == review_id,
                or_(Record.doi.in_(dois), Record.pmid.in_(pmids)),
            )
            .order_by(Record.number)
        )
        for record in session.scalars(query):
            self._add(identities.identity(record), shown_as=record.duplicate_of or record.number)

    def find_or_add(self, new: Identity) -> tuple[RecordNumber, Match] | None:
        """Return the number of the record that this one is shown as, and why; None if it is new."""
        for known in self._candidates(new):
            match = compare(new, known)
            if match is not None and match.certainty is Certainty.AUTOMATIC:
                shown_as = self._shown_as[known.number]
                self._add(new, shown_as=shown_as)
                return shown_as, match
        self._add(new, shown_as=new.number)
        return None

    def _candidates(self, new: Identity) -> Iterator[Identity]:
        """Yield those that share an identifier; of very many, only those of the same title.

        All of a supplement may have one DOI. Linking looks at the others.
        """
        for found in (self._by_pmid.get(new.pmid or "", []), self._by_doi.get(new.doi or "", [])):
            if len(found) <= _MOST_COMPARED:
                yield from found
            else:
                title = plain_title(new.title)
                yield from (known for known in found if self._titles[known.number] == title)

    def _add(self, identity: Identity, *, shown_as: RecordNumber) -> None:
        self._shown_as[identity.number] = shown_as
        self._titles[identity.number] = plain_title(identity.title)
        if identity.doi:
            self._by_doi.setdefault(identity.doi, []).append(identity)
        if identity.pmid:
            self._by_pmid.setdefault(identity.pmid, []).append(identity)
