"""The ledger as CSV: one line for every decision, withdrawal and resolution there ever was."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from tandem.records.export.tables import csv_line

HEADER = (
    *("seq", "at", "entry", "record_id", "stage", "reviewer", "reviewer_id", "verdict"),
    *("reasons", "labels", "note", "seconds", "informed", "rank", "ranking_id", "in_force"),
    *("cause", "carried_from", "criteria_version", "made_at"),
)


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One entry, as far as the one who asked may see it.

    `seq` orders the entries of a review. `rank` and `ranking_id` say where the record stood
    when it was served. `in_force`: nothing later has taken its place. `cause` is a
    resolution's. `carried_from` names the record that it was first made for, where records were
    linked or split later. `criteria_version`: under which a decision was made.
    """

    seq: int
    at: datetime
    entry: Literal["decision", "withdrawal", "resolution"]
    record_id: str
    stage: str
    reviewer: str | None
    reviewer_id: str | None
    verdict: str | None
    reasons: tuple[str, ...]
    labels: tuple[str, ...]
    note: str | None
    seconds: float | None
    informed: bool | None
    rank: int | None
    ranking_id: str | None
    in_force: bool
    cause: str | None
    carried_from: str | None
    criteria_version: int | None
    made_at: datetime | None = None


def write(entries: Iterable[LedgerEntry]) -> Iterator[str]:
    """Yield the header and each entry as lines of CSV, in the order they are given."""
    yield csv_line(HEADER)
    for one in entries:
        yield csv_line(
            [
                one.seq,
                _time(one.at),
                one.entry,
                one.record_id,
                one.stage,
                one.reviewer,
                one.reviewer_id,
                one.verdict,
                "; ".join(one.reasons),
                "; ".join(one.labels),
                one.note,
                None if one.seconds is None else f"{one.seconds:g}",
                None if one.informed is None else _word(one.informed),
                one.rank,
                one.ranking_id,
                _word(one.in_force),
                one.cause,
                one.carried_from,
                one.criteria_version,
                None if one.made_at is None else _time(one.made_at),
            ]
        )


def _time(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def _word(flag: bool) -> str:
    return "true" if flag else "false"
