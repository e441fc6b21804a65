"""What administrators do with accounts: rename, change the address, switch off, hand on."""

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from tandem.accounts import service
from tandem.accounts.models import AccountLink, SignIn, Token, User
from tandem.db.base import now
from tandem.errors import Conflict, Forbidden
from tandem.ids import UserId


class LastAdmin(Conflict):
    """Nobody would be left who may administer this installation."""

    code = "last_admin"


def change_user(
    session: Session,
    *,
    user_id: UserId,
    by: UserId | None,
    name: str | None = None,
    email: str | None = None,
    is_active: bool | None = None,
    is_admin: bool | None = None,
) -> User:
    """Change somebody's account. What is None stays.

    Switching an account off ends its sessions, tokens and links at once; its decisions stay.

    Args:
        session: Of a writing transaction.
        user_id: Whose account.
        by: The administrator who does it; None for the command line.
        name: How others see them.
        email: The address that they sign in with from now on. Their sessions stay.
        is_active: Whether they may sign in.
        is_admin: Whether they administer the installation.

    Raises:
        NotFound: There is no such account.
        Forbidden: `by` has meanwhile lost the right.
        LastAdmin: No active administrator would be left.
        EmailTaken: Somebody else has this address.
        Invalid: It is no address, or nobody can sign in to this account.
    """
    admins = _locked_admins(session)
    if by is not None and by not in admins:
        raise Forbidden("You are no administrator of this installation any more.")
    user = service.get_user(session, user_id)
    session.refresh(user)
    leaves = is_active is False or is_admin is False
    if leaves and admins == {user_id}:
        raise LastAdmin(
            f"{user.email} is the only active administrator. Make somebody else one first."
        )
    if email is not None:
        service.set_email(session, user, email)
    user.name = user.name if name is None else name.strip()
    user.is_admin = user.is_admin if is_admin is None else is_admin
    user.is_active = user.is_active if is_active is None else is_active
    if not user.is_active:
        end_everything(session, user_id)
    session.flush()
    return user


def end_everything(session: Session, user_id: UserId) -> None:
    """End somebody's sessions, tokens and links.

    Sessions are kept as ended ones, so that a browser can be told why.
    """
    for table in (Token, AccountLink):
        session.execute(delete(table).where(table.user_id == user_id))
    session.execute(update(SignIn).where(SignIn.user_id == user_id).values(expires_at=now()))


def _locked_admins(session: Session) -> set[UserId]:
    """Return the active administrators, locked in order: of two who demote each other one may."""
    query = select(User.id).where(User.is_admin, User.is_active).order_by(User.id).with_for_update()
    return set(session.scalars(query))
