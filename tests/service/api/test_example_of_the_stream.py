"""The example that reads the Redis Stream misses nothing, whatever becomes of it or the broker."""

import importlib.util
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest
from redis import Redis

from engines import Broker
from service.domain.tables import events
from service.live import SOON, Live
from tandem.events.stream import STREAM, Publisher
from tandem.reviews import service as reviews
from tandem.reviews.models import Role
from world import Team, World

EXAMPLE = Path(__file__).parents[3] / "examples" / "follow_stream.py"
GROUP, CONSUMER = "copies", "one"


@pytest.fixture
def redis(broker: Broker) -> Iterator[Redis]:
    with Redis.from_url(broker.url, decode_responses=True) as client:
        client.delete(STREAM)
        yield client
        client.delete(STREAM)


@pytest.fixture
def publisher(world: World, redis: Redis) -> Publisher:
    return Publisher(world.database, redis, maxlen=100_000)


@pytest.fixture
def teams(world: World) -> list[Team]:
    """Two reviews of one owner: what the stream holds of one says nothing of the other."""
    one, other = world.team(n_records=20), world.team(n_records=20)
    with world.database.write.begin() as session:
        review = reviews.lock(session, other.review_id)
        reviews.set_member(session, review, user_id=one.owner.id, role=Role.OWNER)
    return [one, other]


@pytest.fixture
def example() -> ModuleType:
    spec = importlib.util.spec_from_file_location("follow_stream", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextmanager
def following(live: Live, broker: Broker, team: Team, file: Path) -> Iterator[None]:
    """Run the example during the block, and kill it at its end."""
    env = {
        **os.environ,
        "TANDEM_URL": live.url,
        "TANDEM_TOKEN": team.owner.token,
        "TANDEM_REDIS_URL": broker.url,
    }
    command = [sys.executable, str(EXAMPLE), str(file)]
    with subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL) as process:
        try:
            yield
            assert process.poll() is None
        finally:
            process.send_signal(signal.SIGKILL)


def copied(file: Path, team: Team) -> list[tuple[int, str]]:
    if not file.exists():
        return []
    query = "SELECT sequence, id FROM event WHERE review_id = ? ORDER BY rowid"
    with closing(sqlite3.connect(file)) as copy:
        try:
            return copy.execute(query, (str(team.review_id),)).fetchall()
        except sqlite3.OperationalError:  # it is being made
            return []


def in_log(world: World, team: Team) -> list[tuple[int, str]]:
    return [(event.seq, str(event.id)) for event in events(world.database, team.review_id)]


def wait_until_copied(world: World, file: Path, *teams: Team) -> None:
    given_up = time.monotonic() + SOON
    while any(copied(file, team) != in_log(world, team) for team in teams):
        assert time.monotonic() < given_up, [len(copied(file, team)) for team in teams]
        time.sleep(0.02)


def decide(live: Live, team: Team, *numbers: int) -> None:
    for number in numbers:
        live.put(team, team.ann, number)


@pytest.mark.processes
def test_killed_and_with_the_broker_emptied_it_has_every_event_once(
    live: Live, world: World, broker: Broker, redis: Redis, publisher: Publisher,
    teams: list[Team], tmp_path: Path,
) -> None:  # fmt: skip
    file, (one, other) = tmp_path / "events.sqlite3", teams
    decide(live, one, 1, 2)
    publisher.publish()
    with following(live, broker, one, file):
        wait_until_copied(world, file, one, other)
        decide(live, one, 3)
        publisher.publish()
        wait_until_copied(world, file, one, other)
        decide(live, other, 1)
        publisher.publish()
        redis.delete(STREAM)  # under a consumer that waits, and may not have read the last one
        wait_until_copied(world, file, one, other)
    decide(live, other, 2)
    publisher.publish()
    redis.delete(STREAM)  # before it was read, and nothing else ever happens in that review
    decide(live, one, 4)
    publisher.publish()
    with following(live, broker, one, file):
        wait_until_copied(world, file, one, other)


def test_what_was_handed_over_and_never_acknowledged_is_not_missed(
    live: Live, world: World, redis: Redis, publisher: Publisher, teams: list[Team],
    tmp_path: Path, example: ModuleType,
) -> None:  # fmt: skip
    one, file = teams[0], tmp_path / "events.sqlite3"
    with httpx.Client(base_url=live.url, headers=one.owner.auth) as api:
        follower = example.Follower(example.Copy(str(file)), redis, api)
        follower.start()
        decide(live, one, 1, 2)
        publisher.publish()
        # As if the broker's answer had got lost on its way: to it, they are delivered.
        lost: Any = redis.xreadgroup(GROUP, CONSUMER, {STREAM: ">"})
        assert lost

        decide(live, one, 3)
        publisher.publish()
        follower.read()

    assert copied(file, one) == in_log(world, one)
    assert redis.xpending(STREAM, GROUP)["pending"] == 0


def test_holes_of_the_stream_are_read_over_http(
    live: Live, world: World, redis: Redis, publisher: Publisher, teams: list[Team],
    tmp_path: Path, example: ModuleType,
) -> None:  # fmt: skip
    one, file = teams[0], tmp_path / "events.sqlite3"
    publisher.publish()  # so that the one entry that stays below is of this review
    with httpx.Client(base_url=live.url, headers=one.owner.auth) as api:
        follower = example.Follower(example.Copy(str(file)), redis, api)
        follower.start()
        decide(live, one, 1, 2, 3)
        publisher.publish()
        redis.xtrim(STREAM, maxlen=1, approximate=False)
        follower.read()

    assert copied(file, one) == in_log(world, one)


def test_a_review_that_the_token_may_not_read_holds_back_no_other(
    live: Live, world: World, redis: Redis, publisher: Publisher, teams: list[Team],
    tmp_path: Path, example: ModuleType,
) -> None:  # fmt: skip
    one, file, foreign = teams[0], tmp_path / "events.sqlite3", world.team(n_records=3)
    publisher.publish()
    redis.xtrim(STREAM, maxlen=0, approximate=False)  # with the beginning of the foreign one
    with httpx.Client(base_url=live.url, headers=one.owner.auth) as api:
        follower = example.Follower(example.Copy(str(file)), redis, api)
        follower.start()
        decide(live, foreign, 1)
        decide(live, one, 1)
        publisher.publish()
        follower.read()

    assert copied(file, one) == in_log(world, one)
    assert redis.xpending(STREAM, GROUP)["pending"] == 0
