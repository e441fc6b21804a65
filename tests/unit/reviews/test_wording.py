"""What a change of criteria changed, in words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.reviews.wording import Criteria, change, distinct, key, telling


def test_nothing_but_letter_case_spaces_and_a_final_stop_is_no_change() -> None:
    before = Criteria(["Peer workers"], ["Not about health."])

    assert not change(before, Criteria(["peer  WORKERS"], ["Not about health"]))
    assert change(before, Criteria(["Peer workers!"], ["Not about health"]))


@pytest.mark.parametrize(
    ("before", "after", "gone", "words"),
    [
        # Added: all of its words; removed: the same, and those who cited it are named.
        ([], ["Adults in hospital"], set(), {"adults", "hospital"}),
        (["Adults in hospital"], [], {"adults in hospital"}, {"adults", "hospital"}),
        # Reworded: what came and what went, not what both have.
        (
            ["Studies of adults in hospital"],
            ["Studies of adults in prisons"],
            {"studies of adults in hospital"},
            {"hospital", "prisons"},
        ),
        # Another one of the list stays out of it.
        (["Adults", "Trials"], ["Adults", "Cohorts"], {"trials"}, {"trials", "cohorts"}),
        # Singular and plural are one word.
        (["A nurse"], ["Nurses or midwives"], {"a nurse"}, {"midwives"}),
        # Only small words changed: the others must tell.
        (["With diabetes"], ["Without diabetes"], {"with diabetes"}, {"diabetes"}),
        (["Only studies"], ["All studies"], {"only studies"}, set()),
    ],
)
def test_by_hand(before: list[str], after: list[str], gone: set[str], words: set[str]) -> None:
    for made in (
        change(Criteria(before, []), Criteria(after, [])),
        change(Criteria([], before), Criteria([], after)),
    ):
        assert set(made.gone) == gone
        assert set(made.words.values()) == words


def test_a_criterion_that_changes_sides_is_a_change() -> None:
    made = change(Criteria(["Reviews of trials"], []), Criteria([], ["Reviews of trials"]))

    assert made.gone == {"reviews of trials"}
    assert set(made.words.values()) == {"reviews", "trials"}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("A STUDY of nurses' diaries", ("diary", "nurse")),
        ("Nursery, not a nurse.", ("nurse",)),
        ("Nursery diarist", ()),
        ("", ()),
    ],
)
def test_words_are_found_whole_in_singular_and_plural(text: str, found: tuple[str, ...]) -> None:
    made = change(Criteria([], []), Criteria(["Diary of a nurse"], []))

    assert made.words_in(text) == found


def test_small_words_do_not_count() -> None:
    assert telling("The study must not include any of these") == {}
    assert telling("Ages 18-65, in the UK") == {"age": "ages"}


@given(st.lists(st.text(max_size=8), max_size=5))
def test_distinct_keeps_one_of_each_as_first_written(texts: list[str]) -> None:
    kept = distinct(texts)

    assert [key(text) for text in kept] == list(dict.fromkeys(map(key, texts)))
    assert set(kept) <= set(texts)


LISTS = st.lists(st.sampled_from(["Adults", "In hospital", "No trials", "adults"]), max_size=3)
CRITERIA = st.builds(Criteria, LISTS, LISTS)


@given(CRITERIA, CRITERIA)
def test_back_and_forth_touch_the_same_words(one: Criteria, other: Criteria) -> None:
    assert set(change(one, other).words) == set(change(other, one).words)
    assert not change(one, one)
