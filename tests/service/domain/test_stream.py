"""The Redis Stream: every event of every review, in order, on a real Valkey."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from threading import Event
from time import sleep
from typing import Any

import pytest
from redis import Redis
from redis.client import Pipeline
from redis.exceptions import RedisError, WatchError
from sqlalchemy import text, update

from engines import Broker
from service.domain.tables import events
from service.domain.threads import at_once
from tandem.db.base import now
from tandem.db.session import Database
from tandem.events import positions, stream
from tandem.events.positions import ConsumerLease, EventPosition, Place
from tandem.events.stream import CONSUMER, STREAM, Publisher
from tandem.ids import ReviewId
from tandem_api.schemas.events import EventOut
from world import Team, World

pytestmark = pytest.mark.both_engines

Entry = dict[str, Any]


@pytest.fixture
def redis(broker: Broker) -> Iterator[Redis]:
    client = Redis.from_url(broker.url, decode_responses=True)
    client.delete(STREAM)
    yield client
    client.delete(STREAM)
    client.close()


@pytest.fixture
def publisher(database: Database, redis: Redis) -> Publisher:
    return Publisher(database, redis, maxlen=100_000)


def entries(redis: Redis) -> list[Entry]:
    found: Any = redis.xrange(STREAM)
    return [fields for _, fields in found]


def sequences(redis: Redis, review_id: ReviewId) -> list[int]:
    return [int(entry["seq"]) for entry in entries(redis) if entry["review_id"] == str(review_id)]


def in_log(database: Database, review_id: ReviewId) -> list[int]:
    return [event.seq for event in events(database, review_id)]


def test_every_event_of_every_review_in_its_envelope(
    world: World, database: Database, redis: Redis, publisher: Publisher
) -> None:
    teams = [world.team(n_records=2) for _ in range(3)]
    for team in teams:
        world.decide(team.review_id, team.ann, 1, "include")
        world.decide(team.review_id, team.ben, 1, "exclude")

    assert publisher.publish() == sum(len(in_log(database, t.review_id)) for t in teams)

    for team in teams:
        assert sequences(redis, team.review_id) == in_log(database, team.review_id)
    by_id = {entry["id"]: entry for entry in entries(redis)}
    for event in events(database, teams[0].review_id):
        entry = by_id[str(event.id)]
        # To the letter what the list over HTTP and its stream say to an owner.
        over_http = EventOut.of(event.seq, event).model_dump_json()
        assert json.loads(entry["event"]) == json.loads(over_http)
        assert (entry["type"], entry["seq"]) == (event.type, str(event.seq))
        assert "detail" not in entry["event"]
    assert publisher.publish() == 0


def test_a_long_backlog_comes_in_order_and_does_not_hold_back_others(
    world: World,
    database: Database,
    redis: Redis,
    publisher: Publisher,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stream, "_MOST_EACH", 3)
    long, short = world.team(n_records=20), world.team(n_records=1)
    for number in range(1, 21):
        world.decide(long.review_id, long.ann, number, "include")
    world.decide(short.review_id, short.ann, 1, "include")

    publisher.publish()

    assert sequences(redis, long.review_id) == in_log(database, long.review_id)
    assert sequences(redis, short.review_id) == in_log(database, short.review_id)
    order = [entry["review_id"] for entry in entries(redis)]
    last_of_short = max(i for i, name in enumerate(order) if name == str(short.review_id))
    assert order[last_of_short:].count(str(long.review_id)) > 5


def test_killed_between_adding_and_committing_it_adds_the_same_again(
    world: World, database: Database, redis: Redis, publisher: Publisher
) -> None:
    team = world.team(n_records=2)
    world.decide(team.review_id, team.ann, 1, "include")

    class Killed(BaseException):
        pass

    class Dying(Publisher):
        def _commit(self, *_: object) -> bool:
            raise Killed

    with pytest.raises(Killed):
        Dying(database, redis, maxlen=1000).publish()
    # Of one that is killed with -9 the claim stays; here it was given back on the way out.
    publisher.publish()

    log = in_log(database, team.review_id)
    assert sequences(redis, team.review_id) == log * 2
    ids = [entry["id"] for entry in entries(redis)]
    assert ids[: len(log)] == ids[len(log) :]


def test_while_one_is_at_it_another_does_nothing_and_a_silent_one_is_relieved(
    world: World, database: Database, redis: Redis, publisher: Publisher
) -> None:
    team = world.team(n_records=1)
    with database.write.begin() as session:
        held = positions.claim(session, CONSUMER, lasting=stream._LEASE)
    assert held is not None
    assert publisher.publish() == 0
    with database.write.begin() as session:
        session.execute(update(ConsumerLease).values(lease_until=now()))

    assert publisher.publish() == len(in_log(database, team.review_id))

    with database.write.begin() as session:
        assert not positions.keep(session, CONSUMER, held, until=None)


def test_one_that_was_relieved_moves_nothing(
    world: World, database: Database, redis: Redis, publisher: Publisher
) -> None:
    team = world.team(n_records=3)

    class Slow(Publisher):
        """Loses its claim while it adds: another publishes, and more happens."""

        def _add(self, batch: Any) -> str | None:
            last_entry = super()._add(batch)
            with database.write.begin() as session:
                session.execute(update(ConsumerLease).values(lease_until=now()))
            world.decide(team.review_id, team.ann, 1, "include")
            publisher.publish()
            return last_entry

    assert Slow(database, redis, maxlen=1000).publish() == 0

    assert publisher.publish() == 0
    log = in_log(database, team.review_id)
    found = sequences(redis, team.review_id)
    assert found == log[:-1] + log
    with database.read() as session:
        assert positions.get(session, CONSUMER, team.review_id) == log[-1]


def test_two_publishers_do_not_wait_for_each_other(
    world: World, database: Database, redis: Redis, publisher: Publisher
) -> None:
    if database.is_sqlite:
        pytest.skip("it has one writer at a time")
    team = world.team(n_records=1)
    publisher.publish()
    world.decide(team.review_id, team.ann, 1, "include")
    has_claim = Event()

    def hold_the_claim_then_the_position(fence: int) -> None:
        with database.write.begin() as session:
            positions.keep(session, CONSUMER, fence, until=now() + stream._LEASE)
            has_claim.set()
            while not _is_anybody_waiting(database):
                sleep(0.01)
            positions.move(session, CONSUMER, Place(team.review_id, 0))

    class Beside(Publisher):
        def _commit(self, batch: Any, fence: int, last_entry: str) -> bool:
            with ThreadPoolExecutor(1) as other:
                done = other.submit(hold_the_claim_then_the_position, fence)
                assert has_claim.wait(timeout=60)
                try:
                    return super()._commit(batch, fence, last_entry)
                finally:
                    done.result()

    assert Beside(database, redis, maxlen=1000).publish() > 0
    assert sequences(redis, team.review_id) == in_log(database, team.review_id)


def _is_anybody_waiting(database: Database) -> bool:
    with database.read() as session:
        return bool(session.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")))


def test_two_relays_beside_writers_add_everything_once_and_in_order(
    world: World, database: Database, redis: Redis
) -> None:
    teams = [world.team(n_records=12) for _ in range(3)]
    written = Event()

    def write() -> None:
        for number in range(1, 13):
            for team in teams:
                world.decide(team.review_id, team.ann, number, "include")
        written.set()

    def publish() -> None:
        opened = Database(database.engine.url.render_as_string(hide_password=False))
        client = Redis.from_url(_url(redis))
        publisher, over = Publisher(opened, client, maxlen=100_000), False
        while not over:
            over = written.wait(timeout=0.001)
            publisher.publish()
        client.close()
        opened.close()

    works: list[Callable[[], None]] = [write, publish, publish]
    at_once(works)
    Publisher(database, redis, maxlen=100_000).publish()

    for team in teams:
        assert sequences(redis, team.review_id) == in_log(database, team.review_id)


def _url(redis: Redis) -> str:
    return f"unix://{redis.connection_pool.connection_kwargs['path']}"


def decide(world: World, team: Team, *numbers: int) -> None:
    for number in numbers:
        world.decide(team.review_id, team.ann, number, "include")


class TestLoss:
    """What the broker has lost, and nobody may have read, comes again by itself."""

    def test_an_empty_broker_gets_all_again_though_nothing_new_happens(
        self, world: World, database: Database, redis: Redis, publisher: Publisher
    ) -> None:
        teams = [world.team(n_records=3), world.team(n_records=1)]
        publisher.publish()
        before = {entry["id"]: entry for entry in entries(redis)}
        redis.flushdb()

        publisher.publish()

        assert {entry["id"]: entry for entry in entries(redis)} == before
        for team in teams:
            assert sequences(redis, team.review_id) == in_log(database, team.review_id)
        assert publisher.publish() == 0, "once"

    def test_a_group_that_is_made_again_before_the_relay_comes_gets_all_too(
        self, world: World, database: Database, redis: Redis, publisher: Publisher
    ) -> None:
        team = world.team(n_records=1)
        publisher.publish()
        redis.flushdb()
        redis.xgroup_create(STREAM, "warehouse", id="0", mkstream=True)

        publisher.publish()

        read: Any = redis.xreadgroup("warehouse", "one", {STREAM: ">"})
        seen = [int(fields["seq"]) for _, fields in read[0][1]]
        assert seen == in_log(database, team.review_id)

    def test_a_broker_that_is_back_from_an_older_copy_gets_what_it_lacks(
        self, world: World, database: Database, redis: Redis, publisher: Publisher
    ) -> None:
        team = world.team(n_records=5)
        decide(world, team, 1, 2)
        publisher.publish()
        older = redis.dump(STREAM)
        n_kept = len(sequences(redis, team.review_id))
        decide(world, team, 3, 4)
        publisher.publish()
        redis.restore(STREAM, 0, older, replace=True)  # type: ignore[arg-type]  # bytes, whatever the client decodes

        decide(world, team, 5)
        publisher.publish()

        log = in_log(database, team.review_id)
        assert sequences(redis, team.review_id) == log[:n_kept] + log

    def test_what_was_trimmed_does_not_come_again(
        self, world: World, database: Database, redis: Redis
    ) -> None:
        long, short = world.team(n_records=30), world.team(n_records=1)
        small = Publisher(database, redis, maxlen=10)
        decide(world, short, 1)
        decide(world, long, *range(1, 31))
        small.publish()
        redis.flushdb()

        assert small.publish() == 10

        assert sequences(redis, long.review_id) == in_log(database, long.review_id)[-10:]
        assert sequences(redis, short.review_id) == []

    def test_what_had_not_come_before_the_loss_comes_once(
        self, world: World, database: Database, redis: Redis, publisher: Publisher
    ) -> None:
        team = world.team(n_records=4)
        publisher.publish()
        redis.flushdb()
        decide(world, team, 1, 2, 3)

        publisher.publish()

        assert sequences(redis, team.review_id) == in_log(database, team.review_id)

    @pytest.mark.parametrize(
        ("where", "name", "call"), [(Publisher, "_read", 1), (Pipeline, "multi", 1)]
    )
    def test_a_loss_after_the_look_for_it_is_not_hidden_by_what_is_added(
        self,
        world: World,
        database: Database,
        redis: Redis,
        publisher: Publisher,
        monkeypatch: pytest.MonkeyPatch,
        where: Any,
        name: str,
        call: int,
    ) -> None:
        team = world.team(n_records=3)
        publisher.publish()
        decide(world, team, 1, 2)
        really, calls = getattr(where, name), count(1)

        def lose_all(self: Any) -> Any:
            found = really(self)
            if next(calls) == call:
                redis.flushdb()
            return found

        monkeypatch.setattr(where, name, lose_all)

        if where is Pipeline:
            with pytest.raises(WatchError):
                publisher.publish()
        publisher.publish()

        assert next(calls) > call
        assert sequences(redis, team.review_id) == in_log(database, team.review_id)

    def test_two_relays_make_one_loss_good(
        self, world: World, database: Database, redis: Redis, publisher: Publisher
    ) -> None:
        team = world.team(n_records=4)
        publisher.publish()
        redis.flushdb()

        class Late(Publisher):
            """Sees the loss, and has the claim only when another has made it good."""

            def _publish_as(self, fence: int, held_since: float, *places: Any) -> int:
                with database.write.begin() as session:
                    session.execute(update(ConsumerLease).values(lease_until=now()))
                publisher.publish()
                with database.write.begin() as session:
                    again = positions.claim(session, CONSUMER, lasting=stream._LEASE)
                assert again is not None
                return super()._publish_as(again, held_since, *places)

        Late(database, redis, maxlen=1000).publish()

        assert sequences(redis, team.review_id) == in_log(database, team.review_id)

    def test_a_long_search_for_where_to_begin_is_not_made_under_the_claim(
        self, world: World, database: Database, redis: Redis, publisher: Publisher,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        team, really = world.team(n_records=1), positions.before_newest
        publisher.publish()
        redis.flushdb()

        def lasts_until_another_claims(*asked: Any) -> Any:
            with database.write.begin() as session:
                session.execute(
                    update(ConsumerLease)
                    .where(ConsumerLease.lease_until.is_not(None))
                    .values(fence=ConsumerLease.fence + 1)
                )
            return really(*asked)

        monkeypatch.setattr(positions, "before_newest", lasts_until_another_claims)

        publisher.publish()

        assert sequences(redis, team.review_id) == in_log(database, team.review_id)


def test_with_the_broker_away_nothing_moves_and_nothing_is_held(
    world: World, database: Database, redis: Redis, publisher: Publisher, tmp_path: Any
) -> None:
    team = world.team(n_records=1)
    away = Publisher(database, Redis.from_url(f"unix://{tmp_path}/nobody"), maxlen=1000)

    with pytest.raises((RedisError, OSError)):
        away.publish()

    with database.read() as session:
        assert session.get(EventPosition, (CONSUMER, team.review_id)) is None
    assert publisher.publish() == len(in_log(database, team.review_id))


def test_the_stream_is_trimmed_about_to_its_length(
    world: World, database: Database, redis: Redis
) -> None:
    team = world.team(n_records=300)
    for number in range(1, 301):
        world.decide(team.review_id, team.ann, number, "include")

    Publisher(database, redis, maxlen=50).publish()

    kept = sequences(redis, team.review_id)
    assert 50 <= len(kept) < 250
    assert kept == in_log(database, team.review_id)[-len(kept) :]


def test_a_group_reads_what_another_service_would(
    world: World, database: Database, redis: Redis, publisher: Publisher
) -> None:
    redis.xgroup_create(STREAM, "warehouse", id="0", mkstream=True)
    team = world.team(n_records=2)
    publisher.publish()

    seen: list[int] = []
    while read := _next_two(redis):
        for entry_id, fields in read:
            seen.append(json.loads(fields["event"])["sequence"])
            redis.xack(STREAM, "warehouse", entry_id)

    assert seen == in_log(database, team.review_id)


def _next_two(redis: Redis) -> list[tuple[str, Entry]]:
    read: Any = redis.xreadgroup("warehouse", "one", {STREAM: ">"}, count=2)
    return [entry for _, found in read or [] for entry in found]
