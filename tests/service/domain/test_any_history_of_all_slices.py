"""Whatever meets whatever: rules, audits, votes from files, texts and leavers beside the flow.

Faults that no slice's own tests found lay where two of them meet. After each step the trail is
checked, and what the queue and the progress say is held against a plain recount.
"""

from contextlib import suppress
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import strategies as st
from hypothesis.errors import FlakyStrategyDefinition
from hypothesis.stateful import invariant, rule, run_state_machine_as_test
from sqlalchemy import select
from sqlalchemy.orm import Session

import effort
from service.domain.same_numbers import assert_same_everywhere
from service.domain.tables import assert_in_step
from service.domain.test_any_history_of_flow import REASONS, AnyFlow, numbers, people
from tandem.audit import past
from tandem.db.base import now
from tandem.errors import TandemError
from tandem.ids import RecordNumber, TextFileId, new_id
from tandem.records.models import Import, Record
from tandem.reviews import policy as rules
from tandem.reviews import service as reviews
from tandem.reviews.models import Member, Role
from tandem.reviews.policy import Stage
from tandem.reviews.service import Viewer
from tandem.screening import policies, priors
from tandem.screening.conflicts import second_votes
from tandem.screening.full_text.population import gate, population, require_reached
from tandem.screening.ledger.entries import DecisionInput
from tandem.screening.ledger.loading import screenable
from tandem.screening.ledger.state import RecordKey
from tandem.screening.models import (
    Conflict,
    ConflictState,
    Decision,
    PresentDecision,
    ScreenedRecord,
)
from tandem.screening.people import pilot
from tandem.screening.progress import progress
from tandem.screening.queue import service as queue
from tandem.screening.rules import Status, Verdict
from tandem.screening.team import membership, removal
from tandem.stopping import audit_queries, audits, random_order, states
from tandem.stopping.models import Serving
from tandem.studies import ratings
from tandem.texts import misplaced
from tandem.texts import service as texts
from tandem.texts.kinds import MediaType
from tandem.texts.models import ReportText, TextFile, TextKind, TextState
from world import FT, TA, World

HOW = effort.machine(full=60, steps=30)
CHANGES: list[dict[str, Any]] = [
    {"reviewers_per_record": 1},
    {"reviewers_per_record": 2},
    {"reviewers_per_record": 3},
    {"single_include_advances": True},
    {"single_include_advances": False},
    {"resolution": "consensus"},
    {"resolution": "majority"},
    {"resolution": "adjudicator"},
    {"maybe": "conflict"},
    {"maybe": "as_include"},
    {"blind": False},
    {"blind": True},
    {"reasons_must_match": True},
    {"adjudicator_sees": "nothing"},
    {"adjudicator_sees": "all"},
]


class AllSlices(AnyFlow):
    """The flow's own steps, and those of every other slice that touches a record."""

    verified: int | None = None

    @rule(who=people, stage=st.sampled_from(Stage), keep=st.booleans(), last=st.integers(0, 3))
    def leave_and_come_back(self, who: str, stage: Stage, keep: bool, last: int) -> None:
        """With `last`, what they decided from their last so many entries on is meant."""
        person = getattr(self.team, who)
        with self._entered(self.team.owner) as (session, review, viewer):
            made = select(Decision.created_at).where(
                Decision.review_id == review.id, Decision.reviewer_id == person.id
            )
            times = session.scalars(made.order_by(Decision.labels_seq)).all()
            removal.leave(
                session,
                review=review,
                viewer=viewer,
                user_id=person.id,
                decisions="keep" if keep else "void",
                since=times[-last] if 0 < last <= len(times) else None,
            )
        with self._entered(self.team.owner) as (session, review, viewer):
            membership.put(
                session, review=review, viewer=viewer, user_id=person.id, role=Role.REVIEWER
            )

    @rule(stage=st.sampled_from(Stage), part=st.sampled_from(CHANGES))
    def change_rules(self, stage: Stage, part: dict[str, Any]) -> None:
        with self._entered(self.team.owner) as (session, review, viewer):
            changed = {stage: rules.changed(viewer.policies[stage], part)}
            audits.note_rules(session, review, viewer, changed=changed, criteria=False)
            policies.change(session, review=review, viewer=viewer, parts={stage: part})

    @rule(number=numbers, verdict=st.sampled_from(["include", "exclude"]), by=st.sampled_from("KL"))
    def carry_a_decision(self, number: int, verdict: str, by: str) -> None:
        """Let the record's file carry a decision, as long as none of it are taken over."""
        with self.world.database.write.begin() as session:
            record = session.get(Record, (self.team.review_id, number))
            if record is None:
                return
            if session.get_one(Import, record.import_id).priors_taken_at is None:
                prior = {"by": by, "verdict": verdict, "reasons": [], "labels": []}
                record.priors = [*record.priors, prior]

    @rule(number=numbers)
    def take_over(self, number: int) -> None:
        with self._entered(self.team.owner) as (session, review, viewer):
            record = session.get(Record, (review.id, number))
            if record is not None:
                priors.take(session, review, viewer, import_id=record.import_id)

    @rule(
        aim=st.sampled_from([0.8, 0.9, 0.95]),
        how=st.sampled_from(["register", "open", "target", "abandon", "reframe", "follow"]),
    )
    def audit(self, aim: float, how: str) -> None:
        with self._entered(self.team.owner) as (session, review, viewer):
            found = audit_queries.in_force(session, review.id, TA)
            if how == "register":
                seed = bytes([review.n_audits + 1]) * random_order.SEED_BYTES  # the same each time
                with patch.object(random_order, "new_seed", return_value=seed):
                    audits.register(
                        session, review, viewer, stage=TA, target=aim, confidence=0.8, note=None
                    )
            elif found is None:
                return
            elif how == "open":
                audits.change(session, review, viewer, found, serving=Serving.DRAWS_ONLY)
            elif how == "target":
                audits.change(session, review, viewer, found, target=aim)
            elif how == "abandon":
                audits.change(session, review, viewer, found, abandon=True)
            elif how == "reframe":
                audits.reframe(session, review, viewer, found)
            if found is not None:
                states.follow(session, review, found)

    @rule(who=people)
    def draw(self, who: str) -> None:
        with suppress(TandemError):
            self.world.draw(self.team, getattr(self.team, who))

    @rule(ends=st.booleans())
    def pilot(self, ends: bool) -> None:
        with self._entered(self.team.owner) as (session, review, viewer):
            if ends:
                pilot.end(session, review, viewer)
            else:
                pilot.begin(session, review, viewer, 2)

    @rule(number=numbers, who=people)
    def add_text(self, number: int, who: str) -> None:
        with self._entered(getattr(self.team, who)) as (session, review, viewer):
            key = RecordKey(review.id, FT, RecordNumber(number))
            screenable(session, key)
            require_reached(session, key)
            file = TextFile(
                id=TextFileId(new_id()),
                review_id=review.id,
                sha256=new_id().hex * 2,
                media_type=MediaType.PDF,
                n_bytes=1,
                created_at=now(),
                state=TextState.FAILED,
                fence=0,
            )
            session.add(file)
            session.flush()
            texts.link(
                session,
                file,
                review=review,
                viewer=viewer,
                number=RecordNumber(number),
                kind=TextKind.MAIN,
                name="a.pdf",
            )

    @rule(is_misplaced=st.booleans())
    def drop_text(self, is_misplaced: bool) -> None:
        with self._entered(self.team.owner) as (session, review, viewer):
            query = select(ReportText).where(ReportText.review_id == review.id)
            found = session.scalars(query.order_by(ReportText.added_at)).first()
            if found is not None:
                drop = misplaced.take_away if is_misplaced else texts.remove
                drop(session, review=review, viewer=viewer, text_id=found.id)

    @rule(number=numbers, who=people)
    def rate(self, number: int, who: str) -> None:
        with self._entered(getattr(self.team, who)) as (session, review, viewer):
            at = RecordNumber(number)
            ratings.rate(session, review, viewer, number=at, richness=3, relevance=None)

    @rule(who=people, verdict=st.sampled_from(["include", "exclude"]))
    def vote_again(self, who: str, verdict: str) -> None:
        with self._entered(getattr(self.team, who)) as (session, review, viewer):
            query = select(Conflict.id).where(
                Conflict.review_id == review.id, Conflict.state == ConflictState.OPEN
            )
            found = session.scalars(query.order_by(Conflict.record_number, Conflict.stage)).first()
            if found is not None:
                reasons = REASONS[:1] if verdict == "exclude" else []
                given = DecisionInput(Verdict(verdict), reasons=reasons)
                second_votes.vote_again(
                    session, review=review, viewer=viewer, conflict_id=found, given=given
                )

    @invariant()
    def the_trail_holds(self) -> None:
        self.verified = assert_in_step(
            self.world.database, self.team.review_id, verified=self.verified
        )

    @invariant()
    def what_stands_in_two_places_is_the_same(self) -> None:
        assert_same_everywhere(self.world.database, self.team.review_id, self.team.owner.id)

    @invariant()
    def what_is_left_and_how_far_it_is_are_right(self) -> None:
        with self.world.database.read() as session:
            for who in ("ann", "ben", "eve"):
                person = getattr(self.team, who)
                if session.get(Member, (self.team.review_id, person.id)) is not None:
                    self._left_is_right(session, self._seen_by(session, person.id))
            owner, review = self._viewer(session), self._review(session)
            for stage in Stage:
                here = progress(session, viewer=owner, stage=stage)
                then = past.progress(session, viewer=owner, stage=stage, as_of=review.last_seq)
                assert sum(here.counts.values()) == here.n_records
                assert min(here.counts.values()) >= 0
                assert (then.n_records, then.counts) == (here.n_records, here.counts)

    def _left_is_right(self, session: Session, viewer: Viewer) -> None:
        """Hold what is left to a person against each record by itself."""
        review = self._review(session)
        for stage in Stage:
            if stage is TA and pilot.state(review) is pilot.PilotState.RUNNING:
                continue
            at_stage = (ScreenedRecord.review_id == review.id, ScreenedRecord.stage == stage)
            rows = {
                row.record_number: row
                for row in session.scalars(select(ScreenedRecord).where(*at_stage))
            }
            decided = select(PresentDecision.record_number).where(
                PresentDecision.review_id == review.id,
                PresentDecision.stage == stage,
                PresentDecision.reviewer_id == viewer.user_id,
            )
            open_to_them = {
                number
                for number in self._in_stage(session, viewer, stage)
                if _is_open(viewer, stage, rows.get(number))
            }
            due = open_to_them.difference(session.scalars(decided))
            left = queue.what_is_left(session, review=review, viewer=viewer, stage=stage)
            assert left.remaining == len(due)

    def _in_stage(self, session: Session, viewer: Viewer, stage: Stage) -> set[RecordNumber]:
        if stage is FT:
            return set(population(session, viewer.review_id, gate(viewer.policies)))
        screened = select(Record.number).where(
            Record.review_id == viewer.review_id,
            Record.duplicate_of.is_(None),
            Record.not_screened_because.is_(None),
        )
        return set(session.scalars(screened))

    def _review(self, session: Session) -> Any:
        return reviews.get_review(session, self.team.review_id)

    def _seen_by(self, session: Session, user_id: Any) -> Viewer:
        return reviews.viewer(session, review_id=self.team.review_id, user_id=user_id)


def _is_open(viewer: Viewer, stage: Stage, row: ScreenedRecord | None) -> bool:
    """Whether the record still lacks decisions; in a blind stage no outcome closes it before."""
    policy = viewer.policies[stage]
    if row is None:
        return True
    lacks = row.n_decisions < policy.reviewers_per_record
    return lacks and (policy.blind or row.status in (Status.UNSCREENED, Status.AWAITING))


@pytest.mark.soak
@pytest.mark.both_engines
def test_any_history_of_all_slices(world: World) -> None:
    class Here(AllSlices):
        pass

    Here.world = world
    try:
        run_state_machine_as_test(Here, settings=HOW)
    except FlakyStrategyDefinition as error:
        # A failure that came only once is told as such, and not what has failed.
        raise error.__context__ or error from None
