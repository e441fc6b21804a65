"""Whatever happens in the middle of an audit: its evidence follows from the log alone.

Each check of the trail computes the evidence again, with a loader of its own.
"""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select
from sqlalchemy.orm import Session

import effort
from service.domain.tables import assert_in_step
from tandem.db.keyset import START
from tandem.ids import DuplicateGroupId, RecordNumber
from tandem.operations import taking_back
from tandem.records.models import Record
from tandem.screening import sources
from tandem.screening.ledger.loading import RecordNotScreened
from tandem.screening.models import Decision, PresentDecision, ScreenedRecord
from tandem.screening.rules import Status
from tandem.stopping import audit_queries, audits, frame, states
from tandem.stopping.models import Audit, AuditDraw, Serving
from tandem.stopping.settling import included_at
from world import TA, Person, Team, World

RECORDS = 12
HOW = effort.machine(full=24, steps=30)
people = st.sampled_from(["ann", "ben"])
verdicts = st.sampled_from(["include", "exclude", "exclude", "maybe"])


class Auditing(RuleBasedStateMachine):
    """Two reviewers draw and decide, while records, rules and targets change."""

    world: World
    verified: int | None = None

    @initialize()
    def begin(self) -> None:
        self.team: Team = self.world.team(n_records=RECORDS)
        for number in (1, 2, 3):
            for who in (self.team.ann, self.team.ben):
                self.world.decide(self.id, who, number, "include")
        self.world.rank(self.id, *range(1, RECORDS + 1))
        self.later: list[RecordNumber] = []
        self.groups: list[DuplicateGroupId] = []
        self.linked: set[int] = set()
        self.register(0.8)

    @precondition(lambda self: self._audit() is None)
    @rule(recall=st.sampled_from([0.8, 0.9]))
    def register(self, recall: float) -> None:
        with self.world.entered(self.id, self.team.owner) as (session, review, viewer):
            try:
                audits.require_an_include(session, review.id, TA)
            except audits.TooFewIncludes:
                return
            audits.register(
                session, review, viewer, stage=TA, target=recall, confidence=0.8, note=None
            )

    @rule(who=people, verdict=verdicts, decides=st.booleans())
    def draw(self, who: str, verdict: str, decides: bool) -> None:
        person: Person = getattr(self.team, who)
        before = self._pool()
        drawn = self.world.draw(self.team, person)
        self._pools_are_right(before)
        if decides and drawn is not None:
            self.world.decide(self.id, person, drawn, verdict)

    def _pool(self) -> tuple[int, set[int]]:
        """Return how many draws there are, and what nobody has decided or drawn of the frame."""
        if (audit := self._audit()) is None:
            return 0, set()
        with self.world.database.read() as session:
            drawn = select(AuditDraw.record_number).where(AuditDraw.audit_id == audit.id)
            begun = select(ScreenedRecord.record_number).where(ScreenedRecord.stage == TA)
            query = select(Record.number).where(
                Record.review_id == self.id,
                Record.number <= audit.last_number,
                Record.number.not_in(begun.where(ScreenedRecord.review_id == self.id)),
                Record.is_in_screening,
            )
            drawn_before = set(session.scalars(drawn))
            return len(drawn_before), {*session.scalars(query)} - drawn_before

    def _pools_are_right(self, before: tuple[int, set[int]]) -> None:
        """Each draw was from what was left by the one before, but for what the frame has not."""
        n_before, pool = before
        if (audit := self._audit()) is None:
            return
        with self.world.database.read() as session:
            query = select(AuditDraw).where(AuditDraw.audit_id == audit.id)
            draws = session.scalars(query.order_by(AuditDraw.place)).all()[n_before:]
            pool -= set(frame.missed(session.get_one(Audit, audit.id)).tolist())
            for draw in draws:
                assert draw.pool == len(pool)
                pool.remove(draw.record_number)

    @rule(who=people, number=st.integers(1, RECORDS), verdict=verdicts)
    def decide(self, who: str, number: int, verdict: str) -> None:
        if number not in self.linked:
            with suppress(RecordNotScreened):
                self.world.decide(self.id, getattr(self.team, who), number, verdict)

    @rule(who=people, number=st.integers(1, RECORDS))
    def withdraw(self, who: str, number: int) -> None:
        if number not in self.linked and self._has_said(getattr(self.team, who), number):
            self.world.withdraw(self.id, getattr(self.team, who), number)

    @rule(pair=st.lists(st.integers(1, RECORDS), min_size=2, max_size=2, unique=True))
    def merge(self, pair: list[int]) -> None:
        if not self.linked & {*pair} and not self.groups:
            self.groups.append(self.world.merge(self.id, self.team.owner, *pair))
            with self.world.database.read() as session:
                self.linked = _linked(session, self.id)

    @precondition(lambda self: self.groups)
    @rule()
    def split(self) -> None:
        self.world.split(self.id, self.team.owner, self.groups.pop())
        self.linked = set()

    @rule(number=st.integers(1, RECORDS))
    def remove_or_restore(self, number: int) -> None:
        """Remove a record that nobody has decided, or let it come back."""
        if number in self.linked:
            return
        with self.world.entered(self.id, self.team.owner) as (session, review, viewer):
            if sources.removal_of(session, self.id, RecordNumber(number)) is not None:
                sources.restore(session, review, viewer, number=RecordNumber(number))
                return
        with suppress(sources.WasScreened):
            self.world.remove(self.id, self.team.owner, number)

    @rule()
    def add_a_record(self) -> None:
        if len(self.later) < 3:
            self.later += self.world.records(self.id, self.team.owner, 1)

    @precondition(lambda self: self.later)
    @rule()
    def take_the_last_import_back(self) -> None:
        with self.world.entered(self.id, self.team.owner) as (session, review, viewer):
            last = session.get_one(Record, (self.id, self.later[-1]))
            try:
                taking_back.take_back(session, review, viewer, import_id=last.import_id)
            except taking_back.ImportInUse:
                session.rollback()
            else:
                self.later.pop()

    @rule(both=st.booleans(), verdict=verdicts)
    def decide_what_came_later(self, both: bool, verdict: str) -> None:
        if self.later:
            for who in (self.team.ann, self.team.ben)[: 1 + both]:
                self.world.decide(self.id, who, self.later[-1], verdict)

    @rule(maybe=st.sampled_from(["as_include", "conflict"]))
    def change_the_policy(self, maybe: str) -> None:
        self.world.change_policy(self.id, self.team.owner, maybe=maybe)

    @precondition(lambda self: self._audit() is not None)
    @rule(
        recall=st.sampled_from([None, 0.8, 0.85, 0.9]),
        serving=st.sampled_from([None, *Serving]),
        end=st.sampled_from([False, False, False, True]),
    )
    def change(self, recall: float | None, serving: Serving | None, end: bool) -> None:
        with self.world.entered(self.id, self.team.owner) as (session, review, viewer):
            audit = audit_queries.in_force(session, self.id, TA)
            assert audit is not None
            audits.change(
                session, review, viewer, audit, serving=serving, target=recall, abandon=end
            )
            states.follow(session, review, audit)

    @precondition(lambda self: self._audit() is not None)
    @rule()
    def reframe(self) -> None:
        with self.world.entered(self.id, self.team.owner) as (session, review, viewer):
            audit = audit_queries.in_force(session, self.id, TA)
            assert audit is not None
            try:
                audits.reframe(session, review, viewer, audit)
            except audits.NothingToKeep:
                session.rollback()

    @invariant()
    def the_trail_holds(self) -> None:
        if hasattr(self, "team"):
            self._follow_all()
            self.verified = assert_in_step(self.world.database, self.id, verified=self.verified)

    def teardown(self) -> None:
        """Check the trail once more, whatever has changed without an event since."""
        if hasattr(self, "team"):
            assert_in_step(self.world.database, self.id)

    @invariant()
    def includes_have_their_places(self) -> None:
        if hasattr(self, "team"):
            with self.world.database.read() as session:
                assert included_at(session, self.id, TA) == _included_at(session, self.id)

    @property
    def id(self) -> Any:
        return self.team.review_id

    def _audit(self) -> Audit | None:
        if not hasattr(self, "team"):
            return None
        with self.world.database.read() as session:
            return audit_queries.in_force(session, self.id, TA)

    def _follow_all(self) -> None:
        """Look at every audit, as somebody who opens the panel does."""
        with self.world.entered(self.id, self.team.owner) as (session, review, _):
            for audit in audit_queries.all_of(session, self.id, START, 50).items:
                states.follow(session, review, audit)

    def _has_said(self, person: Person, number: int) -> bool:
        with self.world.database.read() as session:
            return session.get(PresentDecision, (self.id, TA, number, person.id)) is not None


def _linked(session: Session, review_id: Any) -> set[int]:
    query = select(Record.number).where(
        Record.review_id == review_id, Record.duplicate_of.is_not(None)
    )
    return {int(number) for number in session.scalars(query)}


def _included_at(session: Session, review_id: Any) -> tuple[int, ...]:
    """Return what `included_at` does, from the whole ledger."""
    of_review = Decision.review_id == review_id
    entries = session.scalars(select(Decision).where(of_review).order_by(Decision.labels_seq))
    last = {entry.record_number: entry.labels_seq for entry in entries if entry.stage is TA}
    screened = select(ScreenedRecord).where(ScreenedRecord.review_id == review_id)
    statuses = {row.record_number: row.status for row in session.scalars(screened)}
    order = [
        statuses[number]
        for number in sorted(last, key=last.__getitem__)
        if number in statuses and statuses[number].is_settled
    ]
    return tuple(at for at, status in enumerate(order, start=1) if status is Status.INCLUDED)


@pytest.mark.both_engines
def test_any_history_of_audits(world: World) -> None:
    class Here(Auditing):
        pass

    Here.world = world
    run_state_machine_as_test(Here, settings=HOW)
