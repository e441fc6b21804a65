"""Killing an installation's processes with -9, one after the other, and starting them again."""

import os
import random
import signal
import time
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from installation import Installation
from tandem.db.base import now
from tandem.db.session import Database
from tandem.ids import ReviewId
from tandem.ranking.models import Training

VICTIMS = ("worker", "api", "valkey")


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
    here: Installation, database: Database, review: str, *, minutes: float, dice: random.Random
) -> list[Kill]:
    """Kill and restart, as a supervisor would, until the time is over; return what was done."""
    started = time.monotonic()
    rounds = max(1, round(minutes))
    # Valkey last: nobody restarts the worker after it, which has to find it again by itself.
    victims = [name for _ in range(rounds) for name in [*dice.sample(VICTIMS[:2], 2), VICTIMS[2]]]
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
