"""The files of full texts as the log tells them. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tandem.audit.entries import Step


@dataclass(slots=True)
class ToldFile:
    """A file of a report; what was sealed of it is None where the trail does not give it."""

    record: str
    kind: str
    sha256: str | None = None
    plain_sha256: str | None = None


class ToldFiles:
    """Grows with each entry of the log that is about a text. Removed ones are not there."""

    def __init__(self) -> None:
        self.by_id: dict[str, ToldFile] = {}

    def follow(self, step: Step) -> None:
        """Take in the next entry, whatever it is about.

        Raises:
            KeyError: It is about a text that was never added.
        """
        detail: Mapping[str, Any] = step.detail or {}
        match step.type.removeprefix("tandem.report."):
            case "text_added":
                self.by_id[step.data["text_id"]] = ToldFile(
                    record=step.data["record_id"],
                    kind=step.data["kind"],
                    sha256=detail.get("sha256"),
                    plain_sha256=detail.get("plain_sha256"),
                )
            case "text_read":
                told = self.by_id[step.data["text_id"]]
                told.plain_sha256 = detail.get("plain_sha256")
            case "text_removed":
                del self.by_id[step.data["text_id"]]
