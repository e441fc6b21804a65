"""One entry of a review's log as the audit trail has it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from tandem.events import chain


class Step(NamedTuple):
    """The part of an entry that a replay needs. `detail` is None where it is sealed."""

    seq: int
    type: str
    time: datetime
    data: Mapping[str, Any]
    detail: Mapping[str, Any] | None

    @property
    def taken_back(self) -> frozenset[int]:
        """The numbers of the records that go, with all that hangs on them: an import is undone."""
        if self.type != "tandem.import.taken_back":
            return frozenset()
        spans = (self.detail or {}).get("numbers", ())
        return frozenset(number for first, last in spans for number in range(first, last + 1))


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry with its place in the chain. Without `detail` and `salt` where it is sealed."""

    event: chain.LoggedEvent
    detail: Mapping[str, Any] | None
    salt: str | None
    seal: str
    hash: str

    @property
    def step(self) -> Step:
        event = self.event
        return Step(event.seq, event.type, event.time, event.data, self.detail)

    def as_json(self) -> dict[str, Any]:
        event = self.event
        return {
            "seq": event.seq,
            "id": event.id,
            "type": event.type,
            "time": event.time.astimezone(UTC).isoformat(timespec="microseconds"),
            "subject": event.subject,
            "data": event.data,
            "detail": self.detail,
            "salt": self.salt,
            "seal": self.seal,
            "hash": self.hash,
        }

    @classmethod
    def of_json(cls, line: Mapping[str, Any]) -> "Entry":
        """Parse what `as_json` returned.

        Raises:
            KeyError, TypeError, ValueError: It is not an entry.
        """
        event = chain.LoggedEvent(
            seq=line["seq"],
            id=line["id"],
            type=line["type"],
            time=datetime.fromisoformat(line["time"]),
            subject=line["subject"],
            data=line["data"],
        )
        return cls(event, line["detail"], line["salt"], line["seal"], line["hash"])
