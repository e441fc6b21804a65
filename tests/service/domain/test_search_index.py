"""What a search finds with the index is what it finds without, whatever becomes of records."""

from collections.abc import Iterator
from itertools import pairwise

import pytest
from sqlalchemy import delete, insert, select, text, update

from tandem import migrate
from tandem.db.session import Database
from tandem.ids import RecordNumber
from tandem.records import search_index
from tandem.records.models import Record
from tandem.reviews.models import Review
from tandem.screening import catalogue
from tandem.screening.catalogue import OrderBy
from tandem.screening.queue.order import NO_ORDER
from tandem.screening.record_filters import Filters
from world import TA, Team, World

pytestmark = pytest.mark.both_engines

TEXTS = [
    ("Peer support in hospitals", 'Interviews with "WORKERS" at 100 %'),
    ("Übergang in die Pflege", "nurses_and others, ΟΔΥΣΣΕΥΣ, 300\u212a–310"),
    ("peers' sup-port", "In İstanbul; a_b\\c; 患者の報告"),
    ("", "Ab stract"),
]
AUTHORS = [["Smith, J.", 'Ó "Neil", A.'], ["[Group], The"], ["back\\slash"], []]
WORDS = [
    *("peer", "PEER", "support", "sup-port", "übergang", "ÜBER", "pflege", "zzz", "pe", "%", "a_b"),
    *("workers", '"workers"', "smith,", "smith, j", "ó", '"neil",', "[group]", "k\\s", "a_b\\c"),
    *(
        "οδυσσευς",
        "İSTANBUL",
        "istanbul",
        "i\u0307stanbul",
        "300k–310",
        "患者の",
        "stract",
        "abstract",
        "erp",
        "port\\n",
        "peer" * 30,
    ),
]


@pytest.fixture
def team(world: World) -> Team:
    made = world.team(n_records=0)
    world.records(made.review_id, made.owner, texts=TEXTS)
    for number, authors in enumerate(AUTHORS, start=1):
        change(world.database, made, number, authors=authors)
    return made


@pytest.fixture(params=[True, False], ids=["index", "no index"])
def has_index(request: pytest.FixtureRequest, database: Database) -> Iterator[bool]:
    with database.write.begin() as session:
        if not request.param:
            search_index.remove(session.connection())
        elif not search_index.is_there(session.connection()):
            pytest.skip("this PostgreSQL has no pg_trgm")
    yield request.param
    with database.write.begin() as session:
        search_index.ensure(session.connection())


def change(database: Database, team: Team, number: int, **values: object) -> None:
    mine = (Record.review_id == team.review_id, Record.number == number)
    with database.write.begin() as session:
        session.execute(update(Record).where(*mine).values(**values))


def found(world: World, team: Team, *words: str) -> list[int]:
    with world.entered(team.review_id, team.owner) as (session, _, viewer):
        listed = catalogue.list_records(
            session,
            viewer=viewer,
            stage=TA,
            filters=Filters(words=words),
            order_by=OrderBy.ADDED,
            ranking=NO_ORDER,
            after=None,
            limit=50,
        )
    return [one.record.number for one in listed]


def expected(world: World, team: Team, *words: str) -> list[int]:
    with world.database.read() as session:
        query = select(Record).where(Record.review_id == team.review_id).order_by(Record.number)
        records = session.scalars(query).all()
    return [
        record.number
        for record in records
        if all(
            any(
                _folded(word) in _folded(place)
                for place in (record.title, record.abstract, *record.authors)
            )
            for word in words
        )
    ]


def _folded(words: str) -> str:
    return words.lower().replace("ς", "σ")


def test_it_finds_what_a_reader_finds(world: World, team: Team, has_index: bool) -> None:
    others = world.team(n_records=0)
    world.records(others.review_id, others.owner, texts=TEXTS)

    for word in WORDS:
        assert found(world, team, word) == expected(world, team, word), word
    for pair in pairwise(WORDS):
        assert found(world, team, *pair) == expected(world, team, *pair), pair


def test_it_follows_what_becomes_of_records(world: World, team: Team, has_index: bool) -> None:
    world.records(team.review_id, team.owner, texts=[("Later", "horseradish")])
    assert found(world, team, "horserad") == [5]

    change(world.database, team, 5, abstract="Parsnip", authors=["Turnip, A."])
    assert found(world, team, "horserad") == []
    assert found(world, team, "parsn", "turn") == [5]

    of_five = (Record.review_id == team.review_id, Record.number == 5)
    with world.database.write.begin() as session:
        session.execute(delete(Record).where(*of_five))
    world.records(team.review_id, team.owner, texts=[("Again", "celery")])
    assert found(world, team, "parsn") == []
    assert found(world, team, "peer") == [1, 3]


def test_records_of_one_batch_come_into_it_together(
    database: Database, world: World, team: Team, has_index: bool
) -> None:
    add_together(database, team, 5, 6)
    assert found(world, team, "horserad") == [5, 6]
    with pytest.raises(ZeroDivisionError):
        add_together(database, team, 7, 0)
    assert found(world, team, "horserad") == [5, 6]

    world.records(team.review_id, team.owner, texts=[("Alone", "horseradish")])
    assert found(world, team, "horserad") == [5, 6, 7]
    if database.is_sqlite and has_index:
        assert narrowed(database, team, "horserad") == [5, 6, 7]


def add_together(database: Database, team: Team, *numbers: int) -> None:
    """Add copies of the first record; to add 0 fails, after the others were added."""
    with database.write.begin() as session:
        first = session.execute(
            select(*Record.__table__.columns).where(
                Record.review_id == team.review_id, Record.number == 1
            )
        ).one()
        after = numbers[0] - 1
        session.get_one(Review, team.review_id).last_record_number = max(numbers)
        with search_index.added_together(session, team.review_id, after=after):
            for number in numbers:
                new = {"number": number, "abstract": "Horseradish"}
                session.execute(insert(Record), [{**first._mapping, **new}])
                assert 1 / number


def narrowed(database: Database, team: Team, *words: str) -> list[int] | None:
    """Return the records that the index lets through."""
    with database.read() as session:
        few = search_index.candidates(session, team.review_id, words)
    return None if few is None else sorted(map(int, few))


def test_it_leaves_few_records_to_be_read(
    database: Database, world: World, team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    if narrowed(database, team, "peer") is None:
        pytest.skip("this PostgreSQL has no pg_trgm")
    assert narrowed(database, team, "peer") == [1, 3]
    assert narrowed(database, team, "zzzyx") == []
    assert narrowed(database, team, "pe") is None

    monkeypatch.setattr(search_index, "_MOST_CANDIDATES", 1)
    assert narrowed(database, team, "peer") is None
    assert found(world, team, "peer") == [1, 3]


def test_a_table_that_was_made_again_gets_its_index_back(
    database: Database, world: World, team: Team
) -> None:
    if not database.is_sqlite:
        pytest.skip("there indexes go with their table, and are made again with it")
    with database.write.begin() as session:
        session.execute(text("DROP TRIGGER record_search_added"))
        session.execute(text("DROP TRIGGER record_search_changed"))
    world.records(team.review_id, team.owner, texts=[("Meanwhile", "horseradish")])
    assert narrowed(database, team, "horserad") is None
    assert found(world, team, "horserad") == [5]

    migrate.upgrade(database.engine.url.render_as_string(hide_password=False))

    assert narrowed(database, team, "horserad") == [5]
    assert narrowed(database, team, "peer") == [1, 3]
    with database.write.begin() as session:
        number = RecordNumber(5)
        session.delete(session.get_one(Record, (team.review_id, number)))
    assert narrowed(database, team, "horserad") == []


def test_an_sqlite_that_lacks_what_another_one_had_goes_on_without_the_index(
    database: Database, team: Team, world: World
) -> None:
    if not database.is_sqlite:
        pytest.skip("PostgreSQL's index is part of its data")
    with database.write.begin() as session:
        session.execute(text("PRAGMA writable_schema = 1"))
        unknown = "CREATE VIRTUAL TABLE record_search USING of_another_sqlite(texts)"
        renamed = text("UPDATE sqlite_master SET sql = :sql WHERE name = 'record_search'")
        session.execute(renamed, {"sql": unknown})
    database.engine.dispose()
    with database.write.begin() as session:
        assert not search_index.is_there(session.connection())
        assert not search_index.ensure(session.connection())

    world.records(team.review_id, team.owner, texts=[("Another title", "")])
    assert narrowed(database, team, "another") is None
