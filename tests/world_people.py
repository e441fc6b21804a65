"""People, and reviews with records: what nearly every test begins with."""

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from tandem.accounts import administration
from tandem.accounts import service as accounts
from tandem.accounts.models import Scope, Token, User
from tandem.accounts.shown_secrets import digest
from tandem.db.base import now
from tandem.db.session import Database
from tandem.ids import (
    RecordNumber,
    ReviewId,
    TokenId,
    UserId,
    new_id,
)
from tandem.records.imports import Found
from tandem.reviews import service as reviews
from tandem.reviews.models import LockedReview, Role
from tandem.reviews.policy import Stage
from tandem.reviews.service import Viewer
from tandem.screening import policies
from tandem.screening.policies import Effect
from world_rows import TA, add_members, add_records, add_review, numbered


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


class Reviews:
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
                "secret_hash": digest(one.token),
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

    @contextmanager
    def entered(
        self, review_id: ReviewId, person: Person
    ) -> Iterator[tuple[Session, LockedReview, Viewer]]:
        """Open the transaction of a change by this person, as a route does."""
        with self.database.write.begin() as session:
            review, viewer = reviews.enter(session, review_id=review_id, user_id=person.id)
            yield session, review, viewer

    def switch_off(self, person: Person) -> None:
        """Switch somebody's account off, as an administrator does."""
        with self.database.write.begin() as session:
            administration.change_user(session, user_id=person.id, by=None, is_active=False)

    def change_policy(
        self, review_id: ReviewId, owner: Person, *, stage: Stage = TA, **part: Any
    ) -> list[Effect]:
        with self.entered(review_id, owner) as (session, review, viewer):
            return policies.change(session, review=review, viewer=viewer, parts={stage: part})
