"""`tandem up`: everything on one machine, from an empty folder to a page that answers."""

import errno
import http.client
import os
import socket
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import tandem.log
from tandem.config import Settings
from tandem.errors import TandemError
from tandem.installation import valkey
from tandem.installation.children import Child
from tandem.installation.lock import InstallationLock
from tandem.installation.supervisor import Stopped, Supervisor

log = tandem.log.logger(__name__)

_ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104  # translated away


class PortTaken(TandemError):
    """The API cannot listen where it should."""


def up(settings: Settings, *, demo: bool = False) -> int:
    """Run the whole installation until somebody asks for its end; return the exit status.

    Args:
        settings: An engine that is named in them is used instead of the embedded one.
        demo: Load a review to try, beside the running services: it cannot end them.

    Raises:
        AlreadyRunning: Another one looks after this data folder.
        PortTaken: The API cannot listen where it should.
        TandemError: Something did not start; the message says what.
    """
    settings = _less_talkative(settings)
    tandem.log.configure(settings, process="up")
    # For everything that is started from here: verdicts and notes are nobody else's business.
    os.umask(0o077)
    _create_data_dir(settings.data_dir)
    with InstallationLock(settings.data_dir.absolute(), url=local_url(settings)) as lock:
        check_port_is_free(settings.host, settings.port)
        with Supervisor(guard_inherits=[lock.fileno()]) as supervisor:
            try:
                _say(f"\n  Starting Tandem; its data are in {settings.data_dir.absolute()}.\n")
                if not _start(supervisor, settings):
                    return 1
                _say(_banner(settings))
                supervisor.begin((demo_loader if demo else first_account)(settings))
                supervisor.run()
            except Stopped:
                return 0
            finally:
                lock.leave()
    log.info("stopped")
    return 0


def _less_talkative(settings: Settings) -> Settings:
    """Let people on a terminal read what matters, unless they have asked for more."""
    if not sys.stderr.isatty() or "log_level" in settings.model_fields_set:
        return settings
    return settings.model_copy(update={"log_level": "warning"})


def _start(supervisor: Supervisor, settings: Settings) -> bool:
    """Return when the API answers; False where the database could not be prepared."""
    if settings.redis_url is None:
        broker = supervisor.during(
            lambda: valkey.child(settings), lambda: "the Valkey server of an earlier run to end"
        )
        supervisor.start(broker)
    schema = preparation(settings)
    if supervisor.finish(schema, "the database to get its newest schema") != 0:
        return False  # it has printed why
    for child in processes(settings):
        supervisor.start(child)
    url = local_url(settings)
    answer = ""

    def is_ready() -> bool:
        nonlocal answer
        answer = readiness(url)
        return not answer

    supervisor.wait_until(is_ready, lambda: f"the API at {url} to be ready: {answer}")
    return True


def preparation(settings: Settings) -> Child:
    """Return what brings the database up to date, in a process whose memory is free afterwards."""
    return _python("prepare", ["tandem", "prepare"], settings, once=True)


def demo_loader(settings: Settings) -> Child:
    """Return what loads the demo review beside the running services."""
    return _python("demo", ["tandem", "load-demo"], settings, once=True, speaks=True)


def first_account(settings: Settings) -> Child:
    """Return what prints the link to the first account, where there is none."""
    return _python("first-account", ["tandem", "first-account"], settings, once=True, speaks=True)


def processes(settings: Settings) -> list[Child]:
    """Return our own processes in the order of their start."""
    return [
        _python("api", ["tandem_api"], settings),
        _python("worker", ["tandem_worker"], settings, grace=20.0),
        _python("relay", ["tandem_worker.relay"], settings),
    ]


def _python(name: str, module: list[str], settings: Settings, **how: Any) -> Child:
    # -P: a file of the folder where somebody happens to stand is not one of our modules.
    return Child(
        name=name,
        argv=[sys.executable, "-P", "-m", *module],
        env=environment(settings),
        **how,
    )


def environment(settings: Settings) -> dict[str, str]:
    """Return an environment in which a child finds exactly this installation."""
    ours = {f"TANDEM_{name}".upper(): getattr(settings, name) for name in Settings.model_fields}
    env = {key: value for key, value in os.environ.items() if key.upper() not in ours}
    env.update({key: str(value) for key, value in ours.items() if value is not None})
    env["TANDEM_DATA_DIR"] = str(settings.data_dir.absolute())
    return env


def check_port_is_free(host: str, port: int) -> None:
    """Try to listen there, as the API will.

    Raises:
        PortTaken: It is not possible; the message says why and what to do.
    """
    try:
        family, kind, _, _, address = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind) as probe:
            # As the API does: connections of an earlier run may still be in TIME_WAIT.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen(1)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            message = f"Port {port} is taken by another program; choose another with --port."
        elif error.errno == errno.EACCES:
            message = f"This user may not listen on port {port}; choose one above 1023 with --port."
        else:
            message = f"Cannot listen on {host}: {error.strerror}; give another with --host."
        raise PortTaken(message) from error


def page_url(settings: Settings) -> str:
    """Return the address that people open."""
    return settings.public_url or local_url(settings)


def local_url(settings: Settings) -> str:
    """Return the API's address as seen from this machine."""
    host = _ANYWHERE.get(settings.host, settings.host)
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"


def readiness(url: str, *, timeout: float | None = None) -> str:
    """Return an empty text if the API there answers /readyz with 200, else what it does instead.

    `timeout`: seconds; None waits for the answer for as long as the API lives.
    """
    # http.client: no proxy of the environment stands between this process and its child.
    address = urlsplit(url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=timeout)
    try:
        connection.request("GET", "/readyz")
        answer = connection.getresponse()
        text = answer.read(2000).decode(errors="replace")
        return "" if answer.status == http.HTTPStatus.OK else f"{answer.status} {text}".strip()
    except (OSError, http.client.HTTPException) as error:
        return str(error) or type(error).__name__
    finally:
        connection.close()


def _create_data_dir(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise TandemError(
            f"The data folder {folder} cannot be created ({error.strerror}); "
            "choose another with --data-dir."
        ) from error


def _banner(settings: Settings) -> str:
    return (
        f"\n  Tandem is ready: {page_url(settings)}\n"
        "  Ctrl-C stops everything; run the same command again and nothing is lost.\n\n"
    )


def _say(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
