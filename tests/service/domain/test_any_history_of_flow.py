"""Whatever happens to records, reports and studies: the flow adds up, then and looked back at."""

from collections.abc import Iterator
from contextlib import contextmanager

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
from tandem.audit.flow_lines import boxes
from tandem.audit.past_flow import flow_at
from tandem.errors import TandemError
from tandem.ids import ImportId, RecordNumber
from tandem.operations import taking_back
from tandem.records import waves
from tandem.records.duplicates.models import DuplicateGroup, GroupState
from tandem.records.imports import Found
from tandem.records.models import Record, WaveKind
from tandem.records.origin import FoundBy, RemovalKind
from tandem.reporting import service as reporting
from tandem.reporting.flow import Flow
from tandem.reports.models import Study
from tandem.reports.retrieval import append_retrieval
from tandem.reviews import service as reviews
from tandem.reviews.models import LockedReview
from tandem.reviews.policy import Stage
from tandem.reviews.service import Viewer
from tandem.screening import decisions, sources
from tandem.screening.conflicts import service as conflicts
from tandem.screening.full_text.models import RetrievalState
from tandem.screening.ledger.entries import DecisionInput, ResolutionInput
from tandem.screening.models import Conflict, ConflictState
from tandem.screening.rules import Classification, Verdict
from tandem.studies import service as studies
from world import Person, Team, World

RECORDS = 4
numbers = st.integers(1, RECORDS + 2)
people = st.sampled_from(["ann", "ben"])
verdicts = st.sampled_from(["include", "include", "exclude", "maybe"])
ways = st.sampled_from([FoundBy.CITATION, FoundBy.WEBSITE, FoundBy.PREVIOUS, FoundBy.REGISTER])
REASONS = ["No setting", "Not qualitative"]

HOW = effort.machine(full=24, steps=30)


class AnyFlow(RuleBasedStateMachine):
    """Two people take records through both stages; an owner does all else that there is.

    `recorded` is the flow as it was when each entry of the log was the last one.
    """

    world: World

    @initialize()
    def begin(self) -> None:
        self.team: Team = self.world.team(exclusion_reasons=REASONS, n_records=0)
        self.recorded: dict[int, dict[str, object]] = {}
        self.n_imported = 0
        found = Found(FoundBy.DATABASE, wave=1)
        self.world.records(self.team.review_id, self.team.owner, RECORDS, found=found)
        for number in (1, 2, 3):
            for person in (self.team.ann, self.team.ben):
                self.world.decide(self.team.review_id, person, number, "include")

    @contextmanager
    def _entered(self, person: Person) -> Iterator[tuple[Session, LockedReview, Viewer]]:
        """Open a change; what is refused changes nothing."""
        try:
            with self.world.entered(self.team.review_id, person) as entered:
                yield entered
        except TandemError:
            pass

    @rule(
        who=people,
        number=numbers,
        verdict=verdicts,
        stage=st.sampled_from(Stage),
        reason=st.sampled_from(REASONS),
        kind=st.none() | st.sampled_from(Classification),
    )
    def decide(
        self,
        who: str,
        number: int,
        verdict: str,
        stage: Stage,
        reason: str,
        kind: Classification | None,
    ) -> None:
        reasons = [reason] if verdict == "exclude" else []
        classified = kind if stage is Stage.FULL_TEXT and verdict != "exclude" else None
        with self._entered(getattr(self.team, who)) as (session, review, viewer):
            decisions.record_decision(
                session,
                review=review,
                viewer=viewer,
                record_number=RecordNumber(number),
                stage=stage,
                given=DecisionInput(Verdict(verdict), reasons=reasons, classification=classified),
            )

    @rule(number=numbers)
    def assess(self, number: int) -> None:
        """Retrieve a report and include it: what takes many steps by chance."""
        self.retrieve(number, RetrievalState.RETRIEVED)
        for who in ("ann", "ben"):
            self.decide(who, number, "include", Stage.FULL_TEXT, "", None)

    @rule(who=people, number=numbers, stage=st.sampled_from(Stage))
    def withdraw(self, who: str, number: int, stage: Stage) -> None:
        with self._entered(getattr(self.team, who)) as (session, review, viewer):
            decisions.withdraw_decision(
                session,
                review=review,
                viewer=viewer,
                record_number=RecordNumber(number),
                stage=stage,
            )

    @rule(verdict=st.sampled_from(["include", "exclude"]), reopen=st.booleans())
    def settle(self, verdict: str, reopen: bool) -> None:
        """Settle the first open conflict, or open the first settled one again."""
        state = ConflictState.RESOLVED if reopen else ConflictState.OPEN
        with self._entered(self.team.judge) as (session, review, viewer):
            query = select(Conflict.id).where(
                Conflict.review_id == review.id, Conflict.state == state
            )
            found = session.scalars(query.order_by(Conflict.record_number, Conflict.stage)).first()
            if found is None:
                return
            if reopen:
                conflicts.reopen_conflict(
                    session, review=review, viewer=viewer, conflict_id=found, note=None
                )
                return
            reasons = REASONS[:1] if verdict == "exclude" else []
            conflicts.resolve_conflict(
                session,
                review=review,
                viewer=viewer,
                conflict_id=found,
                given=ResolutionInput(Verdict(verdict), reasons=reasons),
            )

    @rule(first=numbers, second=numbers)
    def merge(self, first: int, second: int) -> None:
        if first != second and self._there(first, second):
            self.world.merge(self.team.review_id, self.team.owner, first, second)

    @rule()
    def part(self) -> None:
        with self.world.database.read() as session:
            query = select(DuplicateGroup.id).where(
                DuplicateGroup.review_id == self.team.review_id,
                DuplicateGroup.state == GroupState.LINKED,
            )
            found = session.scalars(query.order_by(DuplicateGroup.created_at)).first()
        if found is not None:
            self.world.split(self.team.review_id, self.team.owner, found)

    def _there(self, *some: int) -> bool:
        with self.world.database.read() as session:
            return all(session.get(Record, (self.team.review_id, n)) is not None for n in some)

    @rule(number=numbers, state=st.sampled_from(RetrievalState))
    def retrieve(self, number: int, state: RetrievalState) -> None:
        with self._entered(self.team.owner) as (session, review, viewer):
            append_retrieval(
                session,
                review=review,
                viewer=viewer,
                number=RecordNumber(number),
                state=state,
                note="looked for it",
            )

    @rule(some=st.sets(numbers, min_size=1, max_size=2))
    def group(self, some: set[int]) -> None:
        with self._entered(self.team.ann) as (session, review, viewer):
            named = [RecordNumber(number) for number in sorted(some)]
            studies.create(session, review, viewer, numbers=named)

    @rule(what=st.sampled_from(["split", "sample", "leave out", "take out"]), number=numbers)
    def change_study(self, what: str, number: int) -> None:
        with self._entered(self.team.judge) as (session, review, viewer):
            query = select(Study).where(Study.review_id == review.id).order_by(Study.created_at)
            study = session.scalars(query).first()
            if study is None:
                return
            match what:
                case "split":
                    studies.split(session, review, viewer, study)
                case "take out":
                    studies.take_out(session, review, viewer, study, RecordNumber(number))
                case _:
                    used = what == "sample"
                    studies.sample(session, review, viewer, study, sampled=used, note=None)

    @rule(number=numbers, kind=st.sampled_from(RemovalKind))
    def remove(self, number: int, kind: RemovalKind) -> None:
        tool = "RobotSearch" if kind is RemovalKind.AUTOMATION else None
        with self._entered(self.team.owner) as (session, review, viewer):
            sources.remove(
                session,
                review,
                viewer,
                number=RecordNumber(number),
                kind=kind,
                reason="No abstract",
                tool=tool,
            )

    @rule(number=numbers)
    def restore(self, number: int) -> None:
        with self._entered(self.team.owner) as (session, review, viewer):
            sources.restore(session, review, viewer, number=RecordNumber(number))

    @rule(way=ways)
    def import_one(self, way: FoundBy) -> None:
        if not self._there(RECORDS + 2) and self.n_imported < 4:
            self.n_imported += 1
            self.world.records(self.team.review_id, self.team.owner, 1, found=Found(way))

    @rule(number=numbers, way=ways)
    def correct_import(self, number: int, way: FoundBy) -> None:
        with self._entered(self.team.owner) as (session, review, viewer):
            record = session.get(Record, (review.id, number))
            if record is not None:
                changes = {"found_by": way, "source": way.value}
                of = ImportId(record.import_id)
                sources.change_import(session, review, viewer, import_id=of, changes=changes)

    @rule(number=numbers)
    def take_import_back(self, number: int) -> None:
        with self._entered(self.team.owner) as (session, review, viewer):
            record = session.get(Record, (review.id, number))
            if record is not None:
                of = ImportId(record.import_id)
                taking_back.take_back(session, review, viewer, import_id=of)

    @rule()
    def open_wave(self) -> None:
        with self._entered(self.team.owner) as (session, review, viewer):
            if waves.newest(session, review.id) < 3:
                kind, by = WaveKind.UPDATE, viewer.user_id
                waves.open_next(session, review, label="Again", kind=kind, by=by)

    @invariant()
    def it_adds_up(self) -> None:
        with self.world.database.read() as session:
            viewer = self._viewer(session)
            last = reviews.get_review(session, self.team.review_id).last_seq
            for wave in range(1, waves.newest(session, viewer.review_id) + 1):
                self._sound(reporting.shown(session, viewer=viewer, wave=wave).flow)
            now = reporting.shown(session, viewer=viewer).flow
            self._sound(now)
            then = flow_at(session, viewer=viewer, as_of=last).flow
            self.recorded[last] = boxes(now)
            assert boxes(then) == self.recorded[last]

    def _viewer(self, session: Session) -> Viewer:
        return reviews.viewer(session, review_id=self.team.review_id, user_id=self.team.owner.id)

    @staticmethod
    def _sound(made: Flow) -> None:
        assert [one for one in made.invariants if not one.holds] == []

    def teardown(self) -> None:
        """Look back at every entry, and check the whole trail."""
        if not hasattr(self, "recorded"):
            return
        with self.world.database.read() as session:
            viewer = self._viewer(session)
            for seq, due in self.recorded.items():
                assert boxes(flow_at(session, viewer=viewer, as_of=seq).flow) == due, seq
        owner = self.team.owner.id
        exported = trail.lines(self.world.database, review_id=self.team.review_id, user_id=owner)
        checked = verify.check(exported)
        assert checked.difference is None
        assert checked.n_boxes > 40


@pytest.mark.both_engines
def test_any_history_of_the_flow(world: World) -> None:
    class Here(AnyFlow):
        pass

    Here.world = world
    run_state_machine_as_test(Here, settings=HOW)
