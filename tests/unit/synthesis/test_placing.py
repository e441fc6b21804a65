"""Where the words of a passage are found again, and that nothing is guessed."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from effort import examples
from tandem.synthesis.placing import PassageState, place

OURS = (
    "Peers said \U0001f9e0 they had been there.\nPeers said it helped.\nThey had been there, too."
)
KEPT, MOVED, LOST = PassageState.KEPT, PassageState.MOVED, PassageState.LOST


def test_what_is_where_the_project_says_is_kept() -> None:
    found = place(13, 32, "they had been there", OURS, OURS)
    assert (found.state, found.quote) == (KEPT, "they had been there")


def test_without_the_text_of_the_project_its_positions_are_of_ours() -> None:
    found = place(13, 32, "", None, OURS)
    assert (found.state, found.start, found.quote) == (KEPT, 13, "they had been there")


def test_the_nearest_of_several_places_counts() -> None:
    theirs = f"An added line.\n{OURS}"
    at = theirs.index("Peers said it")
    found = place(at, at + 10, "", theirs, OURS)
    assert (found.state, found.start) == (MOVED, OURS.index("Peers said it"))


def test_blanks_may_be_others() -> None:
    theirs = OURS.replace("\n", " \r\n")
    at = theirs.index("there.")
    found = place(at, at + 14, "", theirs, OURS)
    assert (found.state, found.quote) == (MOVED, "there.\nPeers")


def test_positions_that_count_utf_16_are_recognised_by_the_words() -> None:
    # Behind a character of two units each position is one too large.
    found = place(14, 33, "they had been there", OURS, OURS)
    assert (found.state, found.start, found.quote) == (MOVED, 13, "they had been there")


def test_a_label_of_the_users_own_moves_nothing() -> None:
    found = place(13, 32, "Peers said it helped.", OURS, OURS)
    assert (found.state, found.start) == (KEPT, 13)


def test_a_tool_may_write_crlf_and_count_lf() -> None:
    theirs = OURS.replace("\n", "\r\n")
    at = OURS.index("too.")
    found = place(at, at + 3, "too", theirs, OURS)
    assert (found.state, found.start, found.quote) == (KEPT, at, "too")


@pytest.mark.parametrize(
    ("start", "end", "label", "theirs"),
    [
        (0, 9, "", "Something else"),
        (3, 3, "", OURS),
        (30, 20, "", OURS),
        (900, 910, "", OURS),
        (900, 910, "nowhere to be found", None),
        (len(OURS) - 4, 10**12, "too.", OURS),
        (len(OURS) - 4, 10**12, "too.", None),
        (0, 3, "", "\n \nnothing"),
    ],
)
def test_what_is_not_there_is_lost(start: int, end: int, label: str, theirs: str | None) -> None:
    found = place(start, end, label, theirs, OURS)
    assert (found.state, found.start, found.end) == (LOST, None, None)


WORDS = st.text(st.sampled_from("ab \n\U0001d4ab\u00e9."), min_size=1, max_size=60)


@settings(max_examples=examples(300))
@given(WORDS, st.data())
def test_a_quote_is_always_what_stands_at_its_place(ours: str, data: st.DataObject) -> None:
    theirs = data.draw(st.one_of(st.none(), st.just(ours), WORDS))
    start, end = data.draw(st.integers(0, 70)), data.draw(st.integers(0, 70))
    found = place(start, end, data.draw(WORDS), theirs, ours)
    if found.state is not LOST:
        assert ours[found.start : found.end] == found.quote
        assert (found.end or 0) - (found.start or 0) == len(found.quote)
        assert found.quote.strip()
    if theirs in (None, ours) and ours[start:end].strip() and start < end <= len(ours):
        assert found.state is not LOST or theirs is None
