"""A record on its way out, as far as the one who asked may see it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from tandem.records.formats.entry import Kind
from tandem.reviews.wording import key


@dataclass(frozen=True, slots=True)
class Source:
    """Where one occurrence of the record came from, and its id there."""

    name: str
    ref: str | None = None

    def __str__(self) -> str:
        return f"{self.name} ({self.ref})" if self.ref else self.name


@dataclass(frozen=True, slots=True)
class Judged:
    """A reviewer's present decision, or what settled a conflict; `by` and `at` may be withheld."""

    by: str | None
    verdict: str
    at: datetime | None
    reasons: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    note: str | None = None
    is_resolution: bool = False


@dataclass(frozen=True, slots=True)
class ExportedRecord:
    """One record with its screening in one stage.

    `status` is as the reader of the file may see it. `sources` are those of all linked
    occurrences. `judged` are the decisions open to them, the resolution last. `final_reason` is
    the one to report of a record that is excluded, derived from all of its decisions.
    """

    id: str
    title: str
    abstract: str
    authors: tuple[str, ...]
    year: int | None
    journal: str | None
    volume: str | None
    issue: str | None
    pages: str | None
    doi: str | None
    pmid: str | None
    url: str | None
    keywords: tuple[str, ...]
    language: str | None
    registry_ids: tuple[str, ...]
    kind: Kind | None
    sources: tuple[Source, ...]
    duplicate_of: str | None
    stage: str
    status: str
    judged: tuple[Judged, ...]
    final_reason: str | None = None

    @property
    def source_names(self) -> tuple[str, ...]:
        return distinct(source.name for source in self.sources)

    @property
    def reasons(self) -> tuple[str, ...]:
        """What it is excluded for, the final reason first: what no include has overruled."""
        if self.status == "included":
            return ()
        against = [one for one in self.judged if one.verdict == "exclude"]
        given = distinct(reason for one in against for reason in one.reasons)
        if self.final_reason is None:
            return given
        final = key(self.final_reason)
        return (self.final_reason, *(reason for reason in given if key(reason) != final))

    @property
    def labels(self) -> tuple[str, ...]:
        return distinct(label for one in self.judged for label in one.labels)


def distinct(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the texts, each once, in the order in which they are first met."""
    return tuple(dict.fromkeys(texts))


def one_line(text: str) -> str:
    """Return `text` with every run of white space, line ends included, as one space."""
    return " ".join(text.split())
