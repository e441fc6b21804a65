"""Who sees a conflict, and whose votes with it."""

from typing import Any

import pytest

from service.domain.two_voters import EVERYBODY, differ, only, shown_to
from tandem.db.keyset import Cursor
from tandem.errors import NotFound
from tandem.ids import UserId
from tandem.reviews import service as reviews
from tandem.screening.conflicts.service import (
    get_conflict,
)
from tandem.screening.ledger.conflict_history import histories
from tandem.screening.models import ConflictState
from world import TA, Person, Team, World


def who_sees_it(world: World, team: Team) -> set[str]:
    found = only(world.database, team.review_id)
    seeing = {name for name in EVERYBODY if shown_to(world, team, getattr(team, name))}
    for name in set(EVERYBODY) - seeing:
        with world.database.read() as session:
            viewer = reviews.viewer(
                session, review_id=team.review_id, user_id=getattr(team, name).id
            )
            with pytest.raises(NotFound):
                get_conflict(session, viewer=viewer, conflict_id=found.id)
    return seeing


def votes_shown_to(world: World, team: Team, person: Person) -> set[tuple[str, bool, str]]:
    """Return name or "a letter", whether the id is given, and verdict of each vote shown."""
    (shown,) = shown_to(world, team, person)
    assert [vote.letter for vote in shown.decisions] == [*"ABC"][: len(shown.decisions)]
    assert all(vote.reviewer == vote.letter for vote in shown.decisions if not vote.reviewer_id)
    return {
        (
            vote.reviewer if vote.reviewer_id else "a letter",
            vote.reviewer_id is not None,
            vote.verdict,
        )
        for vote in shown.decisions
    }


class TestWhoSeesIt:
    def test_blinded_reviewers_see_none_before_it_is_settled(self, world: World) -> None:
        team = world.team()
        differ(world, team)

        assert who_sees_it(world, team) == {"owner", "judge"}

    def test_its_voters_see_it_once_it_is_settled(self, world: World) -> None:
        team = world.team()
        differ(world, team)
        world.resolve(team.review_id, team.judge, 1, "include")

        assert who_sees_it(world, team) == {"owner", "judge", "ann", "ben"}
        assert votes_shown_to(world, team, team.ann) == {
            ("ben", True, "exclude"),
            ("ann", True, "include"),
        }

    @pytest.mark.parametrize(
        "policy", [{"resolution": "consensus"}, {"voter_may_adjudicate": True}]
    )
    def test_the_policy_may_open_it_to_its_voters_without_names(
        self, world: World, policy: dict[str, Any]
    ) -> None:
        team = world.team(policy=policy)
        differ(world, team)

        assert who_sees_it(world, team) == {"owner", "judge", "ann", "ben"}
        for voter in (team.ann, team.ben):
            assert votes_shown_to(world, team, voter) == {
                ("a letter", False, "exclude"),
                ("a letter", False, "include"),
            }

    def test_letters_do_not_tell_who_voted_first(self, world: World) -> None:
        team = world.team(n_records=30, policy={"resolution": "consensus"})
        for number in range(1, 31):
            differ(world, team, number)

        found = shown_to(world, team, team.ann, limit=30)

        # By chance all the same: once in 2^29.
        assert {tuple(vote.is_mine for vote in one.decisions) for one in found} == {
            (True, False),
            (False, True),
        }

    def test_a_letter_stays_its_voter_s_for_good(self, world: World) -> None:
        team = world.team(n_records=1, policy={"resolution": "consensus"})
        differ(world, team)

        def letters() -> dict[UserId, str]:
            with world.database.read() as session:
                return histories(session, [only(world.database, team.review_id)])[0].letters()

        at_first = letters()
        world.decide(team.review_id, team.ann, 1, "maybe")
        world.withdraw(team.review_id, team.ben, 1)
        world.decide(team.review_id, team.eve, 1, "exclude")  # opened again
        world.decide(team.review_id, team.ben, 1, "include")

        assert sorted(at_first.values()) == ["A", "B"]
        assert letters() == at_first | {team.eve.id: "C"}

    def test_without_blinding_every_member_sees_it(self, world: World) -> None:
        team = world.team(policy={"blind": False})
        differ(world, team)

        assert who_sees_it(world, team) == set(EVERYBODY)
        assert votes_shown_to(world, team, team.eve) == {
            ("ben", True, "exclude"),
            ("ann", True, "include"),
        }

    @pytest.mark.parametrize("resolution", ["adjudicator", "consensus"])
    def test_ended_by_withdrawal_the_remaining_voter_does_not_see_it(
        self, world: World, resolution: str
    ) -> None:
        team = world.team(policy={"resolution": resolution})
        differ(world, team)
        world.withdraw(team.review_id, team.ben, 1)

        assert who_sees_it(world, team) == {"owner", "judge"}

    def test_reopened_for_others_it_stays_closed_to_who_withdrew(self, world: World) -> None:
        team = world.team(policy={"resolution": "consensus"})
        differ(world, team)
        world.withdraw(team.review_id, team.ben, 1)
        world.decide(team.review_id, team.eve, 1, "exclude")

        assert who_sees_it(world, team) == {"owner", "judge", "ann", "eve"}

    @pytest.mark.parametrize(
        ("sees", "votes"),
        [
            ("nothing", set()),
            ("anonymous", {("a letter", False, "exclude"), ("a letter", False, "include")}),
            ("all", {("ben", True, "exclude"), ("ann", True, "include")}),
        ],
    )
    def test_an_adjudicator_sees_of_the_votes_what_the_policy_says(
        self, world: World, sees: str, votes: set[tuple[str, bool, str]]
    ) -> None:
        team = world.team(policy={"adjudicator_sees": sees})
        differ(world, team)

        assert votes_shown_to(world, team, team.judge) == votes
        assert votes_shown_to(world, team, team.owner) == votes

    @pytest.mark.parametrize("sees", ["nothing", "anonymous"])
    def test_once_it_is_settled_they_see_all(self, world: World, sees: str) -> None:
        team = world.team(policy={"adjudicator_sees": sees})
        differ(world, team)
        world.resolve(team.review_id, team.judge, 1, "include")

        assert votes_shown_to(world, team, team.judge) == {
            ("ben", True, "exclude"),
            ("ann", True, "include"),
        }

    @pytest.mark.parametrize("sees", ["nothing", "anonymous"])
    def test_ended_by_withdrawal_but_not_settled_they_see_none(
        self, world: World, sees: str
    ) -> None:
        team = world.team(policy={"adjudicator_sees": sees})
        differ(world, team)
        world.withdraw(team.review_id, team.ben, 1)

        (shown,) = shown_to(world, team, team.judge)
        assert shown.decisions == []

    def test_lists_are_filtered_and_paged_in_the_order_of_opening(self, world: World) -> None:
        team = world.team(n_records=4)
        for number in (3, 1, 4):
            differ(world, team, number)
        world.resolve(team.review_id, team.judge, 1, "include")

        def numbers(**filters: Any) -> list[int]:
            found = shown_to(world, team, team.judge, **filters)
            return [shown.conflict.record_number for shown in found]

        assert numbers() == [3, 1, 4]
        assert numbers(state=ConflictState.OPEN) == [3, 4]
        assert numbers(state=ConflictState.RESOLVED, stage=TA) == [1]
        first = shown_to(world, team, team.judge, limit=1)[-1].conflict
        assert numbers(cursor=Cursor((first.opened_at.isoformat(), str(first.id))), limit=1) == [1]
