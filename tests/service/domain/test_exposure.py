"""`informed`: another's verdict on the record was open to the reviewer at some time before."""

from collections.abc import Sequence
from typing import Any, get_args

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

import effort
from service.domain import replayed_exposure
from service.domain.tables import ledger
from service.domain.test_any_history import Merging
from tandem.db.session import Database
from tandem.errors import Conflict, Forbidden, NotFound
from tandem.ids import RecordNumber, ReviewId, UserId
from tandem.records.models import Record
from tandem.reviews import policy_versions
from tandem.reviews import service as reviews
from tandem.reviews.models import Role
from tandem.reviews.policy import Policy
from tandem.screening import decisions, export_ledger, policies, previews, visible_votes
from tandem.screening.blinding import exposure
from tandem.screening.blinding.view import hides_open_votes
from tandem.screening.conflicts import service as conflicts
from tandem.screening.conflicts.service import Selection
from tandem.screening.conflicts.visible import ShownConflict
from tandem.screening.ledger.entries import DecisionInput
from tandem.screening.ledger.loading import load
from tandem.screening.ledger.state import RecordKey
from tandem.screening.models import Decision
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


@pytest.mark.parametrize("sees", ["all", "anonymous"])
def test_who_could_read_the_votes_in_an_earlier_role_is_informed(world: World, sees: str) -> None:
    team = world.team(policy={"adjudicator_sees": sees})
    world.decide(team.review_id, team.ben, 1, "include")
    world.decide(team.review_id, team.eve, 1, "exclude")  # a conflict: shown by name, or as A and B
    set_role(world, team, team.judge, Role.REVIEWER)

    assert informed(world, team, team.judge, 1, "include")


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


people = st.sampled_from(["ann", "ben", "eve", "judge", "owner"])
verdicts = st.sampled_from(["include", "exclude", "maybe"])
CHOICES = {
    name: get_args(field.annotation) or (False, True) for name, field in Policy.model_fields.items()
}
RELEVANT = ("reviewers_per_record", "blind", "resolution", "voter_may_adjudicate")
parts = st.sampled_from(
    [(name, value) for name in (*RELEVANT, "adjudicator_sees") for value in CHOICES[name]]
)

HOW = effort.machine(full=60, steps=20)


def is_shown_a_verdict(world: World, review_id: ReviewId, person: Person, number: int) -> bool:
    """Whether the service shows this person somebody else's verdict on the record now."""
    with world.database.read() as session:
        try:
            viewer = reviews.viewer(session, review_id=review_id, user_id=person.id)
        except NotFound:
            return False
        key = RecordKey(review_id, TA, RecordNumber(number))
        votes = visible_votes.visible_votes(session, viewer=viewer, key=key)
    ledger = export_ledger.exported_entries(
        world.database, review_id=review_id, user_id=person.id, stage=TA, status=None
    )
    entries = [entry for entry in ledger if entry.record_id == str(number) and entry.verdict]
    shown = [one for one in conflicts_of(world, review_id, person) if one.record.number == number]
    said = [entry for one in shown for entry in (*one.history, one.resolution) if entry is not None]
    return (
        any(vote.reviewer_id != person.id for vote in votes)
        or any(entry.reviewer_id != str(person.id) for entry in entries)
        or any(not vote.is_mine for one in shown for vote in one.decisions)
        or any(entry.resolution.resolver_id != person.id for entry in said)
    )


def settles_without_seeing(world: World, review_id: ReviewId, person: Person) -> bool:
    """Whether this person may settle conflicts now, and the policy hides votes from them."""
    with world.database.read() as session:
        try:
            viewer = reviews.viewer(session, review_id=review_id, user_id=person.id)
        except NotFound:
            return False
    return hides_open_votes(viewer, TA)


FIRST = RecordNumber(1)


def conflicts_of(world: World, review_id: ReviewId, person: Person) -> list[ShownConflict]:
    with world.database.read() as session:
        viewer = reviews.viewer(session, review_id=review_id, user_id=person.id)
        found = conflicts.list_conflicts(session, viewer=viewer, selection=Selection(), limit=10)
        return list(found.items)


class Looking(RuleBasedStateMachine):
    """Everybody looks at the record after every change, and remembers having seen a verdict."""

    world: World

    @initialize(
        policy=st.fixed_dictionaries({n: st.sampled_from(values) for n, values in CHOICES.items()})
    )
    def begin(self, policy: dict[str, Any]) -> None:
        self.team: Team = self.world.team(n_records=1, policy=policy)
        self.knowing: set[str] = set()
        self.settling: set[str] = set()
        self._complete: set[str] = set()
        self._voters: set[UserId] = set()
        self._has_advanced = False

    @rule(who=people, verdict=verdicts)
    def decide(self, who: str, verdict: str) -> None:
        person = getattr(self.team, who)
        try:
            made = self.world.decide(self.team.review_id, person, 1, verdict)
        except (NotFound, Forbidden):
            return
        if made.changed:
            self._entered(who)
        self._look()

    @rule(who=people)
    def withdraw(self, who: str) -> None:
        try:
            self.world.withdraw(self.team.review_id, getattr(self.team, who), 1)
        except (NotFound, Forbidden):
            return
        self._entered(who)
        self._look()

    @rule(who=people, verdict=verdicts)
    def vote_again(self, who: str, verdict: str) -> None:
        self._in_conflict("vote_again", who, verdict, entered=True)

    @rule(who=people, verdict=st.sampled_from(["include", "exclude"]))
    def resolve(self, who: str, verdict: str) -> None:
        self._in_conflict("resolve", who, verdict)

    @rule(who=people)
    def reopen(self, who: str) -> None:
        self._in_conflict("reopen", who)

    @rule(who=people, role=st.sampled_from([None, *Role]))
    def change_role(self, who: str, role: Role | None) -> None:
        if who != "owner":
            try:
                set_role(self.world, self.team, getattr(self.team, who), role)
            except NotFound:
                return
            self._look()

    @rule(part=parts)
    def change_policy(self, part: tuple[str, Any]) -> None:
        self.world.change_policy(self.team.review_id, self.team.owner, **dict([part]))
        self._look()

    def _in_conflict(self, act: str, who: str, *said: str, entered: bool = False) -> None:
        found = self.conflicts_of(self.team.owner)
        if not found:
            return
        try:
            getattr(self.world, act)(self.team.review_id, getattr(self.team, who), 1, *said)
        except (NotFound, Forbidden, Conflict):
            return
        if entered:
            self._entered(who)
        self._look()

    def _entered(self, who: str) -> None:
        """What was just entered says whether they had seen a verdict by then."""
        *before, entry = ledger(self.world.database, self.team.review_id)
        assert entry.reviewer_id == getattr(self.team, who).id
        if self._is_open_at_full_text(who, before):
            self.knowing.add(who)
            assert entry.informed
        elif who in self.settling:  # see `exposure`: it may err, towards informed
            assert entry.informed >= (who in self.knowing)
        else:
            assert entry.informed == (who in self.knowing)

    def _is_open_at_full_text(self, who: str, before: Sequence[Decision]) -> bool:
        """Whether it ever had all its decisions from others, or was at full text, by then."""
        me = getattr(self.team, who).id
        is_judged = any(one.verdict and one.reviewer_id != me for one in before)
        was_there = is_judged and self._has_advanced and me not in self._voters
        return who in self._complete or was_there

    def _look(self) -> None:
        with self.world.database.read() as session:
            state = load(session, RecordKey(self.team.review_id, TA, FIRST))
            self._voters, self._has_advanced = set(state.votes), state.has_advanced
            policy = policy_versions.policies_in_force(session, self.team.review_id)[TA]
        for who in ("ann", "ben", "eve", "judge", "owner"):
            if len(self._voters - {getattr(self.team, who).id}) >= policy.reviewers_per_record:
                self._complete.add(who)
            if settles_without_seeing(self.world, self.team.review_id, getattr(self.team, who)):
                self.settling.add(who)
            if is_shown_a_verdict(self.world, self.team.review_id, getattr(self.team, who), 1):
                self.knowing.add(who)

    @invariant()
    def what_is_stored_says_no_less_than_the_log(self) -> None:
        """The replay of the log takes votes in a conflict for shown that are not, see below."""
        if not hasattr(self, "team"):
            return
        for who in ("ann", "ben", "eve", "judge", "owner"):
            person, key = getattr(self.team, who), RecordKey(self.team.review_id, TA, FIRST)
            with self.world.database.write.begin() as session:
                try:
                    _, viewer = reviews.enter(
                        session, review_id=self.team.review_id, user_id=person.id
                    )
                except NotFound:
                    continue
                stored = exposure.is_informed(session, viewer, load(session, key))
                replayed = replayed_exposure.is_informed(session, key, person.id)
            # Where one's own `maybe` alone is a conflict, an adjudicator from whom the votes are
            # hidden is not shown those that come later. The replay does not know of that.
            assert stored >= replayed or who in self.settling

    def conflicts_of(self, person: Person) -> list[ShownConflict]:
        return conflicts_of(self.world, self.team.review_id, person)


def test_informed_are_those_who_were_shown_a_verdict_in_any_history(world: World) -> None:
    class Here(Looking):
        pass

    Here.world = world
    run_state_machine_as_test(Here, settings=HOW)


class Linking(Merging):
    """Records are linked and parted: what is stored says no less than the replay of the log."""

    @rule(number=st.integers(1, 4))
    def enrich(self, number: int) -> None:
        """Let another record of its group be the one that tells most."""
        with self.world.database.write.begin() as session:
            record = session.get_one(Record, (self.id, number))
            record.abstract += " It tells more now."

    @invariant()
    def what_is_stored_says_no_less_than_the_log(self) -> None:
        if not hasattr(self, "team"):
            return
        for number in self.shown():
            key = RecordKey(self.id, TA, RecordNumber(number))
            for person in (self.team.ann, self.team.ben, self.team.judge):
                with self.world.database.write.begin() as session:
                    _, viewer = reviews.enter(session, review_id=self.id, user_id=person.id)
                    stored = exposure.is_informed(session, viewer, load(session, key))
                    replayed = replayed_exposure.is_informed(session, key, person.id)
                assert stored >= replayed
                if is_shown_a_verdict(self.world, self.id, person, number):
                    assert stored


def test_what_was_open_of_linked_records_is_stored(world: World) -> None:
    class Here(Linking):
        pass

    Here.world = world
    run_state_machine_as_test(Here, settings=effort.machine(full=20, steps=20))
