"""A write with an `Idempotency-Key` is done once, however often it is sent."""

from datetime import timedelta
from typing import Any

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from tandem.accounts.models import IdempotentRequest
from tandem.db.base import now
from tandem.errors import Conflict
from tandem.ids import UserId

KEPT_FOR = timedelta(days=7)
"""Longer than any client retries; an offline batch of decisions may come days later."""


class KeyReused(Conflict):
    """The key was used before, for something else."""

    code = "idempotency_key_reused"


def claim(
    session: Session, *, user_id: UserId, key: str, fingerprint: str
) -> tuple[int, dict[str, Any] | None] | None:
    """Take the key in the caller's transaction, or return what its first use answered.

    A second request that comes while the first is still running waits here for its
    transaction, by the unique key, and then finds the answer.

    Raises:
        KeyReused: The key belongs to a request with another method, path or body, or to one
            whose answer is not kept.
    """
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    taken = session.execute(
        insert(IdempotentRequest)
        .values(user_id=user_id, key=key, fingerprint=fingerprint, created_at=now())
        .on_conflict_do_nothing()
        .returning(IdempotentRequest.key)
    ).one_or_none()
    if taken is not None:
        return None
    first = session.scalars(
        select(IdempotentRequest).where(
            IdempotentRequest.user_id == user_id, IdempotentRequest.key == key
        )
    ).one()
    if first.fingerprint != fingerprint:
        raise KeyReused("This Idempotency-Key was used for another request. Make a new one.")
    if first.status is None:
        raise KeyReused("This was done already, and its answer held a secret: it is not repeated.")
    return first.status, first.body


def remember(
    session: Session, *, user_id: UserId, key: str, status: int, body: dict[str, Any] | None
) -> None:
    """Store the answer in the transaction that did the work."""
    which = {"of_user": user_id, "of_key": key}
    session.execute(_REMEMBER, which | {"status": status, "body": body})


_REMEMBER = (
    update(IdempotentRequest)
    .where(
        IdempotentRequest.user_id == bindparam("of_user"),
        IdempotentRequest.key == bindparam("of_key"),
    )
    .values(status=bindparam("status"), body=bindparam("body"))
    .execution_options(synchronize_session=False)
)


def forget_old(session: Session) -> None:
    session.execute(
        delete(IdempotentRequest).where(IdempotentRequest.created_at < now() - KEPT_FOR)
    )
