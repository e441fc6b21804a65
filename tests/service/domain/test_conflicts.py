"""Which votes make a conflict."""

from typing import Any

import pytest

from service.domain.tables import assert_in_step, conflicts, event_types
from service.domain.two_voters import differ, only
from tandem.db.session import Database
from tandem.screening.models import ConflictState
from tandem.screening.rules import ConflictKind, Status
from world import World


class TestFlagging:
    @pytest.mark.both_engines
    def test_differing_votes_are_flagged_once(self, world: World, database: Database) -> None:
        team = world.team()

        differ(world, team)
        world.decide(team.review_id, team.ben, 1, "exclude")  # sent again
        world.decide(team.review_id, team.ben, 1, "exclude", note="sure")
        world.decide(team.review_id, team.eve, 1, "include")

        assert event_types(database, team.review_id).count("conflict.opened") == 1
        assert only(database, team.review_id).state is ConflictState.OPEN
        assert_in_step(database, team.review_id)

    @pytest.mark.parametrize("verdict", ["include", "exclude", "maybe"])
    @pytest.mark.parametrize("quota", [1, 2, 3])
    def test_where_all_agree_none_is_invented(
        self, world: World, database: Database, quota: int, verdict: str
    ) -> None:
        team = world.team(policy={"reviewers_per_record": quota})
        for person in (team.ann, team.ben, team.eve):
            world.decide(team.review_id, person, 1, verdict)

        assert conflicts(database, team.review_id) == []

    def test_one_vote_of_two_is_no_conflict(self, world: World, database: Database) -> None:
        team = world.team(policy={"maybe": "conflict"})
        world.decide(team.review_id, team.ann, 1, "maybe")

        assert conflicts(database, team.review_id) == []
        assert world.status(team.review_id, 1) is Status.AWAITING

    @pytest.mark.parametrize(
        ("policy", "first", "second", "kind"),
        [
            ({}, ("include", []), ("exclude", []), ConflictKind.VERDICT),
            ({}, ("maybe", []), ("exclude", []), ConflictKind.VERDICT),
            ({"maybe": "conflict"}, ("maybe", []), ("exclude", []), ConflictKind.MAYBE),
            ({"maybe": "conflict"}, ("maybe", []), ("maybe", []), ConflictKind.MAYBE),
            (
                {"reasons_must_match": True},
                ("exclude", ["a", "c"]),
                ("exclude", ["b", "c"]),
                ConflictKind.REASON,
            ),
        ],
    )
    def test_a_conflict_says_what_the_votes_differ_in(
        self,
        world: World,
        database: Database,
        policy: dict[str, Any],
        first: tuple[str, list[str]],
        second: tuple[str, list[str]],
        kind: ConflictKind,
    ) -> None:
        team = world.team(policy=policy)
        world.decide(team.review_id, team.ann, 1, first[0], reasons=first[1])
        world.decide(team.review_id, team.ben, 1, second[0], reasons=second[1])

        assert only(database, team.review_id).kind is kind

    def test_an_open_conflict_may_come_to_be_about_something_else(
        self, world: World, database: Database
    ) -> None:
        team = world.team(policy={"maybe": "conflict"})
        world.decide(team.review_id, team.ann, 1, "maybe")
        world.decide(team.review_id, team.ben, 1, "exclude")
        world.decide(team.review_id, team.ann, 1, "include")

        assert only(database, team.review_id).kind is ConflictKind.VERDICT
        assert event_types(database, team.review_id).count("conflict.opened") == 1
        assert_in_step(database, team.review_id)
