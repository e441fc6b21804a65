"""Whatever people do, in whatever order: the blinded see no difference between two worlds.

Two reviews with the same people go through the same history, but Ann and Ben say other things in
the second one. Conflicts are settled and opened again, and voted in, where they are: perhaps in one
of the two only. After each step Eve, who decides nothing, is shown the same in both.
"""

from collections.abc import Callable
from contextlib import suppress
from itertools import product
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
from sqlalchemy.exc import NoResultFound

import effort
from tandem.errors import TandemError
from tandem.events import log
from tandem.events.screening_types import RankingUpdated
from tandem.ids import DuplicateGroupId, ReviewId
from tandem.ranking import serving
from tandem.reviews import service as reviews
from tandem.reviews.models import Role
from tandem.screening.blinding.numbers import numbers_for_the_blinded
from tandem.screening.conflicts import service as conflicts
from tandem.screening.decisions import NoDecision
from tandem.screening.ledger.loading import IsDuplicate
from tandem.screening.progress import progress
from world import TA, Person, Team, World

pytestmark = pytest.mark.both_engines

OTHERWISE = {"include": "exclude", "exclude": "maybe", "maybe": "include"}
HOW = effort.machine(full=15, steps=20)
policy_parts = st.sampled_from(
    [
        ("reviewers_per_record", 3),
        ("maybe", "conflict"),
        ("reasons_must_match", True),
        ("resolution", "consensus"),
        ("resolution", "majority"),
        ("voter_may_adjudicate", True),
        ("adjudicator_sees", "anonymous"),
    ]
)
people, numbers = st.sampled_from(["ann", "ben"]), st.integers(1, 3)


class Worlds(RuleBasedStateMachine):
    world: World

    @initialize()
    def begin(self) -> None:
        self.team: Team = self.world.team(n_records=3)
        self.groups: list[tuple[DuplicateGroupId, DuplicateGroupId]] = []
        team = self.team
        self.other: ReviewId = self.world.review(team.owner)
        with self.world.database.write.begin() as session:
            review = reviews.lock(session, self.other)
            for person in (team.ann, team.ben, team.eve):
                reviews.set_member(session, review, user_id=person.id, role=Role.REVIEWER)
            reviews.set_member(session, review, user_id=team.judge.id, role=Role.ADJUDICATOR)
            reviews.set_member(session, review, user_id=team.observer.id, role=Role.OBSERVER)
        self.world.records(self.other, team.owner, 3)

    @rule(who=people, number=numbers, verdict=st.sampled_from(sorted(OTHERWISE)))
    def decide(self, who: str, number: int, verdict: str) -> None:
        person: Person = getattr(self.team, who)
        said = ((self.team.review_id, verdict), (self.other, OTHERWISE[verdict]))
        for review_id, says in said:
            try:
                self.world.decide(review_id, person, number, says)
            except IsDuplicate:
                assert self.groups

    @rule(who=people, number=numbers)
    def withdraw(self, who: str, number: int) -> None:
        refused = 0
        for review_id in (self.team.review_id, self.other):
            try:
                self.world.withdraw(review_id, getattr(self.team, who), number)
            except (NoDecision, IsDuplicate):
                refused += 1
        assert refused in (0, 2)

    @rule(pair=st.sampled_from([(1, 2), (2, 3), (1, 2, 3)]))
    def merge(self, pair: tuple[int, ...]) -> None:
        if not self.groups:
            one, other = (
                self.world.merge(review_id, self.team.owner, *pair)
                for review_id in (self.team.review_id, self.other)
            )
            self.groups.append((one, other))

    @rule()
    def split(self) -> None:
        if self.groups:
            one, other = self.groups.pop()
            self.world.split(self.team.review_id, self.team.owner, one)
            self.world.split(self.other, self.team.owner, other)

    @rule(part=policy_parts)
    def change_policy(self, part: tuple[str, Any]) -> None:
        for review_id in (self.team.review_id, self.other):
            self.world.change_policy(review_id, self.team.owner, **dict([part]))

    @rule(number=numbers, pair=st.permutations(sorted(OTHERWISE)))
    def both_decide(self, number: int, pair: list[str]) -> None:
        for who, verdict in zip(("ann", "ben"), pair, strict=False):
            self.decide(who, number, verdict)

    @rule(verdict=st.sampled_from(["include", "exclude"]))
    def resolve(self, verdict: str) -> None:
        judge = self.team.judge
        self._where_it_can_be(lambda id, number: self.world.resolve(id, judge, number, verdict))

    @rule()
    def reopen(self) -> None:
        self._where_it_can_be(lambda id, number: self.world.reopen(id, self.team.judge, number))

    @rule(who=people, verdict=st.sampled_from(sorted(OTHERWISE)))
    def vote_again(self, who: str, verdict: str) -> None:
        voter: Person = getattr(self.team, who)
        self._where_it_can_be(lambda id, number: self.world.vote_again(id, voter, number, verdict))

    @rule()
    def rank(self) -> None:
        for review_id in (self.team.review_id, self.other):
            ranking = self.world.rank(review_id, 3, 2, 1)
            # Both have the same events, but for the number.
            fact = RankingUpdated(ranking_id="one", stage=TA, labels_seq=ranking.labels_seq)
            with self.world.entered(review_id, self.team.owner) as (session, review, _):
                log.append(session, review, fact)

    def _where_it_can_be(self, do: Callable[[ReviewId, int], None]) -> None:
        for review_id, number in product((self.team.review_id, self.other), (1, 2, 3)):
            with suppress(TandemError, NoResultFound):
                do(review_id, number)

    @invariant()
    def the_blinded_see_the_same(self) -> None:
        if hasattr(self, "team"):
            for who in (self.team.eve, self.team.observer):
                assert self._shown(self.team.review_id, who) == self._shown(self.other, who)

    def _shown(self, review_id: ReviewId, who: Person) -> Any:
        with self.world.database.read() as session:
            viewer = reviews.viewer(session, review_id=review_id, user_id=who.id)
            entries = log.read_after(
                session, review_id=review_id, after=0, limit=500, only_open=True
            )
            rankings = serving.list_rankings(session, review_id=review_id, limit=100)
            counted = [event.data.get("labels_seq", 0) for _, event in entries]
            counted += [ranking.labels_seq for ranking in rankings]
            number_of = numbers_for_the_blinded(session, review_id, counted)
            counts = progress(session, viewer=viewer, stage=TA)
            # Her queue goes by numbers of decisions alone, which the events tell.
            return (
                [number_of[one] for one in counted],
                [
                    (number, event.type, event.subject, event.data | {"labels_seq": None})
                    for number, event in entries
                ],
                (counts.n_records, counts.counts, counts.reviewers, counts.recall),
                counts.recall_curve,
                conflicts.list_conflicts(
                    session, viewer=viewer, selection=conflicts.Selection(), limit=10
                ).items,
            )


def test_any_history_looks_the_same_to_the_blinded(world: World) -> None:
    class Here(Worlds):
        pass

    Here.world = world
    run_state_machine_as_test(Here, settings=HOW)
