"""What ends with somebody signed in, or able to sign in: the same for JSON and for forms.

Every secret that is shown here may be guessed at, so each is counted, and looked at in the threads
for passwords.
"""

from datetime import timedelta

from fastapi import Request
from sqlalchemy.orm import Session

from tandem.accounts import links, passwords, sessions, setup, throttle
from tandem.accounts import service as accounts
from tandem.accounts.access import Access
from tandem.accounts.models import User
from tandem.accounts.passwords import WeakPassword, WrongPassword
from tandem.accounts.service import NewSecret
from tandem.accounts.throttle import Attempt
from tandem.ids import UserId
from tandem.reviews import invitations
from tandem.reviews.invitations import NewPerson
from tandem.reviews.models import Member
from tandem_api.addresses import client_source
from tandem_api.deps import COOKIE, refuse_cross_site
from tandem_api.runtime import Runtime

_LONGEST_AGENT = 200


async def sign_in(
    request: Request, here: Runtime, *, email: str, password: str
) -> tuple[User, NewSecret]:
    """Check a password and start a session."""
    refuse_cross_site(request)
    database = here.database

    def work(attempt: Attempt) -> tuple[User, NewSecret]:
        # Outside the writing transaction: it takes 50 ms, and SQLite has one writer.
        with database.read() as session:
            user = accounts.check_password(session, email=email, password=password)
        with database.write.begin() as session:
            throttle.succeed(session, attempt)
            return user, start_session(session, request, here, user.id)

    about = accounts.canonical(email)
    return await here.passwords.guess(client_source(request), about, work)


async def set_up(
    request: Request, here: Runtime, *, token: str, email: str, name: str, password: str
) -> tuple[User, NewSecret]:
    """Make the first account and sign in with it."""
    refuse_cross_site(request)
    passwords.check(password, email=email)
    database = here.database

    def work(attempt: Attempt) -> tuple[User, NewSecret]:
        hashed = passwords.hashed(password, email=email)
        with database.write.begin() as session:
            user = setup.set_up(session, token, email=email, name=name, password=hashed)
            throttle.succeed(session, attempt)
            return user, start_session(session, request, here, user.id)

    return await here.passwords.guess(client_source(request), "setup", work)


async def reset_password(request: Request, here: Runtime, *, token: str, password: str) -> None:
    """Give the person of a link a new password; their sessions end."""
    refuse_cross_site(request)
    database = here.database

    def work(attempt: Attempt) -> None:
        with database.read() as session:
            email = links.reset_for(session, token).email
        try:
            hashed = passwords.hashed(password, email=email)
        except WeakPassword:  # the link was right: that was no guess
            with database.write.begin() as session:
                throttle.succeed(session, attempt)
            raise
        with database.write.begin() as session:
            links.reset(session, token, password=hashed)
            throttle.succeed(session, attempt)

    await here.passwords.guess(client_source(request), "reset", work)
    here.event_streams.look_at_rights()


async def change_password(
    request: Request, here: Runtime, *, access: Access, current: str, new: str
) -> NewSecret | None:
    """Replace a password and end all sessions; a browser's own goes on under a new secret."""
    user_id, email = access.user.id, access.user.email
    passwords.check(new, email=email, field="new")
    database = here.database

    def work(attempt: Attempt) -> NewSecret | None:
        with database.read() as session:
            stored = accounts.get_user(session, user_id).password_hash
        if not passwords.is_right(current, stored):
            raise WrongPassword(
                "The current password is wrong. Who has forgotten it asks an administrator for a "
                "link to choose another."
            )
        hashed = passwords.hashed(new, email=email, field="new")
        with database.write.begin() as session:
            accounts.set_password(accounts.get_user(session, user_id), hashed)
            sessions.end_all(session, user_id)
            throttle.succeed(session, attempt)
            if access.session_id is None:
                return None
            return start_session(session, request, here, user_id)

    made = await here.passwords.guess(client_source(request), email, work)
    here.event_streams.look_at_rights()
    return made


async def accept_as_new(
    request: Request, here: Runtime, token: str, *, person: NewPerson
) -> tuple[Member, NewSecret]:
    """Let somebody into a review with an account that this makes, and sign them in."""
    refuse_cross_site(request)
    passwords.check(person.password, email=person.email or "")
    database = here.database

    def work(attempt: Attempt) -> tuple[Member, NewSecret]:
        with database.read() as session:
            email = person.email or invitations.show(session, token).invitation.email or ""
        hashed = passwords.hashed(person.password, email=email)
        with database.write.begin() as session:
            member = invitations.accept_as_new(session, token, person=person, hashed=hashed)
            throttle.succeed(session, attempt)
            return member, start_session(session, request, here, member.user_id)

    return await here.passwords.guess(client_source(request), "invitation", work)


def start_session(session: Session, request: Request, here: Runtime, user_id: UserId) -> NewSecret:
    """Start a browser's session. The one that it had before ends: a secret is never taken over."""
    if (before := request.cookies.get(COOKIE)) is not None:
        accounts.sign_out(session, before)
    return accounts.sign_in(
        session,
        user_id=user_id,
        lasting=timedelta(days=here.settings.session_days),
        idle=timedelta(hours=here.settings.session_idle_hours),
        source=client_source(request),
        user_agent=request.headers.get("user-agent", "")[:_LONGEST_AGENT] or None,
    )
