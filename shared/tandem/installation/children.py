"""One supervised child: started through the guard's list, stopped as a process group."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tandem.installation.guard import Guard, word_for

FIRST_DELAY = 0.2
LONGEST_DELAY = 10.0
LIVED_WELL = 30.0

_ENTRY = Path(__file__).with_name("child_entry.py")
_STDERR = 2


@dataclass(frozen=True, slots=True)
class Child:
    """What to run and how to treat it.

    Attributes:
        name: In log lines.
        argv: The program and its arguments.
        env: Its whole environment.
        ready: Says whether it serves; None: as soon as it runs. May take as long as it needs.
        stop_signal: Asks it to end.
        grace: Seconds from `stop_signal` to SIGKILL.
        last: The others need it to finish, so it ends after them, even if the supervisor is killed.
        once: It ends by itself when its work is done, and is not started again.
        speaks: Its standard output is for people, as the supervisor's own is.
        log_hint: Tells people where its messages are.
    """

    name: str
    argv: Sequence[str]
    env: Mapping[str, str]
    ready: Callable[[], bool] | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    grace: float = 10.0
    last: bool = False
    once: bool = False
    speaks: bool = False
    log_hint: str = "its messages are above"


def next_delay(previous: float, lived: float) -> float:
    """Return how many seconds to wait before a dead child is started again.

    Args:
        previous: The delay before the start that has just ended; 0 for the first one.
        lived: Seconds that the child ran.
    """
    if previous == 0 or lived >= LIVED_WELL:
        return FIRST_DELAY
    return min(LONGEST_DELAY, previous * 2)


def describe_status(code: int) -> str:
    """Name an exit status as `subprocess` gives it: negative for a signal."""
    if code >= 0:
        return f"exit status {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"


class Place:
    """The place of a child in the supervisor's row, whether it runs just now or not."""

    def __init__(self, child: Child, guard: Guard) -> None:
        self.child = child
        self.deaths = 0
        self.exit_code: int | None = None
        """Of its last end; None before the first one."""
        self.due: float | None = None
        self._guard = guard
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._delay = 0.0

    @property
    def word(self) -> str:
        return word_for(last=self.child.last)

    @property
    def pid(self) -> int | None:
        """The child's process id, which is its group's too; None while it does not run."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start the child in a session of its own: a Ctrl-C on the terminal is not for it.

        Raises:
            OSError: The system cannot start a process just now.
        """
        self.due = None
        self._started = time.monotonic()
        pipe = self._guard.write_end
        entry = [sys.executable, "-I", "-S", str(_ENTRY), str(pipe), self.word]
        self._process = subprocess.Popen(  # noqa: S603  # our own lists, no shell
            [*entry, *self.child.argv],
            env=dict(self.child.env),
            stdin=subprocess.DEVNULL,
            # Logs belong on stderr; stdout is for what people wait for.
            stdout=None if self.child.speaks else _STDERR,
            pass_fds=(pipe,),
            start_new_session=True,
        )

    def has_ended(self) -> bool:
        """Return whether the child has died and is not buried yet."""
        if self._process is None:
            return False
        if not hasattr(os, "waitid"):  # macOS before Python 3.13
            return self._process.poll() is not None
        # WNOWAIT leaves the dead process in the table: its number stays taken until `bury`.
        flags = os.WEXITED | os.WNOHANG | os.WNOWAIT
        return os.waitid(os.P_PID, self._process.pid, flags) is not None

    def bury(self) -> str:
        """Kill what a dead child leaves of its group, release its number; return its status.

        The order matters: the number is off the guard's list before the system can give it to
        somebody else.
        """
        assert self._process is not None  # noqa: S101  # callers ask has_ended first
        self._kill_group()
        self._guard.forget(self._process.pid)
        self.exit_code = self._process.wait()
        self._process = None
        self.deaths += 1
        return describe_status(self.exit_code)

    def put_off(self) -> float:
        """Plan the next start; return the seconds until then."""
        now = time.monotonic()
        self._delay = next_delay(self._delay, now - self._started)
        self.due = now + self._delay
        return self._delay

    def ask_to_stop(self) -> None:
        # To the leader only: a Celery worker lets its running tasks finish, its pool processes
        # would die of the signal at once.
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._process.pid, self.child.stop_signal)

    def kill(self) -> None:
        """Kill the whole group; it still has to be buried."""
        if self._process is not None:
            self._kill_group()

    def _kill_group(self) -> None:
        assert self._process is not None  # noqa: S101  # callers have looked
        # PermissionError: macOS says so of a group whose only member is dead.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
