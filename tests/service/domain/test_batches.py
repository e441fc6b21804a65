"""A batch is made ready before the review is locked: what happens in between is not lost."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Connection, event, text
from sqlalchemy.exc import OperationalError

from service.domain.importing import Importer, ris, titled
from service.domain.tables import assert_in_step
from tandem.db import session as writers
from tandem.db.session import Database
from tandem.ids import RecordNumber
from tandem.records import batch, importing
from tandem.records.batch import Ready
from tandem.records.duplicates import groups, identities
from world import World

both_engines = pytest.mark.both_engines


def before_it_is_stored(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object]) -> None:
    """Let something happen once, between a batch's being made ready and its being stored."""
    to_come, really = [happens], batch.make_ready

    def make_ready(*args: Any, **said: Any) -> Ready:
        ready = really(*args, **said)
        if to_come:
            to_come.pop()()
        return ready

    monkeypatch.setattr(batch, "make_ready", make_ready)


@both_engines
class TestInBetween:
    def test_records_of_another_file_are_numbered_first_and_recognised(
        self, importer: Importer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        waiting = importer.accept(
            ris({"TI": "Sleep", "DO": "10.1234/s"}, {"TI": "Walking", "DO": "10.1234/a"}),
            source="slow",
        )
        quick = ris({"TI": "Walking", "DO": "10.1234/a", "AB": "People walked."}, {"TI": "Clay"})

        def read_the_other_file() -> None:
            importer.let_the_lease_run_out(waiting)  # else the other one would wait for it
            importer.read(quick, source="quick")

        before_it_is_stored(monkeypatch, read_the_other_file)
        importer.run(waiting)

        found = [(r.number, r.source, r.title, r.duplicate_of) for r in importer.records()]
        assert found == [
            (1, "quick", "Walking", None),
            (2, "quick", "Clay", None),
            (3, "slow", "Sleep", None),
            (4, "slow", "Walking", 1),
        ]
        row = importer.get(waiting)
        assert (row.n_read, row.n_added, row.n_duplicates) == (2, 1, 1)
        assert_in_step(importer.database, importer.review_id)

    def test_a_copy_is_shown_as_what_its_original_has_become_a_part_of(
        self, importer: Importer, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        importer.read(ris({"TI": "Walking: a trial", "AB": "People walked."}), source="first")
        importer.read(ris({"TI": "Going on foot", "DO": "10.1234/a"}), source="second")
        copies = ris(*[{"TI": "Going on foot", "DO": "10.1234/a"}] * 2)

        before_it_is_stored(
            monkeypatch, lambda: world.merge(importer.review_id, importer.owner, 1, 2)
        )
        row = importer.read(copies, source="third")

        assert [record.duplicate_of for record in importer.records()] == [None, 1, 1, 1]
        assert row.n_duplicates == 2
        with importer.database.read() as session:
            there = groups.touching(session, importer.review_id, [RecordNumber(4)])
            members = groups.members_of(session, [group.id for group in there])
        assert [*members.values()] == [[1, 2, 3, 4]]
        assert_in_step(importer.database, importer.review_id)

    def test_a_worker_that_was_overtaken_stores_nothing(
        self, importer: Importer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(importing, "BATCH", 4)
        import_id = importer.accept(titled(range(10)))

        def overtake() -> None:
            importer.let_the_lease_run_out(import_id)
            assert importer.run(import_id) == importer.review_id

        before_it_is_stored(monkeypatch, overtake)

        assert importer.run(import_id) is None
        assert [record.number for record in importer.records()] == list(range(1, 11))
        assert importer.get(import_id).n_read == 10


@contextmanager
def plans(database: Database) -> Iterator[list[str]]:
    """Collect how SQLite goes about the queries of the block."""
    found: list[str] = []

    def explain(
        connection: Connection, _: object, statement: str, values: Any, *__: object
    ) -> None:
        if statement.startswith("SELECT"):
            rows = connection.connection.cursor()
            rows.execute(f"EXPLAIN QUERY PLAN {statement}", values)
            found.extend(row[3] for row in rows.fetchall())

    event.listen(database.engine, "before_cursor_execute", explain)
    try:
        yield found
    finally:
        event.remove(database.engine, "before_cursor_execute", explain)


def test_copies_are_looked_up_by_what_they_share_however_many_records_there_are(
    importer: Importer,
) -> None:
    with plans(importer.database) as found, importer.database.read() as session:
        identities.sharing(session, importer.review_id, dois={"10.1/a", "10.1/b"}, pmids=["1", "2"])
        identities.sharing(session, importer.review_id, dois={"10.1/a"}, pmids=())

    assert len(found) == 3
    assert all(
        "review_id=? AND doi=?" in plan or "review_id=? AND pmid=?" in plan for plan in found
    )


def test_storing_a_batch_reads_no_more_of_a_larger_review(
    importer: Importer, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = ris(*({"TI": f"Walking {n}", "DO": f"10.1234/{n}"} for n in range(9)))
    importer.read(file)
    really, taken = batch.store, list[str]()

    def store(*args: Any) -> None:
        with plans(importer.database) as found:
            really(*args)
        taken.extend(found)

    monkeypatch.setattr(batch, "store", store)
    assert importer.read(file).n_duplicates == 9

    # To see that the index of texts is there reads the schema, and one word of the index.
    assert {"SCAN sqlite_master", "SCAN record_search VIRTUAL TABLE INDEX 0:M1"} < {*taken}
    taken = [plan for plan in taken if "sqlite_master" not in plan and "record_search" not in plan]
    whole = [plan for plan in taken if "SCAN" in plan or plan.endswith("(review_id=?)")]
    whole += [plan for plan in taken if ">?" in plan or "<?" in plan]
    assert whole == []


class Clock:
    """Time that passes only by sleeping, and when the test says so."""

    def __init__(self) -> None:
        self.time, self.slept = 100.0, list[float]()

    def monotonic(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 6))
        self.time += seconds


def test_who_has_had_other_work_since_writing_has_given_way_already(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, gap = Clock(), writers._GIVE_WAY_SECONDS
    monkeypatch.setattr(writers, "time", clock)

    def write() -> None:
        with database.write.begin() as session:
            session.execute(text("SELECT 1"))

    write()
    database.write.give_way()
    write()
    clock.time += gap / 4
    database.write.give_way()
    clock.time += gap
    database.write.give_way()
    with pytest.raises(OperationalError), database.write.begin() as session:
        session.execute(text("SELECT nothing"))
    database.write.give_way()

    assert clock.slept == [gap, pytest.approx(gap * 3 / 4), 0.0, gap]
