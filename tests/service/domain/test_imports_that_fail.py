"""An import that fails is tried a few times, then parked, and read when somebody asks again."""

from datetime import timedelta
from io import BytesIO
from itertools import count
from typing import Any

import pytest
from sqlalchemy import update

from service.domain.failing_work import Poison, again, job
from service.domain.importing import Importer, titled
from service.domain.ranked_review import (
    MINUTE,
)
from service.domain.tables import events
from tandem.db.base import now
from tandem.ids import ImportId
from tandem.operations.figures import figures
from tandem.records import batch, importing
from tandem.records.models import Import, ImportState
from tandem.work import attempts
from tandem.work.attempts import MOST_TRIES
from tandem.work.jobs import JobKind, JobState
from world import World

pytestmark = pytest.mark.both_engines


class TestImports:
    def poisoned(self, importer: Importer, monkeypatch: pytest.MonkeyPatch) -> ImportId:
        def fail(*_: object, **__: object) -> None:
            raise Poison("the third record")

        import_id = importer.accept(titled(range(10)))
        monkeypatch.setattr(importing, "_store_all", fail)
        return import_id

    def test_one_that_raises_again_and_again_is_parked(
        self, importer: Importer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # The pause counts from the begin of a try, which takes long on a busy machine.
        monkeypatch.setattr(attempts, "WAITS", (60 * MINUTE,) * (MOST_TRIES - 1))
        import_id = self.poisoned(importer, monkeypatch)
        for number in range(1, MOST_TRIES + 1):
            with pytest.raises(Poison):
                importer.run(import_id)
            if number < MOST_TRIES:
                assert job(importer.database, kinds={JobKind.IMPORT}).state is JobState.FAILED
                assert importer.run(import_id) is None, "it has to wait"
                importer.let_the_lease_run_out(import_id)

        parked = job(importer.database, kinds={JobKind.IMPORT})
        assert (parked.state, parked.cause) == (JobState.PARKED, "Poison: the third record")
        row = importer.get(import_id)
        assert row.state is ImportState.FAILED
        assert "in 5 tries" in (row.error or "")
        assert "third record" not in (row.error or ""), "members see no more than they need"
        assert importer.events() == ["tandem.import.failed"]
        assert importer.run(import_id) is None

    def test_it_is_read_to_its_end_when_somebody_says_it_is_mended(
        self, importer: Importer, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import_id = self.poisoned(importer, monkeypatch)
        for _ in range(MOST_TRIES):
            with pytest.raises(Poison):
                importer.run(import_id)
            importer.let_the_lease_run_out(import_id)
        monkeypatch.undo()

        again(importer.database, f"import-{import_id}", world)

        assert importer.run(import_id) == importer.review_id
        row = importer.get(import_id)
        assert (row.state, row.n_added, row.error) == (ImportState.DONE, 10, None)
        assert (row.attempts, row.parked_at, row.cause) == (0, None, None)

    def test_it_waits_since_it_was_taken_up_again(self, importer: Importer, world: World) -> None:
        row = importer.read(b"no bibliography at all")
        with importer.database.write.begin() as session:
            session.execute(update(Import).values(claimed_at=now() - timedelta(days=7)))

        again(importer.database, f"import-{row.id}", world)

        with importer.database.read() as session:
            assert figures(session).oldest_due[JobKind.IMPORT] < MINUTE.total_seconds()

    def test_followers_of_the_review_get_its_end_as_an_event(
        self, importer: Importer, world: World
    ) -> None:
        administrator = world.person("admin", is_admin=True)
        row = importer.read(b"no bibliography at all")
        again(importer.database, f"import-{row.id}", world, administrator)
        importer.run(row.id)
        again(importer.database, f"import-{row.id}", world, administrator)
        importer.artifacts.write(row.artifact, BytesIO(titled(range(3))))
        importer.run(row.id)

        story = ["failed", "retried", "failed", "retried", "finished"]
        assert importer.events() == [f"tandem.import.{what}" for what in story]
        restarted = events(importer.database, importer.review_id)[2:]
        assert {event.subject for event in restarted} == {str(row.id)}
        assert restarted[1].data == {"import_id": str(row.id)}
        assert restarted[1].detail["by"] == str(administrator.id)
        assert restarted[-1].data["n_added"] == 3

    def test_to_retry_what_waits_anyway_is_no_event(
        self, importer: Importer, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import_id = self.poisoned(importer, monkeypatch)
        with pytest.raises(Poison):
            importer.run(import_id)
        monkeypatch.undo()

        again(importer.database, f"import-{import_id}", world)
        importer.run(import_id)

        assert importer.events() == ["tandem.import.finished"]

    def test_one_that_gets_further_each_time_is_not_parked(
        self, importer: Importer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A long import outlives more restarts of its worker than a poisonous one has tries."""
        import_id = importer.accept(titled(range(3 * MOST_TRIES)))
        monkeypatch.setattr(importing, "BATCH", 1)
        stored, calls = batch.store, count()

        def store_every_other_time(*given: Any) -> None:
            if next(calls) % 2:
                raise Poison("after one")
            stored(*given)

        monkeypatch.setattr(batch, "store", store_every_other_time)
        for _ in range(2 * MOST_TRIES):
            with pytest.raises(Poison):
                importer.run(import_id)
            importer.let_the_lease_run_out(import_id)

        assert job(importer.database, kinds={JobKind.IMPORT}).state is JobState.FAILED
        monkeypatch.undo()
        importer.run(import_id)
        assert importer.get(import_id).n_added == 3 * MOST_TRIES

    def test_a_file_that_cannot_be_read_is_failed_and_not_parked(self, importer: Importer) -> None:
        import_id = importer.accept(b"no bibliography at all")
        importer.run(import_id)

        failed = job(importer.database, kinds={JobKind.IMPORT})
        assert (failed.state, failed.is_over) == (JobState.FAILED, True)
        assert failed.cause == importer.get(import_id).error
