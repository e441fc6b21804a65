"""A session that only reads writes nothing: it would be rolled back, or fail beside a writer."""

from typing import Any

import pytest
from sqlalchemy import event, func, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from tandem.db.faults import meaning
from tandem.reporting import gathering
from tandem.reporting import service as reporting
from tandem.reports.facts import load_facts
from tandem.reviews import service as reviews
from tandem.reviews.models import Member, Review
from world import Team, World

pytestmark = pytest.mark.both_engines


def test_an_object_that_is_changed_in_a_reading_session_is_an_error(world: World) -> None:
    team = world.team(n_records=1)
    for reading in (world.database.read, world.database.glance):
        with reading() as session:
            member = session.get_one(Member, (team.review_id, team.ann.id))
            member.names_compared_to += 1
            with pytest.raises(AssertionError, match="asked to write"):
                session.flush()

    with world.database.read() as session:
        review = session.get_one(Review, team.review_id)
        review.title = review.title
        session.flush()
        session.delete(review)
        with pytest.raises(AssertionError, match="asked to write"):
            session.flush()


def test_a_glance_asks_nothing_beside_its_query(world: World) -> None:
    asked: list[str] = []

    def note(_: object, __: object, statement: str, *___: object) -> None:
        asked.append(statement)

    with world.database.glance() as session:
        event.listen(world.database.engine, "before_cursor_execute", note)
        session.scalar(select(func.count()).select_from(Review))
    event.remove(world.database.engine, "before_cursor_execute", note)

    assert len(asked) == 1


def test_the_connection_that_was_used_last_is_used_next(world: World) -> None:
    with world.database.alone.connect() as outer, world.database.alone.connect() as inner:
        last, before = outer.connection.dbapi_connection, inner.connection.dbapi_connection
    assert last is not before

    with world.database.alone.connect() as connection:
        assert connection.connection.dbapi_connection is last


def test_a_statement_that_writes_is_an_error_in_a_reading_session(world: World) -> None:
    team = world.team(n_records=1)
    for reading in (world.database.read, world.database.glance):
        with reading() as session, pytest.raises(AssertionError, match="asked to write"):
            session.execute(update(Review).values(title="Another"))

    with world.database.read() as session:
        assert session.get_one(Review, team.review_id).title != "Another"


def test_the_numbers_of_one_answer_are_of_one_moment(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both change their minds while the flow is counted: it says how it was before that."""
    team = world.team(n_records=2)
    _both_say(world, team, "include")

    def and_then_they_change_their_minds(*asked: Any) -> Any:
        found = load_facts(*asked)
        _both_say(world, team, "exclude")
        return found

    monkeypatch.setattr(gathering, "load_facts", and_then_they_change_their_minds)
    with world.database.read() as session:
        viewer = reviews.viewer(session, review_id=team.review_id, user_id=team.owner.id)
        flow = reporting.shown(session, viewer=viewer).flow

    assert [one.name for one in flow.invariants if not one.holds] == []
    counted = {key: flow.boxes[key].n for key in ("records_excluded", "dbr_sought_reports")}
    assert counted == {"records_excluded": 0, "dbr_sought_reports": 1}


def _both_say(world: World, team: Team, verdict: str) -> None:
    for who in (team.ann, team.ben):
        world.decide(team.review_id, who, 1, verdict)


def test_a_statement_in_plain_sql_that_writes_is_refused_by_postgresql(world: World) -> None:
    if world.database.is_sqlite:
        pytest.skip("SQLite has no transaction that only reads")
    with world.database.read() as session, pytest.raises(DBAPIError, match="read-only"):
        session.execute(text("UPDATE review SET title = 'Another'"))


def test_what_a_connection_has_prepared_outlives_a_reading_session(world: World) -> None:
    if world.database.is_sqlite:
        pytest.skip("SQLite keeps what it has prepared")
    query = select(func.count()).select_from(Review)
    for _ in range(8):  # psycopg prepares what it has run five times
        with world.database.read() as session:
            session.scalar(query)

    with world.database.read() as session:
        prepared = session.scalars(text("SELECT statement FROM pg_prepared_statements")).all()
    assert any("FROM review" in statement for statement in prepared)


def test_a_connection_that_is_lost_while_it_reads_is_named_as_such(world: World) -> None:
    if world.database.is_sqlite:
        pytest.skip("SQLite has no connection to lose")
    for opened in (world.database.read, world.database.glance):
        with pytest.raises(DBAPIError) as lost:
            _read_over_a_connection_that_ends(world, opened())
        assert getattr(meaning(lost.value), "code", None) == "unavailable"


def _read_over_a_connection_that_ends(world: World, session: Session) -> None:
    with session:
        mine = session.scalar(text("SELECT pg_backend_pid()"))
        with world.database.write.begin() as other:
            other.execute(text("SELECT pg_terminate_backend(:pid, 60000)"), {"pid": mine})
        session.scalar(text("SELECT 1"))
