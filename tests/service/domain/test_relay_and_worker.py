"""What nobody asked for is asked for again, and a real worker does what it is asked."""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from io import BytesIO
from pathlib import Path

import pytest
from sqlalchemy import select, update

from engines import Broker
from service.domain.programs import Program, running
from tandem.artifacts import Artifacts
from tandem.config import Settings
from tandem.db.base import now
from tandem.db.session import Database
from tandem.ids import ImportId, ReviewId
from tandem.ranking import serving, training
from tandem.ranking.models import Ranking, Training
from tandem.records import imports
from tandem.records.models import Import, ImportState
from tandem.reviews.models import Review
from tandem.tasks import TaskSignals
from tandem_worker.relay import sweep
from world import TA, Team, World

both_engines = pytest.mark.both_engines

PAUSE = 2.0
"""Seconds between two trainings, where a test waits for that."""

RIS = b"TY  - JOUR\nTI  - Sleep and memory\nAB  - Sleep helps.\nER  - \n"


class Asked(TaskSignals):
    """Notes what is asked for, and sends nothing."""

    def __init__(self) -> None:
        self.reviews: list[ReviewId] = []
        self.imports: list[ImportId] = []

    def changed(self, review_id: ReviewId) -> None:
        self.reviews.append(review_id)

    def uploaded(self, import_id: ImportId, fence: int | None = None) -> None:
        self.imports.append(import_id)

    def _put(self, *_: object) -> None:
        """What else is asked for does not matter here."""


def upload(world: World, settings: Settings, team: Team) -> ImportId:
    stored = imports.store_upload(
        Artifacts(settings.resolved_artifact_url()), review_id=team.review_id, file=BytesIO(RIS)
    )
    with world.database.write.begin() as session:
        return imports.accept(
            session,
            stored,
            review_id=team.review_id,
            user_id=team.owner.id,
            filename="sleep.ris",
            source=None,
            requested_format=None,
        ).id


class TestSweep:
    @both_engines
    def test_it_asks_for_stale_reviews_and_unfinished_imports(
        self, world: World, database: Database, settings: Settings
    ) -> None:
        stale, also_stale = world.team(), world.team(n_records=1)
        import_id = upload(world, settings, stale)
        world.review(world.person())
        asked = Asked()

        assert sweep(database, asked) == 3
        assert set(asked.reviews) == {stale.review_id, also_stale.review_id}
        assert asked.imports == [import_id]

    @both_engines
    def test_it_does_not_ask_for_what_somebody_works_on(
        self, world: World, database: Database, settings: Settings
    ) -> None:
        team = world.team()
        import_id = upload(world, settings, team)
        training.claim(database, team.review_id, TA, lasting=timedelta(minutes=1))
        with database.write.begin() as session:
            row = session.get_one(Import, import_id)
            row.state, row.lease_until = ImportState.RUNNING, now() + timedelta(minutes=1)
        asked = Asked()

        assert sweep(database, asked) == 0
        assert (asked.reviews, asked.imports) == ([], [])

    @both_engines
    def test_it_asks_again_when_the_worker_is_silent(
        self, world: World, database: Database, settings: Settings
    ) -> None:
        team = world.team()
        import_id = upload(world, settings, team)
        training.claim(database, team.review_id, TA, lasting=timedelta(minutes=1))
        past = now() - timedelta(seconds=1)
        with database.write.begin() as session:
            session.execute(update(Training).values(lease_until=past, not_before=past))
            row = session.get_one(Import, import_id)
            row.state, row.lease_until = ImportState.RUNNING, past
        asked = Asked()

        assert sweep(database, asked) == 2
        assert (asked.reviews, asked.imports) == ([team.review_id], [import_id])


@pytest.mark.processes
class TestWorker:
    @pytest.fixture
    def worker(
        self,
        broker: Broker,
        settings: Settings,
        tmp_path: Path,
        request: pytest.FixtureRequest,
    ) -> Iterator[Program]:
        """A worker of this installation, on the real broker; with another pause if one is given."""
        more = {"TANDEM_RANKING_PAUSE_SECONDS": str(getattr(request, "param", 0.05))}
        log = tmp_path / "worker.log"
        with running(
            "tandem_worker", settings=settings, broker=broker, log=log, more=more
        ) as program:
            yield program

    @pytest.fixture
    def task_signals(self, broker: Broker) -> Iterator[TaskSignals]:
        opened = TaskSignals(broker.url)
        yield opened
        opened.close()

    def test_decisions_and_files_are_taken_up(
        self,
        world: World,
        database: Database,
        settings: Settings,
        task_signals: TaskSignals,
        worker: Program,
    ) -> None:
        team = world.team(n_records=5, question="Does sleep help memory?")
        world.decide(team.review_id, team.ann, 1, "include")
        changed = partial(task_signals.changed, team.review_id)
        worker.until(lambda: is_ranked(database, team.review_id), asking=changed)

        # Another decision while the worker lives, and one that undoes the first.
        world.decide(team.review_id, team.ann, 2, "exclude")
        world.decide(team.review_id, team.ann, 1, "exclude")
        worker.until(lambda: is_ranked(database, team.review_id), asking=changed)

        import_id = upload(world, settings, team)
        worker.until(
            lambda: has_record(database, team.review_id, 6),
            asking=lambda: task_signals.uploaded(import_id),
        )
        with database.read() as session:
            assert session.get_one(Import, import_id).state is ImportState.DONE

    @pytest.mark.parametrize("worker", [PAUSE], indirect=True)
    def test_what_comes_in_the_pause_is_learnt_at_its_end_though_nobody_asks_again(
        self,
        world: World,
        database: Database,
        task_signals: TaskSignals,
        worker: Program,
    ) -> None:
        team = world.team(n_records=5, question="Does sleep help memory?")
        worker.until(
            lambda: is_ranked(database, team.review_id),
            asking=lambda: task_signals.changed(team.review_id),
        )

        world.decide(team.review_id, team.ann, 1, "include")
        task_signals.changed(team.review_id)
        worker.until(lambda: is_ranked(database, team.review_id))

        with database.read() as session:
            rankings = serving.list_rankings(session, review_id=team.review_id, limit=9)
        later, earlier = [made.created_at - timedelta(seconds=made.seconds) for made in rankings]
        assert later - earlier >= timedelta(seconds=PAUSE)


def is_ranked(database: Database, review_id: ReviewId) -> bool:
    """Whether the newest ranking counts every change."""
    with database.read() as session:
        wanted = session.get_one(Review, review_id).labels_seq
        query = select(Ranking.id).where(
            Ranking.review_id == review_id, Ranking.labels_seq == wanted
        )
        return session.scalars(query).one_or_none() is not None


def has_record(database: Database, review_id: ReviewId, number: int) -> bool:
    """Whether the order served has the record, which is there once its import was ranked."""
    with database.read() as session:
        return number in serving.newest_order(session, review_id, TA).numbers
