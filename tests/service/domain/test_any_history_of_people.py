"""People come, go, pause and read a pilot round: all tables agree and no vote is lost."""

from datetime import datetime
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import func, select

import effort
from service.domain.tables import assert_in_step, ledger
from tandem.db.base import now
from tandem.errors import NotFound
from tandem.records.models import Record
from tandem.reviews import policy_versions
from tandem.reviews import service as reviews
from tandem.reviews.models import Member, Role
from tandem.screening.lease_models import Lease, Served
from tandem.screening.people import pilot, workload
from tandem.screening.queue.service import QueueState
from tandem.screening.team import membership, removal
from world import TA, Person, Team, World

people = st.sampled_from(["ann", "ben", "eve"])
RECORDS = 6
numbers = st.integers(1, RECORDS)
verdicts = st.sampled_from(["include", "exclude", "maybe"])

HOW = effort.machine(full=20, steps=25)


class People(RuleBasedStateMachine):
    """Three reviewers screen six records while an owner moves them about.

    `said` is what each person's present decision must be, and `said_at` when they gave it.
    """

    world: World

    @initialize(quota=st.integers(1, 3), blind=st.booleans())
    def begin(self, quota: int, blind: bool) -> None:
        policy = {"reviewers_per_record": quota, "blind": blind}
        self.team: Team = self.world.team(n_records=RECORDS, policy=policy)
        self.world.rank(self.id, *range(RECORDS, 2, -1))
        self.said: dict[tuple[Person, int], str] = {}
        self.said_at: dict[tuple[Person, int], datetime] = {}
        self.gone: set[Person] = set()
        self.history: dict[tuple[Person, int], list[tuple[datetime, str | None]]] = {}
        self.paused: set[Person] = set()
        self.verified: int | None = None

    @rule(who=people, number=numbers, verdict=verdicts)
    def decide(self, who: str, number: int, verdict: str) -> None:
        person = getattr(self.team, who)
        if person in self.gone:
            with pytest.raises(NotFound):
                self.world.decide(self.id, person, number, verdict)
            return
        made = self.world.decide(self.id, person, number, verdict)
        assert made.changed == (self.said.get((person, number)) != verdict)
        if made.changed:
            self._says((person, number), verdict)

    @rule(who=people, number=numbers)
    def withdraw(self, who: str, number: int) -> None:
        person = getattr(self.team, who)
        if (person, number) in self.said and person not in self.gone:
            self.world.withdraw(self.id, person, number)
            self._says((person, number), None)

    @rule(who=people, fate=st.sampled_from(["keep", "void"]), preview=st.booleans(), back=st.data())
    def remove(self, who: str, fate: Any, preview: bool, back: st.DataObject) -> None:
        person = getattr(self.team, who)
        times = sorted(at for (one, _), at in self.said_at.items() if one == person)
        since = back.draw(st.sampled_from([None, *times])) if fate == "void" else None
        theirs = {key for key in self.said if key[0] == person}
        voided = {key for key in theirs if fate == "void" and not self._earlier(key, since)}
        if person in self.gone and not (theirs and fate == "void"):
            with pytest.raises(NotFound):
                self._leave(person, fate, since, preview=preview)
            return
        before = len(ledger(self.world.database, self.id))

        departure = self._leave(person, fate, since, preview=preview)

        assert departure.n_decisions_voided == len(voided)
        grown = len(ledger(self.world.database, self.id)) - before
        before_then = {key: self._said_by(key, since) for key in voided}
        restored = {key for key, said in before_then.items() if said is not None}
        # What is voided is withdrawn; what had been said of the same record by then is said again.
        assert grown == (0 if preview else len(voided) + len(restored))
        if not preview:
            for key, said in before_then.items():
                self._says(key, said)
            self.gone.add(person)
            self.paused.discard(person)
            assert self._held(person) == set()

    @rule(who=people)
    def add_again(self, who: str) -> None:
        person = getattr(self.team, who)
        with self.world.entered(self.id, self.team.owner) as (session, review, viewer):
            membership.put(
                session, review=review, viewer=viewer, user_id=person.id, role=Role.REVIEWER
            )
        self.gone.discard(person)

    @rule(who=people, paused=st.booleans())
    def pause(self, who: str, paused: bool) -> None:
        person = getattr(self.team, who)
        if person in self.gone:
            return
        self._change(person, paused=paused)
        (self.paused.add if paused else self.paused.discard)(person)
        if paused:
            assert self._held(person) == set()

    @rule(who=people, share=st.sampled_from([None, 0.1, 0.25, 0.5, 1.0]))
    def give_share(self, who: str, share: float | None) -> None:
        person = getattr(self.team, who)
        if person not in self.gone:
            self._change(person, share=share)

    @rule(size=st.integers(1, 3))
    def begin_pilot(self, size: int) -> None:
        with self.world.entered(self.id, self.team.owner) as (session, review, viewer):
            running = pilot.state(review) is pilot.PilotState.RUNNING
            try:
                pilot.begin(session, review, viewer, size)
            except pilot.PilotRunning:
                assert running
            except pilot.NothingToRead:
                assert not running
                assert review.pilot_records
            else:
                assert not running

    @rule()
    def end_pilot(self) -> None:
        with self.world.entered(self.id, self.team.owner) as (session, review, viewer):
            if pilot.state(review) is pilot.PilotState.RUNNING:
                pilot.end(session, review, viewer)

    @rule(who=people, limit=st.integers(1, 7))
    def serve(self, who: str, limit: int) -> None:
        person = getattr(self.team, who)
        if person in self.gone:
            return
        served = self.world.serve(self.id, person, limit=limit)
        got = [int(lease.record_number) for lease in served.items]
        assert len(got) == len(set(got)) <= min(limit, served.remaining)
        assert not {number for number in got if (person, number) in self.said}
        assert (served.state is QueueState.PAUSED) == (person in self.paused)
        assert bool(got) == (served.state is QueueState.READY)
        round_now = self._running_round()
        if round_now is not None:
            left = [n for n in round_now if (person, n) not in self.said]
            # What they hold comes first, so not always from the head; but in the round's order.
            assert len(got) == (0 if person in self.paused else min(limit, len(left)))
            assert got == [number for number in left if number in got]
        else:
            left_of_share = served.workload.left
            assert left_of_share is None or len(got) <= left_of_share

    @invariant()
    def all_tables_agree(self) -> None:
        if hasattr(self, "team"):
            self.verified = assert_in_step(self.world.database, self.id, verified=self.verified)

    @invariant()
    def the_ledger_ends_with_what_people_said(self) -> None:
        if not hasattr(self, "team"):
            return
        latest = {
            (entry.reviewer_id, int(entry.record_number)): entry
            for entry in ledger(self.world.database, self.id)
        }
        present = {key: e.verdict.value for key, e in latest.items() if e.verdict is not None}
        assert present == {(who.id, number): said for (who, number), said in self.said.items()}
        for entry in latest.values():
            assert entry.entered_by in (None, self.team.owner.id)

    @invariant()
    def counts_of_the_work_are_counts(self) -> None:
        if not hasattr(self, "team"):
            return
        with self.world.database.read() as session:
            rows = session.scalars(select(Member).where(Member.review_id == self.id)).all()
            total = session.scalar(select(func.count()).select_from(Record))
            policies = policy_versions.policies_in_force(session, self.id)
            found = workload.of_members(session, self.id, TA, policies, rows)
            picks = session.execute(
                select(func.count(), func.max(Served.pick)).group_by(Served.user_id)
            ).all()
        assert all(n == last for n, last in picks)  # numbered without gaps
        quota = policies[TA].reviewers_per_record
        for member in rows:
            work = found[member.user_id]
            assert work.decided == sum(who.id == member.user_id for who, _ in self.said)
            if member.share is not None and work.target is not None and total is not None:
                assert work.target <= member.share * total * quota + 1e-6

    def teardown(self) -> None:
        if hasattr(self, "team"):
            assert_in_step(self.world.database, self.id)

    @property
    def id(self) -> Any:
        return self.team.review_id

    def _earlier(self, key: tuple[Person, int], since: datetime | None) -> bool:
        # What was decided by the time that `said_at` was noted was decided before it.
        return since is not None and self.said_at[key] <= since

    def _says(self, key: tuple[Person, int], verdict: str | None) -> None:
        at = now()
        self.history.setdefault(key, []).append((at, verdict))
        if verdict is None:
            del self.said[key], self.said_at[key]
        else:
            self.said[key], self.said_at[key] = verdict, at

    def _said_by(self, key: tuple[Person, int], since: datetime | None) -> str | None:
        """Return what they had last said of a record by then; None if nothing stood."""
        earlier = [said for at, said in self.history[key] if since is not None and at <= since]
        return earlier[-1] if earlier else None

    def _leave(
        self, person: Person, fate: Any, since: datetime | None, *, preview: bool
    ) -> removal.Departure:
        with self.world.entered(self.id, self.team.owner) as (session, review, viewer):
            savepoint = session.begin_nested()
            departure = removal.leave(
                session,
                review=review,
                viewer=viewer,
                user_id=person.id,
                decisions=fate,
                since=since,
            )
            if preview:
                savepoint.rollback()
            return departure

    def _change(self, person: Person, **part: Any) -> None:
        with self.world.entered(self.id, self.team.owner) as (session, review, viewer):
            membership.change(session, review=review, viewer=viewer, user_id=person.id, **part)

    def _held(self, person: Person) -> set[int]:
        with self.world.database.read() as session:
            held = select(Lease.record_number).where(
                Lease.review_id == self.id, Lease.user_id == person.id
            )
            return set(session.scalars(held))

    def _running_round(self) -> list[int] | None:
        with self.world.database.read() as session:
            review = reviews.get_review(session, self.id)
            if pilot.state(review) is not pilot.PilotState.RUNNING:
                return None
            return [int(number) for number in pilot.record_numbers(session, review)]


@pytest.mark.both_engines
def test_any_history_of_people(world: World) -> None:
    class Here(People):
        pass

    Here.world = world
    run_state_machine_as_test(Here, settings=HOW)
