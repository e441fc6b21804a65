"""What the log seals of the records' texts and of the times of decisions. Pure."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from tandem.audit.entries import Step

TRAIL = "trail"
"""What `review.changed` names where an entry seals everything that was there by then."""

_CORRECTED = "records/"


class SealedTimes(NamedTuple):
    """Of the first `n` entries of the ledger, up to the number `upto`."""

    upto: int
    n: int
    digest: str


class ToldTexts:
    """Grows with each entry of the log."""

    def __init__(self) -> None:
        self.imports: dict[str, tuple[int, str]] = {}
        """By import: how many records it brought, and the digest of their texts."""
        self.corrected: dict[str, str] = {}
        """By record: the digest of its text since it was last corrected."""
        self.times: SealedTimes | None = None
        self.since: int | None = None
        """The entry that sealed everything, in a trail that was begun before texts were sealed."""

    def follow(self, step: Step) -> None:
        """Take in the next entry, whatever it is about.

        Raises:
            KeyError, TypeError, ValueError: It is none.
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
        for import_id, told in detail["texts"].items():
            self._import(import_id, told)
        times = detail["times"]
        self.times = SealedTimes(times["upto"], times["n"], times["digest"])
        self.since = seq

    def _import(self, import_id: str, told: Mapping[str, Any]) -> None:
        self.imports[import_id] = (told["n"], told["digest"])
