"""Killing an installation's processes with -9, one after the other, and starting them again."""

import math
import os
import random
import re
import signal
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from installation import Installation
from programs import Program
from tandem.db.base import now
from tandem.db.session import Database
from tandem.ids import ReviewId
from tandem.ranking.models import Training
from watching import moment_of

VICTIMS = ("worker", "relay", "api", "valkey")
_PAUSE_SECONDS = (4.0, 9.0)
"""Between a return and the next kill: in most of them what was broken is mended, not in all."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Something that was due at `since` and came at `until`, both monotonic."""

    since: float
    until: float


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


def kill_broker_in_training(here: Installation, database: Database, review: str) -> None:
    """Kill Valkey while a worker trains and nothing else happens; bring it back soon.

    With a task under way and nobody else at the broker, it is the worker's own connection that
    finds out, and has to clean up after a message that it can no longer acknowledge.
    """
    deadline = time.monotonic() + 20
    while mid_training(database, review) is None and time.monotonic() < deadline:
        time.sleep(0.005)
    here.kill("valkey")
    time.sleep(1.5)
    here.start("valkey")


def wreak(
    here: Installation,
    database: Database,
    review: str,
    *,
    minutes: float,
    dice: random.Random,
    beside: Sequence[Program],
) -> list[Kill]:
    """Kill and restart, as a supervisor would, until the time is over; return what was done.

    Programs beside the installation are killed in between, and start again by themselves.
    """
    ends = time.monotonic() + minutes * 60
    victims: list[str] = []
    kills: list[Kill] = []
    # In rounds, so that each has its turn: at least one for each, however short the time is.
    while len(kills) < len(VICTIMS) or time.monotonic() < ends:
        victims = victims or dice.sample(VICTIMS, len(VICTIMS))
        victim = victims.pop()
        time.sleep(dice.uniform(*_PAUSE_SECONDS))
        sure = True
        if victim == "worker":
            sure = kill_worker_in_training(here, database, review)
        else:
            here.kill(victim)
        at = time.monotonic()
        if dice.random() < 0.5:
            dice.choice(beside).kill()  # while it is away, or as it comes back
        # Valkey stays away longer: the others have to do without it for a while.
        time.sleep(dice.uniform(2.5, 4.5) if victim == "valkey" else dice.uniform(0.2, 1.5))
        here.start(victim)
        kills.append(Kill(victim, at, time.monotonic(), sure))
        here.note(f"{victim}: away for {kills[-1].back - at:.1f} s until now")
        if dice.random() < 0.5:
            dice.choice(beside).kill()
    return kills


def back_to_work(here: Installation, kills: Sequence[Kill]) -> dict[str, float]:
    """Return by victim the seconds of its longest absence, most of it the start of a process.

    The worker and the relay are back when their logs say so, the others when they serve.
    """
    says = {"worker": r"rankings@.* ready\.", "relay": "relay started"}
    ready = {
        name: [
            moment_of(line["timestamp"])
            for line in here.logged(name)
            if re.fullmatch(said, line["event"])
        ]
        for name, said in says.items()
    }
    longest = dict.fromkeys(VICTIMS, 0.0)
    for kill in kills:
        since = [moment for moment in ready.get(kill.victim, [kill.back]) if moment > kill.at]
        longest[kill.victim] = max(longest[kill.victim], min(since, default=math.inf) - kill.at)
    return longest


def after_each(kills: Sequence[Kill], waits: Iterable[Wait]) -> dict[str, list[float]]:
    """Return by victim, for each of its kills, the seconds of the longest wait from then on.

    What still waits when the next one dies is that one's doing; so no wait is lost, and none is
    cut short but at the kill behind it.
    """
    known = list(waits)
    ends = [kill.at for kill in kills[1:]] + [math.inf]
    longest: dict[str, list[float]] = {victim: [] for victim in VICTIMS}
    for kill, end in zip(kills, ends, strict=True):
        touched = [
            min(wait.until, end) - wait.since
            for wait in known
            if wait.since < end and wait.until > kill.at
        ]
        longest[kill.victim].append(max(touched, default=0.0))
    return longest
