"""Progress of long work: reported where it is done, passed on a few times a second."""

import pytest

from tandem import progress
from tandem.progress import Percent, counted, stretch


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    moment = [100.0]
    monkeypatch.setattr("tandem.progress.time.monotonic", lambda: moment[0])
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
    passed_on: list[int] = []
    percent = Percent(passed_on.append)
    for step in range(1001):  # ten seconds
        percent(step / 2000)
        clock[0] += 0.01

    assert passed_on == sorted(set(passed_on))
    assert 15 <= len(passed_on) <= 10 / progress.EVERY_SECONDS + 1


def test_quick_work_passes_nothing_on(clock: list[float]) -> None:
    passed_on: list[int] = []
    percent = Percent(passed_on.append, after=1.0)

    for share in (0.0, 0.5, 1.0):
        percent(share)

    assert passed_on == []
    clock[0] += 1
    percent(1.0)
    assert passed_on == [100]


def test_the_end_is_passed_on_at_once_after_earlier_progress(clock: list[float]) -> None:
    passed_on: list[int] = []
    percent = Percent(passed_on.append)

    for share in (0.3, 0.9, 1.0, 1.0):
        percent(share)

    assert passed_on == [30, 100]
