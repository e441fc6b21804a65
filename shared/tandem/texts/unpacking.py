"""The files of a zip, one after the other: never more than is accepted, whatever it says it has."""

import lzma
import stat
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from typing import IO, BinaryIO, cast
from zipfile import BadZipFile, ZipFile, ZipInfo

from tandem.errors import Invalid, TooLarge
from tandem.texts.reading import TextProblem

MOST_FILES = 2000
_IN_MEMORY = 1 << 22
_PIECE = 1 << 20
_ENCRYPTED = 0x1
_DAMAGED = (
    *(BadZipFile, zlib.error, lzma.LZMAError, EOFError),
    *(NotImplementedError, OSError, ValueError),
)


class UnreadableZip(Invalid):
    """The archive is damaged."""

    code = "unreadable_zip"


class ZipTooLarge(TooLarge):
    """The archive unpacks to more than is accepted."""

    code = "zip_too_large"


@dataclass(frozen=True, slots=True)
class Member:
    """A file of a zip, until the next one is asked for; or why there is none."""

    path: str
    file: BinaryIO | None
    problem: TextProblem | None = None


def members(archive: BinaryIO, *, largest: int, most: int) -> Iterator[Member]:
    """Yield the files of a zip in the order of their names; folders and systems' own are left out.

    Args:
        archive: The zip.
        largest: Bytes of one file. A larger one is a member with a problem.
        most: Bytes of all. What is counted is what comes out, not what the zip says.

    Raises:
        UnreadableZip: It is damaged.
        ZipTooLarge: It unpacks to more, or holds too many files.
    """
    left = most
    try:
        with ZipFile(archive) as zipped:
            infos = sorted(
                (info for info in zipped.infolist() if _is_file(info)), key=lambda i: i.filename
            )
            if len(infos) > MOST_FILES:
                raise ZipTooLarge(
                    f"The zip holds {len(infos):,} files; send at most {MOST_FILES:,} at once."
                )
            for info in infos:
                if info.flag_bits & _ENCRYPTED:
                    yield Member(info.filename, None, TextProblem.ENCRYPTED)
                    continue
                with SpooledTemporaryFile(_IN_MEMORY) as spooled:
                    file = cast("BinaryIO", spooled)
                    n_bytes = _unpack(zipped, info, file, min(largest, left))
                    if n_bytes is None and left < largest:
                        raise ZipTooLarge(
                            f"The zip unpacks to more than {most >> 20} MiB. Send its files in "
                            "several parts."
                        )
                    if n_bytes is None:
                        yield Member(info.filename, None, TextProblem.TOO_COSTLY)
                        continue
                    left -= n_bytes
                    file.seek(0)
                    yield Member(info.filename, file)
    except _DAMAGED as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # of a disk, not of the zip
        raise UnreadableZip(f"The zip is damaged: {error}.", field="files") from None


def _unpack(zipped: ZipFile, info: ZipInfo, into: IO[bytes], most: int) -> int | None:
    """Write a file out; return how many bytes it has, None where these are too many."""
    n_bytes = 0
    with zipped.open(info) as source:
        while piece := source.read(_PIECE):
            n_bytes += len(piece)
            if n_bytes > most:
                return None
            into.write(piece)
    return n_bytes


def _is_file(info: ZipInfo) -> bool:
    parts = info.filename.replace("\\", "/").split("/")
    is_own = any(part == "__MACOSX" or (part.startswith(".") and part.strip(".")) for part in parts)
    is_link = stat.S_ISLNK(info.external_attr >> 16)
    return not (info.is_dir() or is_own or is_link or parts[-1] in ("Thumbs.db", "desktop.ini"))
