"""The checks of `tandem doctor` that ask a service: broker, processes, database, API."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tandem import heartbeat
from tandem.config import Settings
from tandem.installation import valkey
from tandem.installation.checks import SECONDS, Wrong, connected
from tandem.installation.lock import holder
from tandem.installation.up import readiness

_PROCESSES = ("worker-rankings", "worker-large", "worker-bulk", "relay")


def broker(settings: Settings) -> str:
    if settings.redis_url is None and holder(settings.data_dir) is None:
        # A missing server program raises, and its message says what to install.
        return f"not running; `tandem up` will start {valkey.find_server()}"
    with _client(settings) as client:
        return f"{settings.resolved_redis_url()} answers, version {_version(client)}"


def broker_settings(settings: Settings) -> str:
    if settings.redis_url is None and holder(settings.data_dir) is None:
        return "not running"
    with _client(settings) as client:
        policy = str(client.config_get("maxmemory-policy").get("maxmemory-policy"))
        if policy != "noeviction":
            raise Wrong(
                f"maxmemory-policy is {policy}: queued tasks vanish when memory is full",
                "Set `maxmemory-policy noeviction` in the server's configuration.",
            )
        saves = str(client.config_get("save").get("save") or "")
        if client.config_get("appendonly").get("appendonly") != "yes" and not saves:
            raise Wrong(
                "nothing is written to disk: queued tasks are lost when it restarts",
                "Set `appendonly yes` in the server's configuration.",
            )
    return f"{policy}, {'snapshots' if saves else 'append-only file'} on disk"


def processes(settings: Settings) -> str:
    if settings.redis_url is None and holder(settings.data_dir) is None:
        return "not running"
    with _client(settings, decode=False) as client:
        ages = heartbeat.ages(client)
    silent = [
        name
        for name in _PROCESSES
        if min(ages.get(name, ()), default=math.inf) > heartbeat.SILENCE_SECONDS
    ]
    if silent:
        raise Wrong(
            f"no sign of life from {', '.join(silent)}",
            "Without them no ranking is made, no file read, no webhook called. Start them, or read "
            "their log; after a start the first sign takes some seconds.",
        )
    return f"{', '.join(_PROCESSES)}: each has given a sign of life"


def database(settings: Settings) -> str:
    url = settings.resolved_database_url()
    _require_sqlite_file(url)
    from sqlalchemy import text
    from sqlalchemy.exc import SQLAlchemyError

    try:
        with connected(settings) as connection:
            connection.execute(text("SELECT 1"))
    except SQLAlchemyError as error:
        raise Wrong(
            f"{url} does not answer: {next(iter(str(error).splitlines()), '')}",
            "Look whether it runs, and whether TANDEM_DATABASE_URL names it and its user rightly.",
        ) from error
    return f"{url} answers"


def schema(settings: Settings) -> str:
    from tandem.migrate import current_and_head, is_known

    url = settings.resolved_database_url()
    _require_sqlite_file(url)
    current, head = current_and_head(url)
    if not is_known(current):
        raise Wrong(
            f"at revision {current}, which this version does not know: its newest is {head}",
            "Install the version of Tandem that made it, or restore a backup.",
        )
    if current != head:
        raise Wrong(
            f"at revision {current or 'none'}, the newest is {head}",
            "Run `tandem migrate` (`tandem up` does it by itself).",
        )
    return f"at the newest revision, {head}"


def search(settings: Settings) -> str:
    from sqlalchemy.exc import SQLAlchemyError

    from tandem.records import search_index

    try:
        _require_sqlite_file(settings.resolved_database_url())
        with connected(settings) as connection:
            is_sqlite = connection.dialect.name == "sqlite"
            is_there = search_index.is_there(connection)
    except (SQLAlchemyError, Wrong):
        return "not known: see the check of the database"
    if is_there:
        return "records have an index for it"
    if is_sqlite:
        return (
            "without an index: it reads every record. Run `tandem migrate`; if this stays, this "
            "Python's SQLite has no FTS5"
        )
    return (
        "without an index: it reads every record. As PostgreSQL's administrator: CREATE EXTENSION "
        "pg_trgm (Debian: postgresql-contrib); then run `tandem migrate`"
    )


def api(settings: Settings) -> str:
    found = holder(settings.data_dir)
    if found is None:
        return "not running here"
    if trouble := readiness(found.url, timeout=SECONDS):
        raise Wrong(
            f"{found.url}/readyz: {trouble}",
            "Read the messages of `tandem up`; end it with Ctrl-C and start it again.",
        )
    return f"{found.url} is ready"


def _require_sqlite_file(url: str) -> None:
    """Look before connecting: to connect would create an empty database."""
    path = Path(url.removeprefix("sqlite:///"))
    if url.startswith("sqlite:///") and not path.exists():
        raise Wrong(f"{path} does not exist", "Run `tandem up` or `tandem migrate` to create it.")


@contextmanager
def _client(
    settings: Settings, *, decode: bool = True
) -> Iterator[Any]:  # redis-py's types mix its two kinds of client
    from redis import Redis
    from redis.exceptions import RedisError

    url = settings.resolved_redis_url()
    try:
        with Redis.from_url(
            url, socket_timeout=SECONDS, socket_connect_timeout=SECONDS, decode_responses=decode
        ) as client:
            client.ping()
            yield client
    except RedisError as error:
        raise Wrong(
            f"{url} does not answer: {error}",
            "Start it again with `tandem up`, or look at TANDEM_REDIS_URL and its server.",
        ) from error


def _version(client: Any) -> str:
    about = client.info("server")
    # Valkey gives the last version of Redis that it was compatible with, too.
    return str(about.get("valkey_version") or about.get("redis_version"))
