"""Links that are good once, above all those to choose a new password by.

A link carries 256 random bits, of which only the SHA-256 is stored: it can be neither guessed nor
read again. No mail is sent; who makes a link hands it to the person.
"""

import hashlib
import secrets
from datetime import timedelta

from sqlalchemy import delete
from sqlalchemy.orm import Session

from tandem.accounts import service
from tandem.accounts.models import AccountLink, LinkPurpose, SignIn, User
from tandem.accounts.passwords import Hashed
from tandem.accounts.service import NewSecret
from tandem.db.base import now
from tandem.errors import Conflict, Forbidden
from tandem.ids import UserId

RESET_LASTS = timedelta(hours=24)


class WrongToken(Forbidden):
    """The link's token is unknown, used or expired; the error does not say which."""

    code = "wrong_token"


class AccountOff(Conflict):
    """The account is switched off."""

    code = "account_off"


def offer_reset(session: Session, *, user_id: UserId) -> NewSecret:
    """Return a token by which somebody chooses a new password; one of before is void.

    Raises:
        NotFound: There is no such account.
        AccountOff: It is switched off.
    """
    user = service.get_user(session, user_id)
    if not user.is_active:
        raise AccountOff(f"The account of {user.email} is switched off. Switch it on first.")
    session.execute(
        delete(AccountLink).where(
            AccountLink.user_id == user_id, AccountLink.purpose == LinkPurpose.RESET
        )
    )
    return add(session, LinkPurpose.RESET, user_id, lasting=RESET_LASTS)


def reset_for(session: Session, token: str) -> User:
    """Return whose password a link resets, without using it up.

    Raises:
        WrongToken: It is unknown, was used, or has expired.
    """
    link = session.get(AccountLink, _hash(token))
    is_good = link is not None and link.purpose is LinkPurpose.RESET and link.expires_at > now()
    if link is None or link.user_id is None or not is_good:
        raise WrongToken(_NO_RESET)
    return service.get_user(session, link.user_id)


def reset(session: Session, token: str, *, password: Hashed) -> User:
    """Use a link up: give its person a new password and end all their sessions.

    Raises:
        WrongToken: It is unknown, was used, or has expired.
    """
    taken = take(session, LinkPurpose.RESET, token)
    if taken is None or taken.user_id is None:
        raise WrongToken(_NO_RESET)
    user = service.get_user(session, taken.user_id)
    service.set_password(user, password)
    session.execute(delete(SignIn).where(SignIn.user_id == user.id))
    return user


_NO_RESET = "This link does not exist, has expired or was used. Ask an administrator for a new one."


def forget_old(session: Session) -> None:
    session.execute(delete(AccountLink).where(AccountLink.expires_at < now()))


def add(
    session: Session, purpose: LinkPurpose, user_id: UserId | None, *, lasting: timedelta
) -> NewSecret:
    secret, created = secrets.token_urlsafe(32), now()
    session.add(
        AccountLink(
            secret_hash=_hash(secret),
            purpose=purpose,
            user_id=user_id,
            created_at=created,
            expires_at=created + lasting,
        )
    )
    session.flush()
    return NewSecret(secret, created + lasting)


def take(session: Session, purpose: LinkPurpose, token: str) -> AccountLink | None:
    """Take a link away, so that nobody else can use it, and return it; None if it is not good."""
    query = (
        delete(AccountLink)
        .where(
            # Found by its hash: how long that takes says nothing of the token itself.
            AccountLink.secret_hash == _hash(token),
            AccountLink.purpose == purpose,
            AccountLink.expires_at > now(),
        )
        .returning(AccountLink)
    )
    return session.scalars(query).one_or_none()


def _hash(secret: str) -> str:
    # A plain hash is enough: the secrets are 256 random bits, nobody can guess through them.
    return hashlib.sha256(secret.encode()).hexdigest()
