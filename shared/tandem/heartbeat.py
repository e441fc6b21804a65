"""Signs of life of processes that nobody can ask over HTTP: a file that each keeps touching."""

import hashlib
import os
import tempfile
import time
from pathlib import Path

from tandem.config import settings

SILENCE_SECONDS = 30
"""Workers beat every few seconds; one that is silent for so long is stuck or dead."""


def beat(name: str) -> None:
    """Say that the process `name` of this machine (or container) does its work."""
    _file(name).touch()


def is_alive(name: str) -> bool:
    try:
        return time.time() - _file(name).stat().st_mtime < SILENCE_SECONDS
    except FileNotFoundError:
        return False


def _file(name: str) -> Path:
    # Not in the data folder: containers share that, and each is asked about itself.
    here = hashlib.sha256(settings().resolved_database_url().encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"tandem-{os.getuid()}-{here}-{name}.alive"
