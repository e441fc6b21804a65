"""The supervisor's side of the guard: a process that cleans up if the supervisor is killed."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

_PROGRAM = Path(__file__).with_name("guard_program.py")
_SECONDS_TO_EXIT = 5.0


def word_for(*, last: bool) -> str:
    return "last" if last else "others"


class Guard:
    """Knows every process group of the supervisor and outlives it just long enough.

    One pipe serves for the supervisor's whole life. It holds both ends, so a line that is
    written while the guard is dead waits for the next one; nobody else keeps a write end, so
    the supervisor's death ends the pipe.
    """

    def __init__(self, *, inherits: Sequence[int] = ()) -> None:
        """Prepare a guard; `inherits` are descriptors it keeps open until its work is done."""
        self._inherits = tuple(inherits)
        self._read_end, self.write_end = os.pipe()  # neither is inherited unless asked for
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def start(self, groups: Iterable[tuple[int, str]] = ()) -> None:
        """Start the process, in place of a dead one, and tell it all present groups.

        Raises:
            OSError: The system cannot start a process just now.
        """
        self._process = subprocess.Popen(  # noqa: S603  # our own program, no shell
            [sys.executable, "-I", "-S", str(_PROGRAM)],
            stdin=self._read_end,
            stdout=subprocess.DEVNULL,
            pass_fds=self._inherits,
            start_new_session=True,
            cwd="/",
        )
        for pgid, word in groups:
            self._tell(f"+{pgid} {word}\n")

    def has_died(self) -> bool:
        return self._process is None or self._process.poll() is not None

    def forget(self, pgid: int) -> None:
        """Take a group off the list. To be called before its number can be used again."""
        self._tell(f"-{pgid}\n")

    def close(self) -> None:
        """End the pipe and wait until the guard has ended what is still on its list."""
        for descriptor in (self.write_end, self._read_end):
            with contextlib.suppress(OSError):
                os.close(descriptor)
        if self._process is not None:
            try:
                self._process.wait(_SECONDS_TO_EXIT * 3)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def _tell(self, line: str) -> None:
        os.write(self.write_end, line.encode())
