"""What is handed over: the included reports with their texts, their studies, the people. Pure."""

import re
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid5

from tandem.handover.code_book import Code
from tandem.ids import RecordNumber, ReviewId, TextFileId, TextId, UserId
from tandem.records.export.record import ExportedRecord
from tandem.texts.kinds import EXTENSIONS, MediaType
from tandem.texts.models import TextKind

_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9-]+")
_LONGEST_NAME = 60


@dataclass(frozen=True, slots=True)
class ReportFile:
    """A file of a report; `has_plain`: text was read from it."""

    id: TextId
    file_id: TextFileId
    kind: TextKind
    media_type: MediaType
    artifact: str
    sha256: str
    has_plain: bool
    added_at: datetime
    added_by: UserId


@dataclass(frozen=True, slots=True)
class IncludedReport:
    """A report of the synthesis. `seq`: the event that included it; `richness`: one per rater."""

    number: RecordNumber
    record: ExportedRecord
    seq: int | None
    files: Sequence[ReportFile]
    richness: Sequence[int]

    @property
    def author(self) -> str:
        return _family(self.record)

    @property
    def label(self) -> str:
        """Its author and year, as a reader cites it."""
        return f"{self.author} {self.record.year or 'n.d.'}"

    @property
    def name(self) -> str:
        """A name that no other report of the review has."""
        return f"{self.label} [{self.number}]"


@dataclass(frozen=True, slots=True)
class ExcludedReport:
    """A report that was assessed and excluded, with the one reason, and the event that did it."""

    number: RecordNumber
    record: ExportedRecord
    reason: str
    seq: int | None


@dataclass(frozen=True, slots=True)
class HandedStudy:
    """A study of the synthesis; `key` is S1, S2, … and names it within one hand-over."""

    key: str
    id: str
    label: str
    reports: Sequence[RecordNumber]
    fields: dict[str, object]

    @property
    def name(self) -> str:
        n = len(self.reports)
        return f"{self.key} {self.label} ({n} {'report' if n == 1 else 'reports'})"


@dataclass(frozen=True, slots=True)
class Person:
    id: UserId
    name: str


@dataclass(frozen=True, slots=True)
class Handover:
    """Everything but the texts themselves. `as_of`: the newest event that it counts, made `at`.

    `codes`: those that an owner gave or that came back, parents first; Tandem makes none.
    """

    review_id: ReviewId
    title: str
    as_of: int
    at: datetime
    people: Sequence[Person]
    reports: Sequence[IncludedReport]
    excluded: Sequence[ExcludedReport]
    studies: Sequence[HandedStudy]
    codes: Sequence[Code] = ()

    def guid(self, kind: str, of: object) -> UUID:
        """Return the same id for the same thing of the review at each hand-over."""
        return guid_of(self.review_id, kind, of)

    def studies_of(self, number: RecordNumber) -> list[HandedStudy]:
        return [study for study in self.studies if number in study.reports]


def guid_of(review_id: ReviewId, kind: str, of: object) -> UUID:
    """Return the id that a thing of a review has in each of its projects of REFI-QDA."""
    return uuid5(review_id, f"{kind}/{of}")


def abstract_text(title: str, abstract: str) -> str:
    """Return what is handed over of a report without a text; passages of it rest on this."""
    return f"{title}\n\n{abstract}\n".replace("\r\n", "\n").replace("\r", "\n")


def _family(record: ExportedRecord) -> str:
    first = next((name.strip() for name in record.authors if name.strip()), "")
    return first.partition(",")[0].strip() or "No author"


def sentence(title: str) -> str:
    """Return a title as a reference has it: on one line, and with one full stop at most."""
    text = " ".join(title.split())
    return text if text.endswith((".", "?", "!", "…")) else f"{text}."


def label_of(record: ExportedRecord) -> str:
    return f"{_family(record)} {record.year or 'n.d.'}"


def filename(report: IncludedReport, file: ReportFile, taken: Collection[str]) -> str:
    """Return a name such as 0017_Okafor_2012.pdf that every file system takes."""
    plain = unicodedata.normalize("NFKD", report.author).encode("ascii", "ignore").decode()
    author = _NOT_IN_NAMES.sub("-", plain).strip("-")[:_LONGEST_NAME]
    parts = [f"{report.number:04}", author, str(report.record.year or "")]
    if file.kind is not TextKind.MAIN:
        parts.append(file.kind)
    stem = "_".join(filter(None, parts))
    return unique(stem, taken, EXTENSIONS[file.media_type])


def unique(stem: str, taken: Collection[str], ending: str = "") -> str:
    """Return the name, with a number behind it if it is taken."""
    name, n = f"{stem}{ending}", 1
    while name in taken:
        n += 1
        name = f"{stem} ({n}){ending}" if not ending else f"{stem}_{n}{ending}"
    return name
