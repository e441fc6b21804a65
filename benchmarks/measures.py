"""What events and answered requests amount to. Pure: no process, no clock."""

import math
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from team import Accepted, Caller
from watching import Seen, of_type


@dataclass(frozen=True, slots=True)
class Spent:
    """What it took to find a share of the includes. `at` is when the last of them showed."""

    decisions: int
    resolutions: int
    at: float


def spent_until(events: Sequence[Seen], wanted: set[str], share: float) -> Spent | None:
    """Return what was spent until `share` of the wanted records stood as included.

    None if that never came. A record that was reopened has to be included again.
    """
    needed = math.ceil(share * len(wanted) - 1e-9)
    decisions = resolutions = 0
    found: set[str] = set()
    for event in events:
        record = event.data.get("record_id", "")
        match event.type:
            case "tandem.decision.recorded":
                decisions += 1
            case "tandem.conflict.resolved" if event.data["by"] == "resolution":
                resolutions += 1
            case "tandem.record.included":
                found.add(record)
            case "tandem.record.reopened":
                found.discard(record)
        if len(found & wanted) >= needed:
            return Spent(decisions, resolutions, event.at)
    return None


def lags(accepted: Iterable[Accepted], events: list[Seen]) -> dict[Accepted, float]:
    """Return the seconds from each decision's answer to the first ranking that counts it.

    Decisions that no ranking counts are left out.

    Args:
        accepted: As each reviewer got the answers, one after the other.
        events: All that the owner got.
    """
    rankings = of_type(events, "ranking.updated")
    counts = [event.data["labels_seq"] for event in rankings]
    waited = {}
    for decision, number in _numbers(accepted, events).items():
        first = bisect_left(counts, number)
        if first < len(rankings):
            waited[decision] = max(0.0, rankings[first].at - decision.at)
    return waited


def _numbers(accepted: Iterable[Accepted], events: list[Seen]) -> dict[Accepted, int]:
    """Return each decision's `labels_seq` as the owner gets it.

    Blinded reviewers get another one, in which resolutions are not counted. A reviewer's
    decisions on a record appear in the order in which they were made. Left out are those that
    the owner has not got.
    """
    numbers: dict[tuple[str, str], list[int]] = defaultdict(list)
    for event in of_type(events, "decision.recorded"):
        numbers[event.data["record_id"], event.data["reviewer_id"]].append(event.data["labels_seq"])
    made: dict[tuple[str, str], list[str]] = defaultdict(list)
    found = {}
    for decision in accepted:
        of_theirs = (decision.record_id, decision.reviewer_id)
        if decision.decision_id not in made[of_theirs]:  # else it was only said again
            made[of_theirs].append(decision.decision_id)
        at = made[of_theirs].index(decision.decision_id)
        if at < len(numbers[of_theirs]):
            found[decision] = numbers[of_theirs][at]
    return found


def quantile(values: Iterable[float], share: float) -> float:
    """Return the smallest value that `share` of all do not exceed; NaN if there are none."""
    ordered = sorted(values)
    if not ordered:
        return math.nan
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def took(callers: Iterable[Caller], kind: str, *, until: float = math.inf) -> list[float]:
    """Return the seconds that requests of a kind took, of those sent before `until`."""
    noted = [pair for caller in callers for pair in caller.notes.seconds.get(kind, [])]
    return [seconds for started, seconds in noted if started < until]


@dataclass(frozen=True, slots=True)
class Line:
    """One figure; with `ok`, one that is expected to be something."""

    name: str
    shown: str
    expected: str = ""
    ok: bool | None = None


def print_table(title: str, columns: dict[str, list[Line]]) -> None:
    """Print lines side by side, one column for each run; all have the same lines."""
    table = Table(title=title, title_justify="left")
    table.add_column("", no_wrap=True)
    for name in columns:
        table.add_column(name, justify="right")
    table.add_column("expected")
    runs = list(columns.values())
    for lines in zip(*runs, strict=True):
        shown = [
            line.shown if line.ok is not False else f"[bold red]{line.shown}" for line in lines
        ]
        table.add_row(lines[0].name, *shown, _verdict(lines))
    Console(width=60 + 32 * len(runs)).print(table)


def _verdict(lines: Sequence[Line]) -> str:
    if all(line.ok is None for line in lines):
        return lines[0].expected
    mark = "NO" if any(line.ok is False for line in lines) else "ok"
    return f"{lines[0].expected} {mark}".strip()


def pair(values: Sequence[float], *, unit: str = "ms") -> str:
    """Show median and 95th percentile."""
    if not values:
        return "none"
    scale, digits = (1000, 0) if unit == "ms" else (1, 2)
    middle, high = (quantile(values, share) * scale for share in (0.5, 0.95))
    return f"{middle:.{digits}f} / {high:.{digits}f} {unit}"
