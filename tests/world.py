"""Builds the world that a test needs in one line each, through the real services."""

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import Any

import numpy as np
from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from tandem.accounts import administration
from tandem.accounts import service as accounts
from tandem.accounts.models import Scope, Token, User
from tandem.db.base import now
from tandem.db.session import Database
from tandem.events import log
from tandem.events.screening_types import ReportTextAdded
from tandem.ids import (
    DuplicateGroupId,
    RankingId,
    RecordNumber,
    ReviewId,
    TextBatchId,
    TextFileId,
    TextId,
    TokenId,
    UserId,
    new_id,
)
from tandem.ranking import serving
from tandem.ranking.models import Ranking
from tandem.records.duplicates import groups
from tandem.records.duplicates.models import GroupState
from tandem.records.imports import Found
from tandem.records.origin import RemovalKind
from tandem.reports.facts import load_facts
from tandem.reports.retrieval import append_retrieval
from tandem.reports.rules import standing
from tandem.reviews import service as reviews
from tandem.reviews.models import LockedReview, Role
from tandem.reviews.policy import Stage
from tandem.reviews.service import Viewer
from tandem.screening import decisions, policies, sources
from tandem.screening.conflicts import discussion, second_votes
from tandem.screening.conflicts import service as conflicts
from tandem.screening.conflicts.discussion import ShownMessage
from tandem.screening.duplicates import merging
from tandem.screening.full_text.models import RetrievalState
from tandem.screening.ledger.entries import DecisionInput, ResolutionInput
from tandem.screening.models import ScreenedRecord
from tandem.screening.policies import Effect
from tandem.screening.queue import service as queue
from tandem.screening.queue.service import Queue
from tandem.screening.recording import Recorded
from tandem.screening.rules import Status, Verdict
from tandem.stopping import draws, states
from tandem.texts.kinds import MediaType
from tandem.texts.models import (
    ReportText,
    TextBatch,
    TextBatchItem,
    TextFile,
    TextItemState,
    TextKind,
    TextState,
)
from tandem.texts.reading import TextProblem
from tandem.texts.service import sealed
from world_rows import FT, TA, add_members, add_records, add_review, conflict_at, numbered

__all__ = ["FT", "TA", "Person", "Team", "World", "id_of_a_person", "new_secret"]


@dataclass(frozen=True)
class Person:
    """Somebody with an account. `auth` are the headers of their requests."""

    id: UserId
    name: str
    token: str

    @property
    def auth(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


@dataclass(frozen=True)
class Team:
    """A review with an owner, two reviewers (and one more), an adjudicator and an observer."""

    review_id: ReviewId
    owner: Person
    ann: Person
    ben: Person
    eve: Person
    judge: Person
    observer: Person


def id_of_a_person() -> UserId:
    return UserId(new_id())


def new_secret() -> str:
    return accounts.TOKEN_PREFIX + secrets.token_urlsafe(32)


class World:
    def __init__(self, database: Database) -> None:
        self.database = database
        self._numbers: Iterator[int] | None = None

    def person(self, name: str = "somebody", *, is_admin: bool = False) -> Person:
        return self.people(name, is_admin=is_admin)[0]

    def people(self, *names: str, is_admin: bool = False) -> list[Person]:
        """Add accounts, each with a token: all in two statements, for most tests begin so."""
        if self._numbers is None:  # those of a world that was copied are taken
            with self.database.read() as session:
                self._numbers = count(1 + session.scalars(select(func.count(User.id))).one())
        made = [
            Person(id_of_a_person(), name, accounts.TOKEN_PREFIX + secrets.token_urlsafe(32))
            for name in names
        ]
        users: list[dict[str, Any]] = [
            {
                "id": one.id,
                "email": accounts.canonical(f"{one.name}-{next(self._numbers)}@example.org"),
                "name": one.name,
                "password_hash": None,
                "is_admin": is_admin,
                "is_active": True,
                "preferences": {},
                "created_at": now(),
            }
            for one in made
        ]
        tokens: list[dict[str, Any]] = [
            {
                "id": TokenId(new_id()),
                "user_id": one.id,
                "name": "test",
                "secret_hash": accounts.digest(one.token),
                "scope": Scope.MANAGE,
                "created_at": now(),
                "expires_at": None,
            }
            for one in made
        ]
        with self.database.write.begin() as session:
            session.execute(insert(User), users)
            session.execute(insert(Token), tokens)
        return made

    def review(
        self, owner: Person, *, policy: dict[str, Any] | None = None, **texts: Any
    ) -> ReviewId:
        with self.database.write.begin() as session:
            return add_review(session, owner.id, policy, **texts).id

    def team(
        self, *, n_records: int = 3, policy: dict[str, Any] | None = None, **texts: Any
    ) -> Team:
        """Return a review with people in every role and `n_records` records."""
        people = self.people("owner", "ann", "ben", "eve", "judge", "observer")
        owner, ann, ben, eve, judge, observer = people
        with self.database.write.begin() as session:
            review = add_review(session, owner.id, policy, **texts)
            add_members(
                session,
                review,
                {one.id: Role.REVIEWER for one in (ann, ben, eve)}
                | {judge.id: Role.ADJUDICATOR, observer.id: Role.OBSERVER},
            )
            add_records(session, review, owner.id, numbered(n_records))
        return Team(review.id, owner, ann, ben, eve, judge, observer)

    def records(
        self,
        review_id: ReviewId,
        by: Person,
        n: int = 0,
        texts: Sequence[tuple[str, str]] | None = None,
        found: Found | None = None,
        source: str = "Medline",
    ) -> list[RecordNumber]:
        """Add records as a finished import does; `texts` are titles and abstracts."""
        with self.database.write.begin() as session:
            review = reviews.lock(session, review_id)
            return add_records(session, review, by.id, texts or numbered(n), found, source)

    def unread_text(
        self, review_id: ReviewId, by: Person, number: int
    ) -> tuple[ReportText, TextBatch]:
        """Give a record a text that could not be read, and send a file that was refused."""
        file = TextFile(
            id=TextFileId(new_id()),
            review_id=review_id,
            sha256="0" * 64,
            media_type=MediaType.PDF,
            n_bytes=100,
            created_at=now(),
            state=TextState.FAILED,
            problem=TextProblem.NOT_READ,
            fence=0,
        )
        text = ReportText(
            id=TextId(new_id()),
            review_id=review_id,
            record_number=RecordNumber(number),
            file_id=file.id,
            kind=TextKind.MAIN,
            filename="a.pdf",
            added_by=by.id,
            added_at=now(),
        )
        batch = TextBatch(
            id=TextBatchId(new_id()), review_id=review_id, created_by=by.id, created_at=now()
        )
        item = TextBatchItem(
            batch_id=batch.id,
            position=1,
            filename="b.pdf",
            path="b.pdf",
            state=TextItemState.FAILED,
            problem=TextProblem.NOT_A_PDF,
        )
        with self.entered(review_id, by) as (session, review, viewer):
            for row in (file, text, batch, item):
                session.add(row)
                session.flush()
            detail = {"by": str(viewer.user_id), "filename": text.filename} | sealed(file)
            log.append(
                session,
                review,
                ReportTextAdded(
                    record_id=str(number), text_id=str(text.id), kind=text.kind, detail=detail
                ),
            )
        return text, batch

    @contextmanager
    def entered(
        self, review_id: ReviewId, person: Person
    ) -> Iterator[tuple[Session, LockedReview, Viewer]]:
        """Open the transaction of a change by this person, as a route does."""
        with self.database.write.begin() as session:
            review, viewer = reviews.enter(session, review_id=review_id, user_id=person.id)
            yield session, review, viewer

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
        with self.entered(review_id, person) as (session, review, viewer):
            return decisions.record_decision(
                session,
                review=review,
                viewer=viewer,
                record_number=RecordNumber(number),
                stage=stage,
                given=DecisionInput(Verdict(verdict), **said),
            )

    def retrieve(
        self,
        review_id: ReviewId,
        person: Person,
        number: int,
        state: str = "retrieved",
        note: str | None = None,
    ) -> bool:
        """Say how far the retrieval of a full text is."""
        with self.entered(review_id, person) as (session, review, viewer):
            return append_retrieval(
                session,
                review=review,
                viewer=viewer,
                number=RecordNumber(number),
                state=RetrievalState(state),
                note=note,
            )

    def to_full_text(self, team: "Team", *numbers: int) -> None:
        """Bring records to full text: Ann and Ben include them, and their texts are there."""
        for number in numbers:
            for person in (team.ann, team.ben):
                self.decide(team.review_id, person, number, "include")
            self.retrieve(team.review_id, team.ann, number)

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
        self, review_id: ReviewId, person: Person, number: int, verdict: str, **said: Any
    ) -> None:
        with self.entered(review_id, person) as (session, review, viewer):
            second_votes.vote_again(
                session,
                review=review,
                viewer=viewer,
                conflict_id=conflict_at(session, review_id, number),
                given=DecisionInput(Verdict(verdict), **said),
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

    def change_policy(
        self, review_id: ReviewId, owner: Person, *, stage: Stage = TA, **part: Any
    ) -> list[Effect]:
        with self.entered(review_id, owner) as (session, review, viewer):
            return policies.change(session, review=review, viewer=viewer, parts={stage: part})

    def switch_off(self, person: Person) -> None:
        """Switch somebody's account off, as an administrator does."""
        with self.database.write.begin() as session:
            administration.change_user(session, user_id=person.id, by=None, is_active=False)

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

    def remove(self, review_id: ReviewId, person: Person, number: int) -> None:
        """Remove a record before it is screened."""
        with self.entered(review_id, person) as (session, review, viewer):
            sources.remove(
                session,
                review,
                viewer,
                number=RecordNumber(number),
                kind=RemovalKind.OTHER,
                reason="A retracted article",
                tool=None,
            )

    def propose(self, review_id: ReviewId, *numbers: int) -> DuplicateGroupId:
        """Ask people whether these records are one, as a worker does after an import."""
        with self.database.write.begin() as session:
            return groups.add(
                session,
                review_id,
                [RecordNumber(number) for number in numbers],
                state=GroupState.PROPOSED,
                score=0.9,
                evidence=["equal titles"],
            ).id

    def merge(self, review_id: ReviewId, person: Person, *numbers: int) -> DuplicateGroupId:
        """Make one of these records; return their group."""
        group_id = self.propose(review_id, *numbers)
        with self.entered(review_id, person) as (session, review, viewer):
            group = groups.get(session, review_id=review_id, group_id=group_id)
            merging.merge(session, review, viewer.policies, group, by=viewer.user_id)
        return group_id

    def split(
        self, review_id: ReviewId, person: Person, group_id: DuplicateGroupId, *numbers: int
    ) -> None:
        """Let these records leave the group, or part it whole."""
        with self.entered(review_id, person) as (session, review, viewer):
            group = groups.get(session, review_id=review_id, group_id=group_id)
            leaving = [RecordNumber(number) for number in numbers] or None
            merging.split(
                session, review, viewer.policies, group, numbers=leaving, by=viewer.user_id
            )

    def status(self, review_id: ReviewId, number: int, stage: Stage = TA) -> Status:
        with self.database.read() as session:
            row = session.get(ScreenedRecord, (review_id, stage, number))
            return row.status if row is not None else Status.UNSCREENED

    def standings(self, review_id: ReviewId) -> dict[int, str]:
        """Return where each report stands, whatever anybody may see."""
        with self.database.read() as session:
            found = load_facts(session, reviews.get_review(session, review_id))
            stands = {number: standing(facts) for number, facts in found.items()}
            return {int(number): str(one) for number, one in stands.items() if one is not None}
