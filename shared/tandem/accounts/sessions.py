"""Where somebody is signed in: listed, ended, and kept alive by use."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Select, case, delete, select, update
from sqlalchemy.orm import Session

from tandem.accounts.models import SignIn, Token
from tandem.db.base import now
from tandem.db.keyset import Cursor, Slice, keyset_of_one
from tandem.errors import NotFound
from tandem.ids import TokenId, UserId


def list_sessions(
    session: Session, user_id: UserId, *, cursor: Cursor, limit: int
) -> Slice[SignIn]:
    """Return somebody's sessions that still hold, the newest first."""
    order = (SignIn.created_at.desc(), SignIn.id)
    return keyset_of_one(session, _that_hold(user_id), order, cursor, limit)


def _that_hold(user_id: UserId) -> Select[SignIn]:
    return select(SignIn).where(
        SignIn.user_id == user_id, SignIn.expires_at > now(), SignIn.idle_until > now()
    )


def get(session: Session, *, user_id: UserId, session_id: UUID) -> SignIn:
    """Return one of somebody's sessions.

    Raises:
        NotFound: This person has no such session.
    """
    found = session.scalars(_that_hold(user_id).where(SignIn.id == session_id)).one_or_none()
    if found is None:
        raise NotFound("You have no such session.")
    return found


def end(session: Session, *, user_id: UserId, session_id: UUID) -> None:
    """End one session at once.

    Raises:
        NotFound: This person has no such session.
    """
    session.delete(get(session, user_id=user_id, session_id=session_id))


def end_all(session: Session, user_id: UserId, *, but: UUID | None = None) -> None:
    """End all of somebody's sessions at once, but for one. Their tokens stay."""
    query = delete(SignIn).where(SignIn.user_id == user_id)
    session.execute(query if but is None else query.where(SignIn.id != but))


def note_use(
    session: Session,
    *,
    sign_ins: dict[UUID, datetime],
    tokens: dict[TokenId, datetime],
    idle: timedelta,
) -> None:
    """Remember when these were used last, and let the sessions hold for `idle` from then."""
    for session_id, used_at in sign_ins.items():
        until = used_at + idle
        session.execute(
            update(SignIn)
            .where(SignIn.id == session_id, SignIn.last_used_at < used_at)
            .values(
                last_used_at=used_at,
                idle_until=case((SignIn.expires_at < until, SignIn.expires_at), else_=until),
            )
            .execution_options(synchronize_session=False)
        )
    for token_id, used_at in tokens.items():
        session.execute(
            update(Token)
            .where(Token.id == token_id)
            .values(last_used_at=used_at)
            .execution_options(synchronize_session=False)
        )
