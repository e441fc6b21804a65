"""What an adjudicator sees of A and B while the log names everybody who votes."""

from typing import Any

import pytest

from service.domain.tables import conflicts
from tandem.reviews import service as reviews
from tandem.screening import visible_votes
from tandem.screening.conflicts.service import get_conflict
from tandem.screening.ledger.state import RecordKey
from tandem.screening.rules import Status
from world import TA, Person, Team, World

ANONYMOUS = {"adjudicator_sees": "anonymous", "resolution": "consensus", "maybe": "conflict"}


@pytest.fixture
def team(world: World) -> Team:
    return differ(world)


def differ(world: World, **policy: Any) -> Team:
    """Let Ann include and Ben exclude record 1."""
    team = world.team(policy={**ANONYMOUS, **policy})
    world.decide(team.review_id, team.ann, 1, "include")
    world.decide(team.review_id, team.ben, 1, "exclude")
    return team


def verdicts(world: World, team: Team, person: Person | None = None) -> list[str]:
    """Return the verdicts that they see in the conflict, which are those they see at the record."""
    who = person or team.judge
    (conflict,) = conflicts(world.database, team.review_id)
    with world.database.read() as session:
        viewer = reviews.viewer(session, review_id=team.review_id, user_id=who.id)
        shown = get_conflict(session, viewer=viewer, conflict_id=conflict.id)
        key = RecordKey(team.review_id, TA, conflict.record_number)
        at_the_record = visible_votes.visible_votes(session, viewer=viewer, key=key)
    found = sorted(one.verdict for one in shown.decisions)
    if who is not team.ann:
        assert sorted(one.verdict for one in at_the_record) == found
    return [str(one) for one in found]


def test_a_single_new_vote_is_not_shown_until_all_have_voted_again(
    world: World, team: Team
) -> None:
    world.vote_again(team.review_id, team.ben, 1, "maybe")
    assert verdicts(world, team) == ["exclude", "include"]
    # One of two voters knows whose the other vote is.
    assert verdicts(world, team, team.ann) == ["include", "maybe"]

    world.vote_again(team.review_id, team.ann, 1, "include")
    assert verdicts(world, team) == ["include", "maybe"]

    world.decide(team.review_id, team.ann, 1, "exclude")
    assert verdicts(world, team) == ["include", "maybe"]


def test_a_vote_taken_back_and_given_again_stays_anonymous(world: World, team: Team) -> None:
    world.withdraw(team.review_id, team.ben, 1)
    assert verdicts(world, team) == []

    world.decide(team.review_id, team.ben, 1, "maybe")
    assert world.status(team.review_id, 1) is Status.CONFLICT
    assert verdicts(world, team) == ["exclude", "include"]


def test_who_was_shown_all_sees_the_votes_as_it_was_opened_again(world: World, team: Team) -> None:
    world.resolve(team.review_id, team.judge, 1, "include")
    world.decide(team.review_id, team.ben, 1, "maybe")
    world.reopen(team.review_id, team.judge, 1)

    assert verdicts(world, team) == ["include", "maybe"]


def test_who_comes_later_is_not_among_the_letters(world: World, team: Team) -> None:
    world.decide(team.review_id, team.eve, 1, "maybe")

    assert verdicts(world, team) == ["exclude", "include"]


def test_who_takes_a_vote_back_among_three_stays_among_the_letters(world: World) -> None:
    team = differ(world)
    world.decide(team.review_id, team.eve, 1, "maybe")
    world.resolve(team.review_id, team.judge, 1, "include")
    world.reopen(team.review_id, team.judge, 1)
    assert verdicts(world, team) == ["exclude", "include", "maybe"]

    world.withdraw(team.review_id, team.eve, 1)
    assert verdicts(world, team) == ["exclude", "include", "maybe"]


def test_an_adjudicator_among_three_voters_sees_their_own_new_vote_only(world: World) -> None:
    team = differ(world, reviewers_per_record=3, voter_may_adjudicate=True)
    world.decide(team.review_id, team.judge, 1, "include")
    world.vote_again(team.review_id, team.ben, 1, "maybe")
    assert verdicts(world, team) == ["exclude", "include", "include"]

    world.vote_again(team.review_id, team.judge, 1, "exclude")
    assert verdicts(world, team) == ["exclude", "exclude", "include"]
