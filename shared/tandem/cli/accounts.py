"""`tandem user` and `tandem token`: accounts of the installation on this machine."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from tandem.cli.options import DataDir, installation

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

users = typer.Typer(help="People who may sign in.", no_args_is_help=True)
tokens = typer.Typer(help="Secrets for programs that act for a person.", no_args_is_help=True)


@users.callback()
@tokens.callback()
def _group() -> None:
    # With a single command a group would become that command.
    pass


@users.command("add")
def add_user(
    email: Annotated[str, typer.Argument(help="Their e-mail address.")],
    name: Annotated[str, typer.Option("--name", help="How others see them.")],
    *,
    admin: Annotated[bool, typer.Option("--admin", help="May create accounts.")] = False,
    password: Annotated[
        str | None,
        typer.Option(
            "--password",
            help="At least 8 characters. Left out: they can act by tokens only.",
            show_default=False,
        ),
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Create an account, and print its id."""
    if password is not None and len(password) < 8:
        raise typer.BadParameter("at least 8 characters", param_hint="--password")
    from tandem.accounts import service as accounts

    with _transaction(data_dir) as session:
        user = accounts.add_user(session, email=email, name=name, password=password, is_admin=admin)
        typer.echo(str(user.id))


@tokens.command("add")
def add_token(
    email: Annotated[str, typer.Argument(help="Whose token it is.")],
    name: Annotated[str, typer.Option("--name", help="What it is for.")] = "command line",
    expires_days: Annotated[
        int | None,
        typer.Option(
            "--expires-days", min=1, max=36500, help="Left out: never.", show_default=False
        ),
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Make a token and print it. It is shown this once."""
    from tandem.accounts import service as accounts
    from tandem.db.base import now
    from tandem.errors import NotFound

    expires_at = None if expires_days is None else now() + timedelta(days=expires_days)
    with _transaction(data_dir) as session:
        user = accounts.find_user(session, email=email)
        if user is None:
            raise NotFound(f"There is no account for {email}. Make one with `tandem user add`.")
        _, secret = accounts.add_token(session, user_id=user.id, name=name, expires_at=expires_at)
    # Printed after the commit: a token that is shown is a token that works.
    typer.echo(secret)


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
