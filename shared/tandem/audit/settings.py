"""A review's policies and criteria by version, and its texts, read from the log. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tandem.reviews.policy import Policy, stored

TEXTS = (
    "title",
    "question",
    "criteria_include",
    "criteria_exclude",
    "exclusion_reasons",
    "seed_studies",
    "highlights_for",
    "highlights_against",
)
"""Attributes of a review that an entry about its texts names."""


@dataclass(frozen=True, slots=True)
class LoggedPolicy:
    """A version of a stage's policy, and its author."""

    value: Policy
    by: str | None


class Settings:
    """Every version of the policies and criteria, and the texts as they are now.

    A title that never changed is not in the log, and so is missing here; so are criteria from
    before the trail, until they change.
    """

    def __init__(self) -> None:
        self.policies: dict[str, list[LoggedPolicy]] = {}
        self.criteria: list[dict[str, Any]] = []
        """By version; each has those of `include`, `exclude`, `note` and `by` that are known."""
        self.texts: dict[str, Any] = {}
        """By attribute of the review."""

    def created(self, detail: Mapping[str, Any]) -> None:
        """Read the first entry of the log."""
        self._policies(detail)
        first: dict[str, Any] = {"by": detail.get("by")}
        if (criteria := detail.get("criteria")) is not None:
            first |= {"note": None} | criteria
            self.texts |= {f"criteria_{name}": criteria[name] for name in ("include", "exclude")}
        if "exclusion_reasons" in detail:
            self.texts["exclusion_reasons"] = detail["exclusion_reasons"]
        self.criteria = [first]

    def changed(self, changed: Sequence[str], detail: Mapping[str, Any]) -> None:
        """Read a later entry; it may be about something else."""
        self._policies(detail)
        if not _CALLED.intersection(changed) or "to" not in detail:
            return  # about something else, or from before there was a trail
        self.texts |= {name: value for name, value in detail["to"].items() if name in TEXTS}
        if "criteria_version" in detail:
            known = {
                name: self.texts[column]
                for name, column in _OF_CRITERIA.items()
                if column in self.texts
            }
            self._criteria_before(detail["from"])
            self.criteria.append(known | {"note": detail["note"], "by": detail["by"]})

    def _criteria_before(self, logged: Mapping[str, Any]) -> None:
        """Keep what an entry holds about the version that it ended."""
        for name, column in _OF_CRITERIA.items():
            if column in logged:
                self.criteria[-1].setdefault(name, logged[column])

    def _policies(self, detail: Mapping[str, Any]) -> None:
        for stage, value in detail.get("policy", {}).items():
            made = LoggedPolicy(stored(value), detail.get("by"))
            self.policies.setdefault(stage, []).append(made)


_OF_CRITERIA = {"include": "criteria_include", "exclude": "criteria_exclude"}
_CALLED = {"title", "question", "criteria", "exclusion_reasons", "seed_studies", "highlights"}
"""The names of these in `review.changed`."""
