"""A review that was there before the trail gets one, which holds, and goes on with it."""

import importlib.util
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple
from uuid import uuid4

import pytest
from alembic import command
from sqlalchemy import text

from service.domain.tables import events
from service.domain.test_migrations import alembic
from service.domain.test_migrations import migrated_url as migrated_url
from tandem.audit import past, trail
from tandem.audit.checked import Checked
from tandem.audit.verify import check
from tandem.db.session import Database
from tandem.events import chain
from tandem.reviews import service as reviews
from world import TA, Team, World

_NEW = ("detail", "salt", "hash")


@pytest.fixture
def database(migrated_url: str) -> Iterator[Database]:
    opened = Database(migrated_url)
    yield opened
    opened.close()


def history(world: World) -> Team:
    """Every kind of thing that could happen before the trail."""
    team = world.team(n_records=7, policy={"reviewers_per_record": 2})
    r, ann, ben = team.review_id, team.ann, team.ben
    for number, verdict in ((1, "include"), (2, "exclude"), (3, "exclude"), (4, "maybe")):
        world.decide(r, ann, number, "include", note="Ünïcode – yes", labels=["a"])
        world.decide(r, ben, number, verdict, reasons=["population"], seconds=1.5)
    world.resolve(r, team.judge, 2, "exclude")
    world.change_policy(r, team.owner, maybe="conflict")
    world.withdraw(r, ann, 4)
    world.split(r, team.owner, world.merge(r, team.owner, 2, 5))
    world.decide(r, ann, 6, "include")
    world.decide(r, ben, 7, "exclude")
    world.merge(r, team.owner, 6, 7)
    # Set aside by an include that came with another record.
    world.decide(r, ann, 5, "include")
    world.merge(r, team.owner, 2, 5)
    world.change_policy(r, team.owner, reasons_must_match=True)
    return team


def checked(database: Database, team: Team) -> Checked:
    return check(trail.lines(database, review_id=team.review_id, user_id=team.owner.id))


def test_a_review_from_before_gets_a_trail_that_holds(
    database: Database, migrated_url: str
) -> None:
    world = World(database)
    team, other = history(world), history(world)
    database.close()
    # Down and up again: what only the trail knew is gone, as if it had never been kept.
    command.downgrade(alembic(migrated_url), "0006")
    with database.engine.connect() as connection:
        assert not set(_NEW) & set(connection.execute(text("SELECT * FROM event")).keys())
    database.close()
    command.upgrade(alembic(migrated_url), "head")

    for one in (team, other):
        found = checked(database, one)
        assert found.difference is None
        assert (found.n_sealed, found.n_decisions > 10) == (0, True)
        *entry, sealed = events(database, one.review_id)
        assert all(event.detail["tx"] == "before" for event in entry)
        assert (sealed.data, found.texts_since) == ({"changed": ["trail"]}, sealed.seq)
        records = [event.detail["records"] for event in entry]
        assert records == sorted(records)
        assert (records[0], records[-1]) == (0, 7)
        resolved = next(e for e in entry if e.data.get("by") == "resolution")
        assert resolved.detail["resolution"]["resolver_id"] == str(one.judge.id)
    with database.read() as session:
        viewer = reviews.viewer(session, review_id=team.review_id, user_id=team.owner.id)
        last = reviews.get_review(session, team.review_id).last_seq
        then = past.progress(session, viewer=viewer, stage=TA, as_of=last)
    assert then.n_records == 5

    world.decide(team.review_id, team.eve, 1, "exclude")
    world.resolve(team.review_id, team.judge, 1, "exclude")

    again = checked(database, team)
    assert again.difference is None
    assert again.n_entries > last


def test_a_trail_of_the_first_form_begins_again(database: Database, migrated_url: str) -> None:
    team = history(World(database))
    database.close()
    command.downgrade(alembic(migrated_url), "0007")
    with database.write.begin() as session:
        session.execute(text("ALTER TABLE review DROP COLUMN pilot_records"))
        session.execute(text("UPDATE event SET detail = '{}', hash = 'of another form'"))
        session.execute(text("DELETE FROM criteria_version"))
    database.close()
    command.upgrade(alembic(migrated_url), "head")

    found = checked(database, team)

    assert found.difference is None
    entry = [event.detail["tx"] for event in events(database, team.review_id)]
    assert set(entry[:-1]) == {"before"}
    assert entry[-1] == "texts"


def test_a_trail_from_before_notices_changes(database: Database, migrated_url: str) -> None:
    world = World(database)
    team = history(world)
    database.close()
    command.downgrade(alembic(migrated_url), "0006")
    command.upgrade(alembic(migrated_url), "head")
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE screened_record SET status = 'excluded'"))

    assert not checked(database, team).ok


def _migration() -> ModuleType:
    file = Path(__file__).parents[3] / "migrations" / "versions" / "0007_two_reviewers.py"
    spec = importlib.util.spec_from_file_location("two_reviewers", file)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class _Row(NamedTuple):
    seq: int
    id: Any
    type: str
    subject: str | None
    data: dict[str, Any]
    created_at: datetime


@pytest.mark.parametrize("subject", [None, "17"])
def test_the_frozen_form_is_the_trails(subject: str | None) -> None:
    at = datetime(2026, 11, 23, 9, 30, 0, 7, tzinfo=UTC)
    row = _Row(7, uuid4(), "tandem.a.b", subject, {"b": "Ü", "a": [1.5, None, True]}, at)
    detail, salt = json.loads('{"z": "ß\\u0001", "y": {"k": 0}}'), chain.new_salt()
    entry = chain.LoggedEvent(row.seq, str(row.id), row.type, at, subject, row.data)

    ours = chain.link("before", entry, chain.seal(detail, salt))

    assert _migration()._hash("before", row, detail, salt) == ours
    naive = row._replace(created_at=at.replace(tzinfo=None))
    assert _migration()._hash("before", naive, detail, salt) == ours
