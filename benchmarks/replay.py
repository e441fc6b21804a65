"""Real reviewers' decisions, given again over HTTP alone: what does the ranking save them?

    python benchmarks/replay.py [FILE] [--engine sqlite|postgresql|both] [--question TEXT]

Both reviewers take from their queues and answer as they really did; the adjudicator answers
`final`. Exit code 1 where an expectation fails.
"""

import argparse
import json
import sys
import threading
import time
from pathlib import Path
from typing import Any

from rich.console import Console

from dual_data import BadData, DualFile, Row, read_dual
from installation import ENGINES, Engine, Installation, running
from measures import Line, print_table, spent_until
from replay_outcome import Finished, judge
from team import Accepted, Adjudicator, Members, Refused, Reviewer, gather, upload
from watching import Watch, newest_ranked

DEFAULT_FILE = Path(__file__).parents[2] / "shared/data/dual/friends_2023.csv.gz"
MOST_AT_95 = 0.12
"""Of DEFAULT_FILE: share of the decisions that reading everything takes, at 95 % of includes."""
_LONGEST_RUN = 3600.0


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
    statuses = {record["id"]: record["status"] for record in members.owner.pages(f"{path}/records")}
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
    adjudicator = Adjudicator(
        members.judge,
        members.review_id,
        verdict_on=lambda record: rows[record].final,
        every=max(think, 0.1),
    )
    people = [*reviewers, adjudicator]
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
    adjudicator.finish.set()
    for person in people:
        person.join(60)
        if person.error:
            raise person.error
    return [
        decision for reviewer in reviewers for decision in reviewer.accepted
    ], adjudicator.resolved


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
            print(
                f"{len(data.overruled)} rows are not final as all agreed: what they agreed counts"
            )
        if len(engines) > 1:
            print("both engines end alike" if same else "THE ENGINES DIFFER")
    failed = any(line.ok is False for lines in columns.values() for line in lines)
    return 1 if failed or not same else 0


if __name__ == "__main__":
    sys.exit(main())
