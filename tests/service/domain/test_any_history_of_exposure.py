"""`informed` in any history: everybody looks after every change, and remembers what was open."""

from collections.abc import Sequence
from typing import Any, get_args

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
from service.domain.test_exposure import set_role
from tandem.errors import Conflict, Forbidden, NotFound
from tandem.ids import RecordNumber, ReviewId, UserId
from tandem.records.models import Record
from tandem.reviews import policy_versions
from tandem.reviews import service as reviews
from tandem.reviews.models import Role
from tandem.reviews.policy import Policy
from tandem.screening import export_ledger, visible_votes
from tandem.screening.blinding import exposure
from tandem.screening.blinding.view import hides_open_votes
from tandem.screening.conflicts import service as conflicts
from tandem.screening.conflicts.service import Selection
from tandem.screening.conflicts.visible import ShownConflict
from tandem.screening.ledger.loading import load
from tandem.screening.ledger.state import RecordKey
from tandem.screening.models import Decision
from world import TA, Person, Team, World

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
