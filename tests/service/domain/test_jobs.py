"""Work that fails is tried a few times, then parked, shown and left alone."""

import errno
from datetime import timedelta
from io import BytesIO
from itertools import count
from typing import Any

import pytest
from sqlalchemy import select, update

from service.domain.importing import Importer, titled
from service.domain.ranked_review import (
    MINUTE,
    RankedReview,
    about_sleep,
    is_stale,
    let_the_lease_run_out,
    let_the_pause_pass,
)
from service.domain.tables import events
from tandem.config import Settings
from tandem.db.base import now
from tandem.db.session import Database
from tandem.errors import NotFound
from tandem.events.positions import EventPosition
from tandem.ids import ImportId, ReviewId
from tandem.operations.figures import figures
from tandem.operations.jobs import NotFailed, retry, screens_in, unfinished
from tandem.ranking import (
    encoding,
    encoding_work,
    from_ledger,
    rerank,
    second_looks,
    training,
)
from tandem.ranking.models import Encoding, SecondLook, Training
from tandem.records import batch, importing
from tandem.records.models import Import, ImportState
from tandem.reviews import service as reviews
from tandem.reviews.models import Review, Role
from tandem.webhooks import endpoints
from tandem.webhooks.addresses import Rules
from tandem.webhooks.models import DisabledReason, Webhook
from tandem.work import attempts
from tandem.work.attempts import DIED, MOST_TRIES, WAITS, cause_of
from tandem.work.jobs import Job, JobKind, JobState
from world import TA, Person, Team, World

pytestmark = pytest.mark.both_engines


class Poison(RuntimeError):
    """What a training of these records ends in."""


@pytest.fixture
def poison(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise Poison("the third record is too much\n[SQL: and this is nobody's business]")

    monkeypatch.setattr(from_ledger, "rank_review", fail)


def jobs(database: Database, **only: Any) -> list[Job]:
    with database.read() as session:
        return unfinished(session, **only)


def job(database: Database, **only: Any) -> Job:
    (found,) = jobs(database, **only)
    return found


def row_of(database: Database, review_id: ReviewId) -> Training:
    with database.read() as session:
        return session.get_one(Training, (review_id, TA))


def fail_as_often_as_may_be(ranked_review: RankedReview, review_id: ReviewId) -> None:
    for _ in range(MOST_TRIES):
        with pytest.raises(Poison):
            ranked_review.rerank(review_id)
        let_the_pause_pass(ranked_review.database, review_id)


@pytest.mark.usefixtures("poison")
class TestPoisonousTraining:
    def test_it_is_parked_after_five_tries_with_the_cause_kept(
        self, world: World, database: Database, ranked_review: RankedReview
    ) -> None:
        team = about_sleep(world)
        fail_as_often_as_may_be(ranked_review, team.review_id)

        parked = job(database)
        assert (parked.kind, parked.state) == (JobKind.RANKING, JobState.PARKED)
        assert (parked.attempts, parked.is_over) == (MOST_TRIES, True)
        assert parked.cause == "Poison: the third record is too much"
        assert parked.worker == attempts.this_worker()
        assert not is_stale(database, team.review_id), "nobody is asked to try it again"
        assert ranked_review.rerank(team.review_id) == 0

    def test_each_try_waits_longer_than_the_one_before(
        self, world: World, database: Database, ranked_review: RankedReview
    ) -> None:
        team = about_sleep(world)
        waited = []
        for _ in range(MOST_TRIES - 1):
            with pytest.raises(Poison):
                ranked_review.rerank(team.review_id)
            failed = job(database)
            assert failed.state is JobState.FAILED
            assert failed.next_try_at is not None
            waited.append(failed.next_try_at - failed.since)
            assert not is_stale(database, team.review_id)
            let_the_pause_pass(database, team.review_id)

        assert waited == list(WAITS)

    def test_a_new_decision_is_no_reason_to_try_it_again(
        self, world: World, database: Database, ranked_review: RankedReview
    ) -> None:
        team = about_sleep(world)
        fail_as_often_as_may_be(ranked_review, team.review_id)
        world.decide(team.review_id, team.ann, 1, "include")

        assert not is_stale(database, team.review_id)

    @pytest.mark.parametrize("change", ["records", "policy"])
    def test_other_records_or_another_policy_are(
        self, change: str, world: World, database: Database, ranked_review: RankedReview
    ) -> None:
        team = about_sleep(world)
        fail_as_often_as_may_be(ranked_review, team.review_id)
        if change == "records":
            world.records(team.review_id, team.owner, 1)
        else:
            world.change_policy(team.review_id, team.owner, reviewers_per_record=1)

        assert job(database).state is JobState.QUEUED
        assert is_stale(database, team.review_id)
        with pytest.raises(Poison):
            ranked_review.rerank(team.review_id)
        assert row_of(database, team.review_id).attempts == 1, "with all its tries before it"

    def test_what_succeeds_counts_from_the_beginning_again(
        self,
        world: World,
        database: Database,
        ranked_review: RankedReview,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        team = about_sleep(world)
        for _ in range(MOST_TRIES - 1):
            with pytest.raises(Poison):
                ranked_review.rerank(team.review_id)
            let_the_pause_pass(database, team.review_id)
        monkeypatch.undo()

        assert ranked_review.rerank(team.review_id) == 1
        row = row_of(database, team.review_id)
        assert (row.attempts, row.cause) == (0, None)
        assert jobs(database) == []

    def test_one_review_holds_no_other_back(
        self, world: World, database: Database, ranked_review: RankedReview
    ) -> None:
        parked, other = about_sleep(world), world.team()
        fail_as_often_as_may_be(ranked_review, parked.review_id)

        assert is_stale(database, other.review_id)
        states = {one.review_id: one.state for one in jobs(database)}
        assert states == {parked.review_id: JobState.PARKED, other.review_id: JobState.QUEUED}


def test_a_ranking_that_cannot_be_stored_tells_why(
    world: World, database: Database, ranked_review: RankedReview, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError("no space left on device")

    team = about_sleep(world)
    monkeypatch.setattr(rerank, "_drop_old_orders", fail)
    with pytest.raises(OSError, match="no space"):
        ranked_review.rerank(team.review_id)

    failed = job(database)
    assert (failed.state, failed.cause) == (JobState.FAILED, "OSError: no space left on device")


def test_a_training_that_kills_its_worker_each_time_is_parked(
    world: World, database: Database
) -> None:
    team = world.team()
    for number in range(1, MOST_TRIES + 1):
        assert training.claim(database, team.review_id, TA, lasting=MINUTE), number
        assert training.claim(database, team.review_id, TA, lasting=MINUTE) is None
        let_the_lease_run_out(database, team.review_id)  # as after kill -9

    assert is_stale(database, team.review_id), "somebody has to look once more"
    assert training.claim(database, team.review_id, TA, lasting=MINUTE) is None
    parked = job(database)
    assert (parked.state, parked.cause) == (JobState.PARKED, DIED)
    assert not is_stale(database, team.review_id)


def test_two_killed_workers_cost_no_more_than_their_leases(
    world: World, database: Database, settings: Settings
) -> None:
    lease = timedelta(seconds=settings.ranking_lease_seconds)
    team = world.team()
    for _ in range(2):
        assert training.claim(database, team.review_id, TA, lasting=lease)
        row = row_of(database, team.review_id)
        assert row.lease_until is not None
        assert row.not_before is not None
        assert row.not_before <= row.lease_until
        let_the_lease_run_out(database, team.review_id)


def test_who_has_to_stop_in_the_midst_counts_for_nothing(world: World, database: Database) -> None:
    team = world.team()
    for _ in range(2 * MOST_TRIES):
        held = training.claim(database, team.review_id, TA, lasting=MINUTE)
        assert held
        training.give_back(database, held)

    assert row_of(database, team.review_id).attempts == 0


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


def again(database: Database, job_id: str, world: World, by: Person | None = None) -> Job:
    administrator = by or world.person("admin", is_admin=True)
    with database.write.begin() as session:
        return retry(session, job_id=job_id, by=administrator.id)


def fail_encodings(database: Database, review_id: ReviewId) -> None:
    def fail(_: object) -> Any:
        raise Poison("no such instruction")

    for _ in range(MOST_TRIES):
        with pytest.raises(Poison):
            encoding.encode_some(database, review_id, fail)
        past = now() - timedelta(seconds=1)
        with database.write.begin() as session:
            session.execute(update(Encoding).values(not_before=past))


def test_an_encoding_is_parked_until_the_texts_change(world: World, database: Database) -> None:
    team = world.team()
    fail_encodings(database, team.review_id)

    parked = job(database, kinds={JobKind.ENCODING})
    assert (parked.state, parked.cause) == (JobState.PARKED, "Poison: no such instruction")
    with database.read() as session:
        assert encoding_work.unfinished(session) == []

    world.records(team.review_id, team.owner, 1)
    with database.read() as session:
        assert encoding_work.unfinished(session) == [team.review_id]


def test_second_looks_are_parked_until_somebody_asks_again(
    world: World, database: Database
) -> None:
    team = world.team()

    def ask() -> None:
        with database.write.begin() as session:
            second_looks.ask(session, reviews.lock(session, team.review_id), TA)

    def due() -> list[ReviewId]:
        with database.read() as session:
            return list(second_looks.unfinished(session))

    ask()
    for _ in range(MOST_TRIES):
        held = second_looks.claim(database, team.review_id)
        assert held
        second_looks.fail(database, held, Poison("again"))
        with database.write.begin() as session:
            session.execute(update(SecondLook).values(not_before=None))

    assert job(database, kinds={JobKind.SECOND_LOOKS}).state is JobState.PARKED
    assert due() == []
    ask()
    assert due() == [team.review_id]


class TestRetry:
    @pytest.mark.usefixtures("poison")
    def test_a_parked_training_is_due_at_once(
        self, world: World, database: Database, ranked_review: RankedReview
    ) -> None:
        team = about_sleep(world)
        fail_as_often_as_may_be(ranked_review, team.review_id)

        assert again(database, f"ranking-{team.review_id}", world).state is JobState.PARKED
        assert is_stale(database, team.review_id)
        assert row_of(database, team.review_id).attempts == 0

    @pytest.mark.usefixtures("poison")
    def test_one_that_waits_after_a_failure_waits_no_longer(
        self, world: World, database: Database, ranked_review: RankedReview
    ) -> None:
        team = about_sleep(world)
        with pytest.raises(Poison):
            ranked_review.rerank(team.review_id)
        assert not is_stale(database, team.review_id)

        again(database, f"ranking-{team.review_id}", world)

        assert is_stale(database, team.review_id)

    def test_an_encoding(self, world: World, database: Database) -> None:
        team = world.team()
        fail_encodings(database, team.review_id)

        again(database, f"encoding-{team.review_id}", world)

        with database.read() as session:
            assert encoding_work.unfinished(session) == [team.review_id]

    def test_what_waits_or_runs_is_left_alone(self, world: World, database: Database) -> None:
        team = world.team()
        with pytest.raises(NotFailed, match="queued"):
            again(database, f"ranking-{team.review_id}", world)
        training.claim(database, team.review_id, TA, lasting=MINUTE)
        with pytest.raises(NotFailed, match="running"):
            again(database, f"ranking-{team.review_id}", world)

    def test_what_is_done_or_never_was_is_not_found(self, world: World, database: Database) -> None:
        for unknown in ("ranking-", "import-17", "none", "webhook-x"):
            with pytest.raises(NotFound):
                again(database, unknown, world)


def failing_webhook(world: World, team: Team) -> str:
    with world.database.write.begin() as session:
        review = reviews.lock(session, team.review_id)
        hook = endpoints.add(
            session,
            review,
            owner_id=team.owner.id,
            url="https://hooks.example.org/a",
            rules=Rules(),
        )
        hook.disabled_at, hook.disabled_reason = now(), DisabledReason.FAILING
        return f"webhook-{hook.id}"


class TestWebhooks:
    def test_one_that_was_switched_off_is_parked_and_can_be_switched_on(
        self, world: World, database: Database
    ) -> None:
        team = world.team()
        name = failing_webhook(world, team)
        parked = job(database, kinds={JobKind.WEBHOOK})
        assert (parked.id, parked.state, parked.cause) == (name, JobState.PARKED, "failing")

        again(database, name, world)

        with database.read() as session:
            hook = session.scalars(select(Webhook)).one()
            assert (hook.disabled_at, hook.owner_id) == (None, team.owner.id)

    def test_it_waits_since_the_first_event_that_it_has_not_got(
        self, world: World, database: Database
    ) -> None:
        team = world.team()
        with database.write.begin() as session:
            review = reviews.lock(session, team.review_id)
            url = "https://hooks.example.org/a"
            endpoints.add(session, review, owner_id=team.owner.id, url=url, rules=Rules())
            session.flush()
            long_ago = now() - timedelta(days=7)
            session.execute(update(EventPosition).values(seq=review.last_seq, moved_at=long_ago))
        assert jobs(database, kinds={JobKind.WEBHOOK}) == []

        world.decide(team.review_id, team.ann, 1, "include")

        assert now() - job(database, kinds={JobKind.WEBHOOK}).since < MINUTE

    def test_an_administrator_who_screens_there_gets_none_of_it(
        self, world: World, database: Database
    ) -> None:
        """That it had something to send may hang on how others voted."""
        team, admin = world.team(), world.person("admin", is_admin=True)
        name = failing_webhook(world, team)
        with database.write.begin() as session:
            review = reviews.lock(session, team.review_id)
            reviews.set_member(session, review, user_id=admin.id, role=Role.REVIEWER)
        with database.read() as session:
            hidden = screens_in(session, admin.id)
        assert hidden == {team.review_id}

        assert jobs(database, kinds={JobKind.WEBHOOK}, without_events_of=hidden) == []
        with pytest.raises(NotFound):
            again(database, name, world, by=admin)


class TestStaleness:
    def test_it_counts_from_the_first_change_that_is_not_ranked(
        self, world: World, database: Database, ranked_review: RankedReview
    ) -> None:
        team = about_sleep(world)
        ranked_review.rerank(team.review_id)
        assert self.of(database).oldest_staleness == 0
        assert self.of(database).largest_staleness == 0

        world.decide(team.review_id, team.ann, 1, "include")
        self.long_ago(database, team.review_id)
        world.decide(team.review_id, team.ann, 2, "exclude")

        seen = self.of(database)
        assert (seen.n_stale, seen.largest_staleness) == (1, 2)
        assert 3600 <= seen.oldest_staleness < 3700, "the second one has not made it younger"

        let_the_pause_pass(database, team.review_id)
        ranked_review.rerank(team.review_id)
        assert (self.of(database).n_stale, self.of(database).oldest_staleness) == (0, 0)

    def test_a_change_during_a_training_counts_from_its_begin(
        self,
        world: World,
        database: Database,
        ranked_review: RankedReview,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        team = about_sleep(world)
        really = from_ledger.rank_review

        def rank_slowly(*given: Any) -> Any:
            made = really(*given)
            world.decide(team.review_id, team.ann, 1, "include")
            self.long_ago(database, team.review_id)
            return made

        monkeypatch.setattr(from_ledger, "rank_review", rank_slowly)
        held = now()
        ranked_review.rerank_once(team.review_id)

        with database.read() as session:
            since = session.get_one(Review, team.review_id).stale_since
        assert since is not None
        assert held - timedelta(seconds=1) <= since <= now()

    def of(self, database: Database) -> Any:
        with database.read() as session:
            return figures(session)

    def long_ago(self, database: Database, review_id: ReviewId) -> None:
        with database.write.begin() as session:
            session.execute(
                update(Review)
                .where(Review.id == review_id)
                .values(stale_since=now() - timedelta(hours=1))
            )


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MemoryError(), "too little memory"),
        (OSError(errno.ENOSPC, "No space left on device"), "disk that holds files is full"),
        (OSError(errno.EROFS, "Read-only file system"), "cannot be written"),
    ],
    ids=["memory", "full", "read-only"],
)
def test_the_cause_of_a_failed_try_says_what_helps(error: Exception, said: str) -> None:
    assert said in cause_of(error)
