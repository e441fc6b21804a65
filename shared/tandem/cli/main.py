"""The command `tandem`. Heavy modules are imported by the commands that need them."""

import os
import sys
import traceback
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from typer.exceptions import TyperException

import tandem
from tandem.cli.accounts import tokens, users
from tandem.cli.backup import backup, restore
from tandem.cli.demo import load_demo
from tandem.cli.export import export_records
from tandem.cli.first_account import first_account
from tandem.cli.handover import hand_over, report_methods
from tandem.cli.options import DataDir, Host, Port, installation
from tandem.cli.prisma import write_flow
from tandem.cli.records import import_records
from tandem.cli.replay import demos
from tandem.cli.simulate import simulate
from tandem.cli.stopping import stopping
from tandem.cli.synthesis import account
from tandem.cli.texts import send_texts
from tandem.cli.verify import verify
from tandem.errors import TandemError
from tandem.installation.redaction import redact

if TYPE_CHECKING:
    from pydantic import ValidationError

app = typer.Typer(
    name="tandem",
    help=tandem.__doc__,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(f"tandem {tandem.__version__}")
        raise typer.Exit


@app.callback()
def root(
    *,
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version.", callback=_show_version, is_eager=True),
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show the traceback of a failure, like TANDEM_DEBUG=1.")
    ] = False,
) -> None:
    # `main` looks for --debug itself: it is accepted after the command, too.
    del version, debug


@app.command()
def up(
    data_dir: DataDir = None,
    host: Host = None,
    port: Port = None,
    *,
    demo: Annotated[
        bool, typer.Option("--demo", help="Create a review to try, with people who screen it.")
    ] = False,
) -> None:
    """Run everything on this machine: API, worker, relay, database and broker."""
    settings = installation(data_dir=data_dir, host=host, port=port)
    from tandem.installation.up import up as run_everything

    raise typer.Exit(run_everything(settings, demo=demo))


@app.command(hidden=True)
def prepare(data_dir: DataDir = None) -> None:
    """Do what `tandem up` does with the database before it starts anything else."""
    settings = installation(data_dir=data_dir)
    import tandem.log
    from tandem.installation import preparation

    tandem.log.configure(settings, process="up")
    preparation.prepare(settings)


@app.command()
def api(
    data_dir: DataDir = None,
    host: Host = None,
    port: Port = None,
    processes: Annotated[
        int | None,
        typer.Option("--processes", min=1, max=64, help="So many processes share the port."),
    ] = None,
) -> None:
    """Run the HTTP service alone, in a server installation."""
    installation(data_dir=data_dir, host=host, port=port, api_processes=processes)
    _become("tandem_api")


@app.command()
def worker(
    data_dir: DataDir = None,
    queue: Annotated[
        str | None,
        typer.Option(
            "--queue",
            help="Serve one queue only: rankings (large ones, too), large, or bulk (imports and "
            "the like). Default: all.",
        ),
    ] = None,
) -> None:
    """Run one worker alone, in a server installation."""
    installation(data_dir=data_dir)
    _become("tandem_worker", *([] if queue is None else [queue]))


@app.command()
def relay(data_dir: DataDir = None) -> None:
    """Run the relay alone: it delivers events and finds work that is due."""
    installation(data_dir=data_dir)
    _become("tandem_worker.relay")


@app.command()
def migrate(data_dir: DataDir = None) -> None:
    """Bring the database to the newest schema."""
    settings = installation(data_dir=data_dir)
    from tandem.migrate import current_and_head, upgrade

    if settings.database_url is None:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    url = settings.resolved_database_url()
    upgrade(url)
    typer.echo(f"The database is at the newest schema, {current_and_head(url)[1]}.")


@app.command()
def doctor(data_dir: DataDir = None) -> None:
    """Check the installation: what is wrong, and how to fix it."""
    settings = installation(data_dir=data_dir)
    from tandem.installation.doctor import diagnose

    findings = diagnose(settings)
    for finding in findings:
        mark = "ok   " if finding.ok else "WRONG"
        typer.echo(f"{mark}  {finding.check:<16} {finding.detail}")
        if finding.remedy:
            typer.echo(f"{'':24}{finding.remedy}")
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)


@app.command(hidden=True)
def alive(name: Annotated[str, typer.Argument(help="worker or relay")]) -> None:
    """Say whether a process of this container does its work; for health checks."""
    from tandem.heartbeat import is_alive

    if not is_alive(name):
        raise TandemError(f"No sign of life from the {name}.")


@app.command()
def config(data_dir: DataDir = None) -> None:
    """List all TANDEM_* variables: value, meaning, default."""
    settings = installation(data_dir=data_dir)
    from tandem.cli.configuration import variables

    for variable in variables(settings):
        typer.echo(str(variable))


# Commands of the slices, one line each. Their modules import what computes where it is used.
app.command()(simulate)
app.command("import")(import_records)
app.command("export")(export_records)
app.command("handover")(hand_over)
app.command("synthesis")(account)
app.command("report")(report_methods)
app.command("texts")(send_texts)
app.command("prisma")(write_flow)
app.command()(stopping)
app.command()(verify)
app.command()(backup)
app.command()(restore)
app.command("load-demo", hidden=True)(load_demo)
app.command("first-account", hidden=True)(first_account)
app.add_typer(demos, name="demo")
app.add_typer(users, name="user")
app.add_typer(tokens, name="token")


def run() -> NoReturn:
    """Run the command of this process's arguments; the console script."""
    # Databases, uploads, exports and backups: what it makes is for this user alone.
    os.umask(0o077)
    sys.exit(main(sys.argv[1:]))


def main(arguments: list[str]) -> int:
    """Run a command; return 0 for success, 1 for a failure, 2 for wrong usage.

    A failure is one line on stderr; its traceback is shown with `--debug` or TANDEM_DEBUG=1.
    """
    ours = arguments[: arguments.index("--")] if "--" in arguments else arguments
    debug = "--debug" in ours or os.environ.get("TANDEM_DEBUG", "0") not in ("", "0")
    arguments = [word for word in ours if word != "--debug"] + arguments[len(ours) :]
    try:
        status = app(arguments, prog_name="tandem", standalone_mode=False)
    except typer.Abort:
        return 1
    except TyperException as error:
        _complain(_usage(error))
        return error.exit_code
    except Exception as error:
        if debug:
            traceback.print_exception(error)
        else:
            _complain(_failure(error))
        return 1
    return status if isinstance(status, int) else 0


def _become(module: str, *arguments: str) -> NoReturn:
    """Replace this process, so that signals and its id are those of the service itself."""
    sys.stdout.flush()
    # -P: a file of the folder where somebody happens to stand is not one of our modules.
    os.execv(sys.executable, [sys.executable, "-P", "-m", module, *arguments])  # noqa: S606  # no shell meant


def _complain(text: str) -> None:
    typer.echo(text, err=True)


def _usage(error: TyperException) -> str:
    message = error.format_message()
    if "\n" in message:  # no command at all: the message is the help text
        return message
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "tandem"
    return f"tandem: {message.rstrip('.')}; see `{command} --help`"


def _failure(error: Exception) -> str:
    if isinstance(error, TandemError):
        message = str(error)
    elif type(error).__name__ == "ValidationError" and getattr(error, "title", "") == "Settings":
        message = _wrong_settings(error)  # type: ignore[arg-type]  # not imported: it is slow
    else:
        message = f"{type(error).__name__}: {error} (where: --debug)"
    return "tandem: " + " ".join(redact(message).split())


def _wrong_settings(error: "ValidationError") -> str:
    return "; ".join(
        f"TANDEM_{'_'.join(map(str, problem['loc']))}".upper()
        + f": {problem['msg']} (it is {problem['input']!r})"
        for problem in error.errors()
    )
