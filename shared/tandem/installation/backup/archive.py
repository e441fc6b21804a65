"""The file of a backup: a ZIP archive with the database, the uploaded files and a manifest.

The manifest is written last, so an archive that was cut off has none. Every other member stands
in it with its length and SHA-256.
"""

import hashlib
import json
import os
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, Any, BinaryIO, cast
from uuid import uuid4

from tandem.errors import TandemError

VERSION = 1
"""Of the archive's form."""

_MANIFEST = "manifest.json"
_ARTIFACTS = "artifacts/"
_PART = 1 << 20

Counted = Callable[[int], object]
"""Called with how many bytes were just read or written."""


class Damaged(TandemError):
    """The file is no backup, or not all of one."""

    code = "backup_damaged"


class CannotWrite(TandemError):
    """The backup's place is taken, or cannot be written to."""

    code = "backup_not_written"


@dataclass(frozen=True, slots=True)
class Member:
    """One file of the archive."""

    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What the archive holds, and where it comes from.

    Attributes:
        version: Of the Tandem that made it.
        schema: Revision of the database.
        engine: `sqlite` or `postgresql`.
        engine_version: Of the database server or library.
        made_at: When the copy's state was fixed, RFC 3339.
        counts: Rows by table.
        files: Every member but the manifest; the database is the first.
        missing: Uploads that the database names and the store does not have.
    """

    version: str
    schema: str
    engine: str
    engine_version: str
    made_at: str
    counts: dict[str, int]
    files: list[Member] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    @property
    def database(self) -> Member:
        return self.files[0]

    @property
    def artifacts(self) -> Mapping[str, Member]:
        """The uploaded files by their key in the store."""
        return {file.name.removeprefix(_ARTIFACTS): file for file in self.files[1:]}

    @property
    def bytes(self) -> int:
        return sum(file.bytes for file in self.files)


class Writer:
    """Adds members to a new archive."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self.files: list[Member] = []

    def add_database(self, name: str, source: BinaryIO, counted: Counted) -> None:
        self._add(name, source, counted)

    def add_artifact(self, key: str, source: BinaryIO, counted: Counted) -> None:
        self._add(f"{_ARTIFACTS}{key}", source, counted)

    def end(self, manifest: Manifest) -> None:
        text = json.dumps({"tandem_backup": VERSION} | asdict(manifest), indent=1)
        self._archive.writestr(_MANIFEST, text)

    def _add(self, name: str, source: BinaryIO, counted: Counted) -> None:
        digest, size = hashlib.sha256(), 0
        # The length is not known before: large members must be allowed from the start.
        with self._archive.open(name, "w", force_zip64=True) as target:
            while part := source.read(_PART):
                digest.update(part)
                target.write(part)
                size += len(part)
                counted(len(part))
        self.files.append(Member(name, size, digest.hexdigest()))


@contextmanager
def create(file: Path, *, replace: bool) -> Iterator[Writer]:
    """Write an archive that appears at its place, readable by this user only, when it is whole.

    Raises:
        CannotWrite: There is something already, or the folder cannot be written to.
    """
    if file.exists() and not replace:
        raise CannotWrite(f"{file} is there already: choose another name, or give --overwrite.")
    partial = file.with_name(f".{file.name}.{uuid4().hex[:8]}.partial")
    try:
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
                    yield Writer(archive)
                stream.flush()
                os.fsync(stream.fileno())
            partial.replace(file)
            sync_folder(file.parent)
        except BaseException:
            with suppress(FileNotFoundError):
                partial.unlink()
            raise
    except OSError as error:
        raise CannotWrite(f"{file} cannot be written: {error.strerror or error}.") from error


class Opened:
    """An archive that is being read. Its manifest was checked, its members not yet."""

    def __init__(self, archive: zipfile.ZipFile, manifest: Manifest, name: str) -> None:
        self.manifest = manifest
        self._archive, self._name = archive, name

    def check(self, counted: Counted) -> None:
        """Read every member, and compare it with the manifest.

        Raises:
            Damaged: One of them differs; the message names it.
        """
        for member in self.manifest.files:
            self._copy(member, None, counted)

    def extract(self, member: Member, target: IO[bytes], counted: Counted) -> None:
        """Write a member to `target`, which holds all of it or Damaged is raised."""
        self._copy(member, target, counted)

    @contextmanager
    def stream(self, member: Member) -> Iterator[BinaryIO]:
        with self._archive.open(member.name) as source:
            yield cast(BinaryIO, source)

    def _copy(self, member: Member, target: IO[bytes] | None, counted: Counted) -> None:
        digest, size = hashlib.sha256(), 0
        try:
            with self._archive.open(member.name) as source:
                while part := source.read(_PART):
                    digest.update(part)
                    size += len(part)
                    if target is not None:
                        target.write(part)
                    counted(len(part))
        except (KeyError, zipfile.BadZipFile, EOFError, ValueError, zlib.error) as error:
            raise Damaged(f"{self._name} is damaged: {member.name}: {error}.") from error
        if (size, digest.hexdigest()) != (member.bytes, member.sha256):
            raise Damaged(f"{self._name} is damaged: {member.name} is not what was stored.")


@contextmanager
def opened(file: Path) -> Iterator[Opened]:
    """Open a backup.

    Raises:
        Damaged: It is none, was cut off, or is of a newer form.
    """
    with ExitStack() as open_files:
        try:
            archive = open_files.enter_context(zipfile.ZipFile(file))
            manifest = _manifest(archive, file.name)
        except zipfile.BadZipFile as error:
            raise Damaged(f"{file} is no backup of Tandem, or only a part of one.") from error
        except FileNotFoundError as error:
            raise Damaged(f"{file} does not exist.") from error
        except IsADirectoryError as error:
            raise Damaged(f"{file} is a folder; name what `tandem backup` has made.") from error
        yield Opened(archive, manifest, file.name)


def sync_folder(folder: Path) -> None:
    """Make a renaming outlive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _manifest(archive: zipfile.ZipFile, name: str) -> Manifest:
    try:
        found: dict[str, Any] = json.loads(archive.read(_MANIFEST))
        version = found.pop("tandem_backup")
        if version != VERSION:
            raise Damaged(
                f"{name} is a backup of form {version}, and this version of Tandem reads {VERSION}."
            )
        found["files"] = [Member(**one) for one in found["files"]]
        manifest = Manifest(**found)
    except (KeyError, TypeError, ValueError, zlib.error) as error:
        raise Damaged(f"{name} is no backup of Tandem, or only a part of one.") from error
    names = [file.name for file in manifest.files]
    if sorted([*names, _MANIFEST]) != sorted(archive.namelist()):
        raise Damaged(f"{name} is damaged: it holds other files than its manifest lists.")
    if not names or not all(map(_is_safe, names[1:])):
        raise Damaged(f"{name} is damaged: a file in it has no name that Tandem gives.")
    return manifest


def _is_safe(name: str) -> bool:
    """Whether the name stays in the store: an archive may have been made by somebody else."""
    path = PurePosixPath(name)
    return name.startswith(_ARTIFACTS) and not path.is_absolute() and ".." not in path.parts
