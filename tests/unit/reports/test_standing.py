"""Where a report stands: one standing for each combination of what is known of a record."""

from itertools import product

import pytest

from tandem.records.origin import NotScreened
from tandem.reports.rules import ReportFacts, Standing, reason, retrieval_state, standing
from tandem.reviews.policy import DEFAULT, Policy, Stage
from tandem.screening.full_text.models import RetrievalState
from tandem.screening.rules import (
    Classification,
    ConflictKind,
    Outcome,
    Status,
    Verdict,
    Vote,
    advances,
    outcome,
)

IN, OUT, GOT = Status.INCLUDED, Status.EXCLUDED, RetrievalState.RETRIEVED
ONGOING, AWAITING = Classification.ONGOING, Classification.AWAITING


@pytest.mark.parametrize(
    ("facts", "stands"),
    [
        (ReportFacts(), Standing.NOT_SOUGHT),
        (ReportFacts(OUT, GOT, IN), Standing.NOT_SOUGHT),
        (ReportFacts(Status.CONFLICT, GOT, OUT, "design"), Standing.NOT_SOUGHT),
        (ReportFacts(IN), Standing.BEING_SOUGHT),
        (ReportFacts(IN, RetrievalState.REQUESTED), Standing.BEING_SOUGHT),
        (ReportFacts(IN, RetrievalState.AWAITING_TRANSLATION, IN), Standing.BEING_SOUGHT),
        (ReportFacts(IN, RetrievalState.NOT_RETRIEVED, OUT), Standing.NOT_RETRIEVED),
        (ReportFacts(IN, GOT), Standing.TO_ASSESS),
        (ReportFacts(IN, GOT, Status.CONFLICT), Standing.TO_ASSESS),
        (ReportFacts(IN, GOT, OUT, "design"), Standing.EXCLUDED),
        (ReportFacts(IN, GOT, IN), Standing.INCLUDED),
        (ReportFacts(IN, GOT, IN, is_sampled=False), Standing.ELIGIBLE_NOT_SAMPLED),
        (ReportFacts(IN, GOT, IN, None, ONGOING), Standing.ONGOING),
        (ReportFacts(IN, GOT, IN, None, AWAITING), Standing.AWAITING_CLASSIFICATION),
        (ReportFacts(retrieval=GOT, not_screened=NotScreened.FULL_TEXT), Standing.TO_ASSESS),
        (ReportFacts(IN, GOT, IN, not_screened=NotScreened.PREVIOUS), Standing.PREVIOUS),
        (ReportFacts(IN, GOT, IN, not_screened=NotScreened.REMOVED), None),
    ],
)
def test_where_a_report_stands(facts: ReportFacts, stands: Standing | None) -> None:
    assert standing(facts) == stands


def test_a_text_that_nobody_has_spoken_of_is_sought_while_the_report_needs_it() -> None:
    for state in RetrievalState:
        assert retrieval_state(ReportFacts(IN, state)) is state
        assert retrieval_state(ReportFacts(OUT, state)) is state
    assert retrieval_state(ReportFacts(IN)) is RetrievalState.SOUGHT
    assert retrieval_state(ReportFacts(not_screened=NotScreened.FULL_TEXT)) is RetrievalState.SOUGHT
    assert retrieval_state(ReportFacts(OUT)) is None
    assert retrieval_state(ReportFacts(IN, not_screened=NotScreened.REMOVED)) is None


def test_a_report_has_a_final_reason_only_while_it_stands_as_excluded() -> None:
    every = product(Status, [None, *RetrievalState], Status)
    for first, retrieval, full_text in every:
        facts = ReportFacts(first, retrieval, full_text, "design")
        assert (reason(facts) is not None) == (standing(facts) is Standing.EXCLUDED)
        stands = standing(facts)
        assert stands is not None
        assert stands.is_assessed == (first is IN and retrieval is GOT)


def vote(verdict: str, classification: Classification | None = None) -> Vote:
    return Vote(Verdict(verdict), classification=classification)


def test_includes_with_different_classifications_are_a_conflict() -> None:
    policy = DEFAULT[Stage.FULL_TEXT]
    differ = Outcome(Status.CONFLICT, ConflictKind.CLASSIFICATION)

    assert outcome(policy, [vote("include", ONGOING), vote("include")]) == differ
    assert outcome(policy, [vote("include", ONGOING), vote("include", AWAITING)]) == differ
    alike = [vote("include", ONGOING), vote("include", ONGOING)]
    assert outcome(policy, alike) == Outcome(Status.INCLUDED, classification=ONGOING)
    # The larger difference comes first.
    mixed = [vote("include", ONGOING), vote("exclude")]
    assert outcome(policy, mixed) == Outcome(Status.CONFLICT, ConflictKind.VERDICT)
    # A resolution carries one.
    settled = outcome(policy, mixed, Verdict.INCLUDE, AWAITING)
    assert settled == Outcome(Status.INCLUDED, classification=AWAITING)
    assert outcome(policy, alike, Verdict.INCLUDE) == Outcome(Status.INCLUDED)


def test_only_those_who_include_classify() -> None:
    majority = Policy(reviewers_per_record=3, resolution="majority")
    votes = [vote("include", ONGOING), vote("include", ONGOING), vote("exclude")]
    assert outcome(majority, votes) == Outcome(Status.INCLUDED, classification=ONGOING)

    single = Policy(single_include_advances=True)
    one = [vote("exclude"), vote("include", AWAITING)]
    assert outcome(single, one) == Outcome(Status.INCLUDED, classification=AWAITING)
    two = [vote("include"), vote("include", AWAITING)]
    assert outcome(single, two).conflict is ConflictKind.CLASSIFICATION
    # A maybe that counts as an include is one, its classification too.
    lenient = Policy(maybe="as_include")
    both = [vote("maybe", ONGOING), vote("include", ONGOING)]
    assert outcome(lenient, both) == Outcome(Status.INCLUDED, classification=ONGOING)


def test_a_record_goes_on_to_full_text_with_its_last_decision() -> None:
    assert advances(Policy(), IN, 2)
    assert not advances(Policy(), IN, 1), "a resolution stands, and one of the votes is gone"
    assert not advances(Policy(), OUT, 2)
    assert advances(Policy(blind=False), IN, 1)
    assert advances(Policy(single_include_advances=True), IN, 1)
