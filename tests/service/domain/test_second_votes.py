"""Consensus, opening a conflict again, and what is said meanwhile."""

from typing import Any

import pytest
from sqlalchemy import select

from service.domain.tables import assert_in_step, conflicts, event_types, events, ledger
from tandem.db.session import Database
from tandem.errors import Forbidden, NotFound
from tandem.ids import RecordNumber
from tandem.reviews import service as reviews
from tandem.reviews.models import Review, Role
from tandem.screening import previews
from tandem.screening.conflicts.disagreements import disagreements
from tandem.screening.conflicts.second_votes import NotAVoter, NotConsensus, VotedAgain
from tandem.screening.conflicts.service import (
    AlreadyResolved,
    NotResolved,
    OwnConflict,
    get_conflict,
)
from tandem.screening.conflicts.visible import ShownConflict
from tandem.screening.decisions import record_decision
from tandem.screening.ledger.entries import DecisionInput
from tandem.screening.ledger.state import RecordKey
from tandem.screening.models import Conflict, ConflictState, PresentDecision, ResolvedBy
from tandem.screening.rules import Status, Verdict
from world import TA, Person, Team, World

both_engines = pytest.mark.both_engines

CONSENSUS = {"resolution": "consensus"}


def differ(world: World, **policy: Any) -> Team:
    """Let Ann include and Ben exclude record 1."""
    team = world.team(n_records=2, policy=policy)
    world.decide(team.review_id, team.ann, 1, "include", note="peers")
    world.decide(team.review_id, team.ben, 1, "exclude", reasons=["wrong population"])
    return team


def only(world: World, team: Team) -> Conflict:
    (found,) = conflicts(world.database, team.review_id)
    return found


def seen_by(world: World, team: Team, person: Person) -> ShownConflict:
    with world.database.read() as session:
        viewer = reviews.viewer(session, review_id=team.review_id, user_id=person.id)
        return get_conflict(session, viewer=viewer, conflict_id=only(world, team).id)


def letter_of(world: World, team: Team, person: Person) -> str:
    (own,) = [vote for vote in seen_by(world, team, person).decisions if vote.is_mine]
    return own.letter


class TestSecondVotes:
    @both_engines
    def test_agreement_ends_the_conflict_and_the_first_votes_stay(
        self, world: World, database: Database
    ) -> None:
        team = differ(world, **CONSENSUS)
        assert seen_by(world, team, team.ann).needs == "voters"

        world.vote_again(team.review_id, team.ben, 1, "include", reasons=[])

        found = only(world, team)
        assert (found.state, found.resolved_by) == (ConflictState.RESOLVED, ResolvedBy.AGREEMENT)
        assert world.status(team.review_id, 1) is Status.INCLUDED
        entries = ledger(database, team.review_id)
        assert [(e.verdict, e.informed, e.second_in) for e in entries] == [
            (Verdict.INCLUDE, False, None),
            (Verdict.EXCLUDE, False, None),
            (Verdict.INCLUDE, True, found.id),
        ]
        assert event_types(database, team.review_id)[-3:] == [
            "decision.recorded",
            "conflict.resolved",
            "record.included",
        ]
        assert_in_step(database, team.review_id)

    def test_who_stands_by_their_vote_says_so_and_then_it_needs_an_adjudicator(
        self, world: World
    ) -> None:
        team = differ(world, **CONSENSUS)
        world.vote_again(team.review_id, team.ann, 1, "include", note="peers")

        halfway = seen_by(world, team, team.ben)
        assert halfway.second_votes == [letter_of(world, team, team.ann)]
        assert halfway.needs == "voters"
        world.vote_again(team.review_id, team.ben, 1, "exclude")

        shown = seen_by(world, team, team.ann)
        assert (shown.second_votes, shown.needs) == (["A", "B"], "adjudicator")
        with pytest.raises(VotedAgain) as refused:
            world.vote_again(team.review_id, team.ann, 1, "exclude")
        assert refused.value.code == "voted_again"
        world.resolve(team.review_id, team.judge, 1, "include")
        assert world.status(team.review_id, 1) is Status.INCLUDED

    @pytest.mark.parametrize(("sees", "halfway"), [("anonymous", 0), ("nothing", 0), ("all", 1)])
    def test_who_settles_cannot_tell_by_the_log_which_letter_is_whose(
        self, world: World, sees: str, halfway: int
    ) -> None:
        team = differ(world, **CONSENSUS, adjudicator_sees=sees)
        world.vote_again(team.review_id, team.ann, 1, "include")
        assert len(seen_by(world, team, team.judge).second_votes) == halfway

        world.vote_again(team.review_id, team.ben, 1, "exclude")
        shown = seen_by(world, team, team.judge)
        assert shown.second_votes == ([] if sees == "nothing" else ["A", "B"])
        assert shown.needs == "adjudicator"

    def test_voters_see_the_reasons_and_notes_of_each_other_without_names(
        self, world: World
    ) -> None:
        team = differ(world, **CONSENSUS)

        votes = {vote.verdict: vote for vote in seen_by(world, team, team.ann).decisions}

        assert votes[Verdict.EXCLUDE].reasons == ["wrong population"]
        assert votes[Verdict.INCLUDE].note == "peers"
        assert {vote.reviewer for vote in votes.values()} == {"A", "B"}
        assert [vote.reviewer_id for vote in votes.values()] == [None, None]

    def test_without_the_voter_who_left_an_adjudicator_settles(self, world: World) -> None:
        team = differ(world, **CONSENSUS)
        world.vote_again(team.review_id, team.ann, 1, "include")
        with world.entered(team.review_id, team.owner) as (session, review, _):
            reviews.set_member(session, review, user_id=team.ben.id, role=Role.OBSERVER)

        assert seen_by(world, team, team.ann).needs == "adjudicator"

    def test_without_the_voter_who_is_switched_off_an_adjudicator_settles(
        self, world: World
    ) -> None:
        team = differ(world, **CONSENSUS)
        world.vote_again(team.review_id, team.ann, 1, "include")
        world.switch_off(team.ben)

        assert seen_by(world, team, team.ann).needs == "adjudicator"

    def test_a_conflict_that_is_opened_again_asks_for_new_second_votes(self, world: World) -> None:
        team = differ(world, **CONSENSUS)
        world.vote_again(team.review_id, team.ann, 1, "exclude")
        assert only(world, team).state is ConflictState.RESOLVED
        world.decide(team.review_id, team.ben, 1, "include")

        again = seen_by(world, team, team.ann)
        assert (again.second_votes, again.needs) == ([], "voters")
        world.vote_again(team.review_id, team.ann, 1, "include")
        assert world.status(team.review_id, 1) is Status.INCLUDED

    @pytest.mark.parametrize("who", ["judge", "owner"])
    def test_who_has_no_vote_in_it_does_not_vote_again(self, world: World, who: str) -> None:
        team = differ(world, **CONSENSUS)

        with pytest.raises(NotAVoter) as refused:
            world.vote_again(team.review_id, getattr(team, who), 1, "include")
        assert refused.value.code == "not_a_voter"

    def test_to_a_blinded_reviewer_it_is_not_there(self, world: World) -> None:
        plain, open_to_voters = differ(world), differ(world, **CONSENSUS)

        for team, person in ((plain, plain.ann), (open_to_voters, open_to_voters.eve)):
            with pytest.raises(NotFound):
                world.vote_again(team.review_id, person, 1, "include")

    def test_other_policies_ask_for_no_second_vote(self, world: World) -> None:
        team = differ(world, voter_may_adjudicate=True)

        with pytest.raises(NotConsensus):
            world.vote_again(team.review_id, team.ann, 1, "include")

    def test_a_settled_one_takes_no_second_vote(self, world: World) -> None:
        team = differ(world, **CONSENSUS)
        world.resolve(team.review_id, team.judge, 1, "include")

        with pytest.raises(AlreadyResolved):
            world.vote_again(team.review_id, team.ann, 1, "include")


class TestReopening:
    @both_engines
    def test_the_votes_speak_again_and_the_resolution_is_kept(
        self, world: World, database: Database
    ) -> None:
        team = differ(world)
        world.resolve(team.review_id, team.judge, 1, "include")
        with database.read() as session:
            before = session.get_one(Review, team.review_id).labels_seq

        world.reopen(team.review_id, team.owner, 1, note="misread")

        assert world.status(team.review_id, 1) is Status.CONFLICT
        found = only(world, team)
        assert (found.state, found.resolved_by) == (ConflictState.OPEN, None)
        shown = seen_by(world, team, team.judge)
        assert shown.resolution is None
        (earlier,) = shown.history
        assert earlier.resolution.verdict is Verdict.INCLUDE
        assert earlier.resolution.taken_back_by == team.owner.id
        assert earlier.resolution.taken_back_note == "misread"
        assert event_types(database, team.review_id)[-2:] == [
            "record.reopened",
            "conflict.reopened",
        ]
        with database.read() as session:
            assert session.get_one(Review, team.review_id).labels_seq == before + 1
        assert_in_step(database, team.review_id)

        world.resolve(team.review_id, team.judge, 1, "exclude")
        assert world.status(team.review_id, 1) is Status.EXCLUDED
        assert len(seen_by(world, team, team.ann).history) == 1
        assert_in_step(database, team.review_id)

    def test_the_trail_says_who_took_it_back(self, world: World, database: Database) -> None:
        team = differ(world)
        world.resolve(team.review_id, team.judge, 1, "include")
        world.reopen(team.review_id, team.owner, 1, note="misread")

        (event,) = [
            event
            for event in events(database, team.review_id)
            if event.type == "tandem.resolution.changed"
        ]
        assert event.detail["resolution"] is None
        assert event.detail["taken_back"]["by"] == str(team.owner.id)
        assert event.detail["taken_back"]["note"] == "misread"

    def test_where_the_votes_agree_by_now_they_settle_it(
        self, world: World, database: Database
    ) -> None:
        team = differ(world)
        world.resolve(team.review_id, team.judge, 1, "include")
        world.decide(team.review_id, team.ann, 1, "exclude")

        world.reopen(team.review_id, team.judge, 1)

        assert world.status(team.review_id, 1) is Status.EXCLUDED
        found = only(world, team)
        assert (found.state, found.resolved_by) == (ConflictState.RESOLVED, ResolvedBy.AGREEMENT)
        assert_in_step(database, team.review_id)

    @pytest.mark.parametrize(
        ("policy", "who", "refusal"),
        [
            ({}, "ann", OwnConflict),
            ({}, "eve", Forbidden),
            ({}, "observer", Forbidden),
            ({"voter_may_adjudicate": True}, "eve", Forbidden),
            ({"voter_may_adjudicate": True}, "ann", None),
            ({}, "owner", None),
        ],
    )
    def test_who_may_settle_it_may_open_it_again(
        self, world: World, policy: dict[str, Any], who: str, refusal: type[Exception] | None
    ) -> None:
        team = differ(world, **policy)
        world.resolve(team.review_id, team.judge, 1, "include")

        if refusal is None:
            world.reopen(team.review_id, getattr(team, who), 1)
            assert world.status(team.review_id, 1) is Status.CONFLICT
        else:
            with pytest.raises(refusal):
                world.reopen(team.review_id, getattr(team, who), 1)
            assert world.status(team.review_id, 1) is Status.INCLUDED

    def test_what_no_resolution_settled_is_not_taken_back(self, world: World) -> None:
        team = differ(world)
        with pytest.raises(NotResolved):
            world.reopen(team.review_id, team.judge, 1)

        world.decide(team.review_id, team.ann, 1, "exclude")
        with pytest.raises(NotResolved) as refused:
            world.reopen(team.review_id, team.judge, 1)
        assert refused.value.code == "not_resolved"


class TestDiscussion:
    def read(self, world: World, team: Team, person: Person) -> list[tuple[str, str, bool]]:
        found = world.discussion(team.review_id, person, 1)
        assert all(
            (one.author_id is None) == (len(one.author) == 1) for one in found if one.is_mine
        )
        return [(one.author, one.message.text, one.is_mine) for one in found]

    def test_authors_go_by_the_letters_of_their_votes(self, world: World) -> None:
        team = differ(world, **CONSENSUS, adjudicator_sees="anonymous")
        a, b = letter_of(world, team, team.ann), letter_of(world, team, team.ben)

        world.say(team.review_id, team.ann, 1, "Why?")
        world.say(team.review_id, team.ben, 1, "Staff, not peers.")
        world.say(team.review_id, team.judge, 1, "Look at page 2.")

        assert self.read(world, team, team.ann) == [
            (a, "Why?", True),
            (b, "Staff, not peers.", False),
            ("adjudicator", "Look at page 2.", False),
        ]
        assert [author for author, _, _ in self.read(world, team, team.owner)] == [
            a,
            b,
            "adjudicator",
        ]

    def test_names_are_shown_where_votes_are(self, world: World) -> None:
        team = differ(world, **CONSENSUS)
        world.say(team.review_id, team.ann, 1, "Why?")

        assert self.read(world, team, team.judge) == [("ann", "Why?", False)]
        world.resolve(team.review_id, team.judge, 1, "include")
        assert self.read(world, team, team.ben) == [("ann", "Why?", False)]
        world.say(team.review_id, team.ben, 1, "I see.")
        assert self.read(world, team, team.ann)[-1] == ("ben", "I see.", False)

    def test_who_is_shown_no_votes_reads_nothing_of_the_voters(self, world: World) -> None:
        team = differ(world, **CONSENSUS, adjudicator_sees="nothing")
        world.say(team.review_id, team.ann, 1, "I include it.")
        world.say(team.review_id, team.owner, 1, "Settle it soon.")

        assert self.read(world, team, team.judge) == [("adjudicator", "Settle it soon.", False)]
        assert len(self.read(world, team, team.ben)) == 2
        world.resolve(team.review_id, team.judge, 1, "include")
        assert len(self.read(world, team, team.judge)) == 2

    def test_who_may_not_know_of_it_neither_reads_nor_writes(self, world: World) -> None:
        team = differ(world)
        world.say(team.review_id, team.judge, 1, "Hm.")

        for who in (team.ann, team.eve, team.observer):
            with pytest.raises(NotFound):
                world.discussion(team.review_id, who, 1)
            with pytest.raises(NotFound):
                world.say(team.review_id, who, 1, "Who is there?")

    def test_an_observer_reads_only(self, world: World) -> None:
        team = differ(world, blind=False)
        world.say(team.review_id, team.eve, 1, "Hm.")

        assert self.read(world, team, team.observer) == [("eve", "Hm.", False)]
        with pytest.raises(Forbidden):
            world.say(team.review_id, team.observer, 1, "Me too.")


class TestPreviews:
    def tried(
        self, world: World, team: Team, person: Person, verdict: str, number: int = 1
    ) -> previews.Preview:
        n_events = len(events(world.database, team.review_id))
        with world.entered(team.review_id, person) as (session, review, viewer):
            key = RecordKey(team.review_id, TA, RecordNumber(number))
            shown = previews.preview(
                session,
                viewer=viewer,
                key=key,
                act=lambda: record_decision(
                    session,
                    review=review,
                    viewer=viewer,
                    record_number=key.record_number,
                    stage=TA,
                    given=DecisionInput(Verdict(verdict)),
                ),
            )
        assert len(events(world.database, team.review_id)) == n_events
        assert_in_step(world.database, team.review_id)
        assert shown.n_others_touched == 0
        return shown

    @both_engines
    def test_what_is_shown_is_what_would_happen(self, world: World) -> None:
        team = differ(world)
        world.withdraw(team.review_id, team.ben, 1)
        world.decide(team.review_id, team.judge, 2, "include")

        shown = self.tried(world, team, team.owner, "exclude")
        assert (shown.status_before, shown.status_after) == ("awaiting", "conflict")
        assert shown.conflict == "reopened"
        shown = self.tried(world, team, team.owner, "exclude", 2)
        assert (shown.status_after, shown.conflict) == ("conflict", "opened")
        shown = self.tried(world, team, team.owner, "include")
        assert (shown.status_after, shown.conflict) == ("included", None)
        with world.database.read() as session:
            voters = session.scalars(
                select(PresentDecision.reviewer_id).where(
                    PresentDecision.review_id == team.review_id
                )
            ).all()
        assert set(voters) == {team.ann.id, team.judge.id}

    @pytest.mark.parametrize("verdict", ["include", "exclude", "maybe"])
    def test_the_blinded_learn_nothing_of_an_open_record(self, world: World, verdict: str) -> None:
        team = differ(world)
        world.decide(team.review_id, team.ann, 2, "include")

        untouched = self.tried(world, team, team.ben, verdict, 2)
        closed = self.tried(world, team, team.ben, verdict, 1)

        assert (untouched.status_before, untouched.status_after) == ("unscreened", "done")
        assert (closed.status_before, closed.status_after) == ("done", "done")
        assert (untouched.conflict, closed.conflict) == (None, None)

    def test_voters_see_it_in_a_conflict_that_is_open_to_them(self, world: World) -> None:
        team = differ(world, **CONSENSUS)

        shown = self.tried(world, team, team.ben, "include")

        assert (shown.status_before, shown.status_after) == ("conflict", "included")
        assert shown.conflict == "resolved"


class TestDisagreements:
    def test_conflicts_are_counted_by_what_and_why(self, world: World, database: Database) -> None:
        team = world.team(n_records=5, policy={"reasons_must_match": True, **CONSENSUS})
        for number, (first, second) in enumerate(
            [("include", "exclude"), ("include", "exclude"), ("exclude", "exclude")], start=1
        ):
            world.decide(team.review_id, team.ann, number, first, reasons=["a"])
            world.decide(team.review_id, team.ben, number, second, reasons=["b"])
        world.resolve(team.review_id, team.judge, 1, "include")
        world.resolve(team.review_id, team.judge, 2, "exclude")
        world.reopen(team.review_id, team.judge, 2)
        world.vote_again(team.review_id, team.ann, 3, "exclude", reasons=["b"])

        with database.read() as session:
            viewer = reviews.viewer(session, review_id=team.review_id, user_id=team.judge.id)
            found = disagreements(session, viewer=viewer)[TA]

        assert {(kind.value, state.value): n for (kind, state), n in found.by_kind.items()} == {
            ("verdict", "open"): 1,
            ("verdict", "resolved"): 1,
            ("reason", "resolved"): 1,
        }
        assert found.settled_by == {ResolvedBy.RESOLUTION: 1, ResolvedBy.AGREEMENT: 1}
        assert (found.resolutions.n_include, found.resolutions.n_exclude) == (1, 0)
        assert list(found.by_cause) == [None]
        assert found.reasons == {("a", "b"): 1}

    @pytest.mark.parametrize("who", ["ann", "observer"])
    def test_the_blinded_see_nothing_of_it(
        self, world: World, database: Database, who: str
    ) -> None:
        team = differ(world)

        with database.read() as session:
            viewer = reviews.viewer(
                session, review_id=team.review_id, user_id=getattr(team, who).id
            )
            # Full text is blind too, by default.
            with pytest.raises(Forbidden):
                disagreements(session, viewer=viewer)
