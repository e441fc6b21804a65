"""Imports whose worker is killed, or lets others take turns, at any point."""

import math
from collections.abc import Callable

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service.domain.importing import Importer, counts, ris, titled, while_reading
from service.domain.tables import assert_in_step
from service.domain.threads import at_once
from tandem.ids import ImportId, ReviewId
from tandem.operations.jobs import unfinished
from tandem.ranking import training
from tandem.records import batch, import_work, importing
from tandem.records.batch import Ready
from tandem.records.importing import Rest
from tandem.records.models import Import, ImportState, Record
from tandem.reviews.models import Review
from tandem.work.attempts import MOST_TRIES
from tandem.work.jobs import JobKind, JobState
from world import World

pytestmark = pytest.mark.both_engines


class TestBeingKilled:
    """A batch is lost with its worker or committed with the position behind it."""

    @pytest.fixture(autouse=True)
    def small_batches(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(importing, "BATCH", 4)

    def interrupt(
        self, monkeypatch: pytest.MonkeyPatch, by: Callable[[], object], *, at_batch: int
    ) -> None:
        """Let `by` happen after a batch was stored and before it commits."""
        really, stored = batch.store, [0]

        def store(session: Session, review: Review, row: Import, ready: Ready) -> None:
            really(session, review, row, ready)
            stored[0] += 1
            if stored[0] == at_batch:
                by()

        monkeypatch.setattr(batch, "store", store)

    def die(self) -> None:
        raise SystemExit("killed")

    def test_another_worker_goes_on_where_it_ended(
        self, importer: Importer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import_id = importer.accept(
            ris(*({"TI": f"Study {n}"} if n % 3 else {"AU": "Lee"} for n in range(10)))
        )
        self.interrupt(monkeypatch, self.die, at_batch=2)
        with pytest.raises(SystemExit):
            importer.run(import_id)

        half = importer.get(import_id)
        assert (half.state, counts(half), half.n_total) == (ImportState.RUNNING, (4, 2, 0, 2), 10)
        assert importer.run(import_id) is None, "its lease has not run out"

        importer.let_the_lease_run_out(import_id)
        assert importer.run(import_id) == importer.review_id

        row = importer.get(import_id)
        assert (row.state, counts(row)) == (ImportState.DONE, (10, 6, 0, 4))
        assert [rejection["position"] for rejection in row.rejected] == [1, 4, 7, 10]
        assert [record.title for record in importer.records()] == [
            f"Study {n}" for n in range(10) if n % 3
        ]
        assert [record.number for record in importer.records()] == list(range(1, 7))
        assert importer.events() == ["tandem.import.finished"]
        assert_in_step(importer.database, importer.review_id)

    def test_killed_at_every_batch_each_record_comes_once(
        self, importer: Importer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import_id = importer.accept(titled(range(18)))
        for _ in range(4):
            self.interrupt(monkeypatch, self.die, at_batch=2)
            with pytest.raises(SystemExit):
                importer.run(import_id)
            monkeypatch.undo()
            monkeypatch.setattr(importing, "BATCH", 4)
            importer.let_the_lease_run_out(import_id)
        assert importer.run(import_id) == importer.review_id

        assert counts(importer.get(import_id)) == (18, 18, 0, 0)
        assert [record.title for record in importer.records()] == [
            f"Study number {n}" for n in range(18)
        ]

    def test_a_worker_that_was_overtaken_commits_nothing_more(
        self, importer: Importer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import_id = importer.accept(titled(range(10)))

        def overtake() -> None:
            importer.let_the_lease_run_out(import_id)
            assert importer.run(import_id) == importer.review_id

        while_reading(monkeypatch, overtake, after=6)

        assert importer.run(import_id) is None
        assert counts(importer.get(import_id)) == (10, 10, 0, 0)
        assert len(importer.records()) == 10
        assert importer.events() == ["tandem.import.finished"]

    def test_nor_while_the_other_one_has_not_got_further(
        self, importer: Importer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import_id = importer.accept(titled(range(10)))

        def overtake() -> None:
            importer.let_the_lease_run_out(import_id)
            with monkeypatch.context() as patched:
                self.interrupt(patched, self.die, at_batch=1)
                with pytest.raises(SystemExit):
                    importer.run(import_id)

        while_reading(monkeypatch, overtake, after=6)

        assert importer.run(import_id) is None
        half = importer.get(import_id)
        assert (half.state, counts(half)) == (ImportState.RUNNING, (4, 4, 0, 0))
        importer.let_the_lease_run_out(import_id)
        assert importer.run(import_id) == importer.review_id
        assert counts(importer.get(import_id)) == (10, 10, 0, 0)

    def test_only_one_of_many_workers_reads_it(self, importer: Importer) -> None:
        import_id = importer.accept(titled(range(10)))

        done = at_once([lambda: importer.run(import_id)] * 4)

        assert sum(review_id is not None for review_id in done) == 1
        assert counts(importer.get(import_id)) == (10, 10, 0, 0)

    def test_a_file_that_kills_every_worker_is_given_up(
        self, importer: Importer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import_id = importer.accept(titled(range(10)))
        self.interrupt(monkeypatch, self.die, at_batch=1)
        for _ in range(MOST_TRIES):
            monkeypatch.undo()
            self.interrupt(monkeypatch, self.die, at_batch=1)
            with pytest.raises(SystemExit):
                importer.run(import_id)
            importer.let_the_lease_run_out(import_id)

        assert importer.run(import_id) == importer.review_id
        row = importer.get(import_id)
        assert (row.state, counts(row)) == (ImportState.FAILED, (0, 0, 0, 0))
        assert f"in {MOST_TRIES} tries" in (row.error or "")
        assert importer.events() == ["tandem.import.failed"]

    def test_what_was_read_before_it_was_given_up_is_ranked(
        self, importer: Importer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import_id = importer.accept(titled(range(10)))
        self.interrupt(monkeypatch, self.die, at_batch=2)
        with pytest.raises(SystemExit):
            importer.run(import_id)
        with importer.database.write.begin() as session:
            session.get_one(Import, import_id).attempts = MOST_TRIES
        importer.let_the_lease_run_out(import_id)
        importer.run(import_id)

        row = importer.get(import_id)
        assert (row.state, counts(row)) == (ImportState.FAILED, (4, 4, 0, 0))
        with importer.database.read() as session:
            assert training.stale_reviews(session) == [importer.review_id]

    def test_imports_that_nobody_works_on_are_found(
        self, importer: Importer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def unfinished() -> set[ImportId]:
            with importer.database.read() as session:
                return set(import_work.unfinished(session))

        queued, killed = importer.accept(titled([1])), importer.accept(titled(range(10)))
        done = importer.read(titled([2])).id
        assert unfinished() == {queued, killed}

        self.interrupt(monkeypatch, self.die, at_batch=1)
        with pytest.raises(SystemExit):
            importer.run(killed)
        assert unfinished() == {queued}, "held until its lease runs out"
        importer.let_the_lease_run_out(killed)
        assert unfinished() == {queued, killed}
        assert done not in unfinished()


def test_a_turn_is_four_times_as_long_as_it_takes_to_find_its_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = [100.0]
    monkeypatch.setattr("tandem.records.importing.time.monotonic", lambda: clock[0])
    turn = importing._Turn(lambda: True)
    clock[0] += 30
    assert not turn.is_over, "it has not stored anything"
    turn.found_its_place()
    clock[0] += 4 * 30
    assert not turn.is_over
    clock[0] += 1
    assert turn.is_over


class TestTurns:
    @pytest.fixture(autouse=True)
    def short(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A turn may end as soon as its place is found, however long that took."""
        monkeypatch.setattr(importing, "BATCH", 2)
        monkeypatch.setattr(
            importing._Turn, "found_its_place", lambda turn: setattr(turn, "_ends", -math.inf)
        )

    def turn(
        self, importer: Importer, import_id: ImportId, fence: int | None = None
    ) -> ReviewId | Rest | None:
        """Let it have a turn while others wait: it ends as soon as one may."""

        return importer.run(import_id, fence=fence, others_wait=lambda: True)

    def line(self, importer: Importer) -> list[ImportId]:
        with importer.database.read() as session:
            return [*import_work.next_in_line(session)]

    def test_a_long_file_is_read_in_turns_to_the_same_end(self, importer: Importer) -> None:
        import_id = importer.accept(titled(range(9)))
        n_turns, got = 1, self.turn(importer, import_id)
        while isinstance(got, Rest):
            row = importer.get(import_id)
            assert (row.state, row.lease_until, row.attempts) == (ImportState.RUNNING, None, 0)
            n_turns, got = n_turns + 1, self.turn(importer, import_id, got.fence)

        assert got == importer.review_id
        assert n_turns > 1
        assert counts(importer.get(import_id)) == (9, 9, 0, 0)
        assert [record.title for record in importer.records()] == [
            f"Study number {n}" for n in range(9)
        ]
        assert importer.events() == ["tandem.import.finished"]

    def test_while_nobody_waits_it_goes_on(self, importer: Importer) -> None:
        import_id = importer.accept(titled(range(9)))

        assert importer.run(import_id, others_wait=lambda: False) == importer.review_id

    def test_only_the_turn_with_the_right_fence_goes_on_and_only_once(
        self, importer: Importer
    ) -> None:
        import_id = importer.accept(titled(range(9)))
        rest = self.turn(importer, import_id)
        assert isinstance(rest, Rest)

        assert self.turn(importer, import_id) is None
        assert self.turn(importer, import_id, rest.fence - 1) is None
        assert self.turn(importer, import_id, rest.fence) is not None
        assert self.turn(importer, import_id, rest.fence) is None

    def test_a_rest_that_nobody_ends_is_ended_by_the_relay(self, importer: Importer) -> None:
        import_id = importer.accept(titled(range(9)))
        assert isinstance(self.turn(importer, import_id), Rest)
        assert self.line(importer) == [], "its rest is somebody's already"

        importer.let_the_lease_run_out(import_id)

        assert self.line(importer) == [import_id]
        assert importer.run(import_id) == importer.review_id
        assert counts(importer.get(import_id)) == (9, 9, 0, 0)

    def test_a_review_with_fifty_files_stands_in_line_once(
        self, world: World, importer: Importer
    ) -> None:
        many = [importer.accept(titled([n])) for n in range(50)]
        other = Importer(world, importer.artifacts)
        one = other.accept(titled([1]))

        assert self.line(importer) == [many[0], one]
        importer.run(many[0])
        assert self.line(importer) == [many[1], one]

    def test_files_of_one_review_are_read_one_after_the_other(
        self, world: World, importer: Importer
    ) -> None:
        long, short = importer.accept(titled(range(9))), importer.accept(titled([100]))
        other = Importer(world, importer.artifacts)
        elsewhere = other.accept(titled([1]))
        rest = self.turn(importer, long)
        assert isinstance(rest, Rest)

        assert importer.run(short) is None
        assert self.line(importer) == [elsewhere]
        assert other.run(elsewhere) == other.review_id
        assert importer.run(long, fence=rest.fence) == importer.review_id
        assert importer.run(short) == importer.review_id

    def test_one_that_rested_too_long_waits_for_the_one_begun_instead(
        self, importer: Importer
    ) -> None:
        long, short = importer.accept(titled(range(9))), importer.accept(titled(range(100, 109)))
        rest = self.turn(importer, long)
        assert isinstance(rest, Rest)
        importer.let_the_lease_run_out(long)
        begun = self.turn(importer, short)
        assert isinstance(begun, Rest)

        assert importer.run(long, fence=rest.fence) is None
        assert importer.run(short, fence=begun.fence) == importer.review_id
        assert self.line(importer) == [long]
        assert importer.run(long) == importer.review_id
        assert counts(importer.get(long)) == counts(importer.get(short)) == (9, 9, 0, 0)

    def test_one_that_rests_is_shown_as_waiting(self, importer: Importer) -> None:
        import_id = importer.accept(titled(range(9)))
        self.turn(importer, import_id)

        with importer.database.read() as session:
            (job,) = unfinished(session, kinds={JobKind.IMPORT})
        row = importer.get(import_id)
        assert (job.state, job.cause, job.since) == (JobState.QUEUED, None, row.claimed_at)


def test_decisions_go_on_beside_an_import(
    importer: Importer, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "BATCH", 5)
    importer.read(titled(range(20)))
    import_id = importer.accept(titled(range(100, 160)))

    def decide() -> ReviewId | None:
        for number in range(1, 21):
            world.decide(importer.review_id, importer.owner, number, "include")
        return None

    at_once([decide, lambda: importer.run(import_id)])

    assert counts(importer.get(import_id)) == (60, 60, 0, 0)
    with importer.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Record)) == 80
    assert_in_step(importer.database, importer.review_id)
