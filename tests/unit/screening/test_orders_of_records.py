import numpy as np

from tandem.ids import RankingId, RecordNumber, new_id
from tandem.screening.queue.order import NO_ORDER, Order


def numbers(*some: int) -> list[RecordNumber]:
    return [RecordNumber(number) for number in some]


RANKED = Order(
    RankingId(new_id()),
    np.array([7, 3, 9, 1], np.int32),
    np.array([0.9, 0.5, 0.5, -1.0], np.float32),
)


def test_the_best_has_rank_1_and_what_is_not_ranked_has_none() -> None:
    assert [RANKED.rank_of(number) for number in numbers(7, 3, 9, 1, 2)] == [1, 2, 3, 4, None]
    assert NO_ORDER.rank_of(RecordNumber(7)) is None


def test_some_of_it_keep_ranks_scores_and_their_order() -> None:
    some = RANKED.among(numbers(1, 3, 8))
    assert some.numbers.tolist() == [3, 1]
    assert some.scores.tolist() == [0.5, -1.0]
    assert [some.rank_at(place) for place in range(2)] == [2, 4]
    assert [some.rank_of(number) for number in numbers(3, 1, 7)] == [2, 4, None]
    assert some.ranking_id == RANKED.ranking_id


def test_none_of_it_is_empty() -> None:
    assert RANKED.among(()).numbers.size == 0
    assert NO_ORDER.among(numbers(1)).numbers.size == 0
