"""What every recipe has to do, and what the parts of ours are for."""

from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import EntryPoint

import numpy as np
import pytest
from numpy.typing import NDArray

from tandem.ranking import recipes, word_vectors
from tandem.ranking.features import Features, build
from tandem.ranking.learning import Case, Fitted, Labels
from tandem.ranking.metrics import loss
from tandem.ranking.parameters import EnsembleMember, Presumed
from tandem.ranking.presets import Preset
from tandem.ranking.ranker import Ranked, rank
from tandem.ranking.recipes import PRESETS, BrokenPlugin, UnknownModel, recipe

U4 = PRESETS["elas-u4"]
OURS = PRESETS["tandem-1"]
N = 120
TOPIC = ["statin", "cholesterol", "cardiovascular", "lipid", "lowering", "atorvastatin", "placebo"]
OTHER = ["yoga", "massage", "back", "pain", "exercise", "posture", "therapy", "stretching"]
COMMON = [
    "trial",
    "patients",
    "results",
    "methods",
    "conclusion",
    "weeks",
    "group",
    "study",
    "outcome",
    "analysis",
]


def texts(n: int = N) -> list[tuple[str, str]]:
    """Ten topics by turns, the first with words of its own; two of the others share theirs."""
    random = np.random.RandomState(7)

    def one(row: int) -> tuple[str, str]:
        topic = row % 10
        words = TOPIC if topic == 0 else [f"{word}{topic // 2}" for word in OTHER]
        title = " ".join(random.choice(words, 2))
        return title, " ".join([*random.choice(words, 5), *random.choice(COMMON, 12), f"no{row}"])

    return [one(row) for row in range(n)]


def labels(pairs: dict[int, float]) -> Labels:
    return Labels(np.array([*pairs], dtype=np.int64), np.array([*pairs.values()]))


def ranked(features: Features, known: dict[int, float], how: Preset, *, seed: int = 1) -> Ranked:
    pool = np.array([row for row in range(len(features.similarity)) if row not in known])
    return rank(features, labels=labels(known), pool=pool, recipe=how, seed=seed, explained=5)


def loss_of(result: Ranked) -> float:
    places = [place for place, row in enumerate(result.order, start=1) if row % 10 == 0]
    return loss(places, result.order.size)


KNOWN: dict[int, float] = {0: 1, 10: 1, 3: 0, 14: 0, 27: 0}


def rows_of(*numbers: int) -> NDArray[np.int64]:
    return np.array(numbers, dtype=np.int64)


def fit(how: Preset, features: Features, draws: NDArray[np.float64] | None = None) -> Fitted:
    drawn, draws = np.random.RandomState(1), np.zeros(N) if draws is None else draws
    fitted = how.fit(features, labels=labels(KNOWN), draws=draws, random_state=drawn)
    assert fitted is not None
    return fitted


@pytest.mark.parametrize("how", PRESETS.values(), ids=lambda how: how.name)
class TestEveryPreset:
    def test_a_planted_copy_of_an_include_comes_first(self, how: Preset) -> None:
        planted = build([*texts(), texts()[10]], how.words)
        assert ranked(planted, KNOWN, how).order[0] == N

    def test_it_finds_the_topic(self, how: Preset) -> None:
        assert loss_of(ranked(build(texts(), how.words), KNOWN, how)) < 0.05

    def test_permuted_labels_are_no_better_than_chance(self, how: Preset) -> None:
        features, random = build(texts(), how.words), np.random.RandomState(3)
        half = [1.0] * 6 + [0.0] * 6
        losses = [
            loss_of(
                ranked(
                    features, dict(zip(random.permutation(N)[:12].tolist(), half, strict=True)), how
                )
            )
            for _ in range(60)
        ]
        assert 0.4 < np.mean(losses) < 0.6

    def test_fits_made_together_are_each_what_it_is_alone(self, how: Preset) -> None:
        features, draws = build(texts(), how.words), np.random.RandomState(2).random_sample(N)
        some = [labels({row: value for row, value in KNOWN.items() if row != out}) for out in KNOWN]
        too_few = labels({3: 0.0, 14: 0.0})
        learnt = [*some, too_few, labels({**KNOWN, 30: 0.5, 77: 0.0})]

        def cases() -> list[Case]:
            return [Case(one, draws, np.random.RandomState(n)) for n, one in enumerate(learnt)]

        together = [*how.fit_all(features, cases())]
        alone = [next(how.fit_all(features, [case])) for case in cases()]
        assert [fitted is None for fitted in together] == [one is too_few for one in learnt]
        for one, other in zip(together, alone, strict=True):
            if one is not None and other is not None:
                np.testing.assert_array_equal(one.scores, other.scores)
                np.testing.assert_array_equal(one.weights, other.weights)

    def test_equal_seeds_give_equal_orders(self, how: Preset) -> None:
        features = build(texts(), how.words)
        once, again = (ranked(features, KNOWN, how, seed=5) for _ in range(2))
        np.testing.assert_array_equal(once.order, again.order)
        np.testing.assert_array_equal(once.scores, again.scores)

    def test_a_doubtful_include_pulls_less_than_a_certain_one(self, how: Preset) -> None:
        copies = build([*texts(), *[texts()[51]] * 2], how.words)

        def place(certainty: float) -> int:
            order: list[int] = ranked(copies, {**KNOWN, N: certainty}, how).order.tolist()
            return order.index(N + 1)

        assert place(1.0) <= place(0.5) <= place(0.0)


class TestPresumedExcludes:
    def test_known_includes_alone_are_enough(self) -> None:
        result = ranked(build(texts(), OURS.words), {0: 1, 10: 1}, OURS)
        assert result.kind == "model"
        assert loss_of(result) < 0.1

    def test_excludes_alone_are_not(self) -> None:
        features = build(texts(), OURS.words)
        assert ranked(features, {3: 0, 4: 0}, OURS).kind == "random"

    def test_where_all_are_known_includes_there_is_nothing_to_learn(self) -> None:
        features = build(texts(10), OURS.words)
        everything = labels(dict.fromkeys(range(10), 1.0))
        result = rank(features, labels=everything, pool=np.arange(10), recipe=OURS, seed=1)
        assert result.kind == "random"

    def test_without_them_includes_alone_are_not_enough(self) -> None:
        assert ranked(build(texts(), U4.words), {0: 1, 10: 1}, U4).kind == "random"

    def test_they_fade_and_are_gone_where_includes_are_common(self) -> None:
        features = build(texts(), U4.words)
        common = replace(U4, presumed=Presumed(50, 0.5, 1.0, until=2 / N, ratio=20.0))
        plain = ranked(features, KNOWN, U4)
        np.testing.assert_array_equal(ranked(features, KNOWN, common).scores, plain.scores)
        rare = replace(common, presumed=Presumed(50, 0.5, 1.0, until=0.5, ratio=20.0))
        assert not np.array_equal(ranked(features, KNOWN, rare).scores, plain.scores)

    def test_never_of_a_record_with_an_infinite_lot(self) -> None:
        features = build(texts(), OURS.words)
        draws = np.linspace(0, 0.5, N)

        def score(of: NDArray[np.float64]) -> float:
            return float(fit(OURS, features, of).scores[1])

        never = draws.copy()
        never[1] = np.inf
        assert score(never) > score(draws), "being presumed an exclude lowers a record's own score"


class TestOpinionsOnVectors:
    """Vectors that know the truth beside words that know nothing of it."""

    HOW = replace(U4, sentences=EnsembleMember("any", C=1.0, weight=4.0, settling=4.0))

    def features(self, *, without: int | None = None) -> Features:
        random = np.random.RandomState(0)
        words = build([("", " ".join(random.choice(COMMON, 8))) for _ in range(N)], U4.words)
        vectors = random.standard_normal((N, 8)).astype(np.float32)
        vectors[::10, 0] += 8
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        if without is not None:
            vectors[without] = 0
        return replace(words, sentences=vectors)

    def test_they_find_what_words_do_not(self) -> None:
        assert loss_of(ranked(self.features(), KNOWN, self.HOW)) < 0.1
        assert loss_of(ranked(self.features(), KNOWN, U4)) > 0.2

    def test_they_count_more_when_more_includes_are_known(self) -> None:
        few, many = {0: 1.0, 3: 0.0}, {0: 1.0, 10: 1.0, 20: 1.0, 30: 1.0, 40: 1.0, 3: 0.0}
        slow = replace(self.HOW, sentences=EnsembleMember("any", C=1.0, weight=4.0, settling=1e9))
        words = ranked(self.features(), few, U4).order
        np.testing.assert_array_equal(ranked(self.features(), few, slow).order, words)
        assert loss_of(ranked(self.features(), many, self.HOW)) < 0.05

    def test_a_record_without_a_vector_is_neither_lifted_nor_lowered(self) -> None:
        features = self.features(without=50)
        assert features.sentences is not None
        fitted, plain = fit(self.HOW, features), fit(U4, features)
        unread = np.ones(N, dtype=bool)
        unread[[*KNOWN]] = False
        words = (plain.scores - plain.scores[unread].mean()) / plain.scores[unread].std()
        assert fitted.scores[50] == pytest.approx(words[50])

    def test_a_few_vectors_are_no_standard_for_a_record_that_is_half_done(self) -> None:
        features = self.features()
        vectors = np.zeros_like(features.sentences)
        vectors[[0, 3, 51, 52]] = np.eye(4, vectors.shape[1])
        vectors[50] = vectors[0]
        vectors[51] = vectors[52] + np.float32(1e-3)  # no other unread record has one
        draws = np.linspace(0, 0.9, N)
        draws[50] = np.inf
        fitted = fit(self.HOW, replace(features, sentences=vectors), draws)
        others = np.delete(fitted.scores, [0, 3, 50])
        assert abs(fitted.scores[50]) < 3 * np.abs(others).max()

    def test_equal_scores_stay_equal_though_their_mean_is_rounded(self) -> None:
        words = build([("", f"only{row}") for row in range(N)], U4.words)
        features = replace(words, sentences=np.zeros((N, 8), np.float32))
        draws = np.linspace(0, 0.9, N)
        draws[3] = np.inf  # half done
        assert np.abs(fit(self.HOW, features, draws).scores).max() < 100

    def test_vectors_that_are_not_finite_are_refused(self) -> None:
        features = self.features()
        broken = np.full_like(features.sentences, np.nan)
        with pytest.raises(BrokenPlugin):
            ranked(replace(features, sentences=broken), KNOWN, OURS)


class TestTheEnd:
    def test_scores_still_differ_when_hardly_anything_is_unread(self) -> None:
        features = build(texts(), OURS.words)
        known = labels({row: float(row % 10 == 0) for row in range(N)})
        result = rank(features, labels=known, pool=rows_of(30, 31, 32, 33), recipe=OURS, seed=1)
        assert len({*result.scores.tolist()}) == 4
        assert result.order[0] == 30


class TestWhy:
    def test_the_terms_of_the_topic_pull_up_and_of_the_rest_down(self) -> None:
        result = ranked(build(texts(), OURS.words), KNOWN, OURS)
        pulls = {term: weight for term, weight in result.terms if " " not in term}
        assert all(pulls[term] > 0 for term in pulls if term in TOPIC)
        assert all(pulls[term] < 0 for term in pulls if term in OTHER)
        assert set(TOPIC) & set(pulls)

    def test_reasons_are_of_the_records_own_words_the_strongest_first(self) -> None:
        result = ranked(build(texts(), OURS.words), KNOWN, OURS)
        assert [*result.reasons] == result.order[:5].tolist()
        for row, reasons in result.reasons.items():
            own = " ".join(texts()[row]).lower()
            assert reasons
            assert all(term in own for term, _ in reasons)
            strengths = [abs(weight) for _, weight in reasons]
            assert strengths == sorted(strengths, reverse=True)
            assert len({term for term, _ in reasons}) == len(reasons)

    @pytest.mark.parametrize("verdicts", [(1, 0), (0, 1), (0, 0), (1, 1), (0.3, 0.76)])
    def test_they_do_not_depend_on_any_half_done_label(self, verdicts: tuple[float, float]) -> None:
        features = build(texts(), OURS.words)
        pool = np.array([row for row in range(N) if row not in KNOWN])

        def reasons(one: float, other: float) -> object:
            known = labels({**KNOWN, 40: one, 41: other})
            result = rank(features, labels=known, pool=pool, recipe=OURS, seed=1, explained=N)
            assert len(result.reasons) == pool.size, "every record has reasons"
            return sorted(result.reasons.items())

        assert reasons(*verdicts) == reasons(0, 0)

    def test_while_all_labels_are_half_done_there_are_none(self) -> None:
        features, known = build(texts(), OURS.words), labels({40: 1, 41: 0, 52: 0, 63: 0})
        result = rank(features, labels=known, pool=np.arange(N), recipe=OURS, seed=1, explained=N)
        assert result.kind == "model"
        assert not result.reasons

    def test_the_only_include_cannot_be_recognised_by_its_score(self) -> None:
        features, known = build(texts(), OURS.words), labels({40: 1, 41: 0, 52: 0, 63: 0})
        result = rank(features, labels=known, pool=np.arange(N), recipe=OURS, seed=1)
        assert np.all(np.diff(result.scores) < 0), "no tie with a neighbour"

    def test_before_there_is_a_model_there_are_none(self) -> None:
        result = ranked(build(texts(), OURS.words), {}, OURS)
        assert not result.terms
        assert not result.reasons


@pytest.mark.skipif(not word_vectors.is_installed(), reason="no word vectors on this platform")
class TestWordVectors:
    def test_other_words_of_the_same_meaning_are_near(self) -> None:
        vectors = word_vectors.build(
            [
                ("Myocardial infarction", "coronary thrombosis"),
                ("Heart attack", "cardiac arrest"),
                ("Software testing", "unit tests of code"),
                ("Garden plants", "watering flowers"),
            ]
        )
        likeness = vectors @ vectors.T
        assert likeness[0, 1] > max(likeness[0, 2], likeness[0, 3])

    def test_lengths_are_one_and_nothing_is_zero(self) -> None:
        vectors = word_vectors.build([*texts(20), ("", ""), ("  ", "\n")])
        lengths = np.linalg.norm(vectors, axis=1)
        np.testing.assert_allclose(lengths[:20], 1, rtol=1e-5)
        assert lengths[20:].tolist() == [0, 0]
        assert vectors.dtype == np.float32

    @pytest.mark.parametrize("n", [0, 1])
    def test_hardly_any_record_is_no_trouble(self, n: int) -> None:
        assert word_vectors.build(texts(n)).shape == (n, 256)


class _Backwards:
    name, words, sentences = "backwards-1", U4.words, None

    def to_json(self) -> dict[str, object]:
        return {"name": self.name}

    def fit(self, features: Features, **_: object) -> Fitted:
        return Fitted(-np.arange(features.similarity.size, dtype=np.float64)[::-1], None)


BACKWARDS = _Backwards()


class TestPlugins:
    @pytest.fixture(autouse=True)
    def installed(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        points = {
            name: EntryPoint(name, value, recipes.GROUP)
            for name, value in {
                "backwards-1": f"{__name__}:BACKWARDS",
                "gone-1": "no_such_package:ranker",
                "wrong-1": f"{__name__}:N",
                "elas-u4": f"{__name__}:BACKWARDS",
            }.items()
        }
        monkeypatch.setattr(recipes, "_plugins", lambda: points)
        recipes._load_plugin.cache_clear()
        yield
        recipes._load_plugin.cache_clear()

    def test_one_is_found_by_name_and_ranks(self) -> None:
        features = build(texts(), U4.words)
        pool = np.arange(1, 9)
        result = rank(features, labels=labels({0: 1}), pool=pool, explained=3, seed=1,
                      recipe=recipe("backwards-1"))  # fmt: skip
        assert result.order.tolist() == [8, 7, 6, 5, 4, 3, 2, 1]
        assert not result.reasons

    def test_one_that_does_not_load_says_which(self) -> None:
        with pytest.raises(BrokenPlugin, match=r"gone-1.*no_such_package"):
            recipe("gone-1")

    def test_one_that_is_something_else_is_refused(self) -> None:
        with pytest.raises(BrokenPlugin, match="wrong-1"):
            recipe("wrong-1")

    def test_ours_cannot_be_replaced(self) -> None:
        assert recipe("elas-u4") is U4

    @pytest.mark.parametrize("scores", [np.full(N, np.nan), np.zeros(3)], ids=["nan", "few"])
    def test_scores_that_order_nothing_are_refused(
        self, scores: NDArray[np.float64], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(_Backwards, "fit", lambda *_, **__: Fitted(scores, None))
        with pytest.raises(BrokenPlugin, match="backwards-1"):
            rank(build(texts(), U4.words), labels=labels({0: 1}), pool=np.arange(1, 9), seed=1,
                 recipe=recipe("backwards-1"))  # fmt: skip

    def test_for_an_unknown_name_the_error_lists_all(self) -> None:
        with pytest.raises(UnknownModel, match=r"backwards-1.*tandem-1"):
            recipe("elas-u5")
