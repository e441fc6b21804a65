"""`tandem backup`: one file from which the installation can be made again."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType

import tandem
from tandem.artifacts import Artifacts
from tandem.config import Settings
from tandem.installation.backup import archive, postgresql, sqlite
from tandem.installation.backup.archive import CannotWrite, Manifest, Writer
from tandem.installation.backup.copies import Copied
from tandem.progress import OnProgress, no_progress, stretch

_DATABASE_SHARE = 0.4
"""Of the bar, until the database is copied; then comes what is packed."""

_ENGINES: dict[str, ModuleType] = {"sqlite": sqlite, "postgresql": postgresql}


def engine_name(url: str) -> str:
    return "sqlite" if url.startswith("sqlite") else "postgresql"


def engine_of(url: str) -> ModuleType:
    """Return the module that copies and replaces the database of this URL."""
    return _ENGINES[engine_name(url)]


def back_up(
    settings: Settings, file: Path, *, replace: bool = False, on_progress: OnProgress = no_progress
) -> Manifest:
    """Write a backup of the installation, which may be at work.

    The database is copied first, as of one moment. Uploaded files are stored before the database
    names them and never change, so each one that the copy names is there afterwards, unless it was
    taken back meanwhile; such a one is listed as missing. Features are left out: they are computed
    from the records.

    Args:
        settings: Which installation.
        file: Where the backup appears when it is whole, readable by this user only.
        replace: Whether it may replace a file of that name.
        on_progress: Called with the share that is done.

    Raises:
        CannotWrite: The file is there already, or cannot be written.
        NothingThere: There is no database.
        NoClientPrograms: PostgreSQL's `pg_dump` is missing or too old.
    """
    os.umask(0o077)
    url = settings.resolved_database_url()
    with (
        archive.create(file, replace=replace) as writer,
        folder_in(file.absolute().parent) as folder,
    ):
        made_at = datetime.now(UTC).isoformat(timespec="seconds")
        copied: Copied = engine_of(url).copy(url, folder, stretch(on_progress, 0, _DATABASE_SHARE))
        missing = _pack(writer, copied, settings, stretch(on_progress, _DATABASE_SHARE, 1))
        manifest = Manifest(
            version=tandem.__version__,
            schema=copied.schema,
            engine=engine_name(url),
            engine_version=copied.engine_version,
            made_at=made_at,
            counts=copied.counts,
            files=writer.files,
            missing=missing,
        )
        writer.end(manifest)
    return manifest


@contextmanager
def folder_in(parent: Path) -> Iterator[Path]:
    """Give a private folder on the same disk as `parent`; it is gone afterwards."""
    try:
        folder = TemporaryDirectory(prefix=".tandem-", dir=parent)
    except OSError as error:
        raise CannotWrite(f"{parent} cannot be written to: {error.strerror}.") from error
    with folder as name:
        yield Path(name)


def _pack(writer: Writer, copied: Copied, settings: Settings, on_progress: OnProgress) -> list[str]:
    """Put the database and its uploads into the archive; return the uploads that are not there."""
    store = Artifacts(settings.resolved_artifact_url())
    sizes = {key: store.size(key) for key in copied.uploads}
    counted = share_of(copied.file.stat().st_size + sum(filter(None, sizes.values())), on_progress)
    with copied.file.open("rb") as database:
        writer.add_database(copied.name, database, counted)
    copied.file.unlink()
    missing = []
    for key, size in sizes.items():
        if size is None:
            missing.append(key)
            continue
        with store.open(key) as upload:
            writer.add_artifact(key, upload, counted)
    return missing


def share_of(total: int, on_progress: OnProgress) -> Callable[[int], None]:
    done = 0

    def counted(n: int) -> None:
        nonlocal done
        done += n
        on_progress(done / total if total else 1.0)

    return counted
