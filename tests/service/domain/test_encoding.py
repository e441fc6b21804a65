"""Sentence vectors: made once for each text, in turns, even if workers die."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sqlalchemy import update

from service.domain.encoders import (
    Asked,
    Encoder,
    Killed,
    Texts,
    change_text,
    direction,
    encode_all,
    is_encoded,
    labels_seq,
    let_the_lease_run_out,
    short_turns,
    so_far,
    stored,
    unfinished,
)
from service.domain.threads import at_once
from tandem.config import Settings
from tandem.db.base import now
from tandem.db.session import Database
from tandem.ids import RecordNumber, ReviewId
from tandem.operations import jobs
from tandem.ranking import encoding, sentences, training, vector_store
from tandem.ranking.encoding import encode_some
from tandem.ranking.models import Encoding, SentenceVector
from tandem.ranking.sentences import MODEL
from tandem.records import corrections
from tandem.records.models import Record
from tandem.reviews.models import Review
from tandem.work.jobs import JobKind, JobState
from tandem_worker import tasks
from tandem_worker.relay import sweep
from world import World

pytestmark = pytest.mark.both_engines


@pytest.fixture
def encoder() -> Encoder:
    return Encoder()


@pytest.fixture(autouse=True)
def _short_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    short_turns(monkeypatch)


def ranked_by(database: Database, review_id: ReviewId) -> NDArray[np.float32]:
    """Return the vectors that a training would use now, by record."""
    with database.read() as session:
        review = session.get_one(Review, review_id)
        numbers = np.arange(1, review.last_record_number + 1, dtype=np.int32)
        found = vector_store.load(session, review, numbers, model=MODEL)
    assert found is not None
    return found.matrix


class TestEncoding:
    def test_in_turns_until_every_record_has_its_vector(
        self, world: World, database: Database, encoder: Encoder
    ) -> None:
        team = world.team(n_records=10)
        assert so_far(database, team.review_id) is None
        seen = []

        fence = encode_some(database, team.review_id, encoder)
        while fence is not None:
            seen.append(so_far(database, team.review_id))
            fence = encode_some(database, team.review_id, encoder, fence=fence)

        assert seen == [encoding.Progress(MODEL, n, 10) for n in (4, 8, 10)]
        assert len(encoder.given) == 10
        assert is_encoded(database, team.review_id)
        assert unfinished(database) == []

    def test_a_turn_takes_more_than_one_batch_while_there_is_time(
        self,
        world: World,
        database: Database,
        encoder: Encoder,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(encoding, "TURN", timedelta(hours=1))
        team = world.team(n_records=10)

        assert encode_all(database, team.review_id, encoder) == 1
        assert is_encoded(database, team.review_id)

    def test_a_new_ranking_is_asked_for_once_when_all_are_there(
        self, world: World, database: Database, encoder: Encoder
    ) -> None:
        team = world.team(n_records=6)
        before, calls = labels_seq(database, team.review_id), []

        fence = encode_some(database, team.review_id, encoder, finished=lambda: calls.append(1))
        assert (labels_seq(database, team.review_id), calls) == (before, [])
        while fence is not None:
            fence = encode_some(
                database, team.review_id, encoder, fence=fence, finished=lambda: calls.append(1)
            )

        assert encode_some(database, team.review_id, encoder) is None
        assert (labels_seq(database, team.review_id), calls) == (before + 1, [1])
        with database.read() as session:
            assert team.review_id in training.stale_reviews(session)

    def test_another_import_costs_its_own_records_alone(
        self, world: World, database: Database, encoder: Encoder
    ) -> None:
        team = world.team(n_records=5)
        encode_all(database, team.review_id, encoder)
        encoder.given.clear()

        world.records(team.review_id, team.owner, texts=[("New", "Quite new"), ("Newer", "")])
        assert unfinished(database) == [team.review_id]
        assert so_far(database, team.review_id) == encoding.Progress(MODEL, 5, 7)
        encode_all(database, team.review_id, encoder)

        assert encoder.given == [("New", "Quite new"), ("Newer", "")]
        assert is_encoded(database, team.review_id)

    def test_records_that_come_meanwhile_are_not_forgotten(
        self,
        world: World,
        database: Database,
        encoder: Encoder,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        team = world.team(n_records=4)
        looks, look = [], encoding._changed

        def look_and_let_one_come(*asked: Any) -> Any:
            looks.append(look(*asked))
            if len(looks) == 1:
                world.records(team.review_id, team.owner, 1)
            return looks[-1]

        monkeypatch.setattr(encoding, "_changed", look_and_let_one_come)
        encode_all(database, team.review_id, encoder)

        assert looks == [[], []]
        assert len(encoder.given) == 5
        assert is_encoded(database, team.review_id)
        assert unfinished(database) == []

    def test_a_changed_text_is_encoded_again(
        self, world: World, database: Database, encoder: Encoder
    ) -> None:
        team = world.team(n_records=6)
        encode_all(database, team.review_id, encoder)
        encoder.given.clear()

        change_text(database, team.review_id, 3, "Quite another title")
        encode_all(database, team.review_id, encoder)

        assert encoder.given == [("Quite another title", "Abstract of record 3")]
        assert is_encoded(database, team.review_id)

    def test_a_corrected_text_is_ranked_by_its_new_vector(
        self, world: World, database: Database, encoder: Encoder
    ) -> None:
        team = world.team(n_records=6)
        encode_all(database, team.review_id, encoder)
        ranked_by(database, team.review_id)
        number = RecordNumber(3)
        with world.entered(team.review_id, team.owner) as (session, review, _):
            changes = {"title": "Quite another title"}
            corrections.correct(session, review, number=number, changes=changes, by=team.owner.id)
        assert unfinished(database) == [team.review_id]
        seq = labels_seq(database, team.review_id)
        encode_all(database, team.review_id, encoder)

        assert labels_seq(database, team.review_id) > seq, "another ranking is due"
        wanted = direction("Quite another title", "Abstract of record 3")
        assert np.allclose(ranked_by(database, team.review_id)[number - 1], wanted, atol=1e-3)

    def test_another_model_encodes_all_again(
        self, world: World, database: Database, encoder: Encoder
    ) -> None:
        team = world.team(n_records=3)
        encode_all(database, team.review_id, encoder)
        with database.write.begin() as session:
            session.execute(update(SentenceVector).values(model="older"))
            session.execute(update(Encoding).values(model="older"))
        assert so_far(database, team.review_id) == encoding.Progress("older", 3, 3)
        assert unfinished(database) == [team.review_id]

        encode_all(database, team.review_id, encoder)

        assert so_far(database, team.review_id) == encoding.Progress(MODEL, 3, 3)
        assert len(encoder.given) == 6

    def test_duplicates_are_left_out(
        self, world: World, database: Database, encoder: Encoder
    ) -> None:
        team = world.team(n_records=3)
        with database.write.begin() as session:
            session.get_one(Record, (team.review_id, 2)).duplicate_of = RecordNumber(1)

        encode_all(database, team.review_id, encoder)

        assert set(stored(database, team.review_id)) == {1, 3}
        assert so_far(database, team.review_id) == encoding.Progress(MODEL, 2, 2)

    def test_no_transaction_is_open_while_the_encoder_works(
        self, world: World, database: Database, encoder: Encoder
    ) -> None:
        team = world.team(n_records=4)
        # On SQLite this would wait for the encoder's transaction for ever.
        encoder.before = lambda: world.decide(team.review_id, team.ann, 1, "include")

        encode_all(database, team.review_id, encoder)

        assert is_encoded(database, team.review_id)


class TestWhoDies:
    def test_half_way_costs_the_batch_in_hand_and_a_lease(
        self, world: World, database: Database, encoder: Encoder
    ) -> None:
        team = world.team(n_records=10)
        fence = encode_some(database, team.review_id, encoder)

        def die() -> None:
            raise Killed

        encoder.before = die
        with pytest.raises(Killed):
            encode_some(database, team.review_id, encoder, fence=fence)
        assert len(stored(database, team.review_id)) == 4
        assert unfinished(database) == []
        assert encode_some(database, team.review_id, encoder) is None

        let_the_lease_run_out(database)
        encoder.before = lambda: None
        assert unfinished(database) == [team.review_id]
        encode_all(database, team.review_id, encoder)

        assert len(encoder.given) == 10
        assert is_encoded(database, team.review_id)

    def test_after_the_last_record_the_ranking_is_asked_for_all_the_same(
        self, world: World, database: Database, encoder: Encoder
    ) -> None:
        team = world.team(n_records=4)
        before = labels_seq(database, team.review_id)
        encode_some(database, team.review_id, encoder)
        let_the_lease_run_out(database)

        assert encode_some(database, team.review_id, encoder) is None

        assert labels_seq(database, team.review_id) == before + 1

    def test_who_was_taken_for_dead_stores_nothing_more(
        self, world: World, database: Database, encoder: Encoder
    ) -> None:
        team = world.team(n_records=4)
        other = Encoder()

        def be_overtaken() -> None:
            let_the_lease_run_out(database)
            assert encode_some(database, team.review_id, other) is not None
            change_text(database, team.review_id, 1, "Changed since it was read")

        encoder.before = be_overtaken
        assert encode_some(database, team.review_id, encoder) is None
        assert len(other.given) == 4

        let_the_lease_run_out(database)
        encode_all(database, team.review_id, other)
        assert is_encoded(database, team.review_id)


class TestRests:
    """Between two turns nobody holds the review, and nobody is missed."""

    def test_one_that_waits_long_in_the_queue_goes_on_all_the_same(
        self, world: World, database: Database, encoder: Encoder
    ) -> None:
        team = world.team(n_records=10)
        fence = encode_some(database, team.review_id, encoder)
        self.let_the_rest_run_out(database)

        assert encode_some(database, team.review_id, encoder, fence=fence) is not None
        assert len(encoder.given) == 8

    def test_begun_again_it_does_not_report_a_death(
        self, world: World, database: Database, encoder: Encoder
    ) -> None:
        team = world.team(n_records=10)
        fence = encode_some(database, team.review_id, encoder)
        self.let_the_rest_run_out(database)

        assert unfinished(database) == [team.review_id]
        assert self.job(database) == (JobState.QUEUED, None)
        encoder.before = lambda: seen.append(self.job(database))
        seen: list[tuple[JobState, str | None]] = []
        assert encode_some(database, team.review_id, encoder) is not None
        assert seen == [(JobState.RUNNING, None)]
        assert encode_some(database, team.review_id, encoder, fence=fence) is None

    def test_one_that_rests_is_shown_as_waiting(
        self, world: World, database: Database, encoder: Encoder
    ) -> None:
        team = world.team(n_records=10)
        encode_some(database, team.review_id, encoder)

        assert self.job(database) == (JobState.QUEUED, None)
        assert unfinished(database) == [], "its rest is somebody's already"
        assert encode_some(database, team.review_id, encoder) is None

    def test_one_that_failed_and_waits_takes_nobodys_place(
        self, world: World, database: Database, encoder: Encoder
    ) -> None:
        reviews = [world.team(n_records=10).review_id for _ in range(3)]

        def fail(_: Texts) -> NDArray[np.float32]:
            raise MemoryError

        for review_id in reviews[1:]:
            with pytest.raises(MemoryError):
                encode_some(database, review_id, fail)

        assert unfinished(database) == [reviews[0]]

    def let_the_rest_run_out(self, database: Database) -> None:
        past = now() - timedelta(seconds=1)
        with database.write.begin() as session:
            session.execute(update(Encoding).values(not_before=past))

    def job(self, database: Database) -> tuple[JobState, str | None]:
        with database.read() as session:
            (found,) = jobs.unfinished(session, kinds={JobKind.ENCODING})
        return found.state, found.cause


class TestWhoMay:
    def test_of_many_who_begin_at_once_one_encodes(
        self, world: World, database: Database, encoder: Encoder
    ) -> None:
        team = world.team(n_records=6)

        fences = at_once([lambda: encode_some(database, team.review_id, encoder)] * 6)

        assert sum(fence is not None for fence in fences) == 1
        assert len(encoder.given) == 4

    def test_a_message_that_comes_twice_goes_on_once(
        self, world: World, database: Database, encoder: Encoder
    ) -> None:
        team = world.team(n_records=10)
        fence = encode_some(database, team.review_id, encoder)

        both = at_once([lambda: encode_some(database, team.review_id, encoder, fence=fence)] * 2)

        assert sum(following is not None for following in both) == 1
        assert len(encoder.given) == 8

    def test_a_late_message_does_not_begin_again_what_is_done(
        self, world: World, database: Database, encoder: Encoder
    ) -> None:
        team = world.team(n_records=4)
        encode_all(database, team.review_id, encoder)
        before = labels_seq(database, team.review_id)
        with database.read() as session:
            newest = session.get_one(Encoding, team.review_id).fence

        assert encode_some(database, team.review_id, encoder, fence=newest) is None

        assert labels_seq(database, team.review_id) == before

    def test_of_many_reviews_a_few_at_a_time_the_newest_first(
        self, world: World, database: Database, encoder: Encoder
    ) -> None:
        first, second, third = (world.team(n_records=5).review_id for _ in range(3))
        world.review(world.person())  # without records there is nothing to encode

        assert unfinished(database) == [third, second]
        fence = encode_some(database, third, encoder)
        assert unfinished(database) == [second]
        encode_some(database, second, encoder)
        assert unfinished(database) == []
        while fence is not None:
            fence = encode_some(database, third, encoder, fence=fence)
        assert unfinished(database) == [first]


@pytest.fixture
def asked(database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Asked:
    """What a worker on this database asks for."""
    task_signals = Asked()
    here = SimpleNamespace(
        database=database, task_signals=task_signals, artifacts=None, settings=settings
    )
    monkeypatch.setattr(tasks, "runtime", lambda: here)
    return task_signals


class TestWithTheExtra:
    @pytest.fixture(autouse=True)
    def _installed(self, encoder: Encoder, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sentences, "is_installed", lambda: True)
        monkeypatch.setattr(sentences, "encode", encoder)

    def test_the_relay_finds_what_nobody_encodes(
        self, world: World, database: Database, asked: Asked
    ) -> None:
        team = world.team(n_records=8)

        assert sweep(database, asked) == 2
        assert (asked.rankings, asked.turns) == ([team.review_id], [(team.review_id, None)])

        tasks.encode(str(team.review_id))
        asked.turns.clear()
        assert sweep(database, asked) == 1
        assert asked.turns == []

        let_the_lease_run_out(database)
        sweep(database, asked)
        assert asked.turns == [(team.review_id, None)]

    def test_a_worker_goes_on_until_all_is_done_and_then_ranks(
        self, world: World, database: Database, asked: Asked
    ) -> None:
        team = world.team(n_records=10)

        asked.to_encode(team.review_id)
        for review_id, fence in asked.turns:  # it grows
            tasks.encode(str(review_id), fence)

        assert len(asked.turns) == 4
        assert is_encoded(database, team.review_id)
        assert asked.rankings == [team.review_id]

    def test_an_import_is_followed_by_its_vectors(
        self, world: World, asked: Asked, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        team = world.team()
        monkeypatch.setattr("tandem.records.importing.run", lambda *_, **__: team.review_id)

        tasks.import_records(str(team.review_id))

        assert asked.turns == [(team.review_id, None)]


class TestWithoutTheExtra:
    @pytest.fixture(autouse=True)
    def _missing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sentences, "is_installed", lambda: False)

    def test_nothing_is_asked_for_and_nothing_happens(
        self, world: World, database: Database, asked: Asked, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        team = world.team(n_records=3)
        monkeypatch.setattr("tandem.records.importing.run", lambda *_, **__: team.review_id)

        sweep(database, asked)
        tasks.import_records(str(team.review_id))
        tasks.encode(str(team.review_id))

        assert asked.turns == []
        assert stored(database, team.review_id) == {}
        assert so_far(database, team.review_id) is None
