"""One entry of a review's log as the audit trail has it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from tandem.events import chain


class Step(NamedTuple):
    """What a replay needs of an entry. `detail` is None where it is sealed."""

    seq: int
    type: str
    time: datetime
    data: Mapping[str, Any]
    detail: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry with its place in the chain. Without `detail` and `salt` where it is sealed."""

    told: chain.Told
    detail: Mapping[str, Any] | None
    salt: str | None
    seal: str
    hash: str

    @property
    def step(self) -> Step:
        told = self.told
        return Step(told.seq, told.type, told.time, told.data, self.detail)

    def as_json(self) -> dict[str, Any]:
        told = self.told
        return {
            "seq": told.seq,
            "id": told.id,
            "type": told.type,
            "time": told.time.astimezone(UTC).isoformat(timespec="microseconds"),
            "subject": told.subject,
            "data": told.data,
            "detail": self.detail,
            "salt": self.salt,
            "seal": self.seal,
            "hash": self.hash,
        }

    @classmethod
    def of_json(cls, line: Mapping[str, Any]) -> "Entry":
        """Read what `as_json` wrote.

        Raises:
            KeyError, TypeError, ValueError: It is none.
        """
        told = chain.Told(
            seq=line["seq"],
            id=line["id"],
            type=line["type"],
            time=datetime.fromisoformat(line["time"]),
            subject=line["subject"],
            data=line["data"],
        )
        return cls(told, line["detail"], line["salt"], line["seal"], line["hash"])
