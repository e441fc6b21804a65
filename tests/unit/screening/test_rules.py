from collections.abc import Iterator, Sequence
from itertools import chain, combinations_with_replacement, permutations, product
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.reviews.policy import Policy, changed
from tandem.screening.rules import (
    ConflictKind,
    Outcome,
    Status,
    Verdict,
    Vote,
    outcome,
    training_label,
)

VOTES = {
    "i": Vote(Verdict.INCLUDE),
    "m": Vote(Verdict.MAYBE),
    "x": Vote(Verdict.EXCLUDE, ("wrong population",)),
    "y": Vote(Verdict.EXCLUDE, ("wrong design", "wrong population")),
}

MEANS = {
    "in": Outcome(Status.INCLUDED),
    "out": Outcome(Status.EXCLUDED),
    "verdict": Outcome(Status.CONFLICT, ConflictKind.VERDICT),
    "maybe": Outcome(Status.CONFLICT, ConflictKind.MAYBE),
    "reason": Outcome(Status.CONFLICT, ConflictKind.REASON),
}

# What a full number of votes amounts to, where an include does not settle a record alone.
#        maybe counts as include       maybe is a conflict
#  votes any reason    same reason     any reason   same reason
COMPLETE = """
   i     in            in              in           in
   m     in            in              maybe        maybe
   x     out           out             out          out
   y     out           out             out          out
   ii    in            in              in           in
   im    in            in              maybe        maybe
   ix    verdict       verdict         verdict      verdict
   iy    verdict       verdict         verdict      verdict
   mm    in            in              maybe        maybe
   mx    verdict       verdict         maybe        maybe
   my    verdict       verdict         maybe        maybe
   xx    out           out             out          out
   xy    out           reason          out          reason
   yy    out           out             out          out
   iii   in            in              in           in
   iim   in            in              maybe        maybe
   iix   verdict       verdict         verdict      verdict
   iiy   verdict       verdict         verdict      verdict
   imm   in            in              maybe        maybe
   imx   verdict       verdict         maybe        maybe
   imy   verdict       verdict         maybe        maybe
   ixx   verdict       verdict         verdict      verdict
   ixy   verdict       verdict         verdict      verdict
   iyy   verdict       verdict         verdict      verdict
   mmm   in            in              maybe        maybe
   mmx   verdict       verdict         maybe        maybe
   mmy   verdict       verdict         maybe        maybe
   mxx   verdict       verdict         maybe        maybe
   mxy   verdict       verdict         maybe        maybe
   myy   verdict       verdict         maybe        maybe
   xxx   out           out             out          out
   xxy   out           reason          out          reason
   xyy   out           reason          out          reason
   yyy   out           out             out          out
"""
# The same where the larger number settles a difference. Of one or two votes none is outvoted.
BY_MAJORITY = """
   iim   in            in              in           in
   iix   in            in              in           in
   iiy   in            in              in           in
   imm   in            in              maybe        maybe
   imx   in            in              maybe        maybe
   imy   in            in              maybe        maybe
   ixx   out           out             out          out
   ixy   out           reason          out          reason
   iyy   out           out             out          out
   mmx   in            in              maybe        maybe
   mmy   in            in              maybe        maybe
   mxx   out           out             out          out
   mxy   out           reason          out          reason
   myy   out           out             out          out
   xxy   out           reason          out          reason
   iixx  verdict       verdict         verdict      verdict
   iixxm in            in              maybe        maybe
   iixxx out           out             out          out
   iimm  in            in              maybe        maybe
   iiimx in            in              in           in
"""
ROWS = [line.split() for line in COMPLETE.strip().splitlines()]
MAJORITY_ROWS = [line.split() for line in BY_MAJORITY.strip().splitlines()]
COLUMNS = tuple(product(("as_include", "conflict"), (False, True)))

# What a ranking learns where one reviewer decides, and where several do; then where the larger
# number settles, if that makes a difference. Reasons and what a `maybe` counts as do not matter.
#  votes alone  several  by majority
LABELS = """
   i     1      .76
   m     .5     .5
   x     0      0
   ii    1      1
   im    1      .76
   ix    .3     .3
   mm    .5     .5
   mx    .3     .3
   xx    0      0
   xy    0      0
   iii   1      1
   iim   1      1
   iix   .3     .3       1
   imm   1      .76
   imx   .3     .3
   ixx   .3     .3       0
   mmm   .5     .5
   mmx   .3     .3
   mxx   .3     .3       0
   xxx   0      0
   iixx  .3     .3
   iiimx .3     .3       1
   iimmx .3     .3
"""

votes = st.lists(
    st.builds(
        Vote,
        st.sampled_from(Verdict),
        st.lists(st.sampled_from(["wrong population", "wrong design"]), max_size=2).map(tuple),
    ),
    max_size=5,
)


def cast(letters: str) -> list[Vote]:
    return [VOTES[letter] for letter in letters]


def every_policy(**fixed: object) -> Iterator[Policy]:
    fields = Policy.model_fields.items()
    values = [
        (fixed[name],) if name in fixed else get_args(field.annotation) or (False, True)
        for name, field in fields
    ]
    for chosen in product(*values):
        yield Policy(**dict(zip(Policy.model_fields, chosen, strict=True)))


def judging_policies(**fixed: object) -> Iterator[Policy]:
    """Every policy that differs in what an outcome may depend on."""
    elsewhere = {
        "blind": True,
        "resolution": "adjudicator",
        "voter_may_adjudicate": False,
        "adjudicator_sees": "all",
        "ranking_learns_from": "all",
    }
    return every_policy(**{**elsewhere, **fixed})


policies = st.sampled_from(list(every_policy()))


def test_the_table_lists_every_combination_of_up_to_three_votes() -> None:
    all_of_them = chain.from_iterable(
        combinations_with_replacement("imxy", size) for size in (1, 2, 3)
    )
    assert sorted(row[0] for row in ROWS) == sorted("".join(votes) for votes in all_of_them)


@pytest.mark.parametrize(("letters", "expected"), [(row[0], row[1:]) for row in ROWS])
@pytest.mark.parametrize("quota", [1, 2, 3])
def test_the_outcome_is_the_one_in_the_table(
    quota: int, letters: str, expected: Sequence[str]
) -> None:
    for (maybe, reasons_must_match), meaning in zip(COLUMNS, expected, strict=True):
        policy = Policy.model_validate(
            {
                "reviewers_per_record": quota,
                "maybe": maybe,
                "reasons_must_match": reasons_must_match,
            }
        )
        due = MEANS[meaning] if len(letters) >= quota else Outcome(Status.AWAITING)
        for order in permutations(cast(letters)):
            assert outcome(policy, order) == due, policy


@pytest.mark.parametrize(("letters", "expected"), [(row[0], row[1:]) for row in MAJORITY_ROWS])
@pytest.mark.parametrize("quota", [1, 2, 3])
def test_where_the_larger_number_settles_it_is_the_one_in_that_table(
    quota: int, letters: str, expected: Sequence[str]
) -> None:
    for (maybe, reasons_must_match), meaning in zip(COLUMNS, expected, strict=True):
        policy = Policy.model_validate(
            {
                "reviewers_per_record": quota,
                "maybe": maybe,
                "reasons_must_match": reasons_must_match,
                "resolution": "majority",
            }
        )
        for order in permutations(cast(letters)):
            assert outcome(policy, order) == MEANS[meaning], policy


@pytest.mark.parametrize("letters", [row[0] for row in ROWS if len(row[0]) < 3])
def test_of_two_nobody_is_outvoted(letters: str) -> None:
    for policy in judging_policies(resolution="majority"):
        plain = policy.model_copy(update={"resolution": "adjudicator"})
        assert outcome(policy, cast(letters)) == outcome(plain, cast(letters)), policy


@given(st.data())
def test_a_majority_settles_only_what_differs(data: st.DataObject) -> None:
    policy = data.draw(policies).model_copy(update={"resolution": "majority"})
    cast_votes = data.draw(votes)
    plain = policy.model_copy(update={"resolution": "adjudicator"})
    judged, otherwise = outcome(policy, cast_votes), outcome(plain, cast_votes)

    if otherwise.conflict is None:
        assert judged == otherwise
    assert judged.status is not Status.AWAITING or otherwise.status is Status.AWAITING


@pytest.mark.parametrize("letters", [row[0] for row in ROWS if "i" in row[0]])
def test_one_include_settles_a_record_where_the_policy_says_so(letters: str) -> None:
    for policy in judging_policies(single_include_advances=True):
        assert outcome(policy, cast(letters)) == Outcome(Status.INCLUDED), policy


@pytest.mark.parametrize("letters", [row[0] for row in ROWS if "m" in row[0] and "i" not in row[0]])
def test_one_maybe_settles_a_record_only_where_it_counts_as_include(letters: str) -> None:
    for policy in judging_policies(single_include_advances=True, maybe="as_include"):
        assert outcome(policy, cast(letters)) == Outcome(Status.INCLUDED), policy
    for policy in judging_policies(single_include_advances=True, maybe="conflict"):
        careful = policy.model_copy(update={"single_include_advances": False})
        assert outcome(policy, cast(letters)) == outcome(careful, cast(letters)), policy


@pytest.mark.parametrize("letters", ["", "x", "y", "xx", "xy", "yy", "xxx", "xxy", "xyy", "yyy"])
def test_where_nobody_includes_single_include_changes_nothing(letters: str) -> None:
    for policy in judging_policies(single_include_advances=True):
        careful = policy.model_copy(update={"single_include_advances": False})
        assert outcome(policy, cast(letters)) == outcome(careful, cast(letters)), policy


@pytest.mark.parametrize("letters", ["", *(row[0] for row in ROWS)])
def test_a_resolution_wins_over_any_votes(letters: str) -> None:
    for policy in judging_policies():
        assert outcome(policy, cast(letters), Verdict.INCLUDE) == Outcome(Status.INCLUDED)
        assert outcome(policy, cast(letters), Verdict.EXCLUDE) == Outcome(Status.EXCLUDED)


def test_without_votes_a_record_is_unscreened() -> None:
    assert {outcome(policy, []) for policy in every_policy()} == {Outcome(Status.UNSCREENED)}


def test_a_late_vote_counts_like_the_others() -> None:
    policy = Policy(reviewers_per_record=2)

    assert outcome(policy, cast("ii")) == Outcome(Status.INCLUDED)
    assert outcome(policy, cast("iix")) == Outcome(Status.CONFLICT, ConflictKind.VERDICT)


def test_only_the_first_reason_is_compared() -> None:
    policy = Policy(reasons_must_match=True)
    first = Vote(Verdict.EXCLUDE, ("wrong design", "no abstract"))
    same_first = Vote(Verdict.EXCLUDE, ("wrong design",))
    none_given = Vote(Verdict.EXCLUDE)

    assert outcome(policy, [first, same_first]) == Outcome(Status.EXCLUDED)
    assert outcome(policy, [first, none_given]).conflict is ConflictKind.REASON


def test_reasons_of_an_include_never_differ() -> None:
    policy = Policy(reasons_must_match=True)
    remarks = [Vote(Verdict.INCLUDE, ("good",)), Vote(Verdict.INCLUDE, ("very good",))]

    assert outcome(policy, remarks) == Outcome(Status.INCLUDED)


@given(policies, votes, st.none() | st.sampled_from([Verdict.INCLUDE, Verdict.EXCLUDE]), st.data())
def test_the_order_of_votes_is_irrelevant(
    policy: Policy, given_votes: list[Vote], resolution: Verdict | None, data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(given_votes))

    assert outcome(policy, shuffled, resolution) == outcome(policy, given_votes, resolution)
    assert training_label(policy, shuffled, resolution) == training_label(
        policy, given_votes, resolution
    )


@given(policies, votes, st.sampled_from([Verdict.INCLUDE, Verdict.EXCLUDE]))
def test_a_resolution_always_wins(
    policy: Policy, given_votes: list[Vote], resolution: Verdict
) -> None:
    included = resolution is Verdict.INCLUDE

    assert outcome(policy, given_votes, resolution).status == (
        Status.INCLUDED if included else Status.EXCLUDED
    )
    label = training_label(policy, given_votes, resolution)
    assert label == (int(included) if teaches(policy, given_votes) else None)


@given(policies.filter(lambda policy: not policy.single_include_advances), votes)
def test_fewer_votes_than_the_quota_never_settle_a_record(
    policy: Policy, given_votes: list[Vote]
) -> None:
    few = given_votes[: policy.reviewers_per_record - 1]

    assert outcome(policy, few).status in (Status.UNSCREENED, Status.AWAITING)


@given(policies, votes)
def test_a_conflict_has_a_kind_and_nothing_else_has(
    policy: Policy, given_votes: list[Vote]
) -> None:
    judged = outcome(policy, given_votes)

    assert (judged.status is Status.CONFLICT) == (judged.conflict is not None)


@pytest.mark.parametrize("row", LABELS.strip().splitlines())
def test_the_training_label_is_the_one_in_the_table(row: str) -> None:
    letters, alone, several, *by_majority = row.split()
    for policy in every_policy():
        due = alone if policy.reviewers_per_record == 1 else several
        if by_majority and policy.resolution == "majority":
            (due,) = by_majority
        label = training_label(policy, cast(letters), None)
        assert label == (float(due) if teaches(policy, cast(letters)) else None), policy


def teaches(policy: Policy, given_votes: Sequence[Vote]) -> bool:
    """Return whether the ranking learns from a record with these votes."""
    is_full = len(given_votes) >= policy.reviewers_per_record
    return is_full or policy.ranking_learns_from == "all"


@given(policies, votes, votes)
def test_no_hidden_vote_can_be_read_off_a_label_where_the_ranking_learns_from_settled(
    policy: Policy, some: list[Vote], others: list[Vote]
) -> None:
    settled = changed(policy, {"ranking_learns_from": "settled"})
    most = settled.reviewers_per_record - 1

    assert training_label(settled, some[:most], None) is None
    assert training_label(settled, others[:most], Verdict.INCLUDE) is None


def test_a_reason_in_another_spelling_is_the_same_reason() -> None:
    strict = Policy(reviewers_per_record=2, reasons_must_match=True)
    said = [("Wrong population", "no study"), ("wrong  population.",), ("WRONG POPULATION",)]
    alike = [Vote(Verdict.EXCLUDE, reasons) for reasons in said]

    assert outcome(strict, alike) == MEANS["out"]
    assert outcome(strict, [*alike, Vote(Verdict.EXCLUDE)]) == MEANS["reason"]
    assert outcome(strict, [*alike, Vote(Verdict.EXCLUDE, ("population",))]) == MEANS["reason"]


def test_nothing_is_learnt_where_nobody_has_decided() -> None:
    assert {training_label(policy, [], None) for policy in every_policy()} == {None}


@given(policies, votes.filter(bool), st.data())
def test_a_kinder_vote_never_makes_a_record_less_probable(
    policy: Policy, given_votes: list[Vote], data: st.DataObject
) -> None:
    kinder = {Verdict.EXCLUDE: Verdict.MAYBE}
    which = data.draw(st.integers(0, len(given_votes) - 1))
    kind_votes = [*given_votes]
    kind_votes[which] = Vote(kinder.get(given_votes[which].verdict, Verdict.INCLUDE))

    at_once = policy.model_copy(update={"ranking_learns_from": "all"})
    before, after = (training_label(at_once, some, None) for some in (given_votes, kind_votes))

    assert before is not None
    assert after is not None
    assert 0 <= before <= after <= 1
