from typing import Any

import pytest

from service.domain.tables import assert_in_step, conflicts, event_types
from service.domain.threads import at_once
from tandem.db.keyset import START, Cursor
from tandem.db.session import Database
from tandem.errors import Forbidden, NotFound
from tandem.ids import ConflictId, ReviewId, UserId, new_id
from tandem.reviews import service as reviews
from tandem.reviews.models import Role
from tandem.screening.conflicts.service import (
    AlreadyResolved,
    OwnConflict,
    Selection,
    get_conflict,
    list_conflicts,
    resolve_conflict,
)
from tandem.screening.conflicts.visible import ShownConflict
from tandem.screening.ledger.conflict_history import histories
from tandem.screening.ledger.entries import ResolutionInput
from tandem.screening.models import Cause, Conflict, ConflictState, ResolvedBy
from tandem.screening.rules import ConflictKind, Status, Verdict
from world import TA, Person, Team, World

both_engines = pytest.mark.both_engines

EVERYBODY = ("owner", "judge", "ann", "ben", "eve", "observer")


def only(database: Database, review_id: ReviewId) -> Conflict:
    (found,) = conflicts(database, review_id)
    return found


def differ(world: World, team: Team, number: int = 1) -> Conflict:
    """Let Ann include and Ben exclude."""
    world.decide(team.review_id, team.ann, number, "include")
    world.decide(team.review_id, team.ben, number, "exclude")
    return next(
        row for row in conflicts(world.database, team.review_id) if row.record_number == number
    )


def shown_to(
    world: World,
    team: Team,
    person: Person,
    limit: int = 100,
    cursor: Cursor = START,
    **filters: Any,
) -> list[ShownConflict]:
    with world.database.read() as session:
        viewer = reviews.viewer(session, review_id=team.review_id, user_id=person.id)
        listed = list_conflicts(
            session, viewer=viewer, selection=Selection(**filters), cursor=cursor, limit=limit
        ).items
        for shown in listed:
            single = get_conflict(session, viewer=viewer, conflict_id=shown.conflict.id)
            assert single.decisions == shown.decisions
        return list(listed)


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


class TestFlagging:
    @both_engines
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


class TestResolving:
    @both_engines
    @pytest.mark.parametrize(
        ("verdict", "status"), [("include", Status.INCLUDED), ("exclude", Status.EXCLUDED)]
    )
    def test_a_resolution_settles_the_record(
        self, world: World, database: Database, verdict: str, status: Status
    ) -> None:
        team = world.team()
        differ(world, team)

        world.resolve(team.review_id, team.judge, 1, verdict)

        assert world.status(team.review_id, 1) is status
        found = only(database, team.review_id)
        assert (found.state, found.resolved_by) == (ConflictState.RESOLVED, ResolvedBy.RESOLUTION)
        assert event_types(database, team.review_id)[-2:] == [
            "conflict.resolved",
            f"record.{status}",
        ]
        assert_in_step(database, team.review_id)

    def test_everything_said_of_it_is_kept(self, world: World, database: Database) -> None:
        team = world.team()
        found = differ(world, team)

        said = ResolutionInput(
            Verdict.EXCLUDE, ["wrong design"], "a letter", Cause.MISREAD, "Trials only"
        )
        with world.entered(team.review_id, team.owner) as (session, review, viewer):
            resolve_conflict(
                session, review=review, viewer=viewer, conflict_id=found.id, given=said
            )

        (shown,) = shown_to(world, team, team.judge)
        assert shown.resolution
        resolution = shown.resolution.resolution
        assert (resolution.verdict, resolution.reasons) == (Verdict.EXCLUDE, ["wrong design"])
        assert (resolution.note, resolution.cause) == ("a letter", Cause.MISREAD)
        assert resolution.criterion == "Trials only"
        assert (resolution.resolver_id, resolution.conflict_id) == (team.owner.id, found.id)

    def test_a_resolution_stands_against_later_votes(
        self, world: World, database: Database
    ) -> None:
        team = world.team()
        differ(world, team)
        world.resolve(team.review_id, team.judge, 1, "include")

        world.decide(team.review_id, team.ann, 1, "exclude")
        world.decide(team.review_id, team.eve, 1, "exclude")
        world.withdraw(team.review_id, team.ben, 1)

        assert world.status(team.review_id, 1) is Status.INCLUDED
        assert only(database, team.review_id).state is ConflictState.RESOLVED
        assert_in_step(database, team.review_id)

    def test_it_is_settled_only_once(self, world: World, database: Database) -> None:
        team = world.team()
        differ(world, team)
        world.resolve(team.review_id, team.judge, 1, "include")

        with pytest.raises(AlreadyResolved) as refused:
            world.resolve(team.review_id, team.owner, 1, "exclude")

        assert refused.value.code == "already_resolved"
        assert world.status(team.review_id, 1) is Status.INCLUDED

    @both_engines
    def test_of_two_who_settle_it_at_once_one_is_refused(
        self, world: World, database: Database
    ) -> None:
        team = world.team()
        differ(world, team)

        def settle(person: Person, verdict: str) -> bool:
            try:
                world.resolve(team.review_id, person, 1, verdict)
            except AlreadyResolved:
                return False
            return True

        done = at_once(
            [lambda: settle(team.owner, "include"), lambda: settle(team.judge, "exclude")]
        )

        assert sorted(done) == [False, True]
        settled = Status.INCLUDED if done[0] else Status.EXCLUDED
        assert world.status(team.review_id, 1) is settled
        assert event_types(database, team.review_id).count("conflict.resolved") == 1

    @pytest.mark.parametrize("who", ["ann", "ben"])
    def test_a_voter_does_not_settle_their_own_conflict(self, world: World, who: str) -> None:
        team = world.team()
        differ(world, team)

        with pytest.raises(OwnConflict) as refused:
            world.resolve(team.review_id, getattr(team, who), 1, "include")
        assert refused.value.code == "own_conflict"

    def test_not_even_as_an_adjudicator(self, world: World) -> None:
        team = world.team()
        world.decide(team.review_id, team.judge, 1, "include")
        world.decide(team.review_id, team.ben, 1, "exclude")

        with pytest.raises(OwnConflict):
            world.resolve(team.review_id, team.judge, 1, "include")

    @pytest.mark.parametrize("who", ["ann", "ben"])
    def test_a_voter_does_where_the_policy_allows_it(self, world: World, who: str) -> None:
        team = world.team(policy={"voter_may_adjudicate": True})
        differ(world, team)

        world.resolve(team.review_id, getattr(team, who), 1, "include")

        assert world.status(team.review_id, 1) is Status.INCLUDED

    @pytest.mark.parametrize("policy", [{}, {"voter_may_adjudicate": True}])
    @pytest.mark.parametrize("who", ["eve", "observer"])
    def test_who_neither_voted_nor_adjudicates_may_not(
        self, world: World, who: str, policy: dict[str, Any]
    ) -> None:
        team = world.team(policy=policy)
        differ(world, team)

        with pytest.raises(Forbidden) as refused:
            world.resolve(team.review_id, getattr(team, who), 1, "include")
        assert refused.value.code == "forbidden"

    def test_a_voter_who_only_observes_by_now_may_not(self, world: World) -> None:
        team = world.team(policy={"voter_may_adjudicate": True})
        differ(world, team)
        with world.entered(team.review_id, team.owner) as (session, review, _):
            reviews.set_member(session, review, user_id=team.ann.id, role=Role.OBSERVER)

        with pytest.raises(Forbidden):
            world.resolve(team.review_id, team.ann, 1, "include")

    def test_of_another_review_it_cannot_be_settled(self, world: World) -> None:
        found, other = differ(world, world.team()), world.team()

        for conflict_id in (found.id, ConflictId(new_id())):
            with (
                pytest.raises(NotFound),
                world.entered(other.review_id, other.owner) as (session, review, viewer),
            ):
                resolve_conflict(
                    session,
                    review=review,
                    viewer=viewer,
                    conflict_id=conflict_id,
                    given=ResolutionInput(Verdict.INCLUDE),
                )


class TestEndingByVotes:
    @both_engines
    def test_agreement_closes_it(self, world: World, database: Database) -> None:
        team = world.team()
        differ(world, team)

        world.decide(team.review_id, team.ben, 1, "include")

        found = only(database, team.review_id)
        assert (found.state, found.resolved_by) == (ConflictState.RESOLVED, ResolvedBy.AGREEMENT)
        assert world.status(team.review_id, 1) is Status.INCLUDED
        assert_in_step(database, team.review_id)

    @both_engines
    def test_a_withdrawal_closes_it_and_a_new_difference_reopens_the_same(
        self, world: World, database: Database
    ) -> None:
        team = world.team()
        opened = differ(world, team)

        world.withdraw(team.review_id, team.ben, 1)
        closed = only(database, team.review_id)
        world.decide(team.review_id, team.eve, 1, "exclude")
        again = only(database, team.review_id)

        assert (closed.state, closed.resolved_by) == (
            ConflictState.RESOLVED,
            ResolvedBy.WITHDRAWAL,
        )
        assert (again.id, again.state) == (opened.id, ConflictState.OPEN)
        assert [
            kind for kind in event_types(database, team.review_id) if kind.startswith("conflict.")
        ] == [
            "conflict.opened",
            "conflict.resolved",
            "conflict.reopened",
        ]
        assert_in_step(database, team.review_id)

    def test_reopened_it_says_what_the_votes_differ_in_now(
        self, world: World, database: Database
    ) -> None:
        team = world.team(policy={"maybe": "conflict"})
        differ(world, team)
        world.withdraw(team.review_id, team.ben, 1)
        world.decide(team.review_id, team.ben, 1, "maybe")

        assert only(database, team.review_id).kind is ConflictKind.MAYBE
        assert_in_step(database, team.review_id)

    def test_a_withdrawal_that_leaves_agreement_settles_the_record(
        self, world: World, database: Database
    ) -> None:
        team = world.team()
        differ(world, team)
        world.decide(team.review_id, team.eve, 1, "include")

        world.withdraw(team.review_id, team.ben, 1)

        assert world.status(team.review_id, 1) is Status.INCLUDED
        assert only(database, team.review_id).state is ConflictState.RESOLVED

    def test_a_closed_conflict_cannot_be_settled(self, world: World) -> None:
        team = world.team()
        differ(world, team)
        world.decide(team.review_id, team.ben, 1, "include")

        with pytest.raises(AlreadyResolved):
            world.resolve(team.review_id, team.judge, 1, "exclude")


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
