"""The first account: `tandem up` offers a token for it, the page or a client makes it."""

from datetime import timedelta

from sqlalchemy import delete, exists, select
from sqlalchemy.orm import Session

from tandem.accounts import links, service
from tandem.accounts.models import AccountLink, LinkPurpose, User
from tandem.accounts.passwords import Hashed
from tandem.errors import Conflict

LASTS = timedelta(days=7)


class SetupDone(Conflict):
    """There is an account already."""

    code = "setup_done"


def needs_setup(session: Session) -> bool:
    """Say whether there is no account at all yet."""
    return not session.scalar(select(exists().where(User.id.is_not(None))))


def require_no_account(session: Session) -> None:
    """Refuse a setup where there is an account.

    Raises:
        SetupDone: There is one.
    """
    if not needs_setup(session):
        raise SetupDone("This installation has an account already. Sign in.")


def offer(session: Session) -> str | None:
    """Return a new token for the first account, None if there is an account already.

    A token of before is void. Only the hash of the new one is kept.
    """
    if not needs_setup(session):
        return None
    session.execute(delete(AccountLink).where(AccountLink.purpose == LinkPurpose.SETUP))
    return links.add(session, LinkPurpose.SETUP, None, lasting=LASTS).secret


def set_up(session: Session, token: str, *, email: str, name: str, password: Hashed) -> User:
    """Make the first account, an administrator's. Of two who do it at once one gets it.

    Raises:
        SetupDone: There is an account already.
        WrongToken: It is not the token that was printed last.
    """
    taken = links.take(session, LinkPurpose.SETUP, token)
    # After that: who comes second waits there for the first, and then finds an account.
    require_no_account(session)
    if taken is None:
        raise links.WrongToken(
            "This is not the newest setup token. `tandem up` prints one when it starts."
        )
    return service.add_user(session, email=email, name=name, password=password, is_admin=True)
