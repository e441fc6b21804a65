"""kill -9 of the worker in mid-training, of the API under load, and of Valkey: what is lost?

    python benchmarks/chaos.py [--minutes 1] [--engine sqlite|postgresql|both]

Six reviewers and an adjudicator work over HTTP meanwhile. Each engine is tried twice: with
Valkey's append-only file, and with a Valkey that comes back empty. Exit code 1 where anything
is lost, told wrongly, or not caught up with.
"""

import argparse
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from rich.console import Console
from sqlalchemy import select

from chaos_checks import Stored, nothing_lost, read_stored, same_as_calm, told_right
from installation import ENGINES, Engine, Installation, running
from measures import Line, lags, pair, print_table, took
from synthetic import Corpus
from tandem.db.base import now
from tandem.db.session import Database
from tandem.ids import ReviewId
from tandem.ranking.models import Training
from team import Accepted, Adjudicator, Caller, Members, Refused, Reviewer, gather, upload
from watching import Watch, newest_ranked, of_type

_REVIEWERS, _QUOTA = 6, 2
_RECORDS, _WORDS = 6000, 250
_THINK_SECONDS = 0.1
_VICTIMS = ("worker", "api", "valkey")
_CATCH_UP_SECONDS = 30.0
_LONGEST_STALE = {"worker": 25.0, "api": 15.0, "valkey": 15.0}
"""A dead worker is noticed when its lease of 10 s runs out, at the next sweep; then a new one
has to start, and all of them share the machine with six reviewers who never rest."""


class Fickle(Reviewer):
    """Changes their mind at times, and at times says the same thing twice."""

    dice: random.Random

    def decide(self, record: str, verdict: str) -> None:
        super().decide(record, verdict)
        draw = self.dice.random()
        if draw < 0.03:
            super().decide(record, "exclude" if verdict == "include" else "include")
        elif draw < 0.06:
            super().decide(record, verdict)


@dataclass(frozen=True, slots=True)
class Kill:
    """`at` and `back` are monotonic; `sure`: it hit what it was meant to hit."""

    victim: str
    at: float
    back: float
    sure: bool


def mid_training(database: Database, review: str) -> int | None:
    """Return the fence of the training that is under way now, or None."""
    query = select(Training).where(Training.review_id == ReviewId(UUID(review)))
    with database.read() as session:
        row = session.scalars(query).one_or_none()
    if row is None or row.lease_until is None or row.lease_until < now():
        return None
    return row.fence


def kill_worker_in_training(here: Installation, database: Database, review: str) -> bool:
    """Kill the worker while it trains; return whether that training did not finish.

    It is stopped first, so that the look at the database and the kill see the same moment.
    """
    group = here.pid("worker")
    deadline = time.monotonic() + 20
    while True:
        if (fence := mid_training(database, review)) is not None:
            os.killpg(group, signal.SIGSTOP)
            if mid_training(database, review) == fence or time.monotonic() > deadline:
                here.kill("worker")
                return mid_training(database, review) == fence
            os.killpg(group, signal.SIGCONT)
        elif time.monotonic() > deadline:
            here.kill("worker")
            return False
        time.sleep(0.02)


def wreak(
    here: Installation, database: Database, review: str, *, minutes: float, dice: random.Random
) -> list[Kill]:
    """Kill and restart, as a supervisor would, until the time is over; return what was done."""
    started = time.monotonic()
    rounds = max(1, round(minutes))
    victims = [name for _ in range(rounds) for name in dice.sample(_VICTIMS, len(_VICTIMS))]
    slot = minutes * 60 / len(victims)
    kills = []
    for i, victim in enumerate(victims):
        pause = started + slot * (i + dice.uniform(0.2, 0.4)) - time.monotonic()
        time.sleep(max(0.0, pause))
        sure = True
        if victim == "worker":
            sure = kill_worker_in_training(here, database, review)
        else:
            here.kill(victim)
        at = time.monotonic()
        # Valkey stays away longer: the others have to do without it for a while.
        time.sleep(dice.uniform(2.5, 4.5) if victim == "valkey" else dice.uniform(0.2, 1.5))
        here.start(victim)
        kills.append(Kill(victim, at, time.monotonic(), sure))
    time.sleep(max(0.0, started + minutes * 60 - time.monotonic()))
    return kills


def chaos(here: Installation, *, minutes: float, seed: int) -> list[Line]:
    """Let people work while processes die; return what became of it."""
    corpus, dice = Corpus(_RECORDS, words=_WORDS, seed=seed), random.Random(f"{seed} chaos")
    members = gather(here, _REVIEWERS, per_record=_QUOTA, title="Chaos", question=None)
    watch = Watch(here.url, members.owner.account.token, members.review_id)
    upload(members, "corpus.csv", corpus.as_csv(), within=180)
    if not watch.wait_until(lambda events: newest_ranked(events) > 0, within=180):
        raise Refused("there is no first ranking 180 s after the import")
    stop = threading.Event()
    reviewers = [
        _reviewer(caller, i, members, corpus, seed, stop)
        for i, caller in enumerate(members.reviewers)
    ]
    judge = Adjudicator(
        members.judge,
        members.review_id,
        verdict_on=lambda record: "include" if record in corpus.relevant else "exclude",
        every=0.5,
    )
    people = [*reviewers, judge]
    for person in people:
        person.start()
    database = here.open_database()
    try:
        kills = wreak(here, database, members.review_id, minutes=minutes, dice=dice)
        stop.set()
        for reviewer in reviewers:
            reviewer.join(100)
        judge.finish.set()
        judge.join(100)
        for person in people:
            if person.error or person.is_alive():
                raise person.error or Refused(f"{person.name} does not come to an end")
        ended = time.monotonic()
        stored = read_stored(database, members.review_id)
        caught_up = watch.wait_until(
            lambda events: newest_ranked(events) >= stored.labels_seq, within=_CATCH_UP_SECONDS
        )
        behind = time.monotonic() - ended
        watch.close()
        accepted = [made for reviewer in reviewers for made in reviewer.accepted]
        with tempfile.TemporaryDirectory(dir=here.folder) as scratch:
            calm = same_as_calm(database, members.review_id, Path(scratch))
        return [
            *_kills(kills, accepted, watch),
            *nothing_lost(stored, accepted, judge.resolved, _QUOTA),
            *told_right(stored, members.owner, members.review_id, list(watch.events)),
            _caught_up(stored, watch, caught_up, behind),
            calm,
            *_load(members, watch),
        ]
    finally:
        stop.set()
        judge.finish.set()
        database.close()


def _reviewer(
    caller: Caller, i: int, members: Members, corpus: Corpus, seed: int, stop: threading.Event
) -> Reviewer:
    reviewer = Fickle(
        caller,
        members.review_id,
        verdict_on=lambda record: corpus.verdict(record, i),
        think=lambda: stop.wait(_THINK_SECONDS),
        stop=stop,
    )
    reviewer.dice = random.Random(f"{seed} {i}")
    return reviewer


def _kills(kills: list[Kill], accepted: list[Accepted], watch: Watch) -> list[Line]:
    """How often, how surely, and how long decisions waited for a ranking after each."""
    waited = lags(accepted, watch.events)
    ends = [kill.at for kill in kills[1:]] + [float("inf")]
    stale: dict[str, list[float]] = {victim: [] for victim in _VICTIMS}
    for kill, end in zip(kills, ends, strict=True):
        touched = [
            seconds
            for made, seconds in waited.items()
            if made.at < end and made.at + seconds > kill.at
        ]
        stale[kill.victim].append(max(touched, default=0.0))
    sure = [kill.sure for kill in kills if kill.victim == "worker"]
    lines = [
        Line(
            "kills of the worker, in mid-training",
            f"{len(sure)}, {sum(sure)}",
            "all",
            all(sure),
        )
    ]
    for victim, longest in stale.items():
        limit = _LONGEST_STALE[victim]
        shown = ", ".join(f"{seconds:.1f}" for seconds in longest)
        lines.append(
            Line(
                f"longest staleness, {victim}",
                f"{shown} s",
                f"≤ {limit:.0f} s",
                max(longest) <= limit,
            )
        )
    away = [(kill.at, kill.back) for kill in kills if kill.victim == "valkey"]
    meanwhile = sum(start < made.at < end for made in accepted for start, end in away)
    lines.append(Line("accepted while Valkey was away", f"{meanwhile}", "> 0", meanwhile > 0))
    return lines


def _caught_up(stored: Stored, watch: Watch, caught_up: bool, seconds: float) -> Line:
    shown = (
        f"{seconds:.1f} s"
        if caught_up
        else (f"{newest_ranked(list(watch.events))} of {stored.labels_seq} after {seconds:.0f} s")
    )
    return Line("ranked to the last change after", shown, f"≤ {_CATCH_UP_SECONDS:.0f} s", caught_up)


def _load(members: Members, watch: Watch) -> list[Line]:
    troubles: Counter[str] = Counter()
    for caller in members.all:
        troubles += caller.notes.troubles
    replayed = troubles.pop("replayed", 0)
    return [
        Line("requests sent again / answered from memory", f"{troubles.total()} / {replayed}"),
        Line("connections of the SSE reader", f"{watch.n_connections}"),
        Line("trainings", f"{len(of_type(watch.events, 'ranking.updated'))}"),
        Line("queue request", pair(took(members.reviewers, "queue"))),
        Line("decision request", pair(took(members.reviewers, "decision"))),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--minutes", type=float, default=1.0, help="of each run")
    parser.add_argument("--engine", choices=[*ENGINES, "both"], default="sqlite")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    engines: tuple[Engine, ...] = ENGINES if asked.engine == "both" else (asked.engine,)
    columns: dict[str, list[Line]] = {}
    progress = Console(stderr=True)
    for engine in engines:
        for broker_keeps in (True, False):
            name = f"{engine}, {'AOF' if broker_keeps else 'Valkey lost'}"
            progress.print(f"{name}: {asked.minutes:g} min …")
            with running(engine, broker_keeps=broker_keeps) as here:
                columns[name] = chaos(here, minutes=asked.minutes, seed=asked.seed)
                here.keep_folder = any(line.ok is False for line in columns[name])
    print_table(f"{_REVIEWERS} reviewers, {_RECORDS:,} records, seed {asked.seed}", columns)
    failed = any(line.ok is False for lines in columns.values() for line in lines)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
