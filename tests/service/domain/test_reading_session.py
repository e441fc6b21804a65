"""A session that only reads writes nothing: it would be rolled back, or fail beside a writer."""

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from tandem.db.faults import meaning
from tandem.reviews.models import Member, Review
from world import World

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


def test_a_statement_that_writes_is_an_error_in_a_reading_session(world: World) -> None:
    team = world.team(n_records=1)
    for reading in (world.database.read, world.database.glance):
        with reading() as session, pytest.raises(AssertionError, match="asked to write"):
            session.execute(update(Review).values(title="Another"))

    with world.database.read() as session:
        assert session.get_one(Review, team.review_id).title != "Another"


def test_a_statement_in_plain_sql_that_writes_is_refused_by_postgresql(world: World) -> None:
    if world.database.is_sqlite:
        pytest.skip("SQLite has no transaction that only reads")
    for opened in (world.database.read, world.database.snapshot):
        with opened() as session, pytest.raises(DBAPIError, match="read-only"):
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
    for opened in (world.database.read, world.database.snapshot, world.database.glance):
        with pytest.raises(DBAPIError) as lost:
            _read_over_a_connection_that_ends(world, opened())
        assert getattr(meaning(lost.value), "code", None) == "unavailable"


def _read_over_a_connection_that_ends(world: World, session: Session) -> None:
    with session:
        mine = session.scalar(text("SELECT pg_backend_pid()"))
        with world.database.write.begin() as other:
            other.execute(text("SELECT pg_terminate_backend(:pid, 60000)"), {"pid": mine})
        session.scalar(text("SELECT 1"))
