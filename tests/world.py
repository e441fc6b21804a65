"""Builds the world that a test needs in one line each, through the real services."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from sqlalchemy import select

from tandem.accounts import service as accounts
from tandem.db.base import now
from tandem.db.session import Database
from tandem.ids import ImportId, RecordNumber, ReviewId, UserId, new_id
from tandem.records.models import Import, ImportState, Record
from tandem.reviews import service as reviews
from tandem.reviews.models import Role
from tandem.reviews.policy import Stage
from tandem.screening import conflicts, decisions
from tandem.screening.decisions import Judgement, Recorded
from tandem.screening.models import Conflict, ScreenedRecord
from tandem.screening.rules import Status, Verdict

TA = Stage.TITLE_ABSTRACT


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


class World:
    def __init__(self, database: Database) -> None:
        self.database = database
        self._numbers = count(1)

    def person(self, name: str = "somebody", *, is_admin: bool = False) -> Person:
        with self.database.write.begin() as session:
            user = accounts.add_user(
                session,
                email=f"{name}-{next(self._numbers)}@example.org",
                name=name,
                password=None,
                is_admin=is_admin,
            )
            _, secret = accounts.add_token(session, user_id=user.id, name="test", expires_at=None)
            return Person(user.id, name, secret)

    def review(
        self, owner: Person, *, policy: dict[str, Any] | None = None, **texts: Any
    ) -> ReviewId:
        with self.database.write.begin() as session:
            review = reviews.create_review(
                session,
                owner_id=owner.id,
                title=texts.pop("title", "A review"),
                policy={TA: policy or {}},
                seed=texts.pop("seed", 1),
                **texts,
            )
            return review.id

    def team(
        self, *, n_records: int = 3, policy: dict[str, Any] | None = None, **texts: Any
    ) -> Team:
        """Return a review with people in every role and `n_records` records."""
        people = [self.person(name) for name in ("owner", "ann", "ben", "eve", "judge", "observer")]
        owner, ann, ben, eve, judge, observer = people
        review_id = self.review(owner, policy=policy, **texts)
        with self.database.write.begin() as session:
            review = reviews.lock(session, review_id)
            for person in (ann, ben, eve):
                reviews.set_member(session, review, user_id=person.id, role=Role.REVIEWER)
            reviews.set_member(session, review, user_id=judge.id, role=Role.ADJUDICATOR)
            reviews.set_member(session, review, user_id=observer.id, role=Role.OBSERVER)
        self.records(review_id, owner, n_records)
        return Team(review_id, owner, ann, ben, eve, judge, observer)

    def records(
        self,
        review_id: ReviewId,
        by: Person,
        n: int = 0,
        texts: Sequence[tuple[str, str]] | None = None,
    ) -> list[RecordNumber]:
        """Add records as a finished import does; `texts` are titles and abstracts."""
        made = texts or [(f"Title {i}", f"Abstract of record {i}") for i in range(1, n + 1)]
        with self.database.write.begin() as session:
            review = reviews.lock(session, review_id)
            row = Import(
                id=ImportId(new_id()),
                review_id=review_id,
                created_by=by.id,
                created_at=now(),
                finished_at=now(),
                state=ImportState.DONE,
                source="Medline",
                filename="test.ris",
                artifact="none",
                n_read=len(made),
                n_added=len(made),
                n_duplicates=0,
                n_rejected=0,
                rejected=[],
                fence=0,
            )
            session.add(row)
            session.flush()
            numbers = []
            for title, abstract in made:
                review.last_record_number += 1
                numbers.append(RecordNumber(review.last_record_number))
                session.add(
                    Record(
                        review_id=review_id,
                        number=numbers[-1],
                        import_id=row.id,
                        source="Medline",
                        title=title,
                        abstract=abstract,
                        authors=["Lee, Ann"],
                        year=2020,
                        keywords=[],
                        raw="",
                        created_at=now(),
                    )
                )
            review.corpus_seq += 1
            review.labels_seq += 1
            return numbers

    def decide(
        self, review_id: ReviewId, person: Person, number: int, verdict: str, **said: Any
    ) -> Recorded:
        with self.database.write.begin() as session:
            review, viewer = reviews.enter(session, review_id=review_id, user_id=person.id)
            return decisions.record_decision(
                session,
                review=review,
                viewer=viewer,
                record_number=RecordNumber(number),
                stage=TA,
                judgement=Judgement(Verdict(verdict), **said),
            )

    def withdraw(self, review_id: ReviewId, person: Person, number: int) -> Recorded:
        with self.database.write.begin() as session:
            review, viewer = reviews.enter(session, review_id=review_id, user_id=person.id)
            return decisions.withdraw_decision(
                session,
                review=review,
                viewer=viewer,
                record_number=RecordNumber(number),
                stage=TA,
            )

    def resolve(self, review_id: ReviewId, person: Person, number: int, verdict: str) -> None:
        with self.database.write.begin() as session:
            review, viewer = reviews.enter(session, review_id=review_id, user_id=person.id)
            conflict = session.scalars(
                select(Conflict).where(
                    Conflict.review_id == review_id, Conflict.record_number == number
                )
            ).one()
            conflicts.resolve_conflict(
                session,
                review=review,
                viewer=viewer,
                conflict_id=conflict.id,
                verdict=Verdict(verdict),
                reasons=[],
                note=None,
                cause=None,
            )

    def status(self, review_id: ReviewId, number: int) -> Status:
        with self.database.read() as session:
            row = session.get(ScreenedRecord, (review_id, TA, number))
            return row.status if row is not None else Status.UNSCREENED
