"""After the chaos: has every event come to everybody who waits for it, in order?"""

import itertools
import sqlite3
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from time import monotonic, sleep
from typing import Any

from chaos_checks import Stored
from followers import OUTCOMES, Came, Followers
from measures import Line
from receiving import FAULTS
from tandem.screening.rules import Status
from team import Members
from watching import Watch, moment_of
from wrecking import VICTIMS, Kill, Wait, after_each

_CATCH_UP_SECONDS = 150.0
"""For webhooks: one that has failed waits, and then goes one by one through what came meanwhile."""
_LOOK_SECONDS = 0.25

Event = dict[str, Any]


def caught_up(followers: Followers, listed: Sequence[Event]) -> Line:
    """Wait until the last event has come by every way."""
    started = monotonic()
    outcomes = [event["sequence"] for event in listed if event["type"] in OUTCOMES]
    waiting = followers.has_come(listed[-1]["sequence"], outcomes[-1])
    took: dict[str, float] = {}
    while len(took) < len(waiting) and monotonic() - started < _CATCH_UP_SECONDS:
        took |= {
            name: monotonic() - started
            for name, has_come in waiting.items()
            if name not in took and has_come()
        }
        sleep(_LOOK_SECONDS)
    shown = ", ".join(f"{took[name]:.0f}" if name in took else "never" for name in waiting)
    return Line(f"caught up: {', '.join(waiting)}", f"{shown} s", "all", len(took) == len(waiting))


def everything_came(followers: Followers, members: Members, listed: Sequence[Event]) -> list[Line]:
    """Compare what came by each way with the log."""
    numbers = [event["sequence"] for event in listed]
    outcomes = [event["sequence"] for event in listed if event["type"] in OUTCOMES]
    entries = followers.entries()
    endpoints = (followers.everything, followers.outcomes)
    faults = sum((endpoint.faults() for endpoint in endpoints), Counter[str]())
    invalid = sum(endpoint.n_invalid for endpoint in endpoints)
    stored = followers.stored_from_stream()
    own = sum(program.ended_by_itself for program in followers.programs[:2])
    killed = sum(program.ends.total() for program in followers.programs[:2])
    return [
        _blinded(followers.blinded, members),
        _line("webhook", followers.everything.came(), numbers),
        _line("webhook of outcomes", followers.outcomes.came(), outcomes),
        Line("signatures that are not valid", f"{invalid}", "0", invalid == 0),
        Line(
            "receivers failed",
            f"{faults.total()}, in {len(faults)} of {len(FAULTS)} ways",
        ),
        _line("the stream itself", entries, _since(entries, numbers)),
        Line(
            "copy made by follow_stream.py",
            f"{len(stored):,}, {followers.stream_came().n_again} again",
            "the log",
            stored == list(listed) and _is_rising(followers.stream_came().order),
        ),
        Line(
            "follow_review.py went through",
            f"{len(followers.copy_came().order):,}, {followers.copy_came().n_again} again",
            "in order",
            _is_rising(followers.copy_came().order),
        ),
        Line("examples killed / ended by themselves", f"{killed} / {own}", "0", own == 0),
    ]


def copy_is_true(followers: Followers, members: Members, stored: Stored) -> list[Line]:
    """Compare the copy that follow_review.py keeps with what follows from the ledger."""
    with closing(sqlite3.connect(followers.copy_file)) as copy:
        rows = copy.execute("SELECT id, status, n_decisions FROM record").fetchall()
        conflicts = dict(copy.execute("SELECT record_id, id FROM conflict").fetchall())
        people = dict(copy.execute("SELECT user_id, role FROM member").fetchall())
    settled = {id: status for id, status, _ in rows if status != "open"}
    wanted = {id: str(status) for id, status in stored.statuses.items() if status.is_settled}
    differ = {id for id, status in stored.statuses.items() if status is Status.CONFLICT}
    n_decisions = sum(n for _, _, n in rows)
    path = f"/reviews/{members.review_id}"
    there = {each["user_id"]: each["role"] for each in members.owner.pages(f"{path}/members")}
    listed = members.owner.pages(f"{path}/conflicts", state="open")
    open_now = {each["record"]["id"]: each["id"] for each in listed}
    return [
        Line("its settled records", f"{len(settled):,}", "as recomputed", settled == wanted),
        Line(
            "its open conflicts",
            f"{len(conflicts)}",
            "as recomputed",
            conflicts == open_now and conflicts.keys() == differ,
        ),
        Line(
            "its decisions",
            f"{n_decisions:,}",
            "as in the ledger",
            n_decisions == len(stored.decisions),
        ),
        Line("its members", f"{len(people)}", "as listed", people == there),
    ]


def on_the_way(followers: Followers, kills: Sequence[Kill], listed: Sequence[Event]) -> list[Line]:
    """Return by way how long events were on their way after each kind of kill, at most."""
    sent_at = {event["sequence"]: moment_of(event["time"]) for event in listed}
    ways = {
        "SSE": followers.sse_came(),
        "stream": followers.stream_came(),
        "copy": followers.copy_came(),
        "webhook": followers.everything.came(),
    }
    lines = []
    for name, came in ways.items():
        waits = [Wait(sent_at[number], at) for number, at in came.at.items()]
        found = after_each(kills, waits)
        shown = ", ".join(f"{max(found[victim], default=0.0):.1f}" for victim in VICTIMS)
        lines.append(Line(f"longest lag by {name}: {', '.join(VICTIMS)}", f"{shown} s"))
    return lines


def _blinded(watch: Watch, members: Members) -> Line:
    path = f"/reviews/{members.review_id}/events"
    listed = [event["id"] for event in members.reviewers[0].pages(path)]
    last = len(listed)
    watch.wait_until(lambda events: bool(events) and events[-1].seq >= last, within=30)
    came = [event.id for event in watch.events]
    numbers = [event.seq for event in watch.events]
    ok = came == listed and numbers == list(range(1, last + 1))
    return Line("SSE of a blinded reviewer", f"{len(came):,}", "all, in order", ok)


def _line(name: str, came: Came, wanted: Sequence[int]) -> Line:
    shown = f"{len(came.order):,}, {came.n_again} again"
    return Line(name, shown, "all, in order", came.order == list(wanted))


def _since(came: Came, numbers: Sequence[int]) -> Sequence[int]:
    """Return all numbers, or where the broker has lost its stream those from its first one on."""
    return numbers[numbers.index(came.order[0]) :] if came.order else []


def _is_rising(numbers: Sequence[int]) -> bool:
    return all(before < after for before, after in itertools.pairwise(numbers))
