"""Who is asking: accounts, sign-ins and tokens."""

import re
import secrets
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from tandem.accounts import passwords
from tandem.accounts.models import IMPORTED, Scope, SignIn, Token, User
from tandem.accounts.passwords import Hashed
from tandem.accounts.shown_secrets import digest
from tandem.db.base import now
from tandem.db.keyset import START, Cursor, Slice, keyset_of_one
from tandem.errors import Conflict, Invalid, NotFound, Unauthenticated
from tandem.ids import TokenId, UserId, new_id

TOKEN_PREFIX = "tandem_"  # noqa: S105  # lets secret scanners recognise a leaked token
SWITCHED_OFF = "This account is switched off. Ask an administrator."
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")


class EmailTaken(Conflict):
    """Another account has this e-mail address."""

    code = "email_taken"


@dataclass(frozen=True, slots=True)
class NewSecret:
    """Something made once and shown once. `secret` is not stored and cannot be read again."""

    secret: str
    expires_at: datetime | None


def add_user(
    session: Session, *, email: str, name: str, password: str | Hashed | None, is_admin: bool
) -> User:
    """Create an account; without a password it can only be used by tokens.

    A password that is not hashed yet is hashed here, which holds the transaction for 50 ms.

    Raises:
        EmailTaken: Somebody has this address already (in any capitalisation).
        WeakPassword: The password is too easy to guess.
    """
    email = _free(session, email, may_stand_for_others=password is None)
    if isinstance(password, str):
        password = passwords.hashed(password, email=email)
    user = User(
        id=UserId(new_id()),
        email=email,
        name=name.strip(),
        password_hash=None if password is None else password.text,
        is_admin=is_admin,
        is_active=True,
        preferences={},
        created_at=now(),
    )
    try:
        with session.begin_nested():
            session.add(user)
    except IntegrityError:  # somebody else was quicker
        raise _taken(email) from None
    return user


def set_email(session: Session, user: User, email: str) -> None:
    """Give somebody another address to sign in with; all else of the account stays.

    Raises:
        EmailTaken: Somebody has this address already (in any spelling).
        Invalid: It is no address, or the account stands for somebody whom a file names.
    """
    if canonical(email) == user.email:
        return
    if user.email.endswith(IMPORTED):
        raise Invalid(
            f"{user.name} is somebody whom a file names. Nobody can sign in as them.", field="email"
        )
    email = _free(session, email)
    try:
        with session.begin_nested():
            user.email = email
    except IntegrityError:  # somebody else was quicker
        raise _taken(email) from None


def _free(session: Session, email: str, *, may_stand_for_others: bool = False) -> str:
    """Return an address as it is stored, which nobody has."""
    email = canonical(email)
    if not _EMAIL.fullmatch(email):
        raise Invalid(f"{email!r} is not an e-mail address.", field="email")
    if email.endswith(IMPORTED) and not may_stand_for_others:
        # The first to make it would be given the votes of somebody whom a file names.
        raise Invalid(f"Addresses that end in {IMPORTED} stand for people in files.", field="email")
    if find_user(session, email=email) is not None:
        raise _taken(email)
    return email


def _taken(email: str) -> EmailTaken:
    return EmailTaken(f"There is already an account for {email}.")


def set_password(user: User, password: str | Hashed) -> None:
    """Give somebody a new password; they stay signed in where they are.

    Raises:
        Invalid: The account stands for somebody whom a file names: nobody signs in there.
        WeakPassword: The password is too easy to guess.
    """
    if user.email.endswith(IMPORTED):
        raise Invalid(
            f"{user.name} is somebody whom a file names. Nobody can sign in as them.", field="email"
        )
    if isinstance(password, str):
        password = passwords.hashed(password, email=user.email)
    user.password_hash = password.text


def find_user(session: Session, *, email: str) -> User | None:
    return session.scalars(select(User).where(User.email == canonical(email))).one_or_none()


def users_by_id(session: Session, ids: set[UserId]) -> dict[UserId, User]:
    return {user.id: user for user in session.scalars(select(User).where(User.id.in_(ids)))}


def names_of(session: Session, ids: Iterable[UserId | None]) -> dict[UserId, str]:
    """Return the names of people by their ids, in one query."""
    found = users_by_id(session, {id for id in ids if id is not None})
    return {id: user.name for id, user in found.items()}


def get_user(session: Session, user_id: UserId) -> User:
    user = session.get(User, user_id)
    if user is None:
        raise NotFound(f"There is no user {user_id}.")
    return user


def list_users(
    session: Session, *, limit: int | None = None, cursor: Cursor = START, words: str = ""
) -> Slice[User]:
    """Return accounts in the order of their addresses.

    `words`: each of them stands in the name or in the address, in any capitalisation.
    """
    query = select(User)
    for word in words.lower().split():
        named = func.lower(User.name).contains(word, autoescape=True)
        query = query.where(or_(named, User.email.contains(word, autoescape=True)))
    return keyset_of_one(session, query, [User.email], cursor, limit)


def check_password(session: Session, *, email: str, password: str) -> User:
    """Return whose address and password these are. Takes some 50 ms, whatever the answer.

    Raises:
        Unauthenticated: The address or the password is wrong; the error does not say which. Or the
            account is switched off; the error says so if the password is right.
    """
    user = find_user(session, email=email)
    stored = None if user is None else user.password_hash
    if not passwords.is_right(password, stored) or user is None:
        raise Unauthenticated("The e-mail address or the password is wrong.")
    if not user.is_active:
        raise Unauthenticated(SWITCHED_OFF)
    return user


def sign_in(
    session: Session,
    *,
    user_id: UserId,
    lasting: timedelta,
    idle: timedelta | None = None,
    source: str | None = None,
    user_agent: str | None = None,
) -> NewSecret:
    """Start a browser session for somebody whose password was checked.

    It ends after `lasting`, and earlier when it is not used for `idle` (None: not earlier).
    """
    session.execute(
        delete(SignIn).where(
            SignIn.user_id == user_id,
            or_(SignIn.expires_at < now(), SignIn.idle_until < now()),
        )
    )
    secret, created = secrets.token_urlsafe(32), now()
    session.add(
        SignIn(
            secret_hash=digest(secret),
            id=new_id(),
            user_id=user_id,
            created_at=created,
            expires_at=created + lasting,
            idle_until=created + (lasting if idle is None else min(idle, lasting)),
            last_used_at=created,
            source=source,
            user_agent=user_agent,
        )
    )
    session.flush()
    return NewSecret(secret, created + lasting)


def sign_out(session: Session, secret: str) -> None:
    session.execute(delete(SignIn).where(SignIn.secret_hash == digest(secret)))


def add_token(
    session: Session,
    *,
    user_id: UserId,
    name: str,
    expires_at: datetime | None,
    scope: Scope = Scope.MANAGE,
) -> tuple[Token, str]:
    """Return the stored token and its secret, which nobody can read again.

    Raises:
        Invalid: It would have expired already.
    """
    if expires_at is not None and expires_at <= now():
        raise Invalid("The token would have expired already.", field="expires_at")
    secret = TOKEN_PREFIX + secrets.token_urlsafe(32)
    token = Token(
        id=TokenId(new_id()),
        user_id=user_id,
        name=name,
        secret_hash=digest(secret),
        scope=scope,
        created_at=now(),
        expires_at=expires_at,
    )
    session.add(token)
    session.flush()
    return token, secret


def list_tokens(
    session: Session, user_id: UserId, *, limit: int | None = None, cursor: Cursor = START
) -> Slice[Token]:
    query = select(Token).where(Token.user_id == user_id)
    return keyset_of_one(session, query, (Token.created_at, Token.id), cursor, limit)


def remove_token(session: Session, *, user_id: UserId, token_id: TokenId) -> None:
    """Make a token useless from now on.

    Raises:
        NotFound: This person has no such token.
    """
    token = session.get(Token, token_id)
    if token is None or token.user_id != user_id:
        raise NotFound("You have no such token.")
    session.delete(token)


def canonical(email: str) -> str:
    """Return an address as it is stored: however it is typed, it is one person's.

    An accent may be typed as a letter of its own or as a mark behind one.
    """
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", email.strip()).lower())
