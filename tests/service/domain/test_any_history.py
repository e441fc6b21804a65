"""Whatever people do in whatever order, all that is derived says what the ledger says."""

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
from sqlalchemy import select

import effort
from service.domain.tables import assert_in_step, conflicts, ledger
from tandem.errors import Forbidden, Invalid, NotFound
from tandem.ids import DuplicateGroupId
from tandem.records.duplicates import groups
from tandem.records.duplicates.models import DuplicateGroup, GroupState
from tandem.records.models import Import, Record
from tandem.reviews import policy_versions, texts
from tandem.reviews.policy import Policy
from tandem.screening.conflicts.second_votes import NotAVoter, NotConsensus, VotedAgain
from tandem.screening.conflicts.service import AlreadyResolved, NotResolved, OwnConflict
from tandem.screening.decisions import NoDecision
from tandem.screening.ledger.conflict_history import histories
from tandem.screening.ledger.loading import IsDuplicate
from tandem.screening.models import Conflict, ConflictState
from world import TA, Person, Team, World

pytestmark = pytest.mark.both_engines

people = st.sampled_from(["ann", "ben", "eve", "judge", "owner"])
numbers = st.integers(1, 2)
reasons = st.sampled_from([[], ["wrong population"], ["wrong design"]])
shown = st.none() | st.integers(1, 4)
"""The version of the criteria that a client names: early, in force, or one that never was."""
CHOICES = {
    name: get_args(field.annotation) or (False, True) for name, field in Policy.model_fields.items()
}
policies = st.fixed_dictionaries(
    {name: st.sampled_from(values) for name, values in CHOICES.items()}
)
policy_parts = st.sampled_from(
    [(name, value) for name, values in CHOICES.items() for value in values]
)

HOW = effort.machine(full=20, steps=25)


class Screening(RuleBasedStateMachine):
    """Several people screen two records while the owner changes the rules."""

    world: World

    def __init__(self) -> None:
        super().__init__()
        self.said: dict[tuple[Person, int], tuple[str, list[str]]] = {}
        self.under: dict[tuple[Person, int], int] = {}
        self.n_criteria = 1
        self.voted_again: set[tuple[Person, int]] = set()
        self.resolved: set[int] = set()
        self.open: set[int] = set()
        self.messages: list[tuple[Person, int, str]] = []
        self.verified: int | None = None

    @initialize(policy=policies)
    def begin(self, policy: dict[str, Any]) -> None:
        self.team: Team = self.world.team(n_records=2, policy=policy)

    @rule(
        who=people,
        number=numbers,
        verdict=st.sampled_from(["include", "exclude", "maybe"]),
        reasons=reasons,
        shown=shown,
    )
    def decide(
        self, who: str, number: int, verdict: str, reasons: list[str], shown: int | None
    ) -> None:
        person = getattr(self.team, who)
        at = (person, number)
        said: dict[str, Any] = {"reasons": reasons, "criteria_version": shown}
        if shown is not None and shown > self.n_criteria:
            with pytest.raises(Invalid):
                self.world.decide(self.id, person, number, verdict, **said)
            return
        looked_again = at in self.said and shown is not None and shown > self.under[at]
        is_other = self.said.get(at) != (verdict, reasons)
        made = self.world.decide(self.id, person, number, verdict, **said)
        assert made.changed == (is_other or looked_again)
        if made.changed:
            self.said[at] = (verdict, reasons)
            self.under[at] = shown or self.n_criteria

    @rule()
    def change_criteria(self) -> None:
        with self.world.entered(self.id, self.team.owner) as (session, review, viewer):
            changed = {"criteria_exclude": [f"Reason {self.n_criteria}"]}
            texts.change(session, review, changed, by=viewer.user_id)
        self.n_criteria += 1

    @rule(who=people, number=numbers)
    def withdraw(self, who: str, number: int) -> None:
        person = getattr(self.team, who)
        if (person, number) in self.said:
            self.world.withdraw(self.team.review_id, person, number)
            del self.said[person, number], self.under[person, number]
        else:
            with pytest.raises(NoDecision):
                self.world.withdraw(self.team.review_id, person, number)

    @rule(who=people, number=numbers, verdict=st.sampled_from(["include", "exclude"]))
    def resolve(self, who: str, number: int, verdict: str) -> None:
        found = {int(row.record_number): row for row in conflicts(self.world.database, self.id)}
        if number not in found:
            return
        person = getattr(self.team, who)
        refusal = self._refusal(person, number, found[number].state)
        if refusal is None:
            self.world.resolve(self.team.review_id, person, number, verdict)
            self.resolved.add(number)
        else:
            with pytest.raises(refusal) as refused:
                self.world.resolve(self.team.review_id, person, number, verdict)
            assert refused.type is refusal

    @rule(who=people, number=numbers)
    def reopen(self, who: str, number: int) -> None:
        if number not in self.differing():
            return
        person = getattr(self.team, who)
        refusal = self._refusal(person, number, ConflictState.OPEN)
        if refusal is None and number not in self.resolved:
            refusal = NotResolved
        if refusal is None:
            self.world.reopen(self.id, person, number)
            self.resolved.remove(number)
        else:
            with pytest.raises(refusal) as refused:
                self.world.reopen(self.id, person, number)
            assert refused.type is refusal

    @rule(
        who=people,
        number=numbers,
        verdict=st.sampled_from(["include", "exclude", "maybe"]),
        reasons=reasons,
        shown=shown,
    )
    def vote_again(
        self, who: str, number: int, verdict: str, reasons: list[str], shown: int | None
    ) -> None:
        if number not in self.differing():
            return
        person, n_entries = getattr(self.team, who), len(ledger(self.world.database, self.id))
        refusal = self._refusal_of_a_second_vote(person, number, shown)
        said: dict[str, Any] = {"reasons": reasons, "criteria_version": shown}
        if refusal is None:
            self.world.vote_again(self.id, person, number, verdict, **said)
            self.said[person, number] = (verdict, reasons)
            self.under[person, number] = shown or self.n_criteria
            self.voted_again.add((person, number))
            *before, entry = ledger(self.world.database, self.id)
            alone = all(
                one.reviewer_id == person.id for one in before if one.record_number == number
            )
            # Those who were shown a conflict have seen the others' votes; it may be of their doubt.
            assert entry.informed or alone
            assert entry.second_in == self.differing()[number].id
        else:
            with pytest.raises(refusal) as refused:
                self.world.vote_again(self.id, person, number, verdict, **said)
            assert refused.type is refusal
        n_now = len(ledger(self.world.database, self.id))
        assert n_now == n_entries + (refusal is None), "also where they stand by their vote"

    @rule(who=people, number=numbers)
    def say(self, who: str, number: int) -> None:
        if number not in self.differing():
            return
        person, text = getattr(self.team, who), f"Message {len(self.messages)}"
        if self._knows_of(person, number):
            self.world.say(self.id, person, number, text)
            self.messages.append((person, number, text))
            read = self.world.discussion(self.id, person, number)
            assert [one.message.text for one in read if one.is_mine] == [
                text for author, about, text in self.messages if (author, about) == (person, number)
            ]
            assert read[-1].message.text == text
        else:
            with pytest.raises(NotFound):
                self.world.say(self.id, person, number, text)

    @rule(part=policy_parts)
    def change_policy(self, part: tuple[str, Any]) -> None:
        before = self.policy
        effects = self.world.change_policy(self.id, self.team.owner, **dict([part]))
        assert bool(effects) == (getattr(before, part[0]) != part[1])

    @invariant()
    def all_tables_agree(self) -> None:
        if hasattr(self, "team"):
            self.verified = assert_in_step(self.world.database, self.id, verified=self.verified)

    @invariant()
    def the_ledger_ends_with_what_people_said(self) -> None:
        if not hasattr(self, "team"):
            return
        latest = {
            (entry.reviewer_id, entry.record_number): entry
            for entry in ledger(self.world.database, self.id)
        }
        present = {
            key: (entry.verdict.value, entry.reasons, entry.criteria_version)
            for key, entry in latest.items()
            if entry.verdict is not None
        }
        assert present == {
            (who.id, number): (*said, self.under[who, number])
            for (who, number), said in self.said.items()
        }

    @invariant()
    def a_conflict_that_opens_has_its_second_votes_before_it(self) -> None:
        if not hasattr(self, "team"):
            return
        found = self.differing()
        is_open = {n for n, row in found.items() if row.state is ConflictState.OPEN}
        opened, self.open = is_open - self.open, is_open
        self.voted_again -= {one for one in self.voted_again if one[1] in opened}
        with self.world.database.read() as session:
            for history in histories(session, list(found.values())):
                number = int(history.conflict.record_number)
                voters = {who.id for who, about in self.said if about == number}
                again = {who.id for who, about in self.voted_again if about == number}
                assert history.voters == voters
                assert history.voted_again == again & voters

    def teardown(self) -> None:
        if hasattr(self, "team"):
            assert_in_step(self.world.database, self.id)

    def differing(self) -> dict[int, Conflict]:
        return {int(row.record_number): row for row in conflicts(self.world.database, self.id)}

    @property
    def id(self) -> Any:
        return self.team.review_id

    @property
    def policy(self) -> Policy:
        with self.world.database.read() as session:
            return policy_versions.policies_in_force(session, self.id)[TA]

    def _refusal(self, who: Person, number: int, state: ConflictState) -> type[Exception] | None:
        if (who, number) in self.said:
            if not self.policy.voter_may_adjudicate:
                return OwnConflict
        elif who not in (self.team.judge, self.team.owner):
            return Forbidden
        return AlreadyResolved if state is ConflictState.RESOLVED else None

    def _knows_of(self, who: Person, number: int) -> bool:
        policy = self.policy
        if who in (self.team.judge, self.team.owner) or not policy.blind:
            return True
        if (who, number) not in self.said:
            return False
        is_shown = policy.resolution == "consensus" or policy.voter_may_adjudicate
        is_open = self.differing()[number].state is ConflictState.OPEN
        return self.world.status(self.id, number).is_settled or (is_open and is_shown)

    def _refusal_of_a_second_vote(
        self, who: Person, number: int, shown: int | None
    ) -> type[Exception] | None:
        if not self._knows_of(who, number):
            return NotFound
        if (who, number) not in self.said:
            return NotAVoter
        if self.differing()[number].state is ConflictState.RESOLVED:
            return AlreadyResolved
        if self.policy.resolution != "consensus":
            return NotConsensus
        if (who, number) in self.voted_again:
            return VotedAgain
        return Invalid if shown is not None and shown > self.n_criteria else None


def test_any_history(world: World) -> None:
    class Here(Screening):
        pass

    Here.world = world
    run_state_machine_as_test(Here, settings=HOW)


class Merging(RuleBasedStateMachine):
    """Records turn out to be one and several again while two people screen them."""

    world: World
    verified: int | None = None

    @initialize(policy=policies)
    def begin(self, policy: dict[str, Any]) -> None:
        self.team: Team = self.world.team(n_records=4, policy=policy)

    @rule(
        who=st.sampled_from(["ann", "ben"]),
        number=st.integers(1, 4),
        verdict=st.sampled_from([None, "include", "exclude", "maybe"]),
    )
    def decide(self, who: str, number: int, verdict: str | None) -> None:
        person: Person = getattr(self.team, who)
        try:
            if verdict is None:
                self.world.withdraw(self.id, person, number)
            else:
                self.world.decide(self.id, person, number, verdict)
        except (IsDuplicate, NoDecision):
            assert verdict is None or number not in self.shown()

    @rule(number=st.integers(1, 4), verdict=st.sampled_from(["include", "exclude"]))
    def resolve(self, number: int, verdict: str) -> None:
        for row in conflicts(self.world.database, self.id):
            if row.record_number == number and row.state is ConflictState.OPEN:
                self.world.resolve(self.id, self.team.judge, number, verdict)

    @rule(pair=st.sets(st.integers(1, 4), min_size=2, max_size=3))
    def merge(self, pair: set[int]) -> None:
        before = len(ledger(self.world.database, self.id))
        group_id = self.world.merge(self.id, self.team.owner, *pair)
        assert pair <= set(self.linked()[group_id])
        assert len(ledger(self.world.database, self.id)) >= before

    @rule(data=st.data())
    def split(self, data: st.DataObject) -> None:
        for group_id, members in self.linked().items():
            leaving = data.draw(st.none() | st.sampled_from(members))
            self.world.split(
                self.id, self.team.owner, group_id, *([] if leaving is None else [leaving])
            )
            assert leaving is None or leaving in self.shown()
            return

    @rule(part=policy_parts)
    def change_policy(self, part: tuple[str, Any]) -> None:
        self.world.change_policy(self.id, self.team.owner, **dict([part]))

    @invariant()
    def all_tables_agree(self) -> None:
        if not hasattr(self, "team"):
            return
        self.verified = assert_in_step(self.world.database, self.id, verified=self.verified)
        grouped = self.linked().values()
        shown = self.shown()
        for members in grouped:
            assert len(shown & set(members)) == 1, "one record stands for its group"
        hidden = {1, 2, 3, 4} - shown
        assert hidden <= {number for members in grouped for number in members}
        with self.world.database.read() as session:
            row = session.scalars(select(Import).where(Import.review_id == self.id)).one()
        assert (row.n_added, row.n_duplicates) == (len(shown), len(hidden))

    def teardown(self) -> None:
        """Part everything: every record has the votes that were given on it, and no others."""
        if not hasattr(self, "team"):
            return
        for group_id in self.linked():
            self.world.split(self.id, self.team.owner, group_id)
        entries = ledger(self.world.database, self.id)
        own = {
            (entry.reviewer_id, entry.record_number): entry.verdict
            for entry in entries
            if entry.carried_from is None
        }
        present = {(entry.reviewer_id, entry.record_number): entry.verdict for entry in entries}
        assert {key: verdict for key, verdict in present.items() if verdict is not None} == {
            key: verdict for key, verdict in own.items() if verdict is not None
        }
        assert_in_step(self.world.database, self.id)

    @property
    def id(self) -> Any:
        return self.team.review_id

    def shown(self) -> set[int]:
        query = select(Record.number).where(
            Record.review_id == self.id, Record.duplicate_of.is_(None)
        )
        with self.world.database.read() as session:
            return {int(number) for number in session.scalars(query)}

    def linked(self) -> dict[DuplicateGroupId, list[int]]:
        query = select(DuplicateGroup.id).where(
            DuplicateGroup.review_id == self.id, DuplicateGroup.state == GroupState.LINKED
        )
        with self.world.database.read() as session:
            found = groups.members_of(session, session.scalars(query).all())
        return {group_id: [int(number) for number in some] for group_id, some in found.items()}


def test_any_history_of_merging(world: World) -> None:
    class Here(Merging):
        pass

    Here.world = world
    run_state_machine_as_test(Here, settings=HOW)
