"""What the benchmarks make of events, and how they read their data."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from dual_data import BadData, read_dual
from followers import Came
from measures import lags, quantile, spent_until
from team import Accepted
from watching import Seen, is_gap_free
from wrecking import Kill, Wait, after_each


def seen(*types_and_records: tuple[str, str]) -> list[Seen]:
    return [
        Seen(
            number,
            f"tandem.{type}",
            {"record_id": record, "by": "resolution"},
            float(number),
            str(number),
        )
        for number, (type, record) in enumerate(types_and_records, 1)
    ]


def accepted(id: str, record: str, at: float) -> Accepted:
    return Accepted(id, record, "ann", "include", 1, at)


def recorded(record: str, labels_seq: int, who: str = "ann") -> Seen:
    data = {"record_id": record, "reviewer_id": who, "labels_seq": labels_seq}
    return Seen(labels_seq, "tandem.decision.recorded", data, 1.0, str(labels_seq))


def test_a_reopened_include_has_to_be_found_again() -> None:
    events = seen(
        ("decision.recorded", "1"),
        ("record.included", "1"),
        ("decision.recorded", "1"),
        ("record.reopened", "1"),
        ("decision.recorded", "2"),
        ("record.included", "2"),
        ("conflict.resolved", "1"),
        ("record.included", "1"),
    )

    half, all_of_them = (spent_until(events, {"1", "2"}, share) for share in (0.5, 1.0))

    assert half is not None
    assert half.decisions == 1
    assert all_of_them is not None
    assert (all_of_them.decisions, all_of_them.resolutions) == (3, 1)
    assert spent_until(events, {"1", "3"}, 1.0) is None


def test_a_lag_ends_with_the_first_ranking_that_counts_the_decision() -> None:
    events = [
        recorded("1", 1, "ben"),
        recorded("1", 2),
        recorded("2", 3),
        Seen(4, "tandem.ranking.updated", {"labels_seq": 2}, 5.0, "4"),
        Seen(5, "tandem.ranking.updated", {"labels_seq": 4}, 9.0, "5"),
        recorded("1", 5),
    ]
    early, late = accepted("a", "1", 4.0), accepted("b", "2", 4.5)
    said_again, changed = accepted("a", "1", 4.75), accepted("c", "1", 5.0)
    unheard_of = accepted("d", "3", 5.0)

    waited = lags([early, late, said_again, changed, unheard_of], events)

    assert waited == {early: 1.0, late: 4.5, said_again: 0.25}


@pytest.mark.parametrize(("share", "value"), [(0.5, 2.0), (0.95, 4.0), (1.0, 4.0)])
def test_quantile_is_one_of_the_values(share: float, value: float) -> None:
    assert quantile([4.0, 1.0, 2.0, 3.0], share) == value


def test_gaps_and_repeats_show() -> None:
    first, second, third = seen(("a", "1"), ("b", "1"), ("c", "1"))

    assert is_gap_free([first, second, third])
    assert not is_gap_free([first, third])
    assert not is_gap_free([first, second, second])


def test_what_comes_again_is_counted_and_changes_no_order() -> None:
    came = Came.of([(1, 0.1), (2, 0.2), (1, 0.3), (3, 0.4)])

    assert (came.order, came.n_again) == ([1, 2, 3], 1)
    assert came.at == {1: 0.1, 2: 0.2, 3: 0.4}


def test_a_wait_belongs_to_the_last_kill_that_it_outlived() -> None:
    kills = [Kill("api", 10.0, 11.0, True), Kill("relay", 20.0, 21.0, True)]
    before, short, over_both = Wait(1.0, 9.0), Wait(9.0, 12.0), Wait(15.0, 40.0)

    found = after_each(kills, [before, short, over_both])

    assert (found["api"], found["relay"], found["worker"]) == ([5.0], [25.0], [])


def test_only_columns_filled_in_every_row_are_reviewers(tmp_path: Path) -> None:
    file = tmp_path / "some.csv"
    file.write_text(
        "record_id,title,abstract,reviewer_1,reviewer_2,reviewer_3,final_abstract\n"
        "a,T,A,maybe,include,,maybe\n"
        "b,T,A,exclude,maybe,,exclude\n"
    )

    data = read_dual(file)

    assert data.n_reviewers == 2
    assert [(row.expected, row.differs) for row in data.rows] == [
        ("included", False),
        ("excluded", True),
    ]
    assert b"maybe" not in data.as_csv()


def test_a_word_that_is_no_verdict_is_said_with_its_row(tmp_path: Path) -> None:
    file = tmp_path / "some.csv"
    file.write_text("title,abstract,reviewer_1,final\nT,A,perhaps,include\n")

    with pytest.raises(BadData, match="row 1: 'perhaps'"):
        read_dual(file)
