"""Sentence and word vectors beside the words."""

from dataclasses import replace

import numpy as np
import pytest

from tandem.ranking import word_vectors
from tandem.ranking.estimator import familiarity
from tandem.ranking.features import Features, build
from tandem.ranking.parameters import EnsembleMember
from tandem.ranking.recipes import BrokenPlugin
from unit.ranking.small_review import COMMON, KNOWN, OURS, U4, N, fit, loss_of, ranked, texts


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

    @pytest.mark.parametrize(
        ("spoken_for", "weight"), [(0.6, 4.0), (0.5, 4.0), (0.4, 6.0), (0.3, 8.0), (0.1, 8.0)]
    )
    def test_they_count_more_in_a_review_unlike_those_of_the_prior_model(
        self, spoken_for: float, weight: float
    ) -> None:
        usual = np.where(np.arange(N) < spoken_for * N, 1.0, -1.0)
        features = replace(self.features(), prior_model=usual)
        assert self.HOW.sentences is not None
        changing = replace(self.HOW.sentences, unfamiliar_weight=8.0)
        constant = replace(self.HOW.sentences, weight=weight)
        np.testing.assert_allclose(
            fit(replace(self.HOW, sentences=changing), features).scores,
            fit(replace(self.HOW, sentences=constant), features).scores,
        )

    @pytest.mark.parametrize("n_known", [0, 29])
    def test_too_few_records_do_not_tell_what_a_review_is_like(self, n_known: int) -> None:
        usual = np.where(np.arange(N) < n_known, -1.0, 0.0)
        assert familiarity(usual) == familiarity(None) == 1.0
        assert familiarity(usual - 1) == 0.0

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
