"""kill -9 of the worker in mid-training, of the API under load, and of Valkey: what is lost?

    python benchmarks/chaos.py [--minutes 1] [--engine sqlite|postgresql|both]

Six reviewers and an adjudicator work over HTTP meanwhile. Each engine is tried twice: with
Valkey's append-only file, and with a Valkey that comes back empty. Exit code 1 where anything
is lost, told wrongly, or not caught up with.
"""

import argparse
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from uuid import UUID

from rich.console import Console

from chaos_checks import nothing_lost, read_stored, same_as_calm, told_right
from installation import ENGINES, Engine, Installation, running
from measures import Line, lags, pair, print_table, took
from synthetic import Corpus
from tandem.config import Settings
from tandem.db.session import Database
from tandem.ids import ReviewId
from tandem.log import configure
from tandem.reviews import service as reviews
from team import Accepted, Adjudicator, Caller, Members, Refused, Reviewer, gather, upload
from watching import Watch, newest_ranked, of_type
from wrecking import VICTIMS, Kill, kill_broker_in_training, wreak

_REVIEWERS, _QUOTA = 6, 2
_RECORDS, _WORDS = 6000, 250
_THINK_SECONDS = 0.1
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
        ranked = [_ranked(database, members, watch, "ranked to the last change after")]
        reviewers[0].step()
        kill_broker_in_training(here, database, members.review_id)
        reviewers[0].step()
        ranked += [_ranked(database, members, watch, "and after a quiet kill of Valkey")]
        stored = read_stored(database, members.review_id)
        watch.close()
        accepted = [made for reviewer in reviewers for made in reviewer.accepted]
        with tempfile.TemporaryDirectory(dir=here.folder) as scratch:
            calm = same_as_calm(database, members.review_id, Path(scratch))
        return [
            *_kills(kills, accepted, watch),
            *nothing_lost(stored, accepted, judge.resolved, _QUOTA),
            *told_right(stored, members.owner, members.review_id, list(watch.events)),
            *ranked,
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
    stale: dict[str, list[float]] = {victim: [] for victim in VICTIMS}
    for kill, end in zip(kills, ends, strict=True):
        # What still waits when the next one dies is then that one's doing.
        touched = [
            min(seconds, end - made.at)
            for made, seconds in waited.items()
            if made.at < end and made.at + seconds > kill.at
        ]
        stale[kill.victim].append(max(touched, default=0.0))
    sure = [kill.sure for kill in kills if kill.victim == "worker"]
    lines = [
        Line(
            "worker killed in mid-training",
            f"{sum(sure)} of {len(sure)}",
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


def _ranked(database: Database, members: Members, watch: Watch, name: str) -> Line:
    """Wait for a ranking that counts every change there is."""
    started = time.monotonic()
    with database.read() as session:
        last = reviews.get_review(session, ReviewId(UUID(members.review_id))).labels_seq
    done = watch.wait_until(lambda events: newest_ranked(events) >= last, within=_CATCH_UP_SECONDS)
    seconds = time.monotonic() - started
    shown = f"{seconds:.1f} s" if done else f"not after {seconds:.0f} s"
    return Line(name, shown, f"≤ {_CATCH_UP_SECONDS:.0f} s", done)


def _load(members: Members, watch: Watch) -> list[Line]:
    troubles: Counter[str] = Counter()
    for caller in members.all:
        troubles += caller.notes.troubles
    replayed = troubles.pop("replayed", 0)
    return [
        Line("requests sent again / replayed", f"{troubles.total()} / {replayed}"),
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
    configure(Settings(log_level="warning"), process="benchmark")
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
