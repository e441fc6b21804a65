"""The audits of recall as the log tells them. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tandem.audit.entries import Step

_TARGET = "target_recall: "


@dataclass(slots=True)
class ToldAudit:
    """What was registered, with the target in force, and what became of it."""

    registered: Mapping[str, Any]
    target: str
    n_certified: int = 0
    n_withdrawn: int = 0
    is_over: bool = False


class ToldAudits:
    """Grows with each entry of the log that is about an audit."""

    def __init__(self) -> None:
        self.by_id: dict[str, ToldAudit] = {}

    def follow(self, step: Step) -> None:
        """Take in the next entry, whatever it is about.

        Raises:
            KeyError: It is about an audit that nobody registered.
        """
        detail = step.detail or {}
        match step.type.removeprefix("tandem."):
            case "audit.started":
                self.by_id[step.data["audit_id"]] = ToldAudit(detail, detail["target_recall"])
            case "audit.finished":
                told = self.by_id[step.data["audit_id"]]
                told.n_certified += step.data["state"] == "certified"
                told.is_over |= step.data["state"] == "abandoned"
            case "stopping.changed" if "audit" in detail:
                self._changed(self.by_id[detail["audit"]], detail["what"])

    def _changed(self, told: ToldAudit, what: str) -> None:
        if what.startswith(_TARGET):
            told.target = what.rpartition(" ")[2]
        told.n_withdrawn += what == "withdrawn"
        told.is_over |= what in {"abandoned", "reframed"}
