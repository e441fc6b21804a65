"""The records of a review that the identifiers of incoming ones lead to."""

from collections.abc import Iterator, Sequence

from sqlalchemy.orm import Session

from tandem.ids import RecordNumber, ReviewId
from tandem.records.duplicates import identities
from tandem.records.duplicates.matching import Certainty, Identity, Match, compare
from tandem.records.duplicates.titles import plain_title
from tandem.records.formats.entry import Entry

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
        dois = {entry.doi for entry in entries if entry.doi}
        pmids = {entry.pmid for entry in entries if entry.pmid}
        for identity in identities.sharing(session, review_id, dois=dois, pmids=pmids):
            self._add(identity)

    def find_or_add(self, new: Identity) -> tuple[RecordNumber, Match] | None:
        """Return the number of a record that this one is a copy of, and why; None if it is new.

        That one may be a copy itself, of the batch or of the review.
        """
        found = self._find(new)
        self._add(new)
        return found

    def _find(self, new: Identity) -> tuple[RecordNumber, Match] | None:
        for known in self._candidates(new):
            match = compare(new, known)
            if match is not None and match.certainty is Certainty.AUTOMATIC:
                return known.number, match
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

    def _add(self, identity: Identity) -> None:
        self._titles[identity.number] = plain_title(identity.title)
        if identity.doi:
            self._by_doi.setdefault(identity.doi, []).append(identity)
        if identity.pmid:
            self._by_pmid.setdefault(identity.pmid, []).append(identity)
