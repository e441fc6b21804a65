"""One batch of a file: made ready before the review is locked, so that it is locked briefly.

Everybody who screens in the same review waits while a batch is stored. So all that takes time
happens ahead: looking for copies among the stored records, comparing, building rows.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from tandem.db.base import now
from tandem.db.pieces import pieces
from tandem.errors import NotFound
from tandem.events import log
from tandem.events.types import DuplicatesMerged
from tandem.ids import ImportId, RecordNumber, ReviewId
from tandem.records import judged_text, screened_records, search_index
from tandem.records.duplicates import groups, identities
from tandem.records.duplicates.matching import Match
from tandem.records.formats.entry import Entry, Rejection
from tandem.records.import_warnings import breaks_off
from tandem.records.known import Known
from tandem.records.models import Import, Record
from tandem.reviews.models import Review

_MOST_REJECTIONS_LISTED = 1000
"""All are counted; a file with more is not a bibliography, and its list would help nobody."""

_MOST_WARNINGS = 20
"""One of an archive's files each may break off."""


@dataclass(frozen=True, slots=True)
class Ready:
    """What a batch comes to, as long as `after` is the number of the review's last record.

    Attributes:
        after: The last record when the batch was made ready; its own begin behind that.
        rows: Its records as they are stored, in order of number.
        copies: Which of them are copies, of which record, and why. That one may be a copy too.
        rejections: What could not be read.
        n_priors: How many of its records carry a decision from an earlier screening.
        breaking_off: Those records that the file ends inside of.
    """

    after: int
    rows: Sequence[dict[str, Any]]
    copies: Mapping[RecordNumber, tuple[RecordNumber, Match]]
    rejections: Sequence[Rejection]
    n_priors: int
    breaking_off: Sequence[Entry] = ()


def make_ready(
    session: Session,
    *,
    review_id: ReviewId,
    import_id: ImportId,
    source: str | None,
    batch: Sequence[Entry | Rejection],
) -> Ready:
    """Return what is to be stored for these entries, their copies found by DOI and PMID."""
    after = session.scalar(select(Review.last_record_number).where(Review.id == review_id))
    if after is None:
        raise NotFound(f"There is no review {review_id}.")
    entries = [item for item in batch if isinstance(item, Entry)]
    known = Known(session, review_id, entries)
    rows, copies = [], {}
    for number, entry in enumerate(entries, start=after + 1):
        of_record = {"review_id": review_id, "number": number, "import_id": import_id}
        fields = _fields(entry)
        sealed = {"text_digest": judged_text.digest(fields)}
        rows.append(of_record | {"source": source} | fields | sealed)
        if found := known.find_or_add(identities.of_entry(entry, RecordNumber(number))):
            copies[RecordNumber(number)] = found
    rejections = [item for item in batch if isinstance(item, Rejection)]
    n_priors = sum(bool(entry.priors) for entry in entries)
    breaking_off = [entry for entry in entries if entry.breaks_off]
    return Ready(after, rows, copies, rejections, n_priors, breaking_off)


def store(session: Session, review: Review, row: Import, ready: Ready) -> None:
    """Store the batch and count it in its import's row. The caller holds the review's lock.

    `ready.after` is still the number of the review's last record.
    """
    shown_as = _shown_as(session, review.id, ready)
    joining: dict[RecordNumber, dict[RecordNumber, Match]] = {}
    for number, representative in shown_as.items():
        joining.setdefault(representative, {})[number] = ready.copies[number][1]
    log.append(
        session,
        review,
        *(
            DuplicatesMerged(record_id=str(representative), duplicate_id=str(number))
            for number, representative in shown_as.items()
        ),
    )
    _count(review, row, ready)
    session.flush()
    if ready.rows:
        records = [of | {"duplicate_of": shown_as.get(of["number"])} for of in ready.rows]
        # Else each row is a statement of its own, in which only its values that are not null are.
        one_statement = insert(Record).execution_options(render_nulls=True)
        with search_index.added_together(session, review.id, after=ready.after):
            session.execute(one_statement, records)
    if joining:
        groups.grow(session, review.id, joining)
    if row.found_by.is_searched:  # what is screened stays so if a search finds it once more
        touched = screened_records.left_out(session, review.id, joining)
    else:
        touched = {*joining, *(RecordNumber(of["number"]) for of in ready.rows)}
    screened_records.refresh(session, review.id, touched)


def _shown_as(
    session: Session, review_id: ReviewId, ready: Ready
) -> dict[RecordNumber, RecordNumber]:
    """Return the record that each copy is shown as, in order of number.

    Looked up now: somebody may have merged or parted the stored ones since they were compared.
    """
    stored = {original for original, _ in ready.copies.values() if original <= ready.after}
    linked: dict[RecordNumber, RecordNumber] = {}
    for some in pieces(sorted(stored)):
        # Not restricted to those that are linked: SQLite would read all that are in the review.
        query = select(Record.number, Record.duplicate_of).where(
            Record.review_id == review_id, Record.number.in_(some)
        )
        linked |= {number: shown for number, shown in session.execute(query) if shown}
    shown_as: dict[RecordNumber, RecordNumber] = {}
    for number, (original, _) in ready.copies.items():
        shown_as[number] = linked.get(original) or shown_as.get(original) or original
    return shown_as


def _count(review: Review, row: Import, ready: Ready) -> None:
    n_records, n_duplicates = len(ready.rows), len(ready.copies)
    review.last_record_number += n_records
    row.n_read += n_records + len(ready.rejections)
    row.n_duplicates += n_duplicates
    row.n_added += n_records - n_duplicates
    row.n_rejected += len(ready.rejections)
    row.n_priors += ready.n_priors
    for of in ready.rows:
        row.texts_digest = judged_text.roll(row.texts_digest, of["number"], of["text_digest"])
    if ready.rejections and (room := _MOST_REJECTIONS_LISTED - len(row.rejected)) > 0:
        listed = (asdict(rejection) for rejection in ready.rejections[:room])
        row.rejected = [*row.rejected, *listed]
    if ready.breaking_off and (room := _MOST_WARNINGS - len(row.warnings)) > 0:
        row.warnings = [*row.warnings, *map(breaks_off, ready.breaking_off[:room])]
    if n_records > n_duplicates:
        review.corpus_seq += 1


def sealed_origin(session: Session, row: Import) -> dict[str, Any]:
    """Return what the audit trail keeps of where an import's records came from, and which."""
    mine = select(Record.number).where(Record.import_id == row.id)
    return {
        "numbers": spans(session.scalars(mine)),
        "source": row.source,
        "found_by": row.found_by,
        "starts_at": row.starts_at,
        "wave": row.wave,
    }


def spans(numbers: Iterable[RecordNumber]) -> list[list[int]]:
    """Return numbers as the first and last of each unbroken span, ascending."""
    found: list[list[int]] = []
    for number in sorted(numbers):
        if found and found[-1][1] == number - 1:
            found[-1][1] = int(number)
        else:
            found.append([int(number), int(number)])
    return found


def sealed_texts(row: Import) -> dict[str, Any]:
    """Return what the audit trail keeps of the texts that an import has brought."""
    return {"texts": {"n": row.n_added + row.n_duplicates, "digest": row.texts_digest}}


def _fields(entry: Entry) -> dict[str, Any]:
    return {
        "ref": entry.ref,
        "title": entry.title,
        "abstract": entry.abstract,
        "authors": list(entry.authors),
        "year": entry.year,
        "journal": entry.journal,
        "volume": entry.volume,
        "issue": entry.issue,
        "pages": entry.pages,
        "doi": entry.doi,
        "pmid": entry.pmid,
        "url": entry.url,
        "keywords": list(entry.keywords),
        "language": entry.language,
        "registry_ids": list(entry.registry_ids),
        "raw": entry.raw,
        "kind": entry.kind,
        "priors": [asdict(prior) for prior in entry.priors],
        "created_at": now(),
    }
