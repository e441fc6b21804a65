"""What the requests that every reviewer makes all day ask of the database: no more than needed."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Connection, Engine, event

from tandem.screening import streams
from world import Person, Team, World

both_engines = pytest.mark.both_engines

_SMALL = {"access_token", "member", "policy_version", "ranking", "review", "user_account"}
"""Tables that may be read whole as far as a review goes: they have few rows of each."""


_OF_NO_TABLE = ("SCAN CONSTANT ROW", "SCAN (subquery-")


@pytest.fixture
def team(world: World) -> Team:
    team = world.team(n_records=30)
    world.decide(team.review_id, team.eve, 30, "include")
    world.rank(team.review_id, *range(1, 31))
    return team


@contextmanager
def statements(client: TestClient) -> Iterator[list[tuple[str, Any]]]:
    """Collect what the application asks of its database, with the values, but for BEGIN."""
    found: list[tuple[str, Any]] = []

    def note(_: Connection, __: object, statement: str, values: Any, *___: object) -> None:
        # When a token was used is written by itself, seconds later: of no request.
        if statement != "BEGIN" and not statement.startswith("UPDATE access_token"):
            found.append((statement, values))

    engine = _engine(client)
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(engine, "before_cursor_execute", note)


def _engine(client: TestClient) -> Engine:
    app = client.app
    assert isinstance(app, FastAPI)
    engine: Engine = app.state.runtime.database.engine
    return engine


class Api:
    def __init__(self, client: TestClient, team: Team) -> None:
        self._client, self._root = client, f"/api/v1/reviews/{team.review_id}"

    def queue(self, who: Person, limit: int = 1) -> list[str]:
        queue = self.ask(who, "POST", "/queue", json={"limit": limit})
        return [item["record"]["id"] for item in queue["items"]]

    def decide(self, who: Person, record: str, **headers: str) -> None:
        said = {"verdict": "include"}
        self.ask(who, "PUT", f"/records/{record}/decision", json=said, headers=headers)

    def decide_many(self, who: Person, records: Iterable[int]) -> None:
        said = [{"record_id": str(record), "verdict": "include"} for record in records]
        done = self.ask(who, "POST", "/decisions", expect=207, json={"items": said})
        assert {item["status"] for item in done["items"]} == {200}

    def get(self, who: Person, path: str) -> None:
        self.ask(who, "GET", path)

    def ask(self, who: Person, method: str, path: str, *, expect: int = 200, **asked: Any) -> Any:
        headers = who.auth | asked.pop("headers", {})
        answer = self._client.request(method, self._root + path, headers=headers, **asked)
        assert answer.status_code == expect, answer.text
        return answer.json()


@both_engines
def test_a_queue_request_asks_little_however_many_records_it_serves(
    client: TestClient, team: Team
) -> None:
    api = Api(client, team)
    for person in (team.ann, team.ben):
        api.queue(person)  # names are compared with the authors once
    asked = []
    for _ in range(streams.BLOCK):  # so there are picks of every kind
        with statements(client) as renewed:
            held = api.queue(team.ann)
        api.decide(team.ann, *held)
        with statements(client) as fresh:
            api.queue(team.ann)
        asked.append((len(renewed), len(fresh)))
    with statements(client) as many:
        assert len(api.queue(team.ben, limit=10)) == 10

    assert max(renewed for renewed, _ in asked) <= 10
    assert max(fresh for _, fresh in asked) <= 16
    assert len(many) <= 18


def test_draws_of_an_audit_are_looked_at_while_nobody_waits_for_the_review(
    client: TestClient, team: Team, world: World
) -> None:
    """A look at an audit may read the whole ledger: no such statement while the review is held."""
    for person in (team.ann, team.ben):
        world.decide(team.review_id, person, 1, "include")
    api = Api(client, team)
    audit = {"stage": "title_abstract", "target_recall": 0.8, "confidence": 0.8}
    found = api.ask(team.owner, "POST", "/audits", expect=201, json=audit)
    api.ask(team.owner, "PATCH", f"/audits/{found['id']}", json={"serving": "draws_only"})
    read: list[tuple[bool, str]] = []

    def note(connection: Connection, __: object, statement: str, *___: object) -> None:
        if "FROM decision" in statement:
            read.append((bool(connection.get_execution_options().get("tandem_write")), statement))

    engine = _engine(client)
    event.listen(engine, "before_cursor_execute", note)
    try:
        world.decide(team.review_id, team.ann, 7, "exclude")
        assert len(api.queue(team.ann)) == 1
    finally:
        event.remove(engine, "before_cursor_execute", note)

    assert read, "nobody looked at the audit"
    assert [statement for held, statement in read if held and "labels_seq >" in statement] == []


@both_engines
def test_a_decision_asks_little(client: TestClient, team: Team) -> None:
    api = Api(client, team)

    served = "1"
    assert served in api.queue(team.ann, limit=500)
    with statements(client) as first:
        api.decide(team.ann, served)
    with statements(client) as unserved:  # where it stands in the newest ranking is looked up
        api.decide(team.ben, served, **{"Idempotency-Key": "once"})
    with statements(client) as repeated:
        api.decide(team.ben, served)

    # What is longer, psycopg takes apart each time.
    assert max(len(statement) for statement, _ in (*first, *unserved)) <= 4096
    # One of each says what is left, and one of those that decide keeps the numbers for that.
    assert len(first) <= 10 + 2
    assert len(unserved) <= 14 + 2
    assert len(repeated) <= 4 + 1


@both_engines
def test_many_decisions_at_once_ask_no_more_than_a_few(client: TestClient, team: Team) -> None:
    api = Api(client, team)
    some = range(1, 26)
    with statements(client) as first:
        api.decide_many(team.ann, some)
    with statements(client) as second:
        api.decide_many(team.eve, some)

    assert len(first) <= 13
    assert len(second) <= 15


@both_engines
def test_looking_on_asks_little(client: TestClient, team: Team) -> None:
    api = Api(client, team)
    api.decide(team.ann, "1")

    with statements(client) as progress:
        api.get(team.ann, "/progress")
    with statements(client) as events:
        api.get(team.ann, "/events")
    with statements(client) as waiting:
        api.get(team.ann, "/waiting")

    # What was found, for the picture; of full text which records are there, the decisions by day
    # and what was found.
    assert len(progress) <= 7 + 1 + 3
    assert len(events) <= 5
    assert len(waiting) <= 10


def test_both_go_by_indexes_however_large_the_review_is(client: TestClient, team: Team) -> None:
    api = Api(client, team)
    for person in (team.ann, team.ben):
        for record in api.queue(person, limit=3):
            api.decide(person, record)

    with statements(client) as asked:
        api.decide(team.ann, api.queue(team.ann)[0])
        api.decide(team.eve, api.queue(team.eve)[0])

    plans = {
        (step, statement)
        for statement, values in asked
        if statement.startswith("SELECT")
        for step in _plan(_engine(client), statement, values)
    }
    assert plans
    # Of no table: a constant, or what steps of their own have found.
    plans = {(step, of) for step, of in plans if not step.startswith(_OF_NO_TABLE)}
    large = [(step, of) for step, of in plans if _table(step) not in _SMALL]
    assert [step for step, _ in large if "SCAN" in step or step.endswith("(review_id=?)")] == []
    # Nearly all records are no duplicates: to begin with those is to read the whole review.
    shown = [step for step, of in large if _table(step) == "record" and "duplicate_of IS" in of]
    assert shown
    # Few are duplicates, or shown and yet not screened: those are counted by their own indexes.
    few = ("number=?", "duplicate_of>?", "not_screened_because>?")
    assert [step for step in shown if not any(part in step for part in few)] == []


def test_a_list_by_rank_looks_up_its_records_by_number(client: TestClient, world: World) -> None:
    """Also many at once, for which SQLite would rather read all that are no duplicates."""
    team = world.team(n_records=600)
    world.rank(team.review_id, *range(600, 0, -1))
    api = Api(client, team)
    with statements(client) as asked:
        api.get(team.ann, "/records?order=rank&limit=3")

    looked_up = [
        (step, statement)
        for statement, values in asked
        if statement.startswith("SELECT record.number")
        for step in _plan(_engine(client), statement, values)
        if _table(step) == "record"
    ]
    assert looked_up
    assert [step for step, _ in looked_up if "number=?" not in step] == []


def _plan(engine: Engine, statement: str, values: Any) -> list[str]:
    """Return how SQLite goes about a query, step by step."""
    with engine.connect() as connection:
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all()
    return [row[3] for row in rows if row[3].startswith(("SCAN", "SEARCH"))]


def _table(step: str) -> str:
    return step.split()[1]
