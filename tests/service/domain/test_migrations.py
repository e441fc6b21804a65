import shutil
import subprocess
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, select, text, update

from engines import PostgresServer
from service.domain.threads import PATIENCE
from tandem import migrate
from tandem.accounts.models import Scope, SignIn, Token, User
from tandem.db.session import Database
from tandem.events import positions
from tandem.events.positions import Place
from tandem.events.stream import CONSUMER
from tandem.ids import ReviewId, UserId
from tandem.models import Base
from tandem.records import search_index
from tandem.records.models import Record
from tandem.reviews.models import MemberSight, Review
from tandem.screening.models import ClosedChange, Decision, Exposure, ReviewerCount
from world import World

CHECKOUT = Path(__file__).parents[3]

MIGRATE_WHEN_TOLD = """
import sys
from tandem import migrate
print("ready", flush=True)
sys.stdin.readline()
migrate.upgrade(sys.argv[1])
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without a single table."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'new.sqlite3'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    name = f"empty_{uuid4().hex}"
    yield server.create(name)
    server.drop(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def migrated_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database of the newest schema, which the test may change: a copy of a migrated one."""
    if request.param == "sqlite":
        template: Path = request.getfixturevalue("migrated_sqlite")
        file = tmp_path / "migrated.sqlite3"
        shutil.copy(template, file)
        yield f"sqlite:///{file}"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    name = f"migrated_{uuid4().hex}"
    yield server.create(name, request.getfixturevalue("postgres_template"))
    server.drop(name)


def alembic(url: str) -> Config:
    """Return what the `alembic` command uses in the checkout, on this database."""
    config = Config(toml_file=CHECKOUT / "pyproject.toml")
    config.attributes["database_url"] = url
    return config


def tables(url: str) -> set[str]:
    database = Database(url)
    try:
        found = set(inspect(database.engine).get_table_names()) - {"alembic_version"}
        return {name for name in found if not search_index.is_part(name)}
    finally:
        database.close()


def differences(url: str) -> list[Any]:
    """Return what an automatic migration would change to make the schema that of the models."""
    database = Database(url)
    try:
        with database.engine.connect() as connection:
            own = {"include_name": lambda name, *_: not search_index.is_part(name)}
            context = MigrationContext.configure(connection, opts={"compare_type": True} | own)
            return list(compare_metadata(context, Base.metadata))
    finally:
        database.close()


def test_from_nothing_to_the_schema_of_the_models_and_not_beyond(empty_url: str) -> None:
    assert migrate.current_and_head(empty_url)[0] is None

    migrate.upgrade(empty_url)

    assert differences(empty_url) == []
    assert tables(empty_url) == set(Base.metadata.tables)
    revision, head = migrate.current_and_head(empty_url)
    assert revision == head

    # What a later version has made is left alone.
    database = Database(empty_url)
    with database.write.begin() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    database.close()

    with pytest.raises(migrate.DatabaseIsNewer, match="revision 9999"):
        migrate.upgrade(empty_url)


def test_upgrading_again_changes_nothing(migrated_url: str) -> None:
    database = Database(migrated_url)
    team = World(database).team(n_records=2)

    migrate.upgrade(migrated_url)

    assert World(database).status(team.review_id, 1) == "unscreened"
    database.close()
    assert differences(migrated_url) == []


FIRST_STATES: dict[str, list[str]] = {
    "0001": ["DROP INDEX ix_event_review_id_subject_seq"],
    "0006": [
        "ALTER TABLE resolution DROP COLUMN is_set_aside",
        "DROP INDEX ix_resolution_conflict_id",
        "CREATE UNIQUE INDEX uq_resolution_conflict_id ON resolution (conflict_id)",
    ],
    "0007": ["ALTER TABLE review DROP COLUMN pilot_records"],
}
"""By revision, what makes of its present state the one that installations began with."""


@pytest.mark.parametrize("revision", FIRST_STATES)
def test_installations_of_a_steps_first_state_catch_up(empty_url: str, revision: str) -> None:
    config = alembic(empty_url)
    command.upgrade(config, revision)
    database = Database(empty_url)
    with database.write.begin() as session:
        for statement in FIRST_STATES[revision]:
            session.execute(text(statement))
    database.close()

    migrate.upgrade(empty_url)

    assert differences(empty_url) == []


def test_every_step_can_be_taken_back(empty_url: str) -> None:
    config = alembic(empty_url)
    revisions = [r.revision for r in ScriptDirectory.from_config(config).walk_revisions()]
    for revision in reversed(revisions):
        command.upgrade(config, revision)
        before = tables(empty_url)
        command.downgrade(config, "-1")
        command.upgrade(config, revision)
        assert tables(empty_url) == before
    assert differences(empty_url) == []

    command.downgrade(config, "base")
    assert tables(empty_url) == set()


def test_the_stream_begins_with_what_happens_after_the_upgrade_that_brings_it(
    empty_url: str,
) -> None:
    command.upgrade(alembic(empty_url), "0007")
    database = Database(empty_url)
    owner, old = uuid4(), uuid4()
    time = "2026-01-01 00:00:00.000000"
    with database.write.begin() as session:
        session.execute(
            text(
                "INSERT INTO user_account (id, email, name, is_admin, created_at)"
                " VALUES (:id, 'a@example.org', 'A', false, :time)"
            ),
            {"id": owner.hex, "time": time},
        )
        session.execute(
            text(
                "INSERT INTO review (id, title, criteria_include, criteria_exclude, seed,"
                " created_by, created_at, last_seq, last_open_seq, last_record_number, labels_seq,"
                " corpus_seq) VALUES (:id, 'Old', '[]', '[]', 1, :by, :time, 7, 7, 0, 0, 0)"
            ),
            {"id": old.hex, "by": owner.hex, "time": time},
        )

    migrate.upgrade(empty_url)

    team = World(database).team(n_records=1)
    with database.read() as session:
        behind = positions.behind(session, CONSUMER, limit=10)
        assert positions.get(session, CONSUMER, ReviewId(old)) == 7
    assert behind == [Place(team.review_id, 0)]
    database.close()


def test_what_the_blinded_did_not_hear_of_is_known_of_the_past_but_for_reopenings(
    migrated_url: str,
) -> None:
    database = Database(migrated_url)
    world = World(database)
    team = world.team(n_records=2, policy={"resolution": "consensus"})
    for number in (1, 2):
        world.decide(team.review_id, team.ann, number, "include")
        world.decide(team.review_id, team.ben, number, "exclude")
    world.vote_again(team.review_id, team.ben, 1, "include")
    world.resolve(team.review_id, team.judge, 2, "include")
    known = closed_changes(database)
    world.reopen(team.review_id, team.judge, 2)
    assert len(known) == 2
    assert len(closed_changes(database)) == 3
    database.close()

    command.downgrade(alembic(migrated_url), "0014")
    migrate.upgrade(migrated_url)

    database = Database(migrated_url)
    assert closed_changes(database) == known
    with database.read() as session:
        review = session.get_one(Review, team.review_id)
        assert (review.n_closed, review.last_closed_seq) == (2, max(known))
    database.close()


def test_who_was_shown_verdicts_is_known_of_the_past(migrated_url: str) -> None:
    database = Database(migrated_url)
    world = World(database)
    team = world.team(n_records=6)
    for number in (1, 2, 3):
        world.decide(team.review_id, team.ann, number, "include")
        world.decide(team.review_id, team.ben, number, "include" if number == 1 else "exclude")
    world.decide(team.review_id, team.ben, 1, "exclude")  # it was included, and shown to both
    world.decide(team.review_id, team.ann, 4, "include")
    world.decide(team.review_id, team.ben, 5, "include")
    world.split(team.review_id, team.owner, world.merge(team.review_id, team.owner, 4, 5))
    world.change_policy(team.review_id, team.owner, resolution="consensus")
    world.withdraw(team.review_id, team.ben, 2)
    world.change_policy(team.review_id, team.owner, blind=False)
    world.change_policy(team.review_id, team.owner, blind=True, resolution="adjudicator")
    stored, sights = exposures(database)
    database.close()

    command.downgrade(alembic(migrated_url), "0020")
    migrate.upgrade(migrated_url)

    database = Database(migrated_url)
    refound, sights_refound = exposures(database)
    assert {number for _, number in stored} == {1, 2, 3, 4, 5}
    assert refound >= stored  # of linked records it does not ask which of them a verdict was on
    assert {number for _, number in refound} == {1, 2, 3, 4, 5}
    assert {user for user, *_ in sights_refound} == {
        person.id for person in (team.ann, team.ben, team.eve, team.observer)
    }
    assert sights_refound == sights
    database.close()


def test_records_of_the_past_have_their_numbers_of_trial_registries(migrated_url: str) -> None:
    database = Database(migrated_url)
    team = World(database).team(n_records=3)
    texts = {1: "A trial (NCT01234567)", 2: "No trial", 3: "Registered as ISRCTN12345678."}
    with database.write.begin() as session:
        for number, text_ in texts.items():
            record = session.get_one(Record, (team.review_id, number))
            record.abstract, record.registry_ids = text_, []
    database.close()

    command.downgrade(alembic(migrated_url), "0022")
    migrate.upgrade(migrated_url)

    database = Database(migrated_url)
    with database.read() as session:
        query = select(Record.registry_ids).order_by(Record.number)
        assert session.scalars(query).all() == [["NCT01234567"], [], ["ISRCTN12345678"]]
    database.close()


def test_addresses_have_one_spelling_unless_that_is_somebody_elses(migrated_url: str) -> None:
    database = Database(migrated_url)
    world = World(database)
    composed = ["jos\u00e9@example.org", "z\u00f6e@example.org"]
    marked = [unicodedata.normalize("NFD", email) for email in composed]
    jose, zoe, other = (world.person(name) for name in ("jose", "zoe", "other"))
    with database.write.begin() as session:
        for person, email in ((jose, marked[0]), (zoe, marked[1]), (other, composed[1])):
            session.execute(update(User).where(User.id == person.id).values(email=email))
    database.close()
    command.downgrade(alembic(migrated_url), "0038")

    migrate.upgrade(migrated_url)

    database = Database(migrated_url)
    with database.read() as session:
        found = {person: session.get_one(User, person.id).email for person in (jose, zoe, other)}
    database.close()
    assert found == {jose: composed[0], zoe: marked[1], other: composed[1]}


@pytest.mark.parametrize("blind", [True, False])
def test_what_was_decided_before_is_counted(migrated_url: str, blind: bool) -> None:
    database = Database(migrated_url)
    world = World(database)
    team = world.team(n_records=5, policy={"single_include_advances": True})
    if not blind:
        world.change_policy(team.review_id, team.owner, blind=False)
    for number, verdict in ((1, "exclude"), (2, "include"), (3, "exclude")):
        world.decide(team.review_id, team.ann, number, verdict)
    world.decide(team.review_id, team.ben, 3, "exclude")
    kept = counts(database)
    database.close()

    command.downgrade(alembic(migrated_url), "0036")
    migrate.upgrade(migrated_url)

    database = Database(migrated_url)
    n_full, n_half_done = (1, 2) if blind else (2, 1)
    of_people = {team.ann.id: (3, n_half_done), team.ben.id: (1, 0)}
    assert counts(database) == kept == ((n_full, n_half_done), of_people)
    database.close()


def counts(database: Database) -> tuple[tuple[int, int], dict[UserId, tuple[int, int]]]:
    """Return how many records are full and half done, and how many of each person's."""
    with database.read() as session:
        review = session.scalars(select(Review)).one()
        people = session.scalars(select(ReviewerCount)).all()
        of_people = {one.reviewer_id: (one.n_decided, one.n_half_done) for one in people}
        return (review.n_full, review.n_half_done), of_people


def exposures(database: Database) -> tuple[set[Any], set[Any]]:
    """Return who was shown verdicts on which records, and how many decisions by their role."""
    with database.read() as session:
        shown = {(one.user_id, one.record_number) for one in session.scalars(select(Exposure))}
        numbers = session.scalars(select(Decision.labels_seq)).all()
        sights = {
            (
                one.user_id,
                sum(number <= (one.names_labels_seq or 0) for number in numbers),
                one.settled_seq,
                one.conflicts_seq,
            )
            for one in session.scalars(select(MemberSight))
        }
    return shown, sights


def closed_changes(database: Database) -> set[int]:
    with database.read() as session:
        return set(session.scalars(select(ClosedChange.labels_seq)))


@pytest.mark.processes
def test_two_that_upgrade_at_once_take_turns(empty_url: str) -> None:
    both = [
        subprocess.Popen(
            [sys.executable, "-c", MIGRATE_WHEN_TOLD, empty_url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for process in both:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
    for process in both:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()
    ends = [(process.communicate(timeout=PATIENCE), process.returncode) for process in both]

    assert [status for _, status in ends] == [0, 0], ends
    assert differences(empty_url) == []
    assert tables(empty_url) == set(Base.metadata.tables)


def test_who_is_signed_in_stays_so_and_tokens_keep_all_that_they_may(empty_url: str) -> None:
    command.upgrade(alembic(empty_url), "0017")
    database = Database(empty_url)
    ann, token, time, end = uuid4().hex, uuid4().hex, "2026-01-01 00:00:00", "2099-01-01 00:00:00"
    with database.write.begin() as session:
        said = {"ann": ann, "token": token, "time": time, "end": end}
        for statement in (
            "INSERT INTO user_account (id, email, name, is_admin, created_at)"
            " VALUES (:ann, 'a@example.org', 'A', false, :time)",
            "INSERT INTO access_token (id, user_id, name, secret_hash, created_at)"
            " VALUES (:token, :ann, 'x', 'hash of the token', :time)",
            "INSERT INTO sign_in (secret_hash, user_id, created_at, expires_at)"
            " VALUES ('first', :ann, :time, :end), ('second', :ann, :time, :end)",
        ):
            session.execute(text(statement), said)

    migrate.upgrade(empty_url)

    with database.read() as session:
        sessions = session.scalars(select(SignIn)).all()
        assert len({one.id for one in sessions}) == 2
        assert all(one.idle_until == one.expires_at for one in sessions)
        assert session.scalars(select(Token.scope)).one() is Scope.MANAGE
        assert session.scalars(select(User.is_active)).one() is True
    database.close()
