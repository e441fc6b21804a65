"""One supervisor for a data folder, ensured by a lock that ends with its process."""

import fcntl
import os
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from tandem.errors import Conflict
from tandem.installation.guard_program import process_lives
from tandem.log import logger

_POLL = 0.05
_FIRST_NOTICE = 10.0
"""Seconds until people read what is waited for; then after twice as long, and so on."""

log = logger(__name__)


class AlreadyRunning(Conflict):
    """Another supervisor looks after this data folder."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a lock; both unknown just after it was taken, and while its holder ends."""

    pid: int | None
    url: str

    def is_alive(self) -> bool:
        return self.pid is None or process_lives(self.pid)


class InstallationLock:
    """Held while entered, and beyond by the guard, which inherits the descriptor on purpose.

    The file stays: removing it would let two processes hold locks on two files of one name.
    Children do not inherit the descriptor (PEP 446), so no orphan keeps the folder locked.
    """

    def __init__(self, data_dir: Path, *, url: str) -> None:
        self._data_dir = data_dir
        self._url = url
        self._descriptor = -1

    def fileno(self) -> int:
        return self._descriptor

    def __enter__(self) -> Self:
        """Take the lock. Where its holder was killed or ends, wait until all of it has ended.

        Raises:
            AlreadyRunning: Its holder lives.
        """
        self._descriptor = os.open(lock_file(self._data_dir), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            self._take()
        except BaseException:
            os.close(self._descriptor)
            raise
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{os.getpid()} {self._url}\n".encode(), 0)
        return self

    def leave(self) -> None:
        """Say that what is held ends now: who comes meanwhile waits for it instead of giving up."""
        os.ftruncate(self._descriptor, 0)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.leave()
        os.close(self._descriptor)

    def _take(self) -> None:
        began, pause = time.monotonic(), _FIRST_NOTICE
        while True:
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                held_by = _read(self._descriptor)
            if held_by.pid is not None and held_by.is_alive():
                raise AlreadyRunning(
                    f"Tandem is already running on {self._data_dir} "
                    f"(pid {held_by.pid}, URL {held_by.url or 'unknown'})."
                )
            if time.monotonic() - began > pause:
                log.warning("still waiting for an earlier Tandem to end", of=held_by.pid)
                pause *= 2
            time.sleep(_POLL)


def lock_file(data_dir: Path) -> Path:
    return data_dir / "tandem.lock"


def holder(data_dir: Path) -> Holder | None:
    """Return who looks after the folder now, or None.

    Raises:
        OSError: The lock file cannot be read.
    """
    try:
        descriptor = os.open(lock_file(data_dir), os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        # Shared and for an instant: a supervisor that starts just now tries again.
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return None
    except BlockingIOError:
        return _read(descriptor)
    finally:
        os.close(descriptor)


def _read(descriptor: int) -> Holder:
    pid, _, url = os.pread(descriptor, 4096, 0).decode(errors="replace").strip().partition(" ")
    return Holder(pid=int(pid) if pid.isdigit() else None, url=url)
