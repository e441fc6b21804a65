"""Program: end what a killed supervisor leaves behind.

`python -I -S guard_program.py < PIPE`; the standard library only, for a small process that is
there in milliseconds. The pipe brings `+PGID others`, `+PGID last` and `-PGID`, a line each. Its
end means that the supervisor is gone, be it by kill -9: every group still on the list is asked
to end and then killed, those marked `last` (the broker) after all others.

Works without PR_SET_PDEATHSIG, so on macOS too. The inherited lock of the data folder is held
until the last group is gone: a new supervisor cannot start beside the remains of the old one.
"""

import contextlib
import os
import signal
import sys
import time

GRACE = 3.0
"""Seconds from SIGTERM to SIGKILL. Short: an interrupted task is repeated, nothing is lost."""
DYING = 2.0
"""Seconds that the kernel may need to end a killed process."""
POLL = 0.02


def process_lives(pid: int) -> bool:
    """Return whether a process runs: one that nobody has reaped yet does not.

    The difference matters where process 1 reaps nothing, as in a container without an init.
    """
    try:
        with open(f"/proc/{pid}/stat", "rb") as stat:
            return stat.read().rpartition(b")")[2].split()[0] not in (b"Z", b"X")
    except OSError:  # there is no such process, or no /proc: macOS, where process 1 does reap
        return _exists(pid)


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # it runs and is another user's
        return True
    return True


def leader_lives(pgid: int) -> bool:
    """Return whether the process that the group is named after still runs.

    A number that the system has given to somebody else meanwhile does not lead a session; while
    any member of the old group lives, the system does not give its number away.
    """
    try:
        return os.getsid(pgid) == pgid and process_lives(pgid)
    except OSError:
        return False


def _taken_by_another(pgid: int) -> bool:
    try:
        return os.getsid(pgid) != pgid
    except OSError:
        return False


def kill_group(pgid: int) -> None:
    if not _taken_by_another(pgid):
        with contextlib.suppress(OSError):
            os.killpg(pgid, signal.SIGKILL)


def end(groups: list[int]) -> None:
    """Ask the leaders; kill what has lost its leader or does not go in time."""
    for pgid in filter(leader_lives, groups):
        with contextlib.suppress(OSError):
            os.kill(pgid, signal.SIGTERM)
    _wait(groups, GRACE)
    for pgid in groups:
        kill_group(pgid)
    _wait(groups, DYING)


def _wait(groups: list[int], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while any(map(leader_lives, groups)) and time.monotonic() < deadline:
        time.sleep(POLL)


def main() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # its end is the end of the pipe, nothing else
    groups: dict[int, bytes] = {}
    for line in sys.stdin.buffer:
        pgid, _, word = line[1:].strip().partition(b" ")
        if line.startswith(b"+"):
            groups[int(pgid)] = word
        else:
            groups.pop(int(pgid), None)
    if groups:
        with contextlib.suppress(OSError):
            sys.stderr.write("tandem: the supervisor was killed; ending what it had started\n")
            sys.stderr.flush()
        end([pgid for pgid, word in groups.items() if word != b"last"])
        end([pgid for pgid, word in groups.items() if word == b"last"])


if __name__ == "__main__":
    main()
