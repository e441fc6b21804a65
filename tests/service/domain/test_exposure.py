"""`informed`: another's verdict on the record was open to the reviewer at some time before."""

import pytest

from service.domain.tables import ledger
from tandem.db.session import Database
from tandem.ids import RecordNumber
from tandem.reviews import service as reviews
from tandem.reviews.models import Role
from tandem.screening import decisions, policies, previews
from tandem.screening.ledger.entries import DecisionInput
from tandem.screening.ledger.state import RecordKey
from tandem.screening.rules import Verdict
from tandem.screening.team import removal
from world import TA, Person, Team, World


def informed(world: World, team: Team, person: Person, number: int, verdict: str) -> bool:
    decision = world.decide(team.review_id, person, number, verdict).decision
    assert decision
    return decision.informed


def set_role(world: World, team: Team, person: Person, role: Role | None) -> None:
    with world.entered(team.review_id, team.owner) as (session, review, viewer):
        if role is None:
            removal.leave(
                session,
                review=review,
                viewer=viewer,
                user_id=person.id,
                decisions="keep",
                since=None,
            )
        else:
            reviews.set_member(session, review, user_id=person.id, role=role)


@pytest.mark.both_engines
@pytest.mark.parametrize("ben", ["include", "exclude"])
def test_what_others_settled_while_one_had_no_vote_is_open_at_full_text(
    world: World, ben: str
) -> None:
    team = world.team()
    world.decide(team.review_id, team.ann, 1, "include")
    world.withdraw(team.review_id, team.ann, 1)
    world.decide(team.review_id, team.eve, 1, "include")
    assert not informed(world, team, team.ben, 1, ben)

    assert informed(world, team, team.ann, 1, "exclude")


# Of a record with two votes of three the full-text stage tells nothing.
@pytest.mark.parametrize(
    ("sees", "asked_for", "knows"),
    [("all", 3, True), ("anonymous", 2, True), ("nothing", 3, False)],  # a conflict only of two
)
def test_who_could_read_the_votes_in_an_earlier_role_is_informed(
    world: World, sees: str, asked_for: int, knows: bool
) -> None:
    policy = {"adjudicator_sees": sees, "reviewers_per_record": asked_for}
    team = world.team(policy=policy)
    world.decide(team.review_id, team.ben, 1, "include")
    world.decide(team.review_id, team.eve, 1, "exclude")
    set_role(world, team, team.judge, Role.REVIEWER)

    assert informed(world, team, team.judge, 1, "include") == knows


@pytest.mark.both_engines
@pytest.mark.parametrize("since", ["one withdrew", "three are asked for"])
def test_who_could_see_that_a_record_was_not_at_full_text_is_informed(
    world: World, since: str
) -> None:
    team = world.team()
    world.decide(team.review_id, team.ann, 1, "exclude")
    assert not informed(world, team, team.ben, 1, "exclude")
    if since == "one withdrew":
        world.withdraw(team.review_id, team.ben, 1)
    else:
        world.change_policy(team.review_id, team.owner, reviewers_per_record=3)

    assert informed(world, team, team.eve, 1, "include")


@pytest.mark.both_engines
@pytest.mark.parametrize("asked_for", [(1, 2), (2, 1, 2)])
def test_a_policy_from_before_all_decisions_makes_nobody_informed(
    world: World, asked_for: tuple[int, ...]
) -> None:
    first, *later = asked_for
    team = world.team(policy={"reviewers_per_record": first})
    for n in later:
        world.change_policy(team.review_id, team.owner, reviewers_per_record=n)
    world.decide(team.review_id, team.ann, 1, "exclude")

    assert not informed(world, team, team.ben, 1, "exclude")
    assert informed(world, team, team.eve, 1, "exclude")


def test_records_that_had_all_decisions_together_had_them_for_those_who_looked(
    world: World,
) -> None:
    team = world.team(n_records=5)
    world.decide(team.review_id, team.ann, 1, "exclude")
    world.decide(team.review_id, team.ben, 5, "exclude")
    group = world.merge(team.review_id, team.owner, 1, 5)
    world.split(team.review_id, team.owner, group)

    assert informed(world, team, team.eve, 1, "include")


@pytest.mark.parametrize("sees", ["anonymous", "nothing"])
def test_an_adjudicator_to_whom_votes_are_hidden_knows_what_was_settled(
    world: World, sees: str
) -> None:
    team = world.team(policy={"adjudicator_sees": sees})
    world.decide(team.review_id, team.ben, 1, "include")
    world.decide(team.review_id, team.ben, 2, "include")
    world.decide(team.review_id, team.ann, 2, "include")

    assert not informed(world, team, team.judge, 1, "include")
    assert informed(world, team, team.judge, 2, "include")


def test_who_was_away_when_others_decided_has_seen_nothing(world: World) -> None:
    team = world.team()
    set_role(world, team, team.judge, None)
    world.decide(team.review_id, team.ben, 1, "include")
    set_role(world, team, team.judge, Role.REVIEWER)

    assert not informed(world, team, team.judge, 1, "include")


@pytest.mark.both_engines
def test_what_was_open_before_the_blinding_is_known(world: World) -> None:
    team = world.team(policy={"blind": False})
    world.decide(team.review_id, team.ben, 1, "include")
    world.change_policy(team.review_id, team.owner, blind=True)
    world.decide(team.review_id, team.ben, 2, "include")

    assert informed(world, team, team.ann, 1, "include")
    assert not informed(world, team, team.ann, 2, "include")


@pytest.mark.both_engines
def test_what_was_open_at_the_record_that_stood_for_it_is_known(world: World) -> None:
    team = world.team(n_records=5)
    world.decide(team.review_id, team.ann, 1, "include")
    world.decide(team.review_id, team.ben, 5, "include")
    group = world.merge(team.review_id, team.owner, 1, 5)  # there Ann sees Ben's vote
    world.split(team.review_id, team.owner, group)

    assert informed(world, team, team.ann, 5, "include")
    # Together they were at full text, as everybody could know.
    assert informed(world, team, team.eve, 5, "include")


@pytest.mark.parametrize("ben", ["include", "exclude"])
def test_votes_that_met_without_being_open_are_not_known(world: World, ben: str) -> None:
    team = world.team(n_records=5, policy={"reviewers_per_record": 3})
    world.decide(team.review_id, team.ann, 1, "include")
    world.decide(team.review_id, team.ben, 5, ben)
    group = world.merge(team.review_id, team.owner, 1, 5)
    world.split(team.review_id, team.owner, group)

    assert not informed(world, team, team.ann, 5, "include")


def test_a_verdict_on_another_record_that_it_was_linked_to_is_none_on_it(world: World) -> None:
    team = world.team(n_records=5)
    world.decide(team.review_id, team.ann, 1, "include")
    world.decide(team.review_id, team.ben, 1, "include")
    group = world.merge(team.review_id, team.owner, 1, 5)
    world.split(team.review_id, team.owner, group)
    world.decide(team.review_id, team.eve, 5, "exclude")

    assert not informed(world, team, team.ann, 5, "include")


def test_what_one_saw_of_a_record_that_is_linked_since_is_known(world: World) -> None:
    team = world.team(n_records=5)
    world.decide(team.review_id, team.ben, 5, "include")  # the judge can read it
    set_role(world, team, team.judge, Role.REVIEWER)
    world.withdraw(team.review_id, team.ben, 5)
    world.decide(team.review_id, team.eve, 1, "include")
    world.merge(team.review_id, team.owner, 1, 5)

    assert informed(world, team, team.judge, 1, "exclude")


@pytest.mark.both_engines
def test_who_was_shown_a_conflict_knows_of_the_vote_that_was_taken_back(world: World) -> None:
    team = world.team(policy={"resolution": "consensus"})
    world.decide(team.review_id, team.ann, 1, "include")
    world.decide(team.review_id, team.ben, 1, "exclude")
    world.withdraw(team.review_id, team.ben, 1)

    assert informed(world, team, team.ann, 1, "maybe")


def test_who_was_shown_a_conflict_knows_it_when_the_policy_shows_it_no_more(world: World) -> None:
    team = world.team()
    world.decide(team.review_id, team.ann, 1, "include")
    world.decide(team.review_id, team.ben, 1, "exclude")
    world.change_policy(team.review_id, team.owner, voter_may_adjudicate=True)
    world.change_policy(team.review_id, team.owner, voter_may_adjudicate=False)

    assert informed(world, team, team.ann, 1, "exclude")


@pytest.mark.both_engines
def test_who_voted_late_on_a_settled_record_has_seen_the_votes_since(world: World) -> None:
    team = world.team()
    world.decide(team.review_id, team.ann, 1, "include")
    world.decide(team.review_id, team.ben, 1, "include")
    world.decide(team.review_id, team.eve, 1, "include")
    world.withdraw(team.review_id, team.ann, 1)
    world.withdraw(team.review_id, team.ben, 1)

    assert informed(world, team, team.eve, 1, "exclude")


@pytest.mark.parametrize("others", ["include", "exclude"])
def test_who_voted_once_the_others_had_all_voted_took_it_back_knowing(
    world: World, database: Database, others: str
) -> None:
    team = world.team()
    world.decide(team.review_id, team.ann, 1, "include")
    world.withdraw(team.review_id, team.ann, 1)
    world.decide(team.review_id, team.ben, 1, others)
    world.decide(team.review_id, team.eve, 1, others)
    assert informed(world, team, team.ann, 1, "include")
    world.withdraw(team.review_id, team.ann, 1)

    *_, withdrawal = ledger(database, team.review_id)
    assert (withdrawal.verdict, withdrawal.informed) == (None, True)


def test_who_settled_ones_own_doubt_said_a_verdict_too(world: World) -> None:
    team = world.team(policy={"reviewers_per_record": 1, "maybe": "conflict"})
    for number in (1, 2):
        world.decide(team.review_id, team.ann, number, "maybe")
    world.resolve(team.review_id, team.judge, 1, "exclude")

    assert informed(world, team, team.ann, 1, "include")
    assert not informed(world, team, team.ann, 2, "include")


def test_nobody_sees_what_is_between_two_changes_of_one_transaction(world: World) -> None:
    team = world.team()
    world.decide(team.review_id, team.ann, 1, "include")
    world.decide(team.review_id, team.ben, 1, "exclude")
    with world.entered(team.review_id, team.owner) as (session, review, _):
        for blind in (False, True):
            owner = reviews.viewer(session, review_id=review.id, user_id=team.owner.id)
            policies.change(session, review=review, viewer=owner, parts={TA: {"blind": blind}})

    assert not informed(world, team, team.ann, 1, "exclude")


@pytest.mark.both_engines
def test_who_was_shown_the_outcome_and_left_knows_it_when_they_are_back(world: World) -> None:
    team = world.team()
    for person in (team.ann, team.ben):
        world.decide(team.review_id, person, 1, "include")
    set_role(world, team, team.ann, None)
    world.withdraw(team.review_id, team.ben, 1)
    set_role(world, team, team.ann, Role.REVIEWER)

    assert informed(world, team, team.ann, 1, "exclude")


@pytest.mark.parametrize("ben", ["include", "exclude"])
def test_an_outcome_that_came_and_went_while_somebody_was_away_was_not_open(
    world: World, ben: str
) -> None:
    team = world.team()
    world.decide(team.review_id, team.ann, 1, "include")
    set_role(world, team, team.ann, None)
    world.decide(team.review_id, team.ben, 1, ben)
    world.withdraw(team.review_id, team.ben, 1)
    set_role(world, team, team.ann, Role.REVIEWER)

    assert not informed(world, team, team.ann, 1, "exclude")


@pytest.mark.parametrize("ben", ["include", "exclude"])
def test_a_batch_does_not_tell_what_was_settled_in_between(world: World, ben: str) -> None:
    team = world.team()
    world.decide(team.review_id, team.ben, 1, ben)
    with world.entered(team.review_id, team.ann) as (session, review, viewer):
        made = [
            decisions.record_decision(
                session,
                review=review,
                viewer=viewer,
                record_number=RecordNumber(1),
                stage=TA,
                given=DecisionInput(verdict),
            ).decision
            for verdict in (Verdict.INCLUDE, Verdict.EXCLUDE)
        ]

    assert [one and one.informed for one in made] == [False, False]


def test_what_a_dry_run_did_in_between_was_open_to_nobody(world: World) -> None:
    team = world.team()
    world.decide(team.review_id, team.ann, 1, "include")
    with world.entered(team.review_id, team.ben) as (session, review, viewer):

        def act() -> None:
            decisions.record_decision(
                session,
                review=review,
                viewer=viewer,
                record_number=RecordNumber(1),
                stage=TA,
                given=DecisionInput(Verdict.INCLUDE),
            )

        key = RecordKey(team.review_id, TA, RecordNumber(1))
        previews.preview(session, viewer=viewer, key=key, act=act)

    assert not informed(world, team, team.ann, 1, "exclude")


def test_an_adjudicator_who_reads_the_ledger_knows_what_was_withdrawn(world: World) -> None:
    team = world.team()
    world.decide(team.review_id, team.ben, 1, "include")
    world.withdraw(team.review_id, team.ben, 1)

    assert informed(world, team, team.judge, 1, "exclude")
