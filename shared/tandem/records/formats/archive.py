"""Archives of files: a zip is read as one stream, file after file, a gzip as what it packs.

Nothing is ever written to disk.
"""

import gzip
import io
import re
import stat
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Protocol
from zipfile import BadZipFile, ZipFile, ZipInfo

from tandem.errors import TandemError
from tandem.log import logger
from tandem.records.formats import normalise
from tandem.records.formats.assembly import reject
from tandem.records.formats.entry import Entry, Rejection
from tandem.records.formats.pieces import FAULT

LARGEST = 1_000_000_000
"""Bytes that an archive may unpack to."""

LARGEST_MEMBER = 300_000_000
"""Bytes of one file, which is held in memory whole."""

MOST_MEMBERS = 10_000

_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_GZIP = b"\x1f\x8b\x08"
_OFFICE = frozenset({"[Content_Types].xml", "mimetype", "META-INF/manifest.xml"})
_PROJECTS = (
    (
        re.compile(r"^project\.json$|^reviews/[0-9a-f]+/"),
        "an ASReview project (.asreview): export its dataset in ASReview as CSV or RIS",
    ),
    (
        re.compile(r"\.enl$|(?:^|/)sdb\.eni$", re.I),
        "a packed EndNote library (.enlx): export it in EndNote as RIS or XML",
    ),
)
_IGNORED = re.compile(r"(?:^|/)(?:__MACOSX/|\.(?!\.(?:[/\\]|$))|Thumbs\.db$|desktop\.ini$)", re.I)
_OUTSIDE = re.compile(r"[/\\]|[A-Za-z]:|(?:.*[/\\])?\.\.(?:[/\\]|$)")
_LONGEST_NAME = 100

log_ = logger(__name__)


class UnreadableArchive(TandemError):
    """The archive is damaged, or would unpack to more than is read."""

    code = "unreadable_archive"


class _Reading(Protocol):
    @property
    def total(self) -> int: ...

    @property
    def entries(self) -> Iterator[Entry | Rejection]: ...


Read = Callable[[bytes], _Reading]
"""Prepares to read one file, or raises a `TandemError` that says why it cannot."""


@dataclass(frozen=True, slots=True)
class _Member:
    name: str
    reading: _Reading | None
    problem: str = ""

    @property
    def total(self) -> int:
        return self.reading.total if self.reading else 1


def begins(data: bytes) -> int | None:
    """Return 0 if `data` is a zip archive, and no document of an office program; else None."""
    names = names_in(data) if data.startswith(_ZIP) else None
    return None if names is None or _OFFICE.intersection(names) or _project_of(names) else 0


def names_in(data: bytes) -> list[str] | None:
    """Return the names of what a zip archive holds; None if `data` is none."""
    try:
        with ZipFile(io.BytesIO(data)) as archive:
            return archive.namelist()
    except (BadZipFile, ValueError, NotImplementedError, OverflowError):
        return None


def project(data: bytes) -> str | None:
    """Name the program whose packed project `data` is, and what to do; None if it is none."""
    return _project_of(names_in(data) or ())


def _project_of(names: Iterable[str]) -> str | None:
    return next((kind for sign, kind in _PROJECTS if any(map(sign.search, names))), None)


def count(data: bytes, read_member: Read) -> int:
    """Return how many items `read` yields.

    Raises:
        UnreadableArchive: It would unpack to more than `LARGEST`, or has too many files.
    """
    return sum(member.total for member in _members(data, read_member))


def read(data: bytes, read_member: Read) -> Iterator[Entry | Rejection]:
    """Yield the records of every file, by the order of their names, as if they were one.

    What cannot be read of a file is a rejection that names it; so is a file that cannot be
    read at all.

    Raises:
        UnreadableArchive: As for `count`.
    """
    position = 0
    for member in _members(data, read_member):
        if member.reading is None:
            position += 1
            yield reject(position, f"{member.name}: {member.problem}", member.name)
            continue
        for item in member.reading.entries:
            position += 1
            if isinstance(item, Rejection):
                reason = f"{member.name}: {item.reason}"
                item = replace(item, position=position, reason=reason)
            yield item


def is_gzip(data: bytes) -> bool:
    """Whether `data` is one file packed by gzip."""
    return data.startswith(_GZIP)


def unpacked(data: bytes) -> bytes:
    """Return the file that gzip packed.

    Raises:
        UnreadableArchive: It is damaged, or unpacks to more than `LARGEST_MEMBER`.
    """
    try:
        with gzip.open(io.BytesIO(data)) as file:
            found = file.read(LARGEST_MEMBER + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise UnreadableArchive(f"The gzip archive is damaged: {error}.") from error
    if is_gzip(found):
        raise UnreadableArchive(
            "The gzip archive has another gzip archive in it. Unpack it once, and send what it has."
        )
    if len(found) > LARGEST_MEMBER:
        raise UnreadableArchive(
            f"The gzip archive unpacks to more than {LARGEST_MEMBER:,} bytes; no more is read."
        )
    return found


def _members(data: bytes, read_member: Read) -> Iterator[_Member]:
    with ZipFile(io.BytesIO(data)) as archive:
        infos = archive.infolist()
        size = sum(info.file_size for info in infos)
        if size > LARGEST:
            raise UnreadableArchive(
                f"The archive unpacks to {size:,} bytes; at most {LARGEST:,} are read."
            )
        if len(infos) > MOST_MEMBERS:
            raise UnreadableArchive(
                f"The archive holds {len(infos):,} files; at most {MOST_MEMBERS:,} are read."
            )
        for info in sorted(infos, key=lambda info: info.filename):
            if not (info.filename.endswith("/") or _IGNORED.search(info.filename)):
                yield _member(archive, info, read_member)


def _member(archive: ZipFile, info: ZipInfo, read_member: Read) -> _Member:
    name = normalise.clean(info.filename)[-_LONGEST_NAME:] or "a file without a name"
    if problem := _refused(info):
        return _Member(name, None, problem)
    try:
        data = archive.read(info)
    except Exception as error:  # every way of packing has failures of its own
        return _Member(name, None, f"cannot be unpacked: {error or type(error).__name__}")
    try:
        reading = read_member(data)
    except TandemError as error:
        return _Member(name, None, str(error))
    except MemoryError:
        raise
    except Exception:  # a fault at one file may not cost all others
        log_.exception("a file of an archive could not be read")
        return _Member(name, None, FAULT)
    if reading.total == 0:
        return _Member(name, None, "there is no record in it")
    return _Member(name, reading)


def _refused(info: ZipInfo) -> str | None:
    """Return why a file is not even unpacked, or None."""
    # The name as it was packed: zipfile itself makes it harmless.
    if _OUTSIDE.match(info.orig_filename) or ".." in PurePosixPath(info.filename).parts:
        return "its path leads out of the archive"
    if stat.S_ISLNK(info.external_attr >> 16):
        return "a link, not a file"
    if info.flag_bits & 0x1:
        return "locked with a password"
    if info.file_size > LARGEST_MEMBER:
        return f"larger than {LARGEST_MEMBER:,} bytes"
    return None
