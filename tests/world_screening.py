"""What people do to records: they decide, settle, talk, and are served the next."""

from datetime import timedelta
from typing import Any

import numpy as np

from tandem.db.base import now
from tandem.ids import (
    RankingId,
    RecordNumber,
    ReviewId,
    new_id,
)
from tandem.ranking import serving
from tandem.ranking.models import Ranking
from tandem.reviews import service as reviews
from tandem.reviews.policy import Stage
from tandem.screening import decisions
from tandem.screening.conflicts import discussion, second_votes
from tandem.screening.conflicts import service as conflicts
from tandem.screening.conflicts.discussion import ShownMessage
from tandem.screening.ledger.entries import DecisionInput, ResolutionInput
from tandem.screening.models import ScreenedRecord
from tandem.screening.queue import service as queue
from tandem.screening.queue.service import Queue
from tandem.screening.recording import Recorded
from tandem.screening.rules import Status, Verdict
from tandem.stopping import draws, states
from world_people import Person, Reviews, Team
from world_rows import TA, conflict_at


class Screening(Reviews):
    def decide(
        self,
        review_id: ReviewId,
        person: Person,
        number: int,
        verdict: str,
        *,
        stage: Stage = TA,
        **said: Any,
    ) -> Recorded:
        criteria_version = said.pop("criteria_version", None)
        with self.entered(review_id, person) as (session, review, viewer):
            return decisions.record_decision(
                session,
                review=review,
                viewer=viewer,
                record_number=RecordNumber(number),
                stage=stage,
                given=DecisionInput(Verdict(verdict), **said),
                criteria_version=criteria_version,
            )

    def withdraw(
        self, review_id: ReviewId, person: Person, number: int, *, stage: Stage = TA
    ) -> Recorded:
        with self.entered(review_id, person) as (session, review, viewer):
            return decisions.withdraw_decision(
                session,
                review=review,
                viewer=viewer,
                record_number=RecordNumber(number),
                stage=stage,
            )

    def resolve(
        self,
        review_id: ReviewId,
        person: Person,
        number: int,
        verdict: str,
        *,
        stage: Stage = TA,
        **said: Any,
    ) -> None:
        with self.entered(review_id, person) as (session, review, viewer):
            conflicts.resolve_conflict(
                session,
                review=review,
                viewer=viewer,
                conflict_id=conflict_at(session, review_id, number, stage),
                given=ResolutionInput(Verdict(verdict), **said),
            )

    def reopen(
        self,
        review_id: ReviewId,
        person: Person,
        number: int,
        note: str | None = None,
        *,
        stage: Stage = TA,
    ) -> None:
        with self.entered(review_id, person) as (session, review, viewer):
            conflicts.reopen_conflict(
                session,
                review=review,
                viewer=viewer,
                conflict_id=conflict_at(session, review_id, number, stage),
                note=note,
            )

    def vote_again(
        self,
        review_id: ReviewId,
        person: Person,
        number: int,
        verdict: str,
        *,
        stage: Stage = TA,
        **said: Any,
    ) -> None:
        criteria_version = said.pop("criteria_version", None)
        with self.entered(review_id, person) as (session, review, viewer):
            second_votes.vote_again(
                session,
                review=review,
                viewer=viewer,
                conflict_id=conflict_at(session, review_id, number, stage),
                given=DecisionInput(Verdict(verdict), **said),
                criteria_version=criteria_version,
            )

    def say(self, review_id: ReviewId, person: Person, number: int, text: str) -> None:
        with self.entered(review_id, person) as (session, _, viewer):
            conflict_id = conflict_at(session, review_id, number)
            discussion.send(session, viewer=viewer, conflict_id=conflict_id, text=text)

    def discussion(self, review_id: ReviewId, person: Person, number: int) -> list[ShownMessage]:
        with self.database.read() as session:
            viewer = reviews.viewer(session, review_id=review_id, user_id=person.id)
            found = discussion.list_messages(
                session,
                viewer=viewer,
                conflict_id=conflict_at(session, review_id, number),
                limit=500,
            )
            return list(found.items)

    def serve(
        self,
        review_id: ReviewId,
        person: Person,
        *,
        limit: int = 1,
        lasting: timedelta = timedelta(minutes=30),
        anew: bool = False,
        stage: Stage = TA,
    ) -> Queue:
        with self.entered(review_id, person) as (session, review, viewer):
            return queue.serve(
                session,
                review=review,
                viewer=viewer,
                stage=stage,
                order=serving.newest_order(session, review_id, stage),
                limit=limit,
                lasting=lasting,
                anew=anew,
            )

    def draw(self, team: Team, person: Person) -> RecordNumber | None:
        """Serve the next draw of the audit to somebody, or what the queue has where there is none.

        Returns its number, None where nothing is left.
        """
        with self.entered(team.review_id, person) as (session, review, viewer):
            audit = draws.of_queue(session, review, TA)
            found = queue.serve(
                session,
                review=review,
                viewer=viewer,
                stage=TA,
                order=serving.newest_order(session, team.review_id, TA),
                limit=1,
                lasting=timedelta(minutes=30),
                anew=False,
                sample=draws.sample_of(audit),
            )
            if audit is not None:
                draws.draw(session, review, audit, found.drawn)
                states.follow(session, review, audit)
        return found.items[0].record_number if found.items else None

    def rank(self, review_id: ReviewId, *numbers: int) -> Ranking:
        """Publish a ranking with the records in this order, scored n, n - 1, …, 1."""
        with self.database.write.begin() as session:
            review = reviews.lock(session, review_id)
            review.labels_seq += 1
            ranking = Ranking(
                id=RankingId(new_id()),
                review_id=review_id,
                stage=TA,
                model="given",
                preset={},
                kind="model",
                labels_seq=review.labels_seq,
                corpus_seq=review.corpus_seq,
                n_labels=0,
                n_relevant=0,
                n_ranked=len(numbers),
                seconds=0.0,
                created_at=now(),
                numbers=np.array(numbers, "<i4").tobytes(),
                scores=np.arange(len(numbers), 0, -1).astype("<f4").tobytes(),
            )
            session.add(ranking)
            return ranking

    def status(self, review_id: ReviewId, number: int, stage: Stage = TA) -> Status:
        with self.database.read() as session:
            row = session.get(ScreenedRecord, (review_id, stage, number))
            return row.status if row is not None else Status.UNSCREENED
