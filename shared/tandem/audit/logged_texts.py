"""The sealed digests of records' texts and of the times of decisions, read from the log. Pure."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from tandem.audit.entries import Step

TRAIL = "trail"
"""The name in `review.changed` of an entry that seals everything that exists by then."""

_CORRECTED = "records/"


class SealedTimes(NamedTuple):
    """The digest of the first `n` entries of the ledger, up to the number `upto`."""

    upto: int
    n: int
    digest: str


class LoggedTexts:
    """Collects the entries of the log about texts and times."""

    def __init__(self) -> None:
        self.imports: dict[str, tuple[int, str]] = {}
        """By import: the number of its records, and the digest of their texts."""
        self.corrected: dict[str, str] = {}
        """By record: the digest of its text after the last correction."""
        self.times: SealedTimes | None = None
        self.since: int | None = None
        """The entry that sealed everything, in a trail that began before texts were sealed."""

    def follow(self, step: Step) -> None:
        """Add the next entry; those about other things are skipped.

        Raises:
            KeyError, TypeError, ValueError: It is not an entry.
        """
        detail = step.detail or {}
        if step.type in ("tandem.import.finished", "tandem.import.failed") and "texts" in detail:
            self._import(step.data["import_id"], detail["texts"])
        if step.type == "tandem.import.taken_back":
            self.imports.pop(step.data["import_id"], None)
        if step.type != "tandem.review.changed":
            return
        for name in step.data["changed"]:
            if name.startswith(_CORRECTED) and "text" in detail:
                self.corrected[name.removeprefix(_CORRECTED)] = detail["text"]
            elif name == TRAIL:
                self._all(step.seq, detail)

    def _all(self, seq: int, detail: Mapping[str, Any]) -> None:
        for import_id, logged in detail["texts"].items():
            self._import(import_id, logged)
        times = detail["times"]
        self.times = SealedTimes(times["upto"], times["n"], times["digest"])
        self.since = seq

    def _import(self, import_id: str, logged: Mapping[str, Any]) -> None:
        self.imports[import_id] = (logged["n"], logged["digest"])
