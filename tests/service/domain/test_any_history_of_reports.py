"""Whatever people do in whatever order, each report stands where a naive recount puts it."""

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
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
from sqlalchemy import select
from sqlalchemy.orm import Session

import effort
from tandem.audit import trail, verify
from tandem.errors import Forbidden
from tandem.ids import RecordNumber, ReviewId
from tandem.records.duplicates.models import DuplicateGroup, GroupState
from tandem.records.models import Record
from tandem.reports.facts import load_facts
from tandem.reports.rules import reason, standing
from tandem.reviews import policy_versions
from tandem.reviews import service as reviews
from tandem.reviews.policy import Stage
from tandem.screening.decisions import NoDecision
from tandem.screening.full_text.models import Retrieval
from tandem.screening.full_text.population import NotAtThisStage, gate, population
from tandem.screening.models import Decision, Resolution
from tandem.screening.progress import progress
from tandem.screening.rules import Classification
from world import FT, TA, Person, Team, World

pytestmark = pytest.mark.both_engines

N = 3
STATES = ("not_retrieved", "sought", "requested", "awaiting_translation", "retrieved")
"""From the worst to the best."""

people = st.sampled_from(["ann", "ben", "eve"])
numbers = st.integers(1, N)
stages = st.sampled_from([TA, FT, FT])
# Mostly included, so that much comes to full text.
verdicts = st.sampled_from(["include", "include", "include", "exclude", "maybe"])
classifications = st.sampled_from([None, None, None, *Classification])
reasons = st.sampled_from(["design", "population"])
HOW = effort.machine(full=12, steps=20)


@dataclass
class Naive:
    """What a record's entries amount to, counted again by the default policies."""

    votes: dict[str, Decision] = field(default_factory=dict)
    resolution: Resolution | None = None

    def status(self, stage: Stage) -> str:
        if self.resolution is not None:
            return {"include": "included", "exclude": "excluded"}[self.resolution.verdict]
        if len(self.votes) < 2:
            return "awaiting" if self.votes else "unscreened"
        said = {str(vote.verdict) for vote in self.votes.values()}
        if stage is TA:
            said = {"include" if verdict == "maybe" else verdict for verdict in said}
        if said == {"exclude"}:
            return "excluded"
        kinds = {vote.classification for vote in self.votes.values()}
        return "included" if said == {"include"} and len(kinds) == 1 else "conflict"

    def classification(self) -> str | None:
        if self.resolution is not None:
            return self.resolution.classification
        return next(iter(self.votes.values())).classification if self.votes else None

    def reasons(self) -> set[str]:
        if self.resolution is not None and self.resolution.reasons:
            return set(self.resolution.reasons)
        return {one for vote in self.votes.values() for one in vote.reasons}


class Reporting(RuleBasedStateMachine):
    """Three people take three records to full text, and change their minds about everything."""

    world: World

    @initialize()
    def begin(self) -> None:
        self.team: Team = self.world.team(n_records=N)
        for person in (self.team.ann, self.team.ben):
            self.world.decide(self.id, person, 1, "include")

    @property
    def id(self) -> ReviewId:
        return self.team.review_id

    @rule(
        who=people,
        number=numbers,
        stage=stages,
        verdict=verdicts,
        kind=classifications,
        why=reasons,
    )
    def decide(
        self,
        who: str,
        number: int,
        stage: Stage,
        verdict: str,
        kind: Classification | None,
        why: str,
    ) -> None:
        shown = self.shown(number)
        said: dict[str, Any] = {"reasons": [why]} if verdict == "exclude" else {}
        if stage is FT and verdict != "exclude":
            said["classification"] = kind
        person: Person = getattr(self.team, who)
        there = shown in self.there()
        try:
            made = self.world.decide(self.id, person, shown, verdict, stage=stage, **said)
        except NotAtThisStage:
            assert stage is FT
            assert self.naive()[shown, TA].status(TA) != "included" or not there
            return
        assert made.counted == (stage is TA or there)

    @rule(who=people, number=numbers, stage=stages)
    def withdraw(self, who: str, number: int, stage: Stage) -> None:
        with suppress(NoDecision):
            person = getattr(self.team, who)
            self.world.withdraw(self.id, person, self.shown(number), stage=stage)

    @rule(number=numbers, stage=stages, verdict=st.sampled_from(["include", "exclude"]))
    def settle(self, number: int, stage: Stage, verdict: str) -> None:
        shown = self.shown(number)
        if self.naive()[shown, stage].status(stage) == "conflict":
            judge = self.team.judge
            self.world.resolve(self.id, judge, shown, verdict, stage=stage, reasons=["design"])

    @rule(number=numbers, stage=stages)
    def reopen(self, number: int, stage: Stage) -> None:
        shown = self.shown(number)
        if self.naive()[shown, stage].resolution is not None:
            self.world.reopen(self.id, self.team.judge, shown, stage=stage)

    @rule(number=numbers, state=st.sampled_from([*STATES, "retrieved", "retrieved"]))
    def retrieve(self, number: int, state: str) -> None:
        with suppress(NotAtThisStage):
            note = "Nowhere." if state == "not_retrieved" else None
            self.world.retrieve(self.id, self.team.eve, self.shown(number), state, note)

    @rule(one=numbers, other=numbers)
    def merge(self, one: int, other: int) -> None:
        if self.shown(one) != self.shown(other):
            self.world.merge(self.id, self.team.owner, one, other)

    @rule(which=st.integers(0, 2))
    def split(self, which: int) -> None:
        with self.world.database.read() as session:
            linked = session.scalars(  # a group may have become part of another since
                select(DuplicateGroup.id)
                .where(
                    DuplicateGroup.review_id == self.id, DuplicateGroup.state == GroupState.LINKED
                )
                .order_by(DuplicateGroup.id)
            ).all()
        if linked:
            self.world.split(self.id, self.team.owner, linked[which % len(linked)])

    @rule(number=numbers)
    def revoke_vote_and_restore(self, number: int) -> None:
        """A late change of title and abstract that is undone leaves nothing behind."""
        shown = self.shown(number)
        votes = self.naive()[shown, TA].votes
        mine = votes.get(str(self.team.ann.id))
        full = self.naive()[shown, FT].votes
        if shown not in self.there() or mine is None or mine.carried_from is not None:
            return
        if str(self.team.eve.id) in full:
            return
        before = self.seen()
        self.world.withdraw(self.id, self.team.ann, shown)
        self.world.decide(self.id, self.team.eve, shown, "exclude", stage=FT, reasons=["design"])
        self.world.withdraw(self.id, self.team.eve, shown, stage=FT)
        self.world.decide(self.id, self.team.ann, shown, str(mine.verdict))
        assert self.seen() == before

    @invariant()
    def reports_stand_where_they_should(self) -> None:
        if not hasattr(self, "team"):
            return
        counted, there = self.naive(), self.there()
        retrieved = self.retrievals()
        with self.world.database.read() as session:
            review = reviews.get_review(session, self.id)
            found = load_facts(session, review)
            policies = policy_versions.policies_in_force(session, self.id)
            assert set(population(session, self.id, gate(policies))) == there
            viewer = reviews.viewer(session, review_id=self.id, user_id=self.team.owner.id)
            shown = progress(session, viewer=viewer, stage=FT)
        for number in {self.shown(n) for n in range(1, N + 1)}:
            first, full = counted[number, TA], counted[number, FT]
            if first.status(TA) != "included":
                assert number not in found or standing(found[RecordNumber(number)]) == "not_sought"
                continue
            facts = found[RecordNumber(number)]
            assert standing(facts) == self.stands(retrieved.get(number), full)
            assert (reason(facts) is not None) == (standing(facts) == "excluded")
            if standing(facts) == "excluded":
                assert reason(facts) in full.reasons()
        statuses = Counter(counted[number, FT].status(FT) for number in there)
        assert shown.n_records == len(there)
        assert {status: n for status, n in shown.counts.items() if n} == dict(statuses)

    def stands(self, retrieval: str | None, full: Naive) -> str:
        if retrieval == "not_retrieved":
            return "not_retrieved"
        if retrieval != "retrieved":
            return "being_sought"
        status = full.status(FT)
        if status != "included":
            return "excluded" if status == "excluded" else "to_assess"
        return full.classification() or "included"

    def teardown(self) -> None:
        if hasattr(self, "team"):
            owner = self.team.owner.id
            lines = trail.lines(self.world.database, review_id=self.id, user_id=owner)
            made = verify.check(lines)
            assert made.ok, made.difference

    def shown(self, number: int) -> int:
        with self.world.database.read() as session:
            record = session.get_one(Record, (self.id, number))
            return int(record.duplicate_of or number)

    def there(self) -> set[int]:
        """Return the reports whose votes count: included with two votes, and retrieved."""
        counted, retrieved = self.naive(), self.retrievals()
        return {
            number
            for (number, stage), one in counted.items()
            if stage is TA
            and one.status(TA) == "included"
            and len(one.votes) >= 2
            and retrieved.get(number) == "retrieved"
        }

    def retrievals(self) -> dict[int, str]:
        best: dict[int, str] = {}
        with self.world.database.read() as session:
            rows = session.scalars(
                select(Retrieval).where(Retrieval.review_id == self.id).order_by(Retrieval.seq)
            )
            newest = {row.record_number: str(row.state) for row in rows}
        for number, state in newest.items():
            head = self.shown(number)
            best[head] = max(best.get(head, state), state, key=STATES.index)
        return best

    def naive(self) -> dict[tuple[int, Stage], Naive]:
        with self.world.database.read() as session:
            return _naive(session, self)

    def seen(self) -> object:
        with self.world.database.read() as session:
            viewer = reviews.viewer(session, review_id=self.id, user_id=self.team.owner.id)
            found = progress(session, viewer=viewer, stage=FT)
            facts = load_facts(session, reviews.get_review(session, self.id))
            return found.n_records, found.counts, facts


def _naive(session: Session, machine: Reporting) -> dict[tuple[int, Stage], Naive]:
    """Take the latest entry of each reviewer, and the resolutions that stand."""
    shown = {machine.shown(n) for n in range(1, N + 1)}
    found = {(number, stage): Naive() for number in shown for stage in Stage}
    entries = select(Decision).where(Decision.review_id == machine.id)
    for entry in session.scalars(entries.order_by(Decision.labels_seq)):
        at = (int(entry.record_number), entry.stage)
        if at not in found:
            continue
        found[at].votes.pop(str(entry.reviewer_id), None)
        if entry.verdict is not None:
            found[at].votes[str(entry.reviewer_id)] = entry
    resolutions = select(Resolution).where(Resolution.review_id == machine.id)
    for row in session.scalars(resolutions):
        at = (int(row.record_number), row.stage)
        if at in found and not row.is_set_aside and row.taken_back_at is None:
            found[at].resolution = row
    session.expunge_all()
    return found


def test_reports_stand_where_a_recount_puts_them_in_any_history(world: World) -> None:
    class Here(Reporting):
        pass

    Here.world = world
    run_state_machine_as_test(Here, settings=HOW)


def test_nobody_below_an_adjudicator_settles_a_full_text(world: World) -> None:
    team = world.team(n_records=1)
    world.to_full_text(team, 1)
    world.decide(team.review_id, team.ann, 1, "include", stage=FT)
    world.decide(team.review_id, team.ben, 1, "maybe", stage=FT)
    with pytest.raises(Forbidden):
        world.resolve(team.review_id, team.eve, 1, "include", stage=FT)
