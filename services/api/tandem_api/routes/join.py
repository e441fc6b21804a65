"""The page that an invitation's link leads to: what it invites to, and a form that accepts it.

Without scripts. All links that do not work any more give the same sentence.
"""

from html import escape
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from starlette.concurrency import run_in_threadpool

from tandem.accounts import access
from tandem.accounts.models import User
from tandem.accounts.service import NewSecret
from tandem.errors import Invalid, TandemError, Unauthenticated
from tandem.reviews import invitations
from tandem.reviews.invitations import NewPerson, NoInvitation, Shown
from tandem.reviews.models import Member, Role
from tandem_api import cookies, signing_in
from tandem_api.deps import COOKIE, Here, refuse_cross_site
from tandem_api.errors import status_of
from tandem_api.routes.pages import page
from tandem_api.runtime import Runtime
from tandem_api.schemas.base import PlainText

router = APIRouter(include_in_schema=False)

_LONGEST = 1000
_MAY = {
    Role.OWNER: "run the review: import records, invite people, set its rules",
    Role.ADJUDICATOR: "settle conflicts between reviewers, and screen records",
    Role.REVIEWER: "screen records: decide which are included",
    Role.OBSERVER: "look on, without deciding anything",
}
_A = {
    Role.OWNER: "an owner",
    Role.ADJUDICATOR: "an adjudicator",
    Role.REVIEWER: "a reviewer",
    Role.OBSERVER: "an observer",
}
_FIRST = {
    Role.OWNER: "progress",
    Role.ADJUDICATOR: "conflicts",
    Role.REVIEWER: "screen",
    Role.OBSERVER: "progress",
}
"""The view of the page that each begins with."""

Field = Annotated[PlainText, Form(max_length=_LONGEST)]


@router.api_route("/join/{token}", methods=["GET", "HEAD"], name="join_page")
def show(token: str, request: Request, here: Here) -> Response:
    """Show the invitation, with a form to accept it."""
    return _form(token, request, here)


@router.post("/join/{token}")
async def join(
    token: str,
    request: Request,
    here: Here,
    way: Annotated[str, Form()] = "",
    email: Field = "",
    password: Field = "",
    name: Field = "",
) -> Response:
    """Accept: as who is signed in, by signing in, or with an account that this makes."""
    try:
        refuse_cross_site(request)
        title = await run_in_threadpool(_title, token, here)
        person = NewPerson(name.strip(), password, email or None)
        member, made = await _accept(token, request, here, way, person)
    except TandemError as error:
        return await run_in_threadpool(_form, token, request, here, refused=error)
    here.task_signals.changed(member.review_id)
    response = page(request, "You are in", _welcome(title, member))
    if made is not None:
        cookies.give(response, request, here, made)
    return response


def _title(token: str, here: Runtime) -> str:
    with here.database.read() as session:
        return invitations.show(session, token).review.title


async def _accept(
    token: str, request: Request, here: Runtime, way: str, person: NewPerson
) -> tuple[Member, NewSecret | None]:
    if way == "present":
        user = await run_in_threadpool(_signed_in, request, here)
        if user is None:
            raise Unauthenticated("You are not signed in any more. Sign in below.")
        return await run_in_threadpool(_let_in, token, here, user), None
    if way == "sign_in":
        user, made = await signing_in.sign_in(
            request, here, email=person.email or "", password=person.password
        )
        return await run_in_threadpool(_let_in, token, here, user), made
    if not person.name:
        raise Invalid("Give your name, as others in the review are to see it.", field="name")
    return await signing_in.accept_as_new(request, here, token, person=person)


def _let_in(token: str, here: Runtime, user: User) -> Member:
    with here.database.write.begin() as session:
        return invitations.accept(session, token, user=user)


def _form(
    token: str, request: Request, here: Runtime, *, refused: TandemError | None = None
) -> Response:
    status = 200 if refused is None else status_of(refused)
    user = _signed_in(request, here)
    try:
        with here.database.read() as session:
            shown = invitations.show(session, token, user=user)
    except NoInvitation as error:
        body = f"""<h1>This link does not work</h1>
<p>{escape(str(error))}</p>
<p>If you have joined by it already, <a href="{{prefix}}/">sign in</a>.</p>"""
        return page(request, "This link does not work", body, status=404)
    alert = (
        "" if refused is None else f'<p role="alert"><strong>{escape(str(refused))}</strong></p>'
    )
    title, role = escape(shown.review.title), shown.invitation.role
    until = f"{shown.invitation.expires_at:%d %B %Y, %H:%M} UTC"
    body = f"""<h1>Join the review &ldquo;{title}&rdquo;</h1>
<p>{escape(shown.invited_by.name)} invites you as <strong>{_A[role]}</strong>. You can
{_MAY[role]}. The link is good once, until {until}.</p>
{alert}
{_forms(shown, user)}"""
    return page(request, "Join a review", body, status=status)


def _forms(shown: Shown, user: User | None) -> str:
    """Return the ways to accept; the person signed in may not be the one who was invited."""
    email = shown.invitation.email
    if user is None:
        return _ways(shown)
    name, address = escape(user.name), escape(user.email)
    if email not in (None, user.email):
        return f"""<p role="alert">You are signed in here as {name} ({address}). This link is for
<strong>{escape(email or "")}</strong>: go on with that address, or ask for a link of your own.</p>
{_ways(shown)}"""
    if shown.has is not None:
        present = f"""<p>You are signed in as {name}, and are in this review already, as
{_A[shown.has]}. Send the link to the person whom it is for: it is good once.</p>
<p><a href="{{prefix}}/r/{shown.review.id}/{_FIRST[shown.has]}">Open the review</a></p>"""
    else:
        present = _one("present", f"Join as {user.name}", "")
    if email is not None:
        return present
    return f"""{present}
<details><summary>I am not {name}</summary>
{_ways(shown)}
</details>"""


def _ways(shown: Shown) -> str:
    """Return how somebody accepts who is not signed in: with an account, or with a new one."""
    email = shown.invitation.email
    fixed = escape(email or "", quote=True)
    address = (
        f'<label>E-mail <input name="email" type="email" autocomplete="username" required '
        f'value="{fixed}"{" readonly" if email else ""}></label>'
    )
    sign_in = _one(
        "sign_in",
        "Sign in and join",
        address + _password("current-password", "Password"),
        heading="With your account",
    )
    create = _one(
        "create",
        "Make the account and join",
        '<label>Your name <input name="name" autocomplete="name" required maxlength="500"></label>'
        + address
        + _password("new-password", "Password, at least 8 characters"),
        heading="Without an account",
    )
    wanted = {True: (create,), False: (sign_in,), None: (create, sign_in)}[shown.needs_account]
    return "\n".join(wanted)


def _one(way: str, button: str, fields: str, *, heading: str = "") -> str:
    head = f"<h2>{heading}</h2>\n" if heading else ""
    return f"""{head}<form method="post">
<input type="hidden" name="way" value="{way}">
{fields}
<p><button>{escape(button)}</button></p>
</form>"""


def _password(kind: str, label: str) -> str:
    return (
        f'<label>{label} <input name="password" type="password" autocomplete="{kind}" required '
        'minlength="8"></label>'
    )


def _welcome(title: str, member: Member) -> str:
    role = member.role
    return f"""<h1>You are in</h1>
<p>You are now <strong>{_A[role]}</strong> of the review &ldquo;{escape(title)}&rdquo;, and signed
in in this browser. You can {_MAY[role]}.</p>
<p><a href="{{prefix}}/r/{member.review_id}/{_FIRST[role]}">Start</a>, or see
<a href="{{prefix}}/">all your reviews</a>.</p>"""


def _signed_in(request: Request, here: Runtime) -> User | None:
    """Return who this browser is signed in as, if anybody."""
    if (secret := request.cookies.get(COOKIE)) is None:
        return None
    try:
        with here.database.alone.connect() as connection:
            return access.of_sign_in(connection, secret).user
    except Unauthenticated:
        return None
