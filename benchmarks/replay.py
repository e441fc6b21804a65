"""Real reviewers' decisions, given again over HTTP alone: what does the ranking save them?

    python benchmarks/replay.py [FILE] [--engine sqlite|postgresql|both] [--question TEXT]

Both reviewers take from their queues and answer as they really did; the adjudicator answers
`final`. Exit code 1 where an expectation fails.
"""

import argparse
import hashlib
import json
import sys
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from dual_data import BadData, DualFile, Row, read_dual
from installation import ENGINES, Engine, Installation, running
from measures import Line, Spent, lags, pair, print_table, quantile, spent_until, took
from team import Accepted, Adjudicator, Members, Refused, Reviewer, gather, upload
from watching import Seen, Watch, is_gap_free, newest_ranked, of_type

DEFAULT_FILE = Path(__file__).parents[2] / "shared/data/dual/friends_2023.csv.gz"
MOST_AT_95 = 0.12
"""Of DEFAULT_FILE: share of the decisions that reading everything takes, at 95 % of includes."""
LONGEST_MEDIAN_LAG = 3.0
_LONGEST_RUN = 3600.0


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


def replay(here: Installation, data: DualFile, *, question: str | None, think: float) -> Finished:
    """Screen the whole file, as its reviewers did."""
    members = gather(
        here, data.n_reviewers, per_record=data.n_reviewers, title=data.name, question=question
    )
    watch = Watch(here.url, members.owner.account.token, members.review_id)
    started = time.monotonic()
    upload(members, f"{data.name}.csv", data.as_csv(), within=120)
    if not watch.wait_until(lambda events: newest_ranked(events) > 0, within=120):
        raise Refused("there is no first ranking 120 s after the import")
    ready = time.monotonic() - started
    rows = _rows_by_record(members, data)
    before = newest_ranked(watch.events)
    accepted, resolved = _screen(members, watch, rows, think)
    last = before + len(accepted) + len(resolved)
    path = f"/reviews/{members.review_id}"
    if not watch.wait_until(lambda events: newest_ranked(events) >= last, within=60):
        raise Refused("60 s after the last decision no ranking counts it")
    watch.close()
    statuses = {
        record["id"]: record["status"] for record in members.owner.pages(f"{path}/records")
    }
    made = members.owner.pages(f"{path}/rankings")
    return Finished(
        events=list(watch.events),
        accepted=accepted,
        resolved=resolved,
        statuses={record: status for record, status in statuses.items() if record in rows},
        rows=rows,
        n_linked=len(data.rows) - len(rows),
        members=members,
        trainings=[ranking["seconds"] for ranking in made],
        ready_seconds=ready,
    )


def _rows_by_record(members: Members, data: DualFile) -> dict[str, Row]:
    """Find each record's row by the id that the file gave it. Linked duplicates have none."""
    by_id = {row.id: row for row in data.rows}
    found = {}
    for record in members.owner.pages(f"/reviews/{members.review_id}/records"):
        if record["duplicate_of"] is None:
            found[record["id"]] = by_id[record["sources"][0]["ref"]]
    return found


def _screen(
    members: Members, watch: Watch, rows: dict[str, Row], think: float
) -> tuple[list[Accepted], dict[str, str]]:
    wanted = {record for record, row in rows.items() if row.expected == "included"}
    stop, hurry = threading.Event(), threading.Event()
    reviewers = [
        Reviewer(
            caller,
            members.review_id,
            verdict_on=lambda record, i=i: rows[record].verdicts[i],  # type: ignore[misc]
            think=lambda: hurry.wait(think),
            stop=stop,
        )
        for i, caller in enumerate(members.reviewers)
    ]
    judge = Adjudicator(
        members.judge,
        members.review_id,
        verdict_on=lambda record: rows[record].final,
        every=max(think, 0.1),
    )
    people = [*reviewers, judge]
    for person in people:
        person.start()
    # Asked twice a second: the whole log is read each time.
    deadline = time.monotonic() + _LONGEST_RUN
    while any(reviewer.is_alive() for reviewer in reviewers) and time.monotonic() < deadline:
        reviewers[0].join(0.5)
        if not hurry.is_set() and spent_until(list(watch.events), wanted, 1.0):
            hurry.set()
        if any(person.error for person in people):
            break
    stop.set()
    judge.finish.set()
    for person in people:
        person.join(60)
        if person.error:
            raise person.error
    return [decision for reviewer in reviewers for decision in reviewer.accepted], judge.resolved


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


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("file", nargs="?", type=Path, default=DEFAULT_FILE, metavar="FILE")
    parser.add_argument("--engine", choices=[*ENGINES, "both"], default="sqlite")
    parser.add_argument("--question", help="the review's question; without one it starts at random")
    parser.add_argument("--think", type=float, default=0.25, help="seconds per abstract")
    parser.add_argument(
        "--at-most",
        type=float,
        help=f"expected share of decisions at 95 %% of includes; {MOST_AT_95} for the default FILE",
    )
    parser.add_argument("--json", action="store_true", help="print one object for each engine")
    asked = parser.parse_args()
    if not asked.file.is_file():
        parser.error(f"there is no {asked.file}: give the FILE of two reviewers' decisions")
    try:
        data = read_dual(asked.file)
    except BadData as error:
        parser.error(str(error))

    at_most = asked.at_most
    if at_most is None and asked.file == DEFAULT_FILE:
        at_most = MOST_AT_95
    engines: tuple[Engine, ...] = ENGINES if asked.engine == "both" else (asked.engine,)
    columns: dict[str, list[Line]] = {}
    results: dict[str, dict[str, Any]] = {}
    progress = Console(stderr=True)
    start = f"question {asked.question!r}" if asked.question else "no question: a random start"
    for engine in engines:
        progress.print(f"{data.name} on {engine}, {start}, {asked.think} s per abstract …")
        with running(engine) as here:
            done = replay(here, data, question=asked.question, think=asked.think)
            columns[engine], results[engine] = judge(done, at_most)
            here.keep_folder = any(line.ok is False for line in columns[engine])
    same = len({result["digest"] for result in results.values()}) == 1
    if asked.json:
        print(json.dumps({"file": data.name, "question": asked.question, "runs": results}))
    else:
        print_table(f"{data.name}: {start}, {asked.think} s per abstract", columns)
        if data.overruled:
            print(f"{len(data.overruled)} rows whose agreed verdicts are not final: the agreed count")
        if len(engines) > 1:
            print("both engines end alike" if same else "THE ENGINES DIFFER")
    failed = any(line.ok is False for lines in columns.values() for line in lines)
    return 1 if failed or not same else 0


if __name__ == "__main__":
    sys.exit(main())
