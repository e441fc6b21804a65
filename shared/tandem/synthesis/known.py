"""The texts of a review's reports, found again by what a coded project says of its sources."""

import hashlib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from tandem.db.pieces import pieces
from tandem.handover.model import abstract_text, guid_of
from tandem.ids import RecordNumber, TextFileId, TextId
from tandem.records.models import Record
from tandem.reports.facts import load_facts
from tandem.reviews.models import Review
from tandem.synthesis.placing import normal
from tandem.synthesis.project import FileSource
from tandem.texts.models import ReportText, TextFile, TextKind, TextState


class SourceMatch(StrEnum):
    """How the report of a source was found.

    `guid`: Tandem gave the source its id. `text`: its text is that of the report, to the letter.
    `record`: its variable "Tandem record" says so.
    """

    GUID = "guid"
    TEXT = "text"
    RECORD = "record"


@dataclass(frozen=True, slots=True)
class KnownText:
    """A text of a report; without `text_id` and `file_id` its title and abstract."""

    number: RecordNumber
    text_id: TextId | None
    file_id: TextFileId | None


class KnownTexts:
    """All texts of the reports of a review, as they are in the database now."""

    def __init__(self, session: Session, review: Review) -> None:
        self._session, self._review = session, review
        self._by_guid = dict[UUID, KnownText]()
        self._by_digest = defaultdict[str, list[KnownText]](list)
        self._by_number = defaultdict[str, list[KnownText]](list)
        rows = session.execute(
            select(ReportText, TextFile.plain_sha256)
            .join(TextFile, TextFile.id == ReportText.file_id)
            .where(ReportText.review_id == review.id, TextFile.state == TextState.READY)
            .order_by(ReportText.kind != TextKind.MAIN, ReportText.added_at, ReportText.id)
        )
        for row, digest in rows:
            known = KnownText(row.record_number, row.id, row.file_id)
            for kind in ("source", "representation"):
                self._by_guid[guid_of(review.id, kind, row.id)] = known
            self._by_number[str(row.record_number)].append(known)
            if digest is not None:
                self._by_digest[digest].append(known)
        for number in _numbers(session, review):
            known = KnownText(number, None, None)
            self._by_guid[guid_of(review.id, "source", f"record {number}")] = known
            self._by_number[str(number)].append(known)

    def find(self, source: FileSource, text: str | None) -> tuple[KnownText, SourceMatch] | None:
        """Return the text that a source is of; None where nothing says it, or several could be."""
        for guid in source.guids:
            if (known := self._by_guid.get(_uuid(guid))) is not None:
                return known, SourceMatch.GUID
        mine = self._by_number.get(source.record or "", [])
        if text is not None:
            alike = self._by_digest.get(digest(normal(text)), [])
            if len(alike) > 1:
                alike = [one for one in alike if one in mine]
            if len(alike) == 1:
                return alike[0], SourceMatch.TEXT
        return (mine[0], SourceMatch.RECORD) if mine else None

    def text(self, known: KnownText) -> str:
        """Return what a text says, which its passages' positions rest on."""
        if known.file_id is not None:
            query = select(TextFile.plain).where(TextFile.id == known.file_id)
            return self._session.scalar(query) or ""
        at = (Record.review_id == self._review.id, Record.number == known.number)
        title, abstract = self._session.execute(
            select(Record.title, Record.abstract).where(*at)
        ).one()
        return abstract_text(title, abstract)


def _numbers(session: Session, review: Review) -> Iterator[RecordNumber]:
    """Yield the records that are reports, and those that are linked to one.

    What is linked now may have been handed over by itself before.
    """
    heads = sorted(load_facts(session, review))
    yield from heads
    for some in pieces(heads):
        yield from session.scalars(
            select(Record.number).where(
                Record.review_id == review.id, Record.duplicate_of.in_(some)
            )
        )


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


_NONE = UUID(int=0)


def _uuid(text: str) -> UUID:
    try:
        return UUID(hex=text)
    except ValueError:
        return _NONE
