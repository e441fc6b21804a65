"""Signing in and out, the first account, and choosing a new password by a link."""

from fastapi import Request, Response
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from tandem.accounts import service as accounts
from tandem.accounts import setup
from tandem_api import cookies, signing_in
from tandem_api.deps import COOKIE, Here, Read, refuse_cross_site
from tandem_api.problems import errors, gives_cookie
from tandem_api.routing import Router
from tandem_api.schemas.accounts import MeOut, ResetIn, SetupIn, SetupOut, SignInIn

router = Router(tags=["accounts"])


@router.post("/auth/login", status_code=204, responses=gives_cookie(204) | errors(401, 429))
async def login(body: SignInIn, request: Request, here: Here) -> Response:
    """Sign in with a browser, which gets an HttpOnly cookie.

    After 5 failures for an address from one source, or 20 from one source, there is a pause, which
    grows. Others at other sources can sign in meanwhile.
    """
    _, made = await signing_in.sign_in(
        request, here, email=body.email, password=body.password.get_secret_value()
    )
    response = Response(status_code=204)
    cookies.give(response, request, here, made)
    return response


@router.post("/auth/logout", status_code=204, responses=gives_cookie(204))
def logout(request: Request, here: Here) -> Response:
    """End this browser's session, on the server too."""
    refuse_cross_site(request)
    if (secret := request.cookies.get(COOKIE)) is not None:
        with here.database.write.begin() as session:
            accounts.sign_out(session, secret)
    response = Response(status_code=204)
    cookies.take(response, here)
    return response


@router.post("/auth/reset", status_code=204, responses=errors(429))
async def reset_password(body: ResetIn, request: Request, here: Here) -> Response:
    """Set a new password by the token of a link that an administrator made.

    It is good once. All sessions of the account end; then sign in.
    """
    await signing_in.reset_password(
        request, here, token=body.token, password=body.password.get_secret_value()
    )
    return Response(status_code=204)


@router.get("/setup")
def show_setup(session: Read) -> SetupOut:
    """Say whether this installation has no account yet."""
    return SetupOut(needed=setup.needs_setup(session))


@router.post(
    "/setup",
    status_code=201,
    response_model=MeOut,
    responses=gives_cookie(201) | errors(409, 429),
)
async def set_up(body: SetupIn, request: Request, here: Here) -> Response:
    """Make the first account, an administrator's, and sign in with it.

    The token is the one that `tandem up` prints when it starts.
    """
    await run_in_threadpool(_require_no_account, here)
    user, made = await signing_in.set_up(
        request,
        here,
        token=body.token,
        email=body.email,
        name=body.name,
        password=body.password.get_secret_value(),
    )
    response = JSONResponse(MeOut.of(user).model_dump(mode="json"), 201)
    cookies.give(response, request, here, made)
    return response


def _require_no_account(here: Here) -> None:
    with here.database.read() as session:
        setup.require_no_account(session)
