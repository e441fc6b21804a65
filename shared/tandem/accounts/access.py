"""What the secret that a request shows gives access to: whose it is, how much of it, how long."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, bindparam, select

from tandem.accounts.models import Scope, SignIn, Token, User
from tandem.accounts.service import SWITCHED_OFF
from tandem.accounts.shown_secrets import digest
from tandem.db.base import now
from tandem.errors import Unauthenticated
from tandem.ids import TokenId

USE_IS_NOTED_AFTER = timedelta(minutes=5)
"""How exact `last_used_at` is: a write for each request would cost more than the request."""


@dataclass(frozen=True, slots=True)
class Access:
    """Who is calling and what they may do: by a browser's session, or by a token.

    `user` is a copy of their row, which belongs to no database session. `expires_at` is a token's;
    None for one that does not expire, and for sessions. Exactly one of `session_id` and `token_id`
    is there.
    """

    user: User
    scope: Scope
    used_at: datetime | None
    expires_at: datetime | None = None
    session_id: UUID | None = None
    token_id: TokenId | None = None

    @property
    def is_to_be_noted(self) -> bool:
        return self.used_at is None or self.used_at < now() - USE_IS_NOTED_AFTER


def of_sign_in(connection: Connection, secret: str) -> Access:
    """Return what a session's cookie gives.

    Raises:
        Unauthenticated: It has ended, was not used for too long, or its account is off.
    """
    shown = {"secret_hash": digest(secret), "now": now()}
    row = connection.execute(_OF_SIGN_IN, shown).one_or_none()
    if row is None:
        if connection.execute(_IS_OFF, {"secret_hash": shown["secret_hash"]}).first():
            raise Unauthenticated(SWITCHED_OFF)
        raise Unauthenticated("This sign-in has ended. Sign in again.")
    return Access(_user(row), Scope.MANAGE, row.used_at, session_id=row.session_id)


_PERSON = tuple(User.__table__.columns)


def _user(row: Row[*tuple[Any, ...]]) -> User:
    """Return the person of a row that begins with `_PERSON`."""
    return User(**{column.key: value for column, value in zip(_PERSON, row, strict=False)})


# Columns instead of objects, which cost more: every request runs one of the two queries.
_OF_SIGN_IN = (
    select(*_PERSON, SignIn.id.label("session_id"), SignIn.last_used_at.label("used_at"))
    .join(SignIn, SignIn.user_id == User.id)
    .where(
        SignIn.secret_hash == bindparam("secret_hash"),
        SignIn.expires_at > bindparam("now"),
        SignIn.idle_until > bindparam("now"),
        User.is_active,
    )
)


_IS_OFF = (
    select(SignIn.id)
    .join(User, SignIn.user_id == User.id)
    .where(SignIn.secret_hash == bindparam("secret_hash"), ~User.is_active)
)


def of_token(connection: Connection, secret: str) -> Access:
    """Return what a token gives.

    Raises:
        Unauthenticated: It is unknown or has expired, or its account is off.
    """
    row = connection.execute(_OF_TOKEN, {"secret_hash": digest(secret)}).one_or_none()
    if row is None:
        raise Unauthenticated("This token is not known. Make one with `tandem token add`.")
    until = row.expires_at
    if until is not None and until <= now():
        raise Unauthenticated(f"This token expired at {until.isoformat()}.")
    return Access(_user(row), row.scope, row.used_at, expires_at=until, token_id=row.token_id)


_OF_TOKEN = (
    select(
        *_PERSON,
        Token.id.label("token_id"),
        Token.scope,
        Token.expires_at,
        Token.last_used_at.label("used_at"),
    )
    .join(Token, Token.user_id == User.id)
    .where(Token.secret_hash == bindparam("secret_hash"), User.is_active)
)
