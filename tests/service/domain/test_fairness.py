"""What takes hours has slots of its own: rankings wait for none of it. With real workers."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from random import Random
from threading import Event

import pytest
from sqlalchemy import insert, inspect, select, update

from engines import Broker
from service.domain.importing import Importer, titled
from service.domain.programs import PATIENCE, Program, running
from service.domain.test_relay_and_worker import is_ranked
from service.domain.threads import at_once
from service.installation.stand_ins import processes
from tandem.artifacts import Artifacts
from tandem.config import Settings
from tandem.db.base import now
from tandem.db.session import Database
from tandem.ids import ImportId, ReviewId
from tandem.operations.jobs import unfinished
from tandem.ranking import training
from tandem.ranking.pace import Timing
from tandem.records import importing
from tandem.records.models import Import, ImportState, Record
from tandem.reviews import service as reviews
from tandem.reviews.models import PolicyVersion
from tandem.tasks import BULK, QUEUE, TaskSignals
from tandem.work.jobs import JobKind, JobState
from tandem_worker import tasks
from tandem_worker.relay import sweep
from tandem_worker.runtime import Runtime
from world import Team, World

WITHIN = 20.0
"""Seconds within which a ranking has to be there on a machine that does much else."""

ENDLESS = 40_000
"""Records that take a worker far longer than the ranking may."""


@pytest.fixture
def worker(
    broker: Broker, settings: Settings, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Program]:
    """Both pools of a worker with one slot for rankings, or so many, and two for all else."""
    slots = {
        "TANDEM_WORKER_CONCURRENCY": str(getattr(request, "param", 1)),
        "TANDEM_WORKER_BULK_CONCURRENCY": "2",
    }
    log = tmp_path / "worker.log"
    with running("tandem_worker", settings=settings, broker=broker, log=log, more=slots) as program:
        yield program


def state_of(database: Database, import_id: ImportId) -> tuple[ImportState, int]:
    with database.read() as session:
        row = session.get_one(Import, import_id)
        return row.state, row.n_read


@pytest.mark.processes
def test_two_endless_imports_do_not_keep_another_review_from_being_ranked(
    world: World,
    database: Database,
    settings: Settings,
    task_signals: TaskSignals,
    worker: Program,
) -> None:
    artifacts = Artifacts(settings.resolved_artifact_url())
    offices = [Importer(world, artifacts), Importer(world, artifacts)]
    team = world.team(n_records=5, question="Does sleep help memory?")
    endless = [importer.accept(titled(range(ENDLESS))) for importer in offices]

    def ask() -> None:
        for import_id in endless:
            task_signals.uploaded(import_id)

    def turns() -> list[int]:
        with database.read() as session:
            return [session.get_one(Import, import_id).fence for import_id in endless]

    worker.until(lambda: all(state_of(database, one)[1] > 0 for one in endless), asking=ask)

    # On a busy machine a turn of an import may end by chance before the ranking is made.
    for number in range(1, 6):
        world.decide(team.review_id, team.ann, number, "include")
        before = turns()
        worker.until(
            lambda: is_ranked(database, team.review_id),
            asking=lambda: task_signals.changed(team.review_id),
        )
        if turns() == before:
            break
    else:
        pytest.fail("each ranking was made after the turn of an import")
    assert [state_of(database, one)[0] for one in endless] == [ImportState.RUNNING] * 2


MANY = tasks.LARGE_REVIEW + 1
WORDS = [f"word{i}" for i in range(5000)]


def give_many_records(world: World, team: Team) -> None:
    """Make the review one whose training takes long: stored at once, not one by one."""
    dice = Random(1)
    with world.database.write.begin() as session:
        given = session.scalars(select(Record).where(Record.review_id == team.review_id)).first()
        assert given
        columns = {column.key: getattr(given, column.key) for column in inspect(Record).columns}
        session.execute(
            insert(Record),
            [
                columns | {"number": number, "abstract": " ".join(dice.choices(WORDS, k=60))}
                for number in range(given.number + 1, MANY + 1)
            ],
        )
        review = reviews.lock(session, team.review_id)
        review.last_record_number = MANY
        review.corpus_seq += 1
        review.labels_seq += 1


def poison(database: Database, review_id: ReviewId) -> None:
    """Let every training of the review fail: its policy is none."""
    with database.write.begin() as session:
        session.execute(
            update(PolicyVersion)
            .where(PolicyVersion.review_id == review_id)
            .values(value={"reviewers_per_record": "none"})
        )


def is_at_it(database: Database, review_id: ReviewId) -> bool:
    with database.read() as session:
        running = unfinished(session, states={JobState.RUNNING}, kinds={JobKind.RANKING})
    return review_id in {job.review_id for job in running}


@pytest.fixture
def relay(broker: Broker, settings: Settings, tmp_path: Path) -> Iterator[Program]:
    log = tmp_path / "relay.log"
    with running("tandem_worker.relay", settings=settings, broker=broker, log=log) as program:
        yield program


@pytest.fixture
def troublesome(world: World, database: Database) -> tuple[list[Team], Team]:
    """Two large reviews and a poisonous one, all there before any worker."""
    large = [world.team(n_records=1, question="word1 word2") for _ in range(2)]
    give_many_records(world, large[0])
    with database.write.begin() as session:
        # It has fewer than it says, and is as large to those who give out slots.
        reviews.lock(session, large[1].review_id).last_record_number = MANY
    poisonous = world.team(n_records=5)
    poison(database, poisonous.review_id)
    return large, poisonous


@pytest.mark.soak  # the two tests around it prove its parts
@pytest.mark.processes
@pytest.mark.timeout(300)
@pytest.mark.parametrize("worker", [2], indirect=True)
def test_nobody_keeps_the_others_waiting(
    troublesome: tuple[list[Team], Team],
    world: World,
    database: Database,
    settings: Settings,
    task_signals: TaskSignals,
    worker: Program,
    relay: Program,
) -> None:
    """Not two reviews with very many records, two endless imports, fifty files, or poison."""
    artifacts = Artifacts(settings.resolved_artifact_url())
    large, poisonous = troublesome
    offices = [Importer(world, artifacts), Importer(world, artifacts)]
    endless = [importer.accept(titled(range(2 * ENDLESS))) for importer in offices]
    unreadable = Importer(world, artifacts).accept(titled([1]))
    with database.read() as session:
        artifacts.remove(session.get_one(Import, unreadable).artifact)
    uploads = [*endless, unreadable, *(offices[0].accept(titled([n])) for n in range(50))]
    for import_id in uploads:
        task_signals.uploaded(import_id)
    for team in (*large, poisonous):
        task_signals.changed(team.review_id)
    worker.until(lambda: all(state_of(database, one)[1] > 0 for one in endless))
    worker.until(lambda: is_at_it(database, large[0].review_id))

    other = Importer(world, artifacts)
    small_file, uploaded = other.accept(titled([1, 2])), time.monotonic()
    task_signals.uploaded(small_file)
    took = []
    for _ in range(3):
        team = world.team(n_records=5, question="Does sleep help memory?")
        world.decide(team.review_id, team.ann, 1, "include")
        decided = time.monotonic()
        task_signals.changed(team.review_id)
        worker.until(lambda review_id=team.review_id: is_ranked(database, review_id))  # type: ignore[misc]
        took.append(time.monotonic() - decided)
    assert not is_ranked(database, large[0].review_id), "it was at it all the time"
    worker.until(lambda: state_of(database, small_file)[0] is ImportState.DONE)
    took_to_read = time.monotonic() - uploaded

    assert max(took) < WITHIN
    assert took_to_read < importing.TURN.total_seconds() + WITHIN
    assert [state_of(database, one)[0] for one in endless] == [ImportState.RUNNING] * 2
    failed = {JobState.FAILED, JobState.RUNNING, JobState.PARKED}

    def tried() -> bool:
        with database.read() as session:
            jobs = {job.target: job for job in unfinished(session) if job.cause}
        found = [jobs[target] for target in (poisonous.review_id, unreadable)]
        assert {job.state for job in found} <= failed
        return all(job.attempts > 1 for job in found)

    # What fails is tried again behind the same turns: on a busy machine, when all else is done.
    worker.until(tried)


@pytest.mark.processes
def test_nothing_is_left_of_a_worker_whose_first_process_is_killed(
    world: World, worker: Program, task_signals: TaskSignals
) -> None:
    have_all_work(world, worker, task_signals)
    # Ready: until then there is nobody who could end in order.
    worker.until(lambda: worker.log.read_text().count("ready") >= 3)
    left = {one for part in parts(worker.pid) for one in (part, *parts(part))}
    assert len(left) > 2

    os.kill(worker.pid, signal.SIGKILL)
    worker.process.wait()

    wait_until(lambda: not left & {process.pid for process in processes()})


@pytest.mark.processes
def test_a_pool_that_ends_is_started_again_and_the_others_go_on(
    world: World, worker: Program, task_signals: TaskSignals
) -> None:
    have_all_work(world, worker, task_signals)
    rankings, *others = parts(worker.pid)

    os.kill(rankings, signal.SIGKILL)

    worker.until(lambda: len(set(parts(worker.pid)) - {rankings}) == 3)
    assert set(others) < set(parts(worker.pid))


@pytest.mark.processes
def test_its_heartbeat_is_that_of_all_pools(worker: Program, task_signals: TaskSignals) -> None:
    names = {"worker", "worker-rankings", "worker-large", "worker-bulk"}
    worker.until(lambda: names <= alive(task_signals))


@pytest.mark.processes
def test_a_worker_of_one_queue_does_nothing_of_the_other(
    world: World,
    database: Database,
    settings: Settings,
    broker: Broker,
    task_signals: TaskSignals,
    tmp_path: Path,
) -> None:
    team = world.team(n_records=5, question="Does sleep help memory?")
    importer = Importer(world, Artifacts(settings.resolved_artifact_url()))
    import_id = importer.accept(titled([1, 2]))
    with running(
        "tandem_worker", "rankings", settings=settings, broker=broker, log=tmp_path / "worker.log"
    ) as program:
        program.until(
            lambda: task_signals.backlog(BULK) > 0, asking=lambda: task_signals.uploaded(import_id)
        )
        program.until(
            lambda: is_ranked(database, team.review_id),
            asking=lambda: task_signals.changed(team.review_id),
        )
        assert state_of(database, import_id)[0] is ImportState.QUEUED
        assert task_signals.backlog(BULK) > 0
        program.process.terminate()
        assert program.process.wait(timeout=PATIENCE) == 0


@pytest.mark.processes
def test_a_worker_without_work_has_no_processes_for_it_and_ranks_all_the_same(
    world: World,
    database: Database,
    settings: Settings,
    broker: Broker,
    task_signals: TaskSignals,
    tmp_path: Path,
) -> None:
    log, idle = tmp_path / "worker.log", {"TANDEM_WORKER_IDLE_SECONDS": "0.5"}
    with running("tandem_worker", settings=settings, broker=broker, log=log, more=idle) as worker:
        # It gives signs of life also while there is nothing to do.
        worker.until(lambda: "worker-rankings" in alive(task_signals) and parts(worker.pid) == [])
        team = world.team(n_records=5, question="Does sleep help memory?")
        world.decide(team.review_id, team.ann, 1, "include")
        changed = partial(task_signals.changed, team.review_id)
        worker.until(partial(is_ranked, database, team.review_id), asking=changed)
        worker.until(lambda: parts(worker.pid) == [])


def alive(task_signals: TaskSignals) -> set[str]:
    figures = task_signals.broker_figures()
    assert figures is not None
    return set(figures.heartbeats)


def have_all_work(world: World, worker: Program, task_signals: TaskSignals) -> None:
    """Wait until the worker has a process for each queue, as there are messages for each."""
    review_id = world.team(n_records=2).review_id

    def ask() -> None:
        task_signals.changed(review_id)
        task_signals.large_changed()
        task_signals.to_read(review_id)

    worker.until(lambda: len(parts(worker.pid)) == 3, asking=ask)


def parts(pid: int) -> list[int]:
    return sorted(process.pid for process in processes() if process.parent == pid)


def wait_until(true: Callable[[], bool]) -> None:
    deadline, never = time.monotonic() + PATIENCE, Event()
    while not true():
        assert time.monotonic() < deadline
        never.wait(0.05)


class Large(TaskSignals):
    """Notes which rankings are asked for, and sends nothing."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.waiting = 0

    def large_changed(self) -> None:
        self.asked.append("large")

    def ranks_again(self, review_id: object, at: object) -> None:
        self.asked.append("again")

    def backlog(self, queue: str = QUEUE) -> int:
        return self.waiting

    def has_new_events(self, review_id: object) -> None: ...

    def progress(self, *_: object, **__: object) -> None: ...


class Room(TaskSignals):
    """Notes what is asked for, and sends nothing."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def changed(self, review_id: object) -> None:
        self.asked.append("ranking")

    def uploaded(self, import_id: object, fence: int | None = None) -> None:
        self.asked.append("import")

    def _put(self, *_: object) -> None:
        """What else is asked for does not matter here."""


def test_a_full_queue_of_imports_keeps_no_ranking_from_being_asked_for(
    world: World, database: Database, settings: Settings
) -> None:
    importer = Importer(world, Artifacts(settings.resolved_artifact_url()))
    importer.accept(titled([1]))
    world.team()
    for queues, expected in (([QUEUE], ["ranking"]), ([BULK], ["import"]), ([], [])):
        room = Room()
        sweep(database, room, queues)
        assert room.asked == expected


class TestLargeReviews:
    @pytest.fixture(autouse=True)
    def asked(
        self, database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> Large:
        asked = Large()
        made = Runtime(
            settings=settings,
            database=database,
            artifacts=Artifacts(settings.resolved_artifact_url()),
            cache=settings.data_dir / "cache",
            timing=Timing(lease=timedelta(minutes=1), pause=timedelta(0)),
            task_signals=asked,
        )
        monkeypatch.setattr(tasks, "runtime", lambda: made)
        return asked

    def make_large(self, world: World, *, stale_for: timedelta = timedelta(0)) -> ReviewId:
        team = world.team(n_records=5, question="Does sleep help memory?")
        with world.database.write.begin() as session:
            review = reviews.lock(session, team.review_id)
            review.stale_since = now() - stale_for
            review.last_record_number = tasks.LARGE_REVIEW
        return team.review_id

    def test_its_ranking_is_made_in_a_queue_of_its_own(
        self, world: World, database: Database, asked: Large
    ) -> None:
        large, small = self.make_large(world), world.team(question="Sleep?").review_id
        for review_id in (large, small):
            tasks.rerank(str(review_id))
        assert (is_ranked(database, large), is_ranked(database, small)) == (False, True)
        assert asked.asked == ["large", "again"]
        tasks.rerank_large()
        assert is_ranked(database, large)
        tasks.rerank(str(large))
        assert asked.asked == ["large", "again", "again"], "nothing has changed since"

    def test_one_that_falls_due_while_a_worker_looks_takes_no_usual_slot(
        self, world: World, database: Database, asked: Large, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        large = self.make_large(world)
        monkeypatch.setattr(training, "stale_and_large", lambda *_, **__: [])
        tasks.rerank(str(large))
        assert not is_ranked(database, large)

    def test_the_one_that_waits_longest_is_next(
        self, world: World, database: Database, asked: Large
    ) -> None:
        busy = self.make_large(world)
        waiting = [self.make_large(world, stale_for=timedelta(minutes=n)) for n in (1, 3, 2)]
        order = []
        while not all(is_ranked(database, one) for one in waiting):
            tasks.rerank(str(busy))
            tasks.rerank_large()
            order += [one for one in waiting if is_ranked(database, one) and one not in order]
        assert order == [waiting[1], waiting[2], waiting[0]]
        assert not is_ranked(database, busy)

    def test_many_workers_train_different_ones(
        self, world: World, database: Database, asked: Large
    ) -> None:
        all_of_them = [self.make_large(world, stale_for=timedelta(minutes=n)) for n in range(3)]
        at_once([tasks.rerank_large] * 3)
        assert all(is_ranked(database, one) for one in all_of_them)

    def test_of_a_long_queue_no_more_is_asked(
        self, world: World, database: Database, asked: Large
    ) -> None:
        asked.waiting = tasks.ENOUGH_LARGE
        tasks.rerank(str(self.make_large(world)))
        assert asked.asked == []
