"""The entries of a review's flow other than votes: sources, removals, waves, studies. Pure."""

from bisect import bisect_right
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tandem.audit.entries import Step
from tandem.records.origin import FoundBy, RemovalKind, StartsAt
from tandem.reporting.facts import Occurrence
from tandem.screening.full_text.models import RetrievalState

ORIGIN = ("source", "found_by", "starts_at", "wave", "numbers")
"""The fields of an import."""


class LoggedRetrieval(NamedTuple):
    state: RetrievalState
    seq: int


@dataclass(slots=True)
class LoggedStudy:
    """A study, read from the log; `numbers` are the records that its reports were grouped by."""

    numbers: list[int] = field(default_factory=list)
    label: str | None = None
    primary: int | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)
    sampled: bool | None = None
    note: str | None = None


class LoggedFlow:
    """Collects the entries of the log about the flow."""

    def __init__(self) -> None:
        self.imports: dict[str, dict[str, Any]] = {}
        """By import: its origin, and which records it brought."""
        self.removed: dict[str, tuple[RemovalKind, str | None, str | None]] = {}
        """By record: the kind, the reason and the tool."""
        self.waves: dict[int, tuple[str, str]] = {}
        """By number: label and kind."""
        self.studies: dict[str, LoggedStudy] = {}
        self.retrievals: dict[int, LoggedRetrieval] = {}
        """By record: the newest."""

    def follow(self, step: Step) -> None:
        """Add the next entry; those about other things are skipped.

        Raises:
            KeyError, TypeError, ValueError: It is not an entry.
        """
        data, detail = step.data, step.detail or {}
        match step.type.removeprefix("tandem."):
            case "import.finished" | "import.failed" | "import.changed" if "numbers" in detail:
                self.imports[data["import_id"]] = {name: detail[name] for name in ORIGIN}
            case "import.taken_back":
                self.imports.pop(data["import_id"], None)
                self._forget(step.taken_back)
            case "record.removed":
                why = detail.get("reason"), detail.get("tool")
                self.removed[data["record_id"]] = (RemovalKind(data["kind"]), *why)
            case "record.restored":
                del self.removed[data["record_id"]]
            case "wave.opened":
                self.waves[data["wave"]] = (detail.get("label", ""), detail.get("kind", ""))
            case "report.retrieval_changed":
                logged = LoggedRetrieval(RetrievalState(data["state"]), step.seq)
                for number in detail.get("numbers", [int(data["record_id"])]):
                    self.retrievals[number] = logged
            case "study.grouped":
                study = self.studies.setdefault(data["study_id"], LoggedStudy())
                study.numbers = [int(number) for number in data["record_ids"]]
                study.label, study.primary = detail.get("label"), detail.get("primary")
                study.fields = detail.get("fields", {})
            case "study.split":
                self._split(data["study_id"], {int(number) for number in data["record_ids"]})
            case "study.sampled":
                study = self.studies[data["study_id"]]
                study.sampled, study.note = data["sampled"], detail.get("note")

    def _forget(self, gone: Collection[int]) -> None:
        for number in gone:
            self.removed.pop(str(number), None)
            self.retrievals.pop(number, None)
        for study in self.studies.values():
            # Left without reports it stays, as its row did. Now an import with studies is kept.
            study.numbers = [number for number in study.numbers if number not in gone]

    def _split(self, study_id: str, leaving: set[int]) -> None:
        study = self.studies[study_id]
        study.numbers = [number for number in study.numbers if number not in leaving]
        if study.primary in leaving:
            study.primary = None
        if not study.numbers:
            del self.studies[study_id]

    def occurrences(self, numbers: Sequence[int]) -> list[tuple[Occurrence, bool]]:
        """Return the origin of each of these records, and whether the log holds it.

        Without an entry a record counts as from a database without a name, in the first wave, as
        all records did before the log had origins.
        """
        logged = map(_Origin, self.imports.values())
        spans = sorted(
            ((first, last, one) for one in logged for first, last in one.spans),
            key=lambda span: span[0],
        )
        begins = [first for first, _, _ in spans]
        found = list[tuple[Occurrence, bool]]()
        for number in numbers:
            place = bisect_right(begins, number) - 1
            if place >= 0 and number <= spans[place][1]:
                found.append((spans[place][2].occurrence(number), True))
            else:
                found.append((Occurrence(number), False))
        return found


class _Origin:
    """The origin of an import."""

    def __init__(self, logged: Mapping[str, Any]) -> None:
        self.spans: Sequence[Sequence[int]] = logged["numbers"]
        self._how = (
            FoundBy(logged["found_by"]),
            logged["source"],
            int(logged["wave"]),
            StartsAt(logged["starts_at"]),
        )

    def occurrence(self, number: int) -> Occurrence:
        return Occurrence(number, *self._how)
