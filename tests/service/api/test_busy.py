"""A database that somebody else holds: requests wait a bounded time, and reading goes on."""

import sqlite3
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from contextvars import copy_context

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text
from sqlalchemy.engine import make_url

from application import application
from tandem.config import Settings
from tandem.db.session import Database
from tandem.db.turns import MOST_WRITING, WAITED, Busy, Turns
from world import Team, World

API = "/api/v1"
LONG = 20.0
"""Far less than the half minute that each writer waited once, one after the other."""


@pytest.fixture
def team(world: World) -> Team:
    return world.team()


@contextmanager
def held(database: Database, team: Team) -> Iterator[None]:
    """Hold what a decision needs, as another program on the database does."""
    if database.is_sqlite:
        file = make_url(str(database.engine.url)).database or ""
        with closing(sqlite3.connect(file, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield
            other.execute("ROLLBACK")
        return
    with database.engine.begin() as other_session:
        query = text("SELECT 1 FROM review WHERE id = :id FOR UPDATE")
        other_session.execute(query, {"id": str(team.review_id)})
        yield


@pytest.mark.both_engines
def test_a_held_writer_keeps_nobody_for_long_and_no_reader_at_all(
    settings: Settings, database: Database, team: Team
) -> None:
    """More writers than the process has threads."""
    app = application(settings.model_copy(update={"busy_seconds": 1.0}))
    path = f"{API}/reviews/{team.review_id}"

    def write(client: TestClient, n: int) -> tuple[int, str, str | None]:
        answer = client.put(
            f"{path}/records/{n % 3 + 1}/decision",
            json={"verdict": "include"},
            headers=team.ann.auth,
        )
        return answer.status_code, answer.json().get("code"), answer.headers.get("retry-after")

    with TestClient(app) as client, ThreadPoolExecutor(60) as pool:
        with held(database, team):
            began = time.monotonic()
            writing = [pool.submit(write, client, n) for n in range(50)]
            read = client.get(f"{path}/records", headers=team.ann.auth)
            answers = [one.result() for one in writing]
            lasted = time.monotonic() - began
        after = write(client, 0)

    assert read.status_code == 200
    assert {answer[:2] for answer in answers} == {(503, "busy")}
    assert all(seconds for *_, seconds in answers)
    assert lasted < LONG
    assert after[0] == 200


def test_a_server_ends_in_order_while_somebody_holds_the_database(
    settings: Settings, database: Database, team: Team
) -> None:
    """When tokens were used last is noted at the next use."""
    app = application(settings.model_copy(update={"busy_seconds": 0.2}))
    with held(database, team), TestClient(app) as client:
        assert client.get(f"{API}/me", headers=team.ann.auth).status_code == 200


def test_work_that_nobody_waits_for_has_patience(database: Database, team: Team) -> None:
    """A worker's writes wait on, as they did."""
    done = threading.Event()

    def work() -> None:
        with database.write.begin() as session:
            session.execute(text("UPDATE review SET title = 'changed'"))
        done.set()

    with held(database, team):
        thread = threading.Thread(target=work)
        thread.start()
        assert not done.wait(0.3)
    assert done.wait(LONG)
    thread.join()


def test_turns_are_given_in_the_order_of_arrival_and_none_is_lost_by_those_who_give_up() -> None:
    turns, order = Turns(1, patience=0.2), []

    def come(name: int) -> None:
        try:
            with turns.taken():
                order.append(name)
        except Busy:
            order.append(-name)

    with ThreadPoolExecutor(4) as pool:
        with turns.taken():
            impatient = [pool.submit(come, name) for name in (1, 2)]
            for one in impatient:
                one.result()
        for name in (3, 4):
            pool.submit(come, name).result()

    assert sorted(order[:2]) == [-2, -1]
    assert order[2:] == [3, 4]


def test_a_late_writer_waits_while_the_line_moves() -> None:
    """Many at once are no reason to refuse anybody: a line that stands still is."""
    turns = Turns(1, patience=LONG)

    def come() -> None:
        with turns.taken():
            time.sleep(0.005)

    with ThreadPoolExecutor(3 * MOST_WRITING) as pool:
        for one in [pool.submit(come) for _ in range(3 * MOST_WRITING)]:
            one.result()


def test_what_a_request_has_waited_for_a_thread_is_of_its_patience() -> None:
    def come(waited: float) -> float:
        WAITED.set(waited)
        with Turns(1, patience=60).taken() as give_up_at:
            assert give_up_at is not None
            return give_up_at - time.monotonic()

    assert copy_context().run(come, 40.0) <= 20
    assert copy_context().run(come, 70.0) <= 0
