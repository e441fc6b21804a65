"""`tandem restore`: an installation made again from a backup."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import gettempdir

from tandem import migrate
from tandem.artifacts import Artifacts
from tandem.config import Settings
from tandem.db.session import Database
from tandem.errors import TandemError
from tandem.installation.backup import archive
from tandem.installation.backup.archive import Damaged, Manifest, Opened
from tandem.installation.backup.checking import Checked, check_reviews
from tandem.installation.backup.copies import Content, Occupied, is_in_use
from tandem.installation.backup.sqlite import path_of
from tandem.installation.backup.taking import engine_name, engine_of, folder_in, share_of
from tandem.installation.lock import InstallationLock
from tandem.progress import OnProgress, no_progress, stretch

_NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


class CannotRestore(TandemError):
    """The disk or the store did not take what was to be restored."""

    code = "cannot_restore"


class OtherEngine(TandemError):
    """The backup is of the other kind of database."""

    code = "other_engine"


@dataclass(frozen=True, slots=True)
class Restored:
    """What was restored, and whether each review's audit trail holds."""

    manifest: Manifest
    schema: str
    reviews: list[Checked]


def restore(
    settings: Settings, file: Path, *, replace: bool = False, on_progress: OnProgress = no_progress
) -> Restored:
    """Make the installation what it was when the backup was made.

    Everything in the file is checked before anything is changed. Uploads come first, then the
    database, all of it at one moment: an end in between leaves the old state, and files that
    nothing names. At last each review's audit trail is recomputed.

    Args:
        settings: Which installation; nothing of it may run.
        file: What `tandem backup` has made.
        replace: Whether what is there may be given up.
        on_progress: Called with the share that is done.

    Raises:
        Damaged: The file is no whole backup.
        OtherEngine: It is of the other kind of database.
        DatabaseIsNewer: A later version of Tandem has made it.
        Occupied: There are accounts and `replace` was not given; or something runs.
        CannotRestore: The disk is full, or may not be written to.
    """
    os.umask(0o077)
    try:
        return _restore(settings, file, replace=replace, on_progress=on_progress)
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        raise CannotRestore(f"The restore stopped: {error.strerror or error}{where}.") from error


def _restore(settings: Settings, file: Path, *, replace: bool, on_progress: OnProgress) -> Restored:
    url = settings.resolved_database_url()
    engine = engine_of(url)
    with archive.opened(file) as backup, _claimed(settings):
        _require_fit(backup.manifest, url)
        old = _held(url)
        if not replace:
            _require_empty(old)
        backup.check(share_of(backup.manifest.bytes, stretch(on_progress, 0, 0.3)))
        counted = share_of(backup.manifest.bytes, stretch(on_progress, 0.3, 0.6))
        store = Artifacts(settings.resolved_artifact_url())
        for key, member in backup.manifest.artifacts.items():
            with backup.stream(member) as upload:
                store.write(key, upload)
            counted(member.bytes)
        with folder_in(_workplace(url)) as folder:
            engine.put(url, backup, folder, counted)
        database = Database(url)
        try:
            reviews = check_reviews(database, stretch(on_progress, 0.6, 1), store)
        finally:
            database.close()
        _tidy(store, backup, settings, old)
        return Restored(backup.manifest, migrate.current_and_head(url)[1], reviews)


@contextmanager
def _claimed(settings: Settings) -> Iterator[None]:
    """Keep `tandem up` away from an embedded installation meanwhile."""
    if settings.database_url is not None:
        yield
        return
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with InstallationLock(settings.data_dir.absolute(), url="tandem restore"):
        yield


def _require_fit(manifest: Manifest, url: str) -> None:
    here = engine_name(url)
    if manifest.engine != here:
        theirs, ours = _NAMES.get(manifest.engine, manifest.engine), _NAMES[here]
        raise OtherEngine(
            f"This backup is of {theirs}, and this installation uses {ours}. Restore it into one "
            f"that uses {theirs}; there is no way from one to the other."
        )
    if not migrate.is_known(manifest.schema):
        raise migrate.DatabaseIsNewer(
            f"This backup is of schema {manifest.schema}, made by Tandem {manifest.version}, which "
            "this version does not know. Install that version, then restore."
        )


def _held(url: str) -> Content | Damaged | None:
    """Return what would be given up; Damaged where that cannot be read."""
    try:
        held: Content | None = engine_of(url).held_by(url)
    except Damaged as error:
        return error
    return held


def _require_empty(old: Content | Damaged | None) -> None:
    if isinstance(old, Damaged) or is_in_use(old):
        raise Occupied(
            "This installation is in use: there are accounts in it. To give up all that it holds "
            "and restore the backup instead, add --replace."
        )


def _workplace(url: str) -> Path:
    """Return where the database is unpacked: SQLite's must be on the disk of the old one."""
    if engine_name(url) != "sqlite":
        return Path(gettempdir())
    folder = path_of(url).parent
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _tidy(
    store: Artifacts, backup: Opened, settings: Settings, old: Content | Damaged | None
) -> None:
    """Remove the files of the old state: what its database named, and the broker's.

    Nothing else in the store: it may be that of another installation, too.
    """
    if isinstance(old, Content):
        for key in set(old.uploads) - backup.manifest.artifacts.keys():
            store.remove(key)
        for review in old.reviews:
            store.remove(f"features/{review}")
    if settings.database_url is None and settings.redis_url is None:
        # Its messages and its stream are of what came after the backup.
        shutil.rmtree(settings.data_dir / "valkey", ignore_errors=True)
