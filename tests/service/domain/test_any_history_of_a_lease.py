"""Whatever workers and clocks do, in whatever order: one at most may store, and no work is lost.

Workers take a review's training, renew it, rest, finish, fail, are killed, and come back late. The
clock of the machine goes on, or is set forward or back by hours.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

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
from sqlalchemy import inspect
from sqlalchemy.orm import Session

import effort
from service.domain.clocks import Clock
from tandem.db.base import now
from tandem.ids import ReviewId
from tandem.ranking import training
from tandem.ranking.models import Training
from tandem.ranking.training import RANKINGS
from tandem.reviews import service as reviews
from tandem.work import lease
from tandem.work.attempts import CLOCKS_APART, MOST_TRIES, WAITS
from tandem.work.lease import PARKED, Held, Overtaken
from world import TA, World

pytestmark = pytest.mark.both_engines

HOW = effort.machine(full=24, steps=40)
LASTING = timedelta(seconds=30)
LONGEST = LASTING + max(WAITS) + 2 * CLOCKS_APART
"""After so long, if no clock is set meanwhile, work that is due can be taken."""

which = st.integers(0, 9)


class Workers(RuleBasedStateMachine):
    world: World
    review_id: ReviewId

    @initialize()
    def review(self) -> None:
        self.review_id = self.world.team().review_id
        self.given: list[tuple[Held[Training], int]] = []
        self.resting: list[int] = []
        self.wanted = self.stored = 0
        with self._writing() as session:
            lease.ensure_row(session, RANKINGS, self.review_id, TA, trained_seq=0)
        self.change()

    @rule()
    def change(self) -> None:
        with self._writing() as session:
            review = reviews.lock(session, self.review_id)
            review.labels_seq += 1
            self.wanted = review.labels_seq

    @rule()
    def take(self) -> None:
        held = training.claim(self.world.database, self.review_id, TA, lasting=LASTING)
        if held is not None:
            self.given.append((held, self.wanted))

    @rule()
    @precondition(lambda self: self.resting)
    def go_on(self) -> None:
        (fence,) = self.resting
        with self._writing() as session:
            held = lease.resume(session, RANKINGS, self.review_id, TA, fence=fence, lasting=LASTING)
        if held is not None:
            self.given.append((held, self.wanted))

    @rule(n=which)
    @precondition(lambda self: self.given)
    def renew(self, n: int) -> None:
        held, _ = self._one(n)
        may_store = self._is_last(held)
        with self._writing() as session:
            if may_store:
                lease.hold(session, held)
            else:
                with pytest.raises(Overtaken):
                    lease.hold(session, held)

    @rule(n=which)
    @precondition(lambda self: self.given)
    def rest(self, n: int) -> None:
        held, _ = self._one(n)
        with self._changing_only_what_is_held(held), self._writing() as session:
            row = lease.find(session, held)
            if row is not None:
                self.resting = [lease.rest(row, held)]

    @rule(n=which)
    @precondition(lambda self: self.given)
    def finish(self, n: int) -> None:
        held, seq = self._one(n)
        may_store = self._is_last(held)
        with self._writing() as session:
            stored = training.finish(session, held, labels_seq=seq, not_before=now())
        assert stored == (may_store and seq > self.stored)
        self.stored = seq if stored else self.stored

    @rule(n=which)
    @precondition(lambda self: self.given)
    def fail(self, n: int) -> None:
        held, _ = self._one(n)
        with self._changing_only_what_is_held(held):
            training.fail(self.world.database, held, ValueError("again"))

    @rule(n=which)
    @precondition(lambda self: self.given)
    def stop(self, n: int) -> None:
        held, _ = self._one(n)
        with self._changing_only_what_is_held(held):
            training.give_back(self.world.database, held)

    @rule(n=which)
    @precondition(lambda self: len(self.given) > 3)
    def is_killed(self, n: int) -> None:
        self.given.remove(self._one(n))

    @rule()
    def somebody_asks_again(self) -> None:
        with self._writing() as session:
            reviews.lock(session, self.review_id)
            lease.try_again(session, RANKINGS, self.review_id)

    @rule(seconds=st.sampled_from([11, 31, 31, 61, 301, 3600, -11, -61, -3600]))
    def time_passes_or_a_clock_is_set(self, seconds: int) -> None:
        Clock.at += timedelta(seconds=seconds)

    @invariant()
    def one_at_most_may_store(self) -> None:
        assert sum(self._is_last(held) for held, _ in self.given) <= 1

    @invariant()
    def what_is_stored_stays(self) -> None:
        with self.world.database.read() as session:
            assert session.get_one(Training, (self.review_id, TA)).trained_seq == self.stored

    def teardown(self) -> None:
        """All workers are killed. What is due is done all the same."""
        if not hasattr(self, "wanted"):
            return
        for _ in range(MOST_TRIES + 2):
            if self.stored == self.wanted:
                return
            Clock.at += LONGEST
            with self._writing() as session:
                taken = lease.take(session, RANKINGS, self.review_id, TA, lasting=LASTING)
            if isinstance(taken, Held):
                with self._writing() as session:
                    assert training.finish(session, taken, labels_seq=self.wanted, not_before=now())
                self.stored = self.wanted
            else:
                assert taken is PARKED or self._is_parked(), "work that is due cannot be taken"
                self.somebody_asks_again()
        raise AssertionError("what is due was forgotten")

    def _one(self, n: int) -> tuple[Held[Training], int]:
        return self.given[n % len(self.given)]

    def _is_last(self, held: Held[Training]) -> bool:
        with self.world.database.read() as session:
            row = session.get_one(Training, (self.review_id, TA))
            return row.fence == held.fence and row.lease_until is not None

    def _row(self) -> dict[str, object]:
        with self.world.database.read() as session:
            row = session.get_one(Training, (self.review_id, TA))
            return {column.key: getattr(row, column.key) for column in inspect(Training).columns}

    @contextmanager
    def _changing_only_what_is_held(self, held: Held[Training]) -> Iterator[None]:
        may_store, before = self._is_last(held), self._row()
        yield
        assert may_store or self._row() == before

    def _is_parked(self) -> bool:
        with self.world.database.read() as session:
            return training.parked(session, self.review_id) is not None

    @contextmanager
    def _writing(self) -> Iterator[Session]:
        with self.world.database.write.begin() as session:
            yield session


def test_any_history_of_a_lease(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    Clock.at = datetime.now(UTC)
    monkeypatch.setattr("tandem.db.base.datetime", Clock)

    class Here(Workers):
        pass

    Here.world = world
    run_state_machine_as_test(Here, settings=HOW)
