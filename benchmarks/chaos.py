"""kill -9 of workers, the relay, the API and Valkey under a team at work: what is lost?

    python benchmarks/chaos.py [--minutes 3] [--reviewers 20] [--engine sqlite|postgresql|both]

The reviewers and an adjudicator work over HTTP meanwhile, and everybody who can wait for events
does: two by SSE, both examples (killed at times, too), two webhooks whose receivers fail at times.
Each engine is tried twice: with Valkey's append-only file, and with a Valkey that comes back
empty. Exit code 1 where anything is lost, reported wrongly, or not caught up with.
"""

import argparse
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

from rich.console import Console

from chaos_checks import nothing_lost, read_stored, same_as_calm, told_right
from followers import Followers
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
from ways_out_checks import caught_up, copy_is_true, everything_came, on_the_way
from wrecking import Kill, Wait, after_each, back_to_work, kill_broker_in_training, wreak

_QUOTA = 2
_RECORDS, _WORDS = 4000, 250
_THINK_SECONDS = 1.0
_CATCH_UP_SECONDS = 30.0
_LONGEST_STALE = {"worker": 25.0, "relay": 30.0, "api": 15.0, "valkey": 15.0}
"""On a quiet machine; 30 s are promised. A dead worker is noticed when its lease of 10 s is out,
at the next sweep; then a new one has to start, and all share the machine with the reviewers."""


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


def chaos(here: Installation, *, minutes: float, n_reviewers: int, seed: int) -> list[Line]:
    """Let people work while processes die; return what became of it."""
    corpus, dice = Corpus(_RECORDS, words=_WORDS, seed=seed), random.Random(f"{seed} chaos")
    members = gather(here, n_reviewers, per_record=_QUOTA, title="Chaos", question=None)
    followers = Followers(here, members, seed=seed)
    database = here.open_database()
    try:
        upload(members, "corpus.csv", corpus.as_csv(), within=180)
        watch = followers.owners
        if not watch.wait_until(lambda events: newest_ranked(events) > 0, within=180):
            raise Refused("there is no first ranking 180 s after the import")
        team = _Team(members, corpus, seed)
        beside = [followers.stream, followers.copy]
        with team.at_work():
            kills = wreak(
                here, database, members.review_id, minutes=minutes, dice=dice, beside=beside
            )
        followers.calm()
        ranked = [_ranked(database, members, watch, "ranked to the last change after")]
        team.reviewers[0].step()
        kill_broker_in_training(here, database, members.review_id)
        team.reviewers[0].step()
        ranked += [_ranked(database, members, watch, "and after a quiet kill of Valkey")]
        return [
            *_kills(here, kills, team.accepted, watch),
            *ranked,
            *_checked(here, database, followers, members, team, kills),
            *_load(members, watch),
        ]
    finally:
        followers.close()
        database.close()


def _checked(
    here: Installation,
    database: Database,
    followers: Followers,
    members: Members,
    team: "_Team",
    kills: list[Kill],
) -> list[Line]:
    """Compare what clients and followers have with the database."""
    review, watch = members.review_id, followers.owners
    listed = members.owner.pages(f"/reviews/{review}/events")
    recovery = caught_up(followers, listed)
    stored = read_stored(database, review)
    with tempfile.TemporaryDirectory(dir=here.folder) as scratch:
        calm = same_as_calm(database, review, Path(scratch))
    return [
        calm,
        *nothing_lost(stored, team.accepted, team.judge.resolved, _QUOTA),
        recovery,
        *told_right(stored, members.owner, review, list(watch.events)),
        *everything_came(followers, members, listed),
        *copy_is_true(followers, members, stored),
        *on_the_way(followers, kills, listed),
    ]


class _Team:
    """Reviewers who decide, and an adjudicator who leaves every fourth conflict open."""

    def __init__(self, members: Members, corpus: Corpus, seed: int) -> None:
        self._stop = threading.Event()
        self.reviewers = [
            _reviewer(caller, i, members, corpus, seed, self._stop)
            for i, caller in enumerate(members.reviewers)
        ]
        self.judge = Adjudicator(
            members.judge,
            members.review_id,
            verdict_on=lambda record: "include" if record in corpus.relevant else "exclude",
            every=0.5,
            leaves=lambda record: int(record) % 4 == 0,
        )

    @property
    def accepted(self) -> list[Accepted]:
        return [made for reviewer in self.reviewers for made in reviewer.accepted]

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Work during the block, and then come to an end, the judge last."""
        people = [*self.reviewers, self.judge]
        for person in people:
            person.start()
        try:
            yield
        finally:
            self._stop.set()
            for reviewer in self.reviewers:
                reviewer.join(100)
            self.judge.finish.set()
            self.judge.join(100)
        for person in people:
            if person.error or person.is_alive():
                raise person.error or Refused(f"{person.name} does not come to an end")


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


def _kills(
    here: Installation, kills: list[Kill], accepted: list[Accepted], watch: Watch
) -> list[Line]:
    """How often, how surely, and how long decisions waited for a ranking after each."""
    waited = lags(accepted, watch.events)
    stale = after_each(
        kills, [Wait(made.at, made.at + seconds) for made, seconds in waited.items()]
    )
    sure = [kill.sure for kill in kills if kill.victim == "worker"]
    lines = [Line("worker killed in mid-training", f"{sum(sure)} of {len(sure)}", "all", all(sure))]
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
    starts = back_to_work(here, kills)
    shown = ", ".join(f"{seconds:.1f}" for seconds in starts.values())
    lines.append(Line(f"longest away: {', '.join(starts)}", f"{shown} s"))
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
    parser.add_argument("--minutes", type=float, default=3.0, help="of each run")
    parser.add_argument("--reviewers", type=int, default=20)
    parser.add_argument("--engine", choices=[*ENGINES, "both"], default="sqlite")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    configure(Settings(log_level="warning"), process="benchmark")
    engines: tuple[Engine, ...] = ENGINES if asked.engine == "both" else (asked.engine,)
    columns: dict[str, list[Line]] = {}
    progress = Console(stderr=True)
    settings = f"{asked.minutes:g} min, {asked.reviewers} reviewers, {_RECORDS:,} records"
    try:
        for engine in engines:
            for broker_keeps in (True, False):
                name = f"{engine}, {'AOF' if broker_keeps else 'Valkey lost'}"
                progress.print(f"{name}: {asked.minutes:g} min …")
                with running(engine, broker_keeps=broker_keeps) as here:
                    columns[name] = chaos(
                        here, minutes=asked.minutes, n_reviewers=asked.reviewers, seed=asked.seed
                    )
                    here.keep_folder = any(line.ok is False for line in columns[name])
    finally:
        if columns:
            print_table(f"{settings}, seed {asked.seed}", columns)
    failed = any(line.ok is False for lines in columns.values() for line in lines)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
