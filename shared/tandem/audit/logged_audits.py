"""The audits of recall, read from the log. Pure."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any

from tandem.audit.entries import Step
from tandem.reviews.policy import Stage
from tandem.stopping.drawn import Frame, Frames

_TARGET = "target_recall: "

_WAY = frozenset({"found_by", "starts_at"})
"""What says of an import whether its records are screened."""


@dataclass(slots=True)
class LoggedAudit:
    """A registered audit, with the target in force and its result."""

    registered: Mapping[str, Any]
    target: str
    n_before: int
    """How many records had come into the screening again by then."""
    is_fixed: bool
    """Whether what comes into the screening between its draws is outside of its frame."""
    n_withdrawn: int = 0
    is_over: bool = False
    follows: str | None = None
    """The audit that it replaced, by a reframe."""
    missed: AbstractSet[int] = frozenset()
    """Records that its draws have missed: the log has no draws, so the tables say it."""
    certificates: list[Mapping[str, Any] | None] = field(default_factory=list)
    """As they were given; None of one that an earlier release gave, which did not log it."""

    @property
    def n_certified(self) -> int:
        return len(self.certificates)


class LoggedAudits:
    """Collects the entries of the log about audits."""

    def __init__(self) -> None:
        self.by_id: dict[str, LoggedAudit] = {}
        self.n_came_back = 0
        """Records that have come into the screening again, at most: so far may a pool grow."""
        self._newest: dict[str, LoggedAudit] = {}

    @property
    def certified(self) -> Frames:
        """Return the frames of the certificates of titles and abstracts that hold."""
        return [
            Frame(one.registered["frame"]["last"], one.missed)
            for one in self.by_id.values()
            if one.n_certified > one.n_withdrawn and one.registered["stage"] == Stage.TITLE_ABSTRACT
        ]

    def follow(self, step: Step) -> None:
        """Add the next entry; those about other things are skipped.

        Raises:
            KeyError: It is about an audit that nobody registered.
        """
        detail = step.detail or {}
        match step.type.removeprefix("tandem."):
            case "audit.started":
                fixed = detail.get("frame_is_fixed", False)
                begun = LoggedAudit(detail, detail["target_recall"], self.n_came_back, fixed)
                self.by_id[step.data["audit_id"]] = self._newest[detail["stage"]] = begun
            case "audit.finished":
                logged = self.by_id[step.data["audit_id"]]
                if step.data["state"] == "certified":
                    logged.certificates.append(detail.get("certificate"))
                logged.is_over |= step.data["state"] == "abandoned"
            # By a link, too: what a database has found as well is screened.
            case "duplicates.merged" | "duplicates.split" | "record.restored":
                self.n_came_back += 1
            case "import.taken_back":  # its records had kept those that they were linked to out
                self.n_came_back += step.data["n_records"]
            case "import.changed" if "numbers" in detail and _WAY & {*step.data["changed"]}:
                self.n_came_back += sum(last - first + 1 for first, last in detail["numbers"])
            case "stopping.changed" if "audit" in detail:
                self._changed(detail["audit"], detail["what"])

    def _changed(self, audit_id: str, what: str) -> None:
        logged = self.by_id[audit_id]
        if what.startswith(_TARGET):
            logged.target = what.rpartition(" ")[2]
        logged.n_withdrawn += what == "withdrawn"
        logged.is_over |= what in {"abandoned", "reframed"}
        if what == "reframed":  # right after the entry of the one that begins
            self._newest[logged.registered["stage"]].follows = audit_id
