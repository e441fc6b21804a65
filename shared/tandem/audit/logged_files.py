"""The files of full texts, read from the log. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tandem.audit.entries import Step


@dataclass(slots=True)
class LoggedFile:
    """A file of a report; a digest is None where the trail leaves it out."""

    record: str
    kind: str
    sha256: str | None = None
    plain_sha256: str | None = None


class LoggedFiles:
    """Collects the entries of the log about texts, without those that were removed."""

    def __init__(self) -> None:
        self.by_id: dict[str, LoggedFile] = {}

    def follow(self, step: Step) -> None:
        """Add the next entry; those about other things are skipped.

        Raises:
            KeyError: It is about a text that was never added.
        """
        if gone := {str(number) for number in step.taken_back}:
            self.by_id = {id: one for id, one in self.by_id.items() if one.record not in gone}
        detail: Mapping[str, Any] = step.detail or {}
        match step.type.removeprefix("tandem.report."):
            case "text_added":
                self.by_id[step.data["text_id"]] = LoggedFile(
                    record=step.data["record_id"],
                    kind=step.data["kind"],
                    sha256=detail.get("sha256"),
                    plain_sha256=detail.get("plain_sha256"),
                )
            case "text_read":
                logged = self.by_id[step.data["text_id"]]
                logged.plain_sha256 = detail.get("plain_sha256")
            case "text_removed":
                del self.by_id[step.data["text_id"]]
