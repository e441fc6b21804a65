"""The reason to report of an excluded record: one, and the same in any order of votes."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.screening.criteria.reasons import final_reason
from tandem.screening.rules import Verdict, Vote

ORDER = ("wrong population", "wrong design", "no outcome")


def exclude(*reasons: str) -> Vote:
    return Vote(Verdict.EXCLUDE, reasons)


@pytest.mark.parametrize(
    ("votes", "resolved", "final"),
    [
        ([], (), None),
        ([exclude()], (), None),
        ([exclude("no outcome")], (), "no outcome"),
        # Neither changes their vote: the first in the review's order counts, in any order of votes.
        ([exclude("no outcome"), exclude("wrong design")], (), "wrong design"),
        ([exclude("no outcome", "wrong population"), exclude("wrong design")], (), ORDER[0]),
        # Those outside of the order come after it, however many give them.
        ([exclude("dull"), exclude("dull"), exclude("no outcome")], (), "no outcome"),
        ([exclude("dull"), exclude("dull"), exclude("a poster")], (), "dull"),
        # A reason on which both begin goes before another that both have further down.
        ([exclude("dull", "a poster"), exclude("dull", "a poster")], (), "dull"),
        ([exclude("dull"), exclude("a poster")], (), "a poster"),
        # To name it twice is to give it once.
        ([exclude("dull", "Dull"), exclude("a poster")], (), "a poster"),
        # What settled the conflict goes before the votes, where it says why.
        ([exclude("wrong population")], ("no outcome", "wrong design"), "wrong design"),
        ([exclude("wrong population")], ("dull",), "dull"),
        # What an outvoted or overruled include says is no reason to exclude.
        ([Vote(Verdict.INCLUDE, ("wrong population",)), exclude("dull")], (), "dull"),
        ([Vote(Verdict.MAYBE, ("wrong population",))], (), None),
        # As the review writes it.
        ([exclude("No  Outcome.")], (), "no outcome"),
    ],
)
def test_by_hand(votes: list[Vote], resolved: tuple[str, ...], final: str | None) -> None:
    assert final_reason(ORDER, votes, resolved) == final


REASONS = st.lists(st.sampled_from([*ORDER, "dull", "a poster", "Dull", "NO OUTCOME"]), max_size=4)
VOTES = st.lists(st.builds(Vote, st.sampled_from(Verdict), REASONS.map(tuple)), max_size=4)


@given(st.permutations(ORDER), VOTES, REASONS)
def test_it_is_one_that_was_given_and_no_matter_by_whom_first(
    order: list[str], votes: list[Vote], resolved: list[str]
) -> None:
    final = final_reason(order, votes, resolved)
    excluders = [vote.reasons for vote in votes if vote.verdict is Verdict.EXCLUDE]
    sources = [tuple(resolved)] if resolved else excluders
    named = {reason.casefold() for reasons in sources for reason in reasons}

    if final is None:
        assert not named
    else:
        assert final.casefold() in named
        listed = [reason for reason in order if reason in named]
        assert not listed or final == listed[0]
    assert {final_reason(order, again, resolved) for again in permutations(votes)} == {final}
