from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.svm import LinearSVC
from sklearn.utils.class_weight import compute_sample_weight

from tandem.ranking import estimator, folds
from tandem.ranking.features import Features, build, load, save
from tandem.ranking.learning import Case, Fitted, Labels
from tandem.ranking.metrics import loss
from tandem.ranking.presets import Preset
from tandem.ranking.ranker import Ranked, rank
from tandem.ranking.recipes import PRESETS, Recipe, recipe
from tandem.ranking.terms import Terms

U4 = recipe("elas-u4")
N = 60
WORDS = np.array([f"word{number}" for number in range(400)])


def rows(*numbers: int) -> NDArray[np.int64]:
    return np.array(numbers, dtype=np.int64)


def labels(pairs: dict[int, int]) -> Labels:
    return Labels(rows=rows(*pairs), values=np.array(list(pairs.values()), dtype=np.float64))


def texts(n: int = N, *, seed: int = 0) -> list[tuple[str, str]]:
    """Every third record is about a topic with words of its own."""
    random = np.random.RandomState(seed)

    def text(row: int) -> str:
        topic = random.choice(WORDS[:40], 6) if row % 3 == 0 else random.choice(WORDS[40:80], 6)
        return " ".join([*topic, *random.choice(WORDS[80:], 20)])

    return [(f"Title {row}", text(row)) for row in range(n)]


TOPICAL = build(texts(), U4.words)
SEEN = {3: 1, 4: 0, 9: 1, 10: 0, 15: 1, 7: 0, 11: 0, 13: 0}
UNSEEN = rows(*(row for row in range(N) if row not in SEEN))


def ranked(
    given_labels: dict[int, int] = SEEN,
    *,
    pool: NDArray[np.int64] = UNSEEN,
    features: Features = TOPICAL,
    seed: int = 1,
) -> Ranked:
    return rank(features, labels=labels(given_labels), pool=pool, recipe=U4, seed=seed)


def scores(of: Ranked, *among: int) -> list[float]:
    by_row = dict(zip(of.order.tolist(), of.scores.tolist(), strict=True))
    return [by_row[row] for row in among]


def loss_of(order: Sequence[int]) -> float:
    return loss([place for place, row in enumerate(order, start=1) if row % 3 == 0], len(order))


class TestWithAModel:
    def test_a_copy_of_an_include_comes_first(self) -> None:
        planted = build([*texts(), texts()[9]], U4.words)
        result = ranked(pool=np.append(UNSEEN, N), features=planted)
        assert result.kind == "model"
        assert result.order[0] == N

    def test_what_is_relevant_is_found_early(self) -> None:
        assert loss_of(ranked().order.tolist()) < 0.25

    def test_shuffled_labels_teach_nothing(self) -> None:
        random = np.random.RandomState(5)
        losses = [
            loss_of(
                ranked(
                    dict(zip(SEEN, random.permutation(list(SEEN.values())), strict=True))
                ).order.tolist()
            )
            for _ in range(60)
        ]
        assert 0.4 < np.mean(losses) < 0.6

    def test_every_row_of_the_pool_comes_once_with_scores_that_fall(self) -> None:
        result = ranked()
        assert sorted(result.order) == UNSEEN.tolist()
        assert result.scores.dtype == np.float32
        assert np.all(np.diff(result.scores) <= 0)

    def test_the_same_seed_gives_the_same_order(self) -> None:
        np.testing.assert_array_equal(ranked(seed=3).order, ranked(seed=3).order)
        np.testing.assert_array_equal(ranked(seed=3).scores, ranked(seed=3).scores)

    def test_equal_records_keep_the_order_of_rows(self) -> None:
        doubled = build([*texts(), *[("Title", "the same words")] * 5], U4.words)
        order = ranked(pool=np.arange(N, N + 5), features=doubled).order
        assert order.tolist() == [N, N + 1, N + 2, N + 3, N + 4]

    def test_a_stream_given_advances_by_one_draw_a_training(self) -> None:
        stream, other = np.random.RandomState(1), np.random.RandomState(1)
        rank(TOPICAL, labels=labels(SEEN), pool=np.arange(N), recipe=U4, seed=1,
             random_state=stream)  # fmt: skip
        other.randint(np.iinfo("i").max)
        assert stream.randint(1000) == other.randint(1000)

    def test_saved_and_loaded_features_give_the_same_order(self, tmp_path: Path) -> None:
        save(TOPICAL, tmp_path / "features")
        loaded = ranked(features=load(tmp_path / "features"))
        np.testing.assert_array_equal(loaded.order, ranked().order)
        np.testing.assert_array_equal(loaded.scores, ranked().scores)

    def test_scores_are_what_asreview_computes(self) -> None:
        """Written out after ASReview 3.0.8: `Balanced`, `SVM`, and a pool sliced from all."""
        known = labels(SEEN)
        y = known.values
        raw = compute_sample_weight({1: 1.0, 0: sum(y == 1) / (9.8 * sum(y == 0))}, y=y)
        model = LinearSVC(loss="squared_hinge", C=0.11, random_state=np.random.RandomState(1))
        model.fit(TOPICAL.matrix[known.rows], y, sample_weight=raw * (len(y) / sum(raw)))
        expected = model.decision_function(TOPICAL.matrix[UNSEEN])

        fitted = U4.fit(
            TOPICAL, labels=known, draws=np.zeros(N), random_state=np.random.RandomState(1)
        )

        assert fitted is not None
        np.testing.assert_array_equal(fitted.scores[UNSEEN], expected)  # to the last bit

    def test_records_without_words_do_no_harm(self) -> None:
        result = ranked({0: 1, 1: 0}, pool=rows(2, 3), features=build([("", "")] * 4, U4.words))
        assert result.order.tolist() == [2, 3]

    def test_an_empty_pool_is_an_empty_order(self) -> None:
        assert ranked(pool=rows()).order.size == 0


class TestBeforeThereIsAModel:
    @pytest.mark.parametrize("known", [{}, {3: 1}, {4: 0, 7: 0}], ids=str)
    def test_likeness_to_the_review_decides(self, known: dict[int, int]) -> None:
        asked = build(texts(), U4.words, query=" ".join(WORDS[:40]))
        result = ranked(known, features=asked)
        assert result.kind == "text"
        assert loss_of(result.order.tolist()) < 0.1
        np.testing.assert_allclose(result.scores, asked.similarity[result.order], rtol=1e-6)

    def test_chance_decides_where_there_is_no_text(self) -> None:
        first, again, other = ranked({}), ranked({}), ranked({}, seed=2)
        assert first.kind == "random"
        assert sorted(first.order) == UNSEEN.tolist()
        assert first.order.tolist() == again.order.tolist()
        assert first.order.tolist() != other.order.tolist()
        assert first.order.tolist() != UNSEEN.tolist()

    def test_a_random_order_stays_when_some_are_read_and_others_come_in(self) -> None:
        before = ranked({}, pool=np.arange(N)).order.tolist()
        read = set(before[:10])
        grown = build(texts(N + 20), U4.words)
        after = ranked(
            {}, pool=np.array([row for row in range(N + 20) if row not in read]), features=grown
        )
        assert [row for row in after.order if row < N] == before[10:]

    def test_the_classifier_itself_says_so(self) -> None:
        one_sided = labels({3: 1, 9: 1})
        stream = np.random.RandomState(1)
        assert U4.fit(TOPICAL, labels=one_sided, draws=np.zeros(N), random_state=stream) is None


class TestHalfDone:
    """Rows of the pool that one reviewer has decided and another is still to read unaware."""

    HALF_DONE = (3, 4, 7, 9, 10, 11)
    """In folds of every fifth: 3 and 11 are together, all others are alone."""

    def rank(self, flipped: int | None = None, known: dict[int, int] = SEEN) -> Ranked:
        pool = np.sort(np.append(UNSEEN, self.HALF_DONE))
        return ranked({row: 1 - v if row == flipped else v for row, v in known.items()}, pool=pool)

    @pytest.mark.parametrize("row", HALF_DONE)
    def test_a_score_is_the_same_whatever_the_own_label(self, row: int) -> None:
        plain, flipped = self.rank(), self.rank(row)
        assert plain.scores[plain.order == row] == flipped.scores[flipped.order == row]

    @pytest.mark.parametrize("row", HALF_DONE)
    def test_flipping_a_label_does_move_the_others(self, row: int) -> None:
        assert self.rank().order.tolist() != self.rank(row).order.tolist()

    def test_untouched_rows_keep_the_score_of_the_one_fit_on_all_labels(self) -> None:
        mixed, untouched = self.rank(), ranked()
        kept = np.isin(mixed.order, UNSEEN)
        assert mixed.order[kept].tolist() == untouched.order.tolist()
        np.testing.assert_array_equal(mixed.scores[kept], untouched.scores)

    def test_the_label_of_an_include_does_not_lift_its_own_record(self) -> None:
        """A record unlike all others: what it would gain comes from its own label alone."""
        odd = build([*texts(), ("Zymurgy", "yeast barley hops malt")], U4.words)
        pool = np.append(UNSEEN, N)
        as_include, as_exclude = (
            ranked({**SEEN, N: verdict}, pool=pool, features=odd) for verdict in (1, 0)
        )
        assert as_include.scores[as_include.order == N] == as_exclude.scores[as_exclude.order == N]
        assert as_include.order[0] != N

    @pytest.mark.parametrize("query", ["", " ".join(WORDS[:40])], ids=["random", "text"])
    @pytest.mark.parametrize("row", [3, 6])
    def test_the_only_include_has_the_place_it_had_before_any_model(
        self, row: int, query: str
    ) -> None:
        features = build(texts(), U4.words, query=query)
        known = {4: 0, 7: 0, 10: 0}
        pool = rows(*(other for other in range(N) if other not in known))

        included = ranked({**known, row: 1}, pool=pool, features=features)
        excluded = ranked({**known, row: 0}, pool=pool, features=features)

        assert included.kind == "model"
        assert excluded.kind != "model"
        assert included.order.tolist().index(row) == excluded.order.tolist().index(row)
        assert np.all(np.diff(included.scores) <= 0)

    def test_where_nothing_else_is_left_the_order_is_that_without_a_model(self) -> None:
        pool = rows(3, 4)
        half_done, cold = ranked({3: 1, 4: 0}, pool=pool), ranked({}, pool=pool)
        assert half_done.order.tolist() == cold.order.tolist()
        assert half_done.kind == cold.kind == "random"

    def test_in_a_large_review_folds_see_a_part_of_what_is_unread(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        of_all = self.rank()
        n_given, some = list[int](), folds._some

        def noting(whole: Features, of: NDArray[np.int64]) -> Features:
            n_given.append(of.size)
            return some(whole, of)

        monkeypatch.setattr(folds, "_BESIDE", 12)
        monkeypatch.setattr(folds, "_some", noting)
        of_part, flipped = self.rank(), self.rank(7)

        assert n_given == [len(SEEN) + 12] * 2
        # The model of each fold learns the same: this recipe presumes nothing.
        assert scores(of_part, *UNSEEN, *self.HALF_DONE) == scores(of_all, *UNSEEN, *self.HALF_DONE)
        assert scores(of_part, 7) == scores(flipped, 7)
        assert scores(of_part, *UNSEEN) != scores(flipped, *UNSEEN)

    @pytest.mark.parametrize("how", PRESETS.values(), ids=[*PRESETS])
    def test_a_part_with_all_records_teaches_what_they_teach(self, how: Preset) -> None:
        features = build(texts(), how.words)
        draws = np.random.RandomState(3).random_sample(N)

        def cases() -> list[Case]:
            random = np.random.RandomState(5)
            return [Case(labels(SEEN), draws, random), Case(labels({3: 1, 4: 0}), draws, random)]

        of_all = folds.fit_all(how, features, cases())
        of_part = folds._fit_all_of(np.arange(N), how, features, cases())

        for one, other in zip(of_all, of_part, strict=True):
            assert one is not None
            assert other is not None
            np.testing.assert_array_equal(one.scores, other.scores)
            np.testing.assert_array_equal(one.weights, other.weights)

    def test_what_hangs_on_the_whole_review_is_not_measured_on_a_part(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What is read first is unlike the rest, and a part has nearly all of it."""
        how, sizes = PRESETS["tandem-4"], list[int]()

        def familiar(usual: NDArray[np.float64]) -> float:
            sizes.append(usual.size)
            return 0.5

        def weight(_: Preset, usual: NDArray[np.float64], of: Labels) -> float:
            sizes.append(usual.size)
            assert set(of.rows.tolist()) <= set(SEEN)
            return 0.5

        monkeypatch.setattr(folds, "_BESIDE", 12)
        monkeypatch.setattr(estimator, "familiarity", familiar)
        monkeypatch.setattr(estimator, "prior_weight", weight)
        pool = np.sort(np.append(UNSEEN, self.HALF_DONE))
        rank(build(texts(), how.words), labels=labels(SEEN), pool=pool, recipe=how, seed=1)

        assert sizes == [N] * 2 * (1 + 5)

    @pytest.mark.parametrize("beside", [12, 25])
    def test_all_others_are_given_all_records(
        self, monkeypatch: pytest.MonkeyPatch, beside: int
    ) -> None:
        """Recipes of other packages are promised them; and most of the review has to be unread."""

        class Derived(Preset):
            pass

        monkeypatch.setattr(folds, "_BESIDE", beside)
        monkeypatch.delattr(folds, "_some")
        how = Derived(**vars(U4)) if beside == 12 else U4
        pool = np.sort(np.append(UNSEEN, self.HALF_DONE))
        assert rank(TOPICAL, labels=labels(SEEN), pool=pool, recipe=how, seed=1).kind == "model"

    def test_nothing_is_presumed_of_what_is_known_to_be_relevant(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        presumed: list[Case] = []
        real = folds.fit_all

        def noting(
            how: Recipe, features: Features, cases: Sequence[Case]
        ) -> Iterator[Fitted | None]:
            presumed.extend(cases)
            return real(how, features, cases)

        monkeypatch.setattr(folds, "fit_all", noting)
        pool = np.sort(np.append(UNSEEN, self.HALF_DONE))
        known = rows(5, 6)
        rank(TOPICAL, labels=labels(SEEN), pool=pool, recipe=U4, seed=1, relevant=known)
        assert len(presumed) == 1 + 5
        assert all(np.isinf(case.draws[known]).all() for case in presumed)

    @given(
        verdicts=st.lists(st.sampled_from([0, 1]), min_size=12, max_size=12),
        asked=st.booleans(),
        flipped=st.integers(0, 11),
        seed=st.integers(0, 5),
    )
    def test_the_order_within_a_fold_never_depends_on_its_labels(
        self, verdicts: list[int], asked: bool, flipped: int, seed: int
    ) -> None:
        random = np.random.RandomState(seed)
        features = Features(
            matrix=csr_matrix(random.random_sample((20, 6))),
            terms=Terms.of("abcdef"),
            similarity=random.random_sample(20) if asked else np.zeros(20),
        )
        fold = range(flipped % 5, 12, 5)

        def order(known: list[int]) -> list[int]:
            result = ranked(
                dict(enumerate(known)), pool=np.arange(20), features=features, seed=seed
            )
            return [row for row in result.order.tolist() if row in fold]

        other = [1 - v if row == flipped else v for row, v in enumerate(verdicts)]
        assert order(verdicts) == order(other)
