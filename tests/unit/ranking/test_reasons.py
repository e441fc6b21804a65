"""The terms that say why a record stands where it does."""

import numpy as np
import pytest

from tandem.ranking.features import build
from tandem.ranking.ranker import rank
from unit.ranking.small_review import KNOWN, OTHER, OURS, TOPIC, N, labels, ranked, texts


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
