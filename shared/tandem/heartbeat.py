"""Signs of life of processes that nobody can ask over HTTP.

Each keeps touching a file, for health checks on its own machine or in its container, and notes
the time at the broker, for monitoring.
"""

import hashlib
import os
import socket
import tempfile
import time
from functools import cache
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError

from tandem.config import settings

SILENCE_SECONDS = 30
"""Workers beat every few seconds; one that is silent for so long is stuck or dead."""

FORGOTTEN_SECONDS = 3600
"""A process that is silent for so long was stopped or moved; monitoring leaves it out."""

_NOTED = "tandem:heartbeats"


def beat(name: str) -> None:
    """Say that the process `name` of this machine (or container) does its work."""
    _file(name).touch()
    try:
        _broker().hset(_NOTED, f"{name}@{socket.gethostname()}", str(time.time()))
    except (RedisError, OSError):
        # Monitoring sees that the broker is away, and then knows nothing of heartbeats.
        return


def is_alive(name: str, *, since: float = 0.0) -> bool:
    """Return whether it has beaten lately, and behind that moment (as `time.time` has it)."""
    try:
        beaten_at = _file(name).stat().st_mtime
    except FileNotFoundError:
        return False
    return beaten_at > max(since, time.time() - SILENCE_SECONDS)


def ages(broker: Redis) -> dict[str, list[float]]:
    """Return by process name how many seconds ago each machine's last beat, the newest first."""
    found: dict[str, list[float]] = {}
    noted: dict[bytes, bytes] = broker.hgetall(_NOTED)  # type: ignore[assignment]  # not awaited
    for who, at in noted.items():
        name, age = who.decode().partition("@")[0], max(0.0, time.time() - float(at))
        if age < FORGOTTEN_SECONDS:
            found.setdefault(name, []).append(age)
        else:
            broker.hdel(_NOTED, who.decode())
    return {name: sorted(known) for name, known in found.items()}


@cache
def _broker() -> Redis:
    return Redis.from_url(
        settings().resolved_redis_url(), socket_connect_timeout=1, socket_timeout=1
    )


def _file(name: str) -> Path:
    # Not in the data folder: containers share that, and each is asked about itself.
    here = hashlib.sha256(settings().resolved_database_url().encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"tandem-{os.getuid()}-{here}-{name}.alive"
