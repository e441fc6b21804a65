"""Where a trail contradicts itself. Pure."""

from dataclasses import dataclass
from typing import NamedTuple


class At(NamedTuple):
    """A record in a stage."""

    stage: str
    record: str


@dataclass(frozen=True, slots=True)
class Difference:
    """Where a trail first contradicts itself: at an entry, at a record, or in its figures."""

    says: str
    follows: str
    seq: int | None = None
    at: At | None = None

    def __str__(self) -> str:
        where = [f"entry {self.seq}"] if self.seq is not None else []
        where += [f"record {self.at.record} ({self.at.stage})"] if self.at else []
        place = f"at {', '.join(where)}" if where else "as a whole"
        return f"{place}: it says {self.says}, but {self.follows}"


class Differs(Exception):
    """The trail contradicts itself."""

    def __init__(self, difference: Difference) -> None:
        super().__init__(str(difference))
        self.difference = difference
