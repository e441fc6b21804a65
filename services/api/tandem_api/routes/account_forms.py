"""Forms for links that are good once, without scripts: the first account, a new password."""

from html import escape
from typing import TypeVar

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, ValidationError

from tandem.accounts import links, setup
from tandem.accounts.links import WrongToken
from tandem.errors import Invalid, TandemError
from tandem_api import cookies, signing_in
from tandem_api.deps import Here
from tandem_api.errors import field_errors, status_of
from tandem_api.routes.pages import page
from tandem_api.schemas.accounts import ResetIn, SetupIn

router = APIRouter(include_in_schema=False)

_FIELD = """<p><label>New password, at least 8 characters<br>
<input type="password" name="password" autocomplete="new-password" minlength="8" required>
</label></p>"""


@router.get("/setup/{token}")
def setup_form(request: Request, here: Here) -> HTMLResponse:
    """Ask for the first account, an administrator's; once there is one, say so."""
    with here.database.read() as session:
        is_needed = setup.needs_setup(session)
    return _setup(request) if is_needed else _private(page(request, "Tandem is set up", _SET_UP))


@router.post("/setup/{token}")
async def set_up_by_form(token: str, request: Request, here: Here) -> Response:
    form = await _fields(request, "name", "email", "password")
    try:
        form_fields = _checked(SetupIn, token=token, **form)
        user, made = await signing_in.set_up(
            request,
            here,
            token=form_fields.token,
            name=form_fields.name,
            email=form_fields.email,
            password=form_fields.password.get_secret_value(),
        )
    except TandemError as error:
        return _setup(request, error=error, name=form["name"], email=form["email"])
    body = f"<h1>Welcome</h1><p>You are signed in as {escape(user.email)}.</p>"
    response = _private(page(request, "Welcome to Tandem", body + _ONWARDS))
    cookies.give(response, request, here, made)
    return response


@router.get("/reset/{token}")
def reset_form(token: str, request: Request, here: Here) -> HTMLResponse:
    """Ask for a new password; of a link that is not good any more, say so."""
    try:
        with here.database.read() as session:
            links.reset_for(session, token)
    except WrongToken as error:
        body = f"<h1>This link does not work</h1><p>{_text(str(error))}</p>{_ONWARDS}"
        answer = page(request, "This link does not work", body, status=status_of(error))
        return _private(answer)
    return _reset(request)


@router.post("/reset/{token}")
async def reset_by_form(token: str, request: Request, here: Here) -> Response:
    form = await _fields(request, "password")
    try:
        form_fields = _checked(ResetIn, token=token, **form)
        await signing_in.reset_password(
            request, here, token=form_fields.token, password=form_fields.password.get_secret_value()
        )
    except TandemError as error:
        return _reset(request, error=error)
    body = "<h1>Done</h1><p>Your new password is set. Sign in with it.</p>"
    return _private(page(request, "New password", body + _ONWARDS))


_SET_UP = """<h1>Tandem is set up already</h1>
<p>The first account was made. Sign in, or ask an administrator to invite you.</p>
<p><a href="{prefix}/">On to Tandem</a></p>"""
_ONWARDS = '<p><a href="{prefix}/">On to Tandem</a></p>'


def _setup(
    request: Request, *, error: TandemError | None = None, name: str = "", email: str = ""
) -> HTMLResponse:
    body = f"""<h1>The first account</h1>
<p>It administers this installation: it makes the accounts of others.</p>{_alert(error)}
<form method="post">
<p><label>Name<br><input name="name" value="{_text(name)}" maxlength="500" required>
</label></p>
<p><label>E-mail address<br><input type="email" name="email" value="{_text(email)}" required
autocomplete="username"></label></p>
{_FIELD}<p><button>Make the account</button></p>
</form>"""
    return _answer(request, "Set up Tandem", body, error)


def _reset(request: Request, *, error: TandemError | None = None) -> HTMLResponse:
    body = f"""<h1>Choose a new password</h1>{_alert(error)}
<form method="post">{_FIELD}<p><button>Set the password</button></p></form>"""
    return _answer(request, "Choose a new password", body, error)


def _answer(request: Request, title: str, body: str, error: TandemError | None) -> HTMLResponse:
    answer = page(request, title, body, status=200 if error is None else status_of(error))
    retry_after = getattr(error, "retry_after", None)
    if retry_after is not None:
        answer.headers["Retry-After"] = str(retry_after)
    return _private(answer)


def _private(answer: HTMLResponse) -> HTMLResponse:
    """Let nobody keep it: a secret stands in its address.

    Its `Referrer-Policy` stays `same-origin`. With `no-referrer` browsers send `Origin: null` with
    the form, as another site's page would.
    """
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _alert(error: TandemError | None) -> str:
    return "" if error is None else f'<p role="alert"><strong>{_text(str(error))}</strong></p>'


def _text(text: str) -> str:
    # The page's own placeholder is not to be taken from what somebody typed.
    return escape(text).replace("{", "&#123;")


Fields = TypeVar("Fields", bound=BaseModel)


def _checked(kind: type[Fields], **form: str) -> Fields:
    """Check a form as the JSON of the same route is checked."""
    try:
        return kind.model_validate(form)
    except ValidationError as error:
        found = field_errors(error.errors(include_input=False), location="body")
        message = "; ".join(f"{item.field}: {item.message}" for item in found)
        raise Invalid(message, field=found[0].field) from None


async def _fields(request: Request, *names: str) -> dict[str, str]:
    form = await request.form()
    return {name: value if isinstance(value := form.get(name), str) else "" for name in names}
