"""What reviews usually include counts from the start, and only for those recipes that ask."""

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tandem.ranking import prior_model
from tandem.ranking.features import Features, build, feature_key, load, save
from tandem.ranking.learning import Labels
from tandem.ranking.presets import Preset
from tandem.ranking.ranker import rank
from tandem.ranking.recipes import DEFAULT_MODEL, PRESETS

OURS, BEFORE = PRESETS["tandem-2"], PRESETS["tandem-1"]
NEWEST = PRESETS[DEFAULT_MODEL]

TRIAL = (
    "Statins after stroke",
    "Patients were randomized to groups; adverse events were significantly fewer than with placebo "
    "at 12 months.",
)
ESSAY = (
    "Statins after stroke",
    "The role of such management in this system has been reviewed; new use may be based on these.",
)
FAR = [("Yoga for back pain", f"Stretching and posture, lesson {row}.") for row in range(40)]
TEXTS = [("Statins after stroke", "Statins."), TRIAL, ESSAY, *FAR]


def place(texts: list[tuple[str, str]], row: int, known: dict[int, float]) -> int:
    pool = np.array([one for one in range(len(texts)) if one not in known])
    values = Labels(np.array([*known]), np.array([*known.values()]))
    found = rank(build(texts, OURS.words), labels=values, pool=pool, recipe=OURS, seed=1)
    order: list[int] = found.order.tolist()
    return order.index(row)


TABLE = prior_model.packaged("usually-included-2")


class TestTheTable:
    @pytest.mark.parametrize("name", prior_model.TABLES)
    def test_what_reports_results_is_above_what_talks_about_them(self, name: str) -> None:
        trial, essay = prior_model.build([TRIAL, ESSAY], prior_model.packaged(name))
        assert trial > 0 > essay

    @pytest.mark.parametrize("name", prior_model.TABLES)
    def test_its_words_are_such_as_records_are_cut_into(self, name: str) -> None:
        table = prior_model.packaged(name)
        assert prior_model.words_of(" ".join(table), "") == {*table}
        assert np.all(np.isfinite([*table.values()]))

    @pytest.mark.parametrize(
        ("name", "digest"),
        [*zip(prior_model.TABLES, ("7e1de3b18b79457b", "04dc2a29447bb9bb"), strict=True)],
    )
    def test_a_table_of_this_name_never_changes(self, name: str, digest: str) -> None:
        weights = prior_model.packaged(name).items()
        text = "".join(f"{word}\t{weight:.3f}\n" for word, weight in weights)
        assert hashlib.sha256(text.encode()).hexdigest().startswith(digest)

    def test_saying_it_twice_says_no_more(self) -> None:
        once, twice = prior_model.build([TRIAL, (TRIAL[0], f"{TRIAL[1]} {TRIAL[1]}")], TABLE)
        assert once == twice

    def test_a_record_of_unknown_words_has_none(self) -> None:
        assert prior_model.build(
            [("", ""), ("Обзор", "Рандомизированное исследование")], TABLE
        ).tolist() == [
            0,
            0,
        ]

    def test_a_title_alone_speaks_neither_for_a_record_nor_against_it(self) -> None:
        assert prior_model.build([(f"{TRIAL[0]} {TRIAL[1]}", " ")], TABLE).tolist() == [0]

    def test_another_table_can_be_asked(self) -> None:
        values = prior_model.build([("yes yes", "no"), ("yes", "Yes.")], {"yes": 3.0, "no": -1.0})
        assert values.tolist() == [pytest.approx(2 / np.sqrt(2)), 3.0]


class TestInTheRanking:
    def test_of_two_records_as_near_the_usual_kind_comes_first(self) -> None:
        assert place(TEXTS, 1, {0: 1, 5: 0}) < place(TEXTS, 2, {0: 1, 5: 0})

    def test_what_is_decided_outweighs_it(self) -> None:
        essays = [(f"Statins {row}", ESSAY[1]) for row in range(6)]
        trials = [(f"Yoga {row}", TRIAL[1]) for row in range(6)]
        known = {**dict.fromkeys(range(5), 1.0), **dict.fromkeys(range(6, 11), 0.0)}
        texts = [*essays, *trials, *FAR]
        assert place(texts, 5, known) < place(texts, 11, known)

    def test_it_counts_the_less_the_more_includes_there_are(self) -> None:
        texts = [(f"Statins {row}", TRIAL[1] if row % 2 else ESSAY[1]) for row in range(80)]
        features = build(texts, OURS.words)

        def difference(n_includes: int) -> float:
            """How much it lifts a trial above an essay."""
            rows = np.arange(n_includes + 1)
            known = Labels(rows, np.where(rows < n_includes, 1.0, 0.0))
            draws = np.linspace(0, 0.9, len(texts))
            scores = []
            for of in (features, replace(features, prior_model=None)):
                drawn = np.random.RandomState(1)
                fitted = OURS.fit(of, labels=known, draws=draws, random_state=drawn)
                assert fitted is not None
                scores.append(fitted.scores)
            gain = scores[0] - scores[1]
            return float(gain[79] - gain[78])

        few, many = difference(2), difference(40)
        assert few > 0
        assert many / few == pytest.approx((20 + 2) / (20 + 40), rel=0.1)

    def test_without_it_the_ranking_is_the_one_before(self) -> None:
        features = build(TEXTS, OURS.words)
        assert features.prior_model is not None
        known = Labels(np.array([0, 5]), np.array([1.0, 0.0]))
        drawn, draws = np.random.RandomState(1), np.linspace(0, 0.9, len(TEXTS))

        def scores(of: Features, how: Preset) -> NDArray[np.float64]:
            fitted = how.fit(of, labels=known, draws=draws, random_state=drawn)
            assert fitted is not None
            return fitted.scores

        plain = scores(build(TEXTS, replace(BEFORE.words, double=False)), BEFORE)
        np.testing.assert_array_equal(scores(replace(features, prior_model=None), OURS), plain)
        np.testing.assert_array_equal(scores(features, BEFORE), plain)
        assert not np.array_equal(scores(features, OURS), plain)

    def test_a_record_of_which_nothing_is_known_is_neither_lifted_nor_lowered(self) -> None:
        features = build(TEXTS, OURS.words)
        assert features.prior_model is not None
        values = features.prior_model.copy()
        values[7] = 0
        known = Labels(np.array([0, 5]), np.array([1.0, 0.0]))
        draws = np.linspace(0, 0.9, len(TEXTS))

        def score(usual: NDArray[np.float64] | None) -> float:
            of = replace(features, prior_model=usual)
            fitted = OURS.fit(of, labels=known, draws=draws, random_state=np.random.RandomState(1))
            assert fitted is not None
            return float(fitted.scores[7])

        assert score(values) == score(None)

    def test_a_few_records_of_which_something_is_known_are_no_standard(self) -> None:
        unknown = [(f"Йога {chr(row)}а", f"Спина {chr(row)}б") for row in range(1072, 1172)]
        talk = ("Йога", ESSAY[1])
        features = build([talk, ("Йога", f"{ESSAY[1]} We."), TRIAL, *unknown], OURS.words)
        known = Labels(np.array([3, 4]), np.array([1.0, 0.0]))
        draws = np.linspace(0, 0.9, 103)
        draws[2] = np.inf  # half done

        def scores(usual: NDArray[np.float64] | None) -> list[float]:
            of = replace(features, prior_model=usual)
            fitted = OURS.fit(of, labels=known, draws=draws, random_state=np.random.RandomState(1))
            assert fitted is not None
            found: list[float] = fitted.scores.tolist()
            return found

        assert features.prior_model is not None
        assert np.count_nonzero(features.prior_model) < 30
        assert scores(features.prior_model) == scores(None)

    @pytest.mark.parametrize(("wrong", "n_includes"), [(True, 5), (False, 5), (False, 1)])
    def test_where_the_first_includes_contradict_it_it_is_silent(
        self, wrong: bool, n_includes: int
    ) -> None:
        texts = [(f"Statins {row}", TRIAL[1] if row % 2 else ESSAY[1]) for row in range(80)]
        features = build(texts, NEWEST.words)
        rows = np.array([*range(0 if wrong else 1, 2 * n_includes, 2), 78])
        known = Labels(rows, np.where(rows < 78, 1.0, 0.0))
        draws = np.linspace(0, 0.9, len(texts))
        scores = []
        for of in (features, replace(features, prior_model=None)):
            fitted = NEWEST.fit(
                of, labels=known, draws=draws, random_state=np.random.RandomState(1)
            )
            assert fitted is not None
            scores.append(fitted.scores)
        assert np.array_equal(scores[0], scores[1]) == wrong

    def test_it_is_what_reviews_are_ranked_with(self) -> None:
        assert NEWEST.words.prior_model == prior_model.TABLES[-1], "a new table needs a new recipe"


class TestKept:
    def test_it_is_read_back_as_it_was_saved(self, tmp_path: Path) -> None:
        made = build(TEXTS, OURS.words)
        save(made, tmp_path / "with")
        save(build(TEXTS, BEFORE.words), tmp_path / "without")
        np.testing.assert_array_equal(load(tmp_path / "with").prior_model, made.prior_model)
        assert load(tmp_path / "without").prior_model is None

    def test_no_records_are_no_reason_to_forget_that_it_is_asked(self, tmp_path: Path) -> None:
        save(build([], OURS.words), tmp_path / "none")
        found = load(tmp_path / "none").prior_model
        assert found is not None
        assert found.shape == (0,)

    def test_features_with_it_are_others(self) -> None:
        assert feature_key(OURS.words) != feature_key(BEFORE.words)
