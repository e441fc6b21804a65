"""How a replay went, against what is expected of it."""

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any

from dual_data import Row
from measures import Line, Spent, lags, pair, quantile, spent_until, took
from team import Accepted, Members
from watching import Seen, is_gap_free, of_type

LONGEST_MEDIAN_LAG = 3.0


@dataclass(frozen=True)
class Finished:
    """A replay that went to its end, with everything that was seen."""

    events: list[Seen]
    accepted: list[Accepted]
    resolved: dict[str, str]
    statuses: dict[str, str]
    rows: dict[str, Row]
    n_linked: int
    members: Members
    trainings: list[float]
    ready_seconds: float


def digest(done: Finished) -> str:
    """Return a fingerprint of the outcome: equal for two runs that end the same way."""
    in_conflict = {event.data["record_id"] for event in of_type(done.events, "conflict.opened")}
    outcome = sorted(
        (row.id, done.statuses[record], record in in_conflict, done.resolved.get(record))
        for record, row in done.rows.items()
    )
    return hashlib.sha256(json.dumps(outcome).encode()).hexdigest()


def judge(done: Finished, at_most: float | None) -> tuple[list[Line], dict[str, Any]]:
    """Compare with what is expected; return lines for people and figures for programs.

    `at_most`: share of the decisions at 95 % of the includes, None if nothing is expected.
    """
    rows, events = done.rows, done.events
    wanted = {record for record, row in rows.items() if row.expected == "included"}
    everything = sum(len(row.verdicts) for row in rows.values())
    spent = {share: spent_until(events, wanted, share) for share in (0.95, 1.0)}
    at_95, at_100 = spent[0.95], spent[1.0]
    opened = [event.data["record_id"] for event in of_type(events, "conflict.opened")]
    differing = [record for record, row in rows.items() if row.differs]
    wrong = [record for record, row in rows.items() if done.statuses[record] != row.expected]
    waited = lags(done.accepted, events)
    until = at_100.at if at_100 else float("inf")
    paced = [seconds for decision, seconds in waited.items() if decision.at <= until]
    n_trainings = len(of_type(events, "ranking.updated"))
    reviewers = done.members.reviewers
    figures: dict[str, Any] = {
        "decisions": len(done.accepted),
        "decisions_everything": everything,
        "at_95": asdict(at_95) if at_95 else None,
        "at_100": asdict(at_100) if at_100 else None,
        "conflicts": len(opened),
        "conflicts_expected": len(differing),
        "wrong_statuses": len(wrong),
        "lag_median": quantile(waited.values(), 0.5),
        "lag_p95": quantile(waited.values(), 0.95),
        "lag_median_while_thinking": quantile(paced, 0.5),
        "lag_p95_while_thinking": quantile(paced, 0.95),
        "trainings": n_trainings,
        "digest": digest(done),
    }
    lines = [
        Line("records / includes / linked", f"{len(rows)} / {len(wanted)} / {done.n_linked}"),
        Line(
            "decisions at 95 % of includes",
            _share(at_95, everything),
            "" if at_most is None else f"at most {at_most:.0%}",
            None if at_most is None else bool(at_95 and at_95.decisions <= at_most * everything),
        ),
        Line("decisions at 100 %", _share(at_100, everything)),
        Line(
            "decisions in all",
            f"{len(done.accepted):,}",
            f"{everything:,}",
            len(done.accepted) == everything == len(of_type(events, "decision.recorded")),
        ),
        Line(
            "conflicts, each once",
            f"{len(opened)}",
            f"{len(differing)}, none invented",
            sorted(opened) == sorted(differing),
        ),
        Line(
            "resolutions",
            f"{len(done.resolved)}",
            f"{len(differing)}",
            sorted(done.resolved) == sorted(differing),
        ),
        Line("final status differs", f"{len(wrong)}", "0", not wrong),
        Line("events without gaps", f"{len(events):,}", "1, 2, 3, …", is_gap_free(events)),
        Line(
            "lag, median / p95, all",
            pair([*waited.values()], unit="s"),
            f"median < {LONGEST_MEDIAN_LAG:.0f} s",
            len(waited) == len(done.accepted)
            and quantile(waited.values(), 0.5) < LONGEST_MEDIAN_LAG,
        ),
        Line(
            "lag while people think",
            pair(paced, unit="s"),
            f"median < {LONGEST_MEDIAN_LAG:.0f} s",
            quantile(paced, 0.5) < LONGEST_MEDIAN_LAG,
        ),
        Line("trainings", f"{n_trainings}"),
        Line("one training, median / p95", pair(done.trainings, unit="s")),
        Line("upload to first ranking", f"{done.ready_seconds:.1f} s"),
        Line("queue request, while thinking", pair(took(reviewers, "queue", until=until))),
        Line("queue request, all", pair(took(reviewers, "queue"))),
        Line("decision request, while thinking", pair(took(reviewers, "decision", until=until))),
        Line("decision request, all", pair(took(reviewers, "decision"))),
        Line("digest of the outcome", digest(done)[:16]),
    ]
    return lines, figures


def _share(spent: Spent | None, everything: int) -> str:
    if spent is None:
        return "never"
    share = spent.decisions / everything
    return f"{spent.decisions:,} ({share:.1%}) + {spent.resolutions} resolutions"
