"""Real relay processes: killed, restarted, two at once, and quick when a notifier rings."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from redis import Redis
from sqlalchemy import update

from engines import Broker
from service.domain.programs import PATIENCE, Program, running
from service.domain.receivers import Receiver
from service.domain.tables import events
from tandem.config import Settings
from tandem.db.base import now
from tandem.db.session import Database
from tandem.events.positions import ConsumerLease
from tandem.events.stream import STREAM
from tandem.tasks import TaskSignals
from tandem.webhooks import endpoints
from tandem.webhooks.addresses import Rules
from tandem.webhooks.models import Webhook
from world import Team, World

pytestmark = pytest.mark.processes

SWEEP_SECONDS = 240


@pytest.fixture
def redis(broker: Broker) -> Iterator[Redis]:
    client = Redis.from_url(broker.url, decode_responses=True)
    client.delete(STREAM)
    yield client
    client.delete(STREAM)
    client.close()


@contextmanager
def relay(
    settings: Settings, broker: Broker, log: Path, *, sweep_seconds: float = 2
) -> Iterator[Program]:
    more = {
        "TANDEM_WEBHOOKS_ALLOW_PRIVATE": "true",
        "TANDEM_WEBHOOKS_ALLOW_HTTP": "true",
        "TANDEM_WEBHOOK_THREADS": "4",
        "TANDEM_SWEEP_SECONDS": str(sweep_seconds),
    }
    with running(
        "tandem_worker.relay", settings=settings, broker=broker, log=log, more=more
    ) as program:
        yield program


def sequences(redis: Redis, team: Team) -> list[int]:
    found: Any = redis.xrange(STREAM)
    return [int(f["seq"]) for _, f in found if f["review_id"] == str(team.review_id)]


def until(redis: Redis, team: Team, seq: int, log: Path) -> list[int]:
    """Return what is in the stream once the event `seq` is."""
    deadline, never = time.monotonic() + PATIENCE, Event()
    while seq not in (found := sequences(redis, team)):
        assert time.monotonic() < deadline, f"{found[-3:]}, not {seq}: {log.read_text()[-2000:]}"
        never.wait(0.01)
    return found


def first_of_each(numbers: list[int]) -> list[int]:
    return list(dict.fromkeys(numbers))


def add_webhook(world: World, team: Team, url: str) -> int:
    """Return the number of the last event that is not sent."""
    rules = Rules(allow_private=True, allow_http=True)
    with world.entered(team.review_id, team.owner) as (session, review, viewer):
        endpoints.add(session, review, owner_id=viewer.user_id, url=url, rules=rules)
        return review.last_seq


def last_seq(database: Database, team: Team) -> int:
    return events(database, team.review_id)[-1].seq


def let_its_claims_run_out(database: Database) -> None:
    """Let the time pass for which nobody takes what a dead relay had claimed."""
    with database.write.begin() as session:
        for claimed in (Webhook, ConsumerLease):
            session.execute(
                update(claimed).values(lease_until=now() - timedelta(seconds=1)),
                execution_options={"synchronize_session": False},
            )


@pytest.mark.both_engines
def test_killed_and_restarted_it_goes_on_without_a_gap(
    world: World,
    database: Database,
    settings: Settings,
    broker: Broker,
    redis: Redis,
    receiver: Receiver,
    task_signals: TaskSignals,
    tmp_path: Path,
) -> None:
    team, log = world.team(n_records=40), tmp_path / "relay.log"
    start = add_webhook(world, team, receiver.url)
    for first, last in ((1, 20), (21, 40)):
        with relay(settings, broker, log) as program:
            for number in range(first, last + 1):
                world.decide(team.review_id, team.ann, number, "include")
                task_signals.has_new_events(team.review_id)
                if last == 20 and number == 12:
                    receiver.wait_for(1)
                    program.process.kill()  # in the middle of whatever it does
                    program.process.wait()
                    let_its_claims_run_out(database)
            if last == 40:
                found = until(redis, team, last_seq(database, team), log)
                receiver.wait_for(40)

    everything = [event.seq for event in events(database, team.review_id)]
    assert first_of_each(found) == everything
    assert first_of_each(receiver.sequences) == [seq for seq in everything if seq > start]


def test_the_notifier_brings_an_event_out_before_the_next_sweep(
    world: World,
    database: Database,
    settings: Settings,
    broker: Broker,
    redis: Redis,
    receiver: Receiver,
    task_signals: TaskSignals,
    tmp_path: Path,
) -> None:
    team, log = world.team(n_records=20), tmp_path / "relay.log"
    add_webhook(world, team, receiver.url)
    waits = []
    # Without a notifier nothing would come before the next sweep.
    with relay(settings, broker, log, sweep_seconds=SWEEP_SECONDS):
        until(redis, team, last_seq(database, team), log)
        for number in range(1, 11):
            world.decide(team.review_id, team.ann, number, "include")
            began = time.monotonic()
            task_signals.has_new_events(team.review_id)
            until(redis, team, last_seq(database, team), log)
            receiver.wait_for(number)
            waits.append(time.monotonic() - began)

    assert sorted(waits)[len(waits) // 2] < SWEEP_SECONDS / 2, waits


def test_two_relays_do_not_reorder(
    world: World,
    database: Database,
    settings: Settings,
    broker: Broker,
    redis: Redis,
    receiver: Receiver,
    task_signals: TaskSignals,
    tmp_path: Path,
) -> None:
    team, log = world.team(n_records=40), tmp_path / "relay.log"
    start = add_webhook(world, team, receiver.url)
    with ExitStack() as both:
        for _ in range(2):
            both.enter_context(relay(settings, broker, log))
        for number in range(1, 41):
            world.decide(team.review_id, team.ann, number, "include")
            task_signals.has_new_events(team.review_id)
        found = until(redis, team, last_seq(database, team), log)
        receiver.wait_for(40)

    everything = [event.seq for event in events(database, team.review_id)]
    assert found == everything
    assert receiver.sequences == [seq for seq in everything if seq > start]
