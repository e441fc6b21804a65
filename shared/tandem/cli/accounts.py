"""`tandem user` and `tandem token`: accounts of the installation on this machine."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from tandem.cli.options import DataDir, installation
from tandem.errors import NotFound, TandemError

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from tandem.accounts.models import User
    from tandem.config import Settings

users = typer.Typer(help="People who may sign in.", no_args_is_help=True)
tokens = typer.Typer(help="Secrets for programs that act for a person.", no_args_is_help=True)

Email = Annotated[str, typer.Argument(help="The e-mail address of the account.")]
FromStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from standard input.")
]


@users.command("add")
def add_user(
    email: Email,
    name: Annotated[str, typer.Option("--name", help="How others see them.")],
    *,
    admin: Annotated[
        bool, typer.Option("--admin", help="May administer accounts and the installation.")
    ] = False,
    password: Annotated[
        str | None,
        typer.Option(
            "--password",
            help="Not recommended: it stays in the shell's history, and others on this machine "
            "can read it. Leave it out and type the password.",
            show_default=False,
        ),
    ] = None,
    password_stdin: FromStdin = False,
    data_dir: DataDir = None,
) -> None:
    """Create an account, and print its id.

    On a terminal it asks for the password. If you type nothing, or give none without a terminal,
    the account has no password: it works with tokens, or after `tandem user reset`.
    """
    if password is not None and password_stdin:
        raise typer.BadParameter("not together with --password", param_hint="--password-stdin")
    from tandem.accounts import passwords
    from tandem.accounts import service as accounts

    if password is None and (password_stdin or sys.stdin.isatty()):
        password = _password(may_be_none=not password_stdin, from_stdin=password_stdin)
    hashed = None if password is None else passwords.hashed(password, email=email)
    with _transaction(data_dir) as session:
        user = accounts.add_user(session, email=email, name=name, password=hashed, is_admin=admin)
    typer.echo(str(user.id))


@users.command("list")
def list_users(
    words: Annotated[
        list[str] | None,
        typer.Argument(help="Only accounts whose name or address contains these words."),
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """List the accounts: address, name, and whether administrator or switched off."""
    from tandem.accounts import service as accounts

    with _transaction(data_dir) as session:
        found = accounts.list_users(session, words=" ".join(words or []))
    for user in found.items:
        marks = [*(["admin"] if user.is_admin else []), *([] if user.is_active else ["off"])]
        typer.echo("\t".join([user.email, user.name, " ".join(marks)]).rstrip())


@users.command("password")
def set_password(
    email: Email, *, password_stdin: FromStdin = False, data_dir: DataDir = None
) -> None:
    """Ask for an account's new password, or read it from a pipe, and end its sessions."""
    from tandem.accounts import passwords, sessions
    from tandem.accounts import service as accounts

    with _account(data_dir, email) as (_, user):
        known = user.email
    password = _password(may_be_none=False, from_stdin=password_stdin)
    hashed = passwords.hashed(password or "", email=known)
    with _account(data_dir, email) as (session, user):
        accounts.set_password(user, hashed)
        sessions.end_all(session, user.id)
    typer.echo(f"{known} has a new password; all sessions of the account have ended.")


@users.command("email")
def change_email(
    email: Email,
    new: Annotated[str, typer.Argument(help="The address to sign in with from now on.")],
    data_dir: DataDir = None,
) -> None:
    """Give an account another e-mail address; all else of it stays."""
    from tandem.accounts import administration

    with _account(data_dir, email) as (session, user):
        administration.change_user(session, user_id=user.id, by=None, email=new)
    typer.echo(f"{user.email} is the address of {user.name} now.")


@users.command("disable")
def disable(email: Email, data_dir: DataDir = None) -> None:
    """Switch an account off: its sessions and tokens end at once, its decisions stay."""
    _switch(data_dir, email, on=False)


@users.command("enable")
def enable(email: Email, data_dir: DataDir = None) -> None:
    """Switch an account on again."""
    _switch(data_dir, email, on=True)


def _switch(data_dir: "DataDir", email: str, *, on: bool) -> None:
    from tandem.accounts import administration

    with _account(data_dir, email) as (session, user):
        administration.change_user(session, user_id=user.id, by=None, is_active=on)
    typer.echo(f"{user.email} is switched {'on' if on else 'off'}.")


@users.command("reset")
def reset(email: Email, data_dir: DataDir = None) -> None:
    """Print a link to choose a new password. It works once, for 24 hours."""
    from tandem.accounts import links

    settings = installation(data_dir=data_dir)
    with _account(data_dir, email) as (session, user):
        made = links.offer_reset(session, user_id=user.id)
    # Printed after the commit: a link that is shown is a link that works.
    typer.echo(f"{_page_url(settings)}/reset/{made.secret}")


@tokens.command("add")
def add_token(
    email: Annotated[str, typer.Argument(help="Whose token it is.")],
    name: Annotated[str, typer.Option("--name", help="What it is for.")] = "command line",
    expires_days: Annotated[
        int | None,
        typer.Option(
            "--expires-days",
            min=1,
            max=36500,
            help="Days until it ends. Without it the token never ends.",
            show_default=False,
        ),
    ] = None,
    scope: Annotated[
        str, typer.Option("--scope", help="read, screen (read and decide) or manage (all).")
    ] = "manage",
    data_dir: DataDir = None,
) -> None:
    """Create a token and print it. It is shown only once."""
    from tandem.accounts import service as accounts
    from tandem.accounts.models import Scope
    from tandem.db.base import now

    if scope not in list(Scope):
        raise typer.BadParameter(f"one of {', '.join(Scope)}", param_hint="--scope")
    expires_at = None if expires_days is None else now() + timedelta(days=expires_days)
    with _account(data_dir, email) as (session, user):
        if not user.is_active:
            raise TandemError(f"The account of {user.email} is switched off.")
        _, secret = accounts.add_token(
            session, user_id=user.id, name=name, expires_at=expires_at, scope=Scope(scope)
        )
    # Printed after the commit: a token that is shown is a token that works.
    typer.echo(secret)


@tokens.command("list")
def list_tokens(email: Email, data_dir: DataDir = None) -> None:
    """List an account's tokens: id, scope, end, last use, name. Never the secrets."""
    from tandem.accounts import service as accounts

    with _account(data_dir, email) as (session, user):
        found = accounts.list_tokens(session, user.id)
    for token in found.items:
        times = [
            "-" if time is None else time.isoformat(timespec="minutes")
            for time in (token.expires_at, token.last_used_at)
        ]
        typer.echo("\t".join([str(token.id), token.scope, *times, token.name]))


@tokens.command("revoke")
def revoke_token(
    email: Email,
    token: Annotated[str, typer.Argument(help="The id that `tandem token list` shows.")],
    data_dir: DataDir = None,
) -> None:
    """Revoke a token. It stops working at once."""
    from tandem.accounts import service as accounts
    from tandem.ids import TokenId, parse_uuid

    token_id = TokenId(parse_uuid(token, kind="token"))
    with _account(data_dir, email) as (session, user):
        accounts.remove_token(session, user_id=user.id, token_id=token_id)


def _password(*, may_be_none: bool, from_stdin: bool = False) -> str | None:
    """Ask for a new password twice, or read the first line of what is piped in."""
    if from_stdin or not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    hint = " (nothing: none, tokens only)" if may_be_none else ""
    typed: str = typer.prompt(
        f"New password{hint}",
        hide_input=True,
        err=True,
        default="" if may_be_none else None,
        show_default=False,
    )
    if typed == "" and may_be_none:
        return None
    again: str = typer.prompt("The same again", hide_input=True, err=True)
    if typed != again:
        raise TandemError("The two passwords differ; nothing was changed.")
    return typed


def _page_url(settings: "Settings") -> str:
    """Return the address of the page: where it runs now, if nobody has said another one."""
    from tandem.cli.records import url_on_this_machine

    return (settings.public_url or url_on_this_machine()).rstrip("/")


@contextmanager
def _account(data_dir: "DataDir", email: str) -> "Iterator[tuple[Session, User]]":
    from tandem.accounts import service as accounts

    with _transaction(data_dir) as session:
        user = accounts.find_user(session, email=email)
        if user is None:
            here = installation(data_dir=data_dir)
            # Who has started Tandem with another folder has no account in the usual one.
            place = f" in {here.data_dir} (--data-dir names another)"
            among = "" if here.database_url else place
            raise NotFound(
                f"There is no account for {email}{among}. Make one with `tandem user add`."
            )
        yield session, user


@contextmanager
def _transaction(data_dir: "DataDir") -> "Iterator[Session]":
    settings = installation(data_dir=data_dir)
    from tandem import migrate
    from tandem.db.session import Database

    url = settings.resolved_database_url()
    if settings.database_url is None:
        # The embedded database may not have been used yet. A server's is migrated on purpose.
        migrate.upgrade(url)
    database = Database(url)
    try:
        with database.write.begin() as session:
            yield session
    finally:
        database.close()
