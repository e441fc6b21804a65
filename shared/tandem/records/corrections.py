"""Correcting what a record says of its publication. The text as it stood in the file stays."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from tandem.errors import Invalid, NotFound
from tandem.events import log
from tandem.events.types import ReviewChanged
from tandem.ids import RecordNumber, UserId
from tandem.records import judged_text
from tandem.records.formats import normalise
from tandem.records.formats.assembly import (
    LONGEST_FIELD,
    LONGEST_LIST,
    LONGEST_RECORD,
    LONGEST_TITLE,
)
from tandem.records.models import Record
from tandem.reviews.models import LockedReview

_TEXTS = {"title", "abstract", "keywords"}
"""What features and rankings are made of."""

_IDENTITY = {"title", "doi", "pmid"}
"""What a seed study is found by."""

_MEANT = {
    "doi": "a DOI, such as 10.1000/example.17",
    "pmid": "a PubMed number, such as 22000017",
    "url": "a web address, such as https://example.org/17",
}


def correct(
    session: Session,
    review: LockedReview,
    *,
    number: RecordNumber,
    changes: Mapping[str, Any],
    by: UserId,
) -> Record:
    """Replace fields of a record, brought to the form that an import gives them.

    Equal values change nothing. A new title, abstract or keyword makes a training due.

    Raises:
        NotFound: The review has no such record.
        Invalid: An identifier or address is none, or neither title nor abstract is left.
    """
    record = session.get(Record, (review.id, number))
    if record is None:
        raise NotFound(f"There is no record {number} in this review.")
    new = {name: _normal(name, value) for name, value in changes.items()}
    touched = {name: value for name, value in new.items() if getattr(record, name) != value}
    if not touched:
        return record
    if not any(touched.get(name, getattr(record, name)) for name in ("title", "abstract")):
        raise Invalid("A record needs a title or an abstract.", field="title")
    before = {name: getattr(record, name) for name in touched}
    for name, value in touched.items():
        setattr(record, name, value)
    if _TEXTS & touched.keys():
        review.corpus_seq += 1
        review.labels_seq += 1
    elif review.seed_studies and _IDENTITY & touched.keys():
        review.labels_seq += 1
    now = judged_text.digest({name: getattr(record, name) for name in judged_text.FIELDS})
    detail = {"by": str(by), "from": before, "to": touched, "text": now.hex()}
    log.append(session, review, ReviewChanged(changed=[f"records/{number}"], detail=detail))
    return record


def _normal(name: str, value: Any) -> Any:
    """Return a value as an import would have stored it; None clears what may be empty."""
    if value is None:
        return _EMPTY.get(name)
    normal = _NORMAL[name](value)
    if normal is None and name in _MEANT and value.strip():
        raise Invalid(f"This is not {_MEANT[name]}.", field=name)
    return _EMPTY.get(name) if normal is None else normal


def _names(texts: Sequence[str]) -> list[str]:
    return [name[:LONGEST_FIELD] for name in normalise.names(texts)[:LONGEST_LIST]]


def _terms(texts: Sequence[str]) -> list[str]:
    return [term[:LONGEST_FIELD] for term in normalise.terms(texts)[:LONGEST_LIST]]


def _pages(text: str) -> str | None:
    pages = normalise.pages(text)
    return pages[:LONGEST_FIELD] if pages else None


def _short(limit: int) -> Callable[[str], str | None]:
    return lambda text: normalise.short(text, limit)


_EMPTY: dict[str, Any] = {"title": "", "abstract": "", "authors": [], "keywords": []}
_NORMAL: dict[str, Callable[[Any], Any]] = {
    "title": _short(LONGEST_TITLE),
    "abstract": _short(LONGEST_RECORD),
    "authors": _names,
    "year": lambda year: year,
    "journal": _short(LONGEST_FIELD),
    "volume": _short(LONGEST_FIELD),
    "issue": _short(LONGEST_FIELD),
    "pages": _pages,
    "doi": normalise.doi,
    "pmid": normalise.pmid,
    "url": normalise.url,
    "keywords": _terms,
    "language": _short(LONGEST_FIELD),
}
