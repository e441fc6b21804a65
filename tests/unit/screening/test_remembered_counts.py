"""A number is counted once for each end of a review's log."""

from collections.abc import Collection

import pytest

from tandem.ids import ReviewId, new_id
from tandem.screening.queue import remembered
from tandem.screening.queue.remembered import RememberedCounts

ONE, OTHER = ReviewId(new_id()), ReviewId(new_id())


def test_only_what_has_changed_is_counted_again() -> None:
    counts, asked = RememberedCounts(), list[Collection[ReviewId]]()

    def count(ids: Collection[ReviewId]) -> dict[ReviewId, int]:
        asked.append(ids)
        return {ONE: len(asked)} if ONE in ids else {}

    assert counts.of({ONE: "one 1", OTHER: "other 1"}, count) == {ONE: 1, OTHER: 0}
    assert counts.of({ONE: "one 1", OTHER: "other 2"}, count) == {ONE: 1, OTHER: 0}
    assert counts.of({ONE: "one 2", OTHER: "other 2"}, count) == {ONE: 3, OTHER: 0}
    assert counts.of({ONE: "one 2"}, count) == {ONE: 3}
    assert asked == [[ONE, OTHER], [OTHER], [ONE]]


def test_what_was_not_asked_for_the_longest_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembered, "_MOST", 2)
    counts = RememberedCounts()
    for key in ("a", "b", "a", "c"):
        counts.of({ONE: key}, lambda ids: {ONE: 1})

    assert counts.of({ONE: "a"}, lambda ids: {ONE: 2}) == {ONE: 1}
    assert counts.of({ONE: "b"}, lambda ids: {ONE: 2}) == {ONE: 2}
