"""How far long work is: said where it is done, passed on a few times a second."""

import pytest

from tandem import bars
from tandem.bars import Percent, counted, stretch


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    moment = [100.0]
    monkeypatch.setattr("tandem.bars.time.monotonic", lambda: moment[0])
    return moment


def test_a_stretch_of_the_way_is_counted_item_by_item() -> None:
    shares: list[float] = []

    assert [*counted("abcd", stretch(shares.append, 0.5, 1.0))] == [*"abcd"]

    assert shares == [0.625, 0.75, 0.875, 1.0]


def test_where_there_is_nothing_to_do_it_is_done() -> None:
    shares: list[float] = []

    assert [*counted("", shares.append)] == []

    assert shares == [1.0]


def test_an_item_is_done_when_the_next_is_asked_for() -> None:
    shares: list[float] = []
    items = counted("ab", shares.append)

    next(items)
    assert shares == []
    next(items)
    assert shares == [0.5]


def test_each_percentage_is_passed_on_once_and_few_in_a_second(clock: list[float]) -> None:
    told: list[int] = []
    percent = Percent(told.append)
    for step in range(1001):  # ten seconds
        percent(step / 2000)
        clock[0] += 0.01

    assert told == sorted(set(told))
    assert 15 <= len(told) <= 10 / bars.EVERY_SECONDS + 1


def test_of_quick_work_nothing_is_said(clock: list[float]) -> None:
    told: list[int] = []
    percent = Percent(told.append, after=1.0)

    for share in (0.0, 0.5, 1.0):
        percent(share)

    assert told == []
    clock[0] += 1
    percent(1.0)
    assert told == [100]


def test_the_end_of_what_was_spoken_of_is_told_however_soon(clock: list[float]) -> None:
    told: list[int] = []
    percent = Percent(told.append)

    for share in (0.3, 0.9, 1.0, 1.0):
        percent(share)

    assert told == [30, 100]
