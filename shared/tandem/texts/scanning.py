"""Asks the installation's virus scanner about a file, where there is one."""

import shlex
import subprocess
from pathlib import Path

MOST_SECONDS = 600
_INFECTED = 1


class ScanFailed(Exception):
    """The scanner gave neither yes nor no."""


def is_clean(command: str | None, file: Path) -> bool:
    """Return whether nobody objects to a file. The command gets the file's path as last argument.

    Raises:
        ScanFailed: The command could not be run, or ended with neither 0 nor 1.
    """
    if not command:
        return True
    try:
        done = subprocess.run(  # noqa: S603  # what the administrator has configured
            [*shlex.split(command), str(file)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=MOST_SECONDS,
            check=False,
        )
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        raise ScanFailed(f"TANDEM_SCAN_COMMAND cannot be run: {error}") from None
    if done.returncode not in (0, _INFECTED):
        output = (done.stderr or done.stdout).decode(errors="replace").strip()[-200:]
        raise ScanFailed(f"TANDEM_SCAN_COMMAND ended with {done.returncode}: {output}")
    return done.returncode == 0
