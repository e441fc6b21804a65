"""What secrets are stored and found by, and whose those are that still hold."""

import hashlib
from dataclasses import dataclass

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from tandem.accounts.models import SignIn, Token, User
from tandem.db.base import now
from tandem.ids import UserId


def digest(secret: str) -> str:
    """Return by what a secret is stored and found."""
    # A plain hash is enough: the secrets are 256 random bits, nobody can guess through them.
    return hashlib.sha256(secret.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Secret:
    """What somebody showed, by its SHA-256: a token, or a browser's session."""

    secret_hash: str
    is_token: bool

    @classmethod
    def of_token(cls, secret: str) -> "Secret":
        return cls(digest(secret), is_token=True)

    @classmethod
    def of_sign_in(cls, secret: str) -> "Secret":
        return cls(digest(secret), is_token=False)


def users_of_secrets(session: Session, shown: set[Secret]) -> dict[Secret, UserId]:
    """Return whose these are, of those that still hold: two queries for any number of them."""
    found: dict[Secret, UserId] = {}
    for table, is_token in ((Token, True), (SignIn, False)):
        hashes = [secret.secret_hash for secret in shown if secret.is_token is is_token]
        if not hashes:
            continue
        query = (
            select(table.secret_hash, table.user_id)
            .join(User, User.id == table.user_id)
            .where(
                table.secret_hash.in_(hashes),
                or_(table.expires_at.is_(None), table.expires_at > now()),
                User.is_active,
            )
        )
        if not is_token:
            query = query.where(SignIn.idle_until > now())
        for secret_hash, user_id in session.execute(query):
            found[Secret(secret_hash, is_token)] = user_id
    return found
