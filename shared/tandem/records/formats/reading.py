"""From the bytes of an uploaded file to its records, whatever tool wrote it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from types import ModuleType
from typing import Literal

from tandem.errors import TandemError
from tandem.records.formats import nbib, normalise, ris, tabular
from tandem.records.formats.encoding import to_text
from tandem.records.formats.entry import Entry, Rejection
from tandem.records.formats.signature import binary_kind, text_kind

Format = Literal["ris", "nbib", "csv"]
"""`csv` is any table with a header row, also one with semicolons or tabs."""

_LONGEST_BEGINNING = 60


class UnknownFormat(TandemError):
    """The file is in none of the formats read here, or not in the one it was said to be."""

    code = "unknown_format"


class EmptyFile(TandemError):
    """There is nothing in the file, or white space only."""

    code = "empty_file"


@dataclass(frozen=True, slots=True)
class Reading:
    """A file about to be read. `entries` can be gone through once; it yields `total` items."""

    format: Format
    total: int
    entries: Iterator[Entry | Rejection]


class _File:
    """An uploaded file, as bytes, and as text for those who read text."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    @cached_property
    def text(self) -> str:
        return decode(self.data)


@dataclass(frozen=True, slots=True)
class _Reader:
    """What a module of a format offers: `begins`, `count` and `read`.

    `begins` tells where the first sign of the format stands, or None; `count` how many items
    `read` yields, without parsing them; `read` yields records one at a time, one that cannot
    be read as its rejection, and never raises.
    """

    sign: str
    begins: Callable[[_File], int | None]
    count: Callable[[_File], int]
    read: Callable[[_File], Iterator[Entry | Rejection]]


def _of_text(sign: str, module: ModuleType) -> _Reader:
    return _Reader(
        sign,
        lambda file: module.begins(file.text),
        lambda file: module.count(file.text),
        lambda file: module.read(file.text),
    )


def _of_bytes(sign: str, module: ModuleType) -> _Reader:
    return _Reader(
        sign,
        lambda file: module.begins(file.data),
        lambda file: module.count(file.data),
        lambda file: module.read(file.data),
    )


# Formats of bytes are looked for first: what is none of them is decoded.
_BINARY: dict[Format, _Reader] = {}

_TEXT: dict[Format, _Reader] = {
    "ris": _of_text("RIS (lines such as `TY  - JOUR`)", ris),
    "nbib": _of_text("MEDLINE (lines such as `PMID- 1`)", nbib),
    "csv": _of_text("CSV (a header row with a title column)", tabular),
}

_READERS = _BINARY | _TEXT


def read(data: bytes, format: Format | None = None) -> Reading:
    """Prepare to read a file; its records are parsed one at a time as they are asked for.

    Args:
        data: The file as it was sent.
        format: What the sender says it is; None to tell from the content.

    Raises:
        EmptyFile: There is nothing in it.
        UnknownFormat: It is not in `format`, or in none of the formats read here.
    """
    file = _File(data)
    if format is None:
        format = _sniff(file)
    elif format in _TEXT and not file.text.strip():
        raise EmptyFile("The file is empty.")
    elif _READERS[format].begins(file) is None:
        raise _unknown(file, _READERS[format].sign)
    reader = _READERS[format]
    return Reading(format=format, total=reader.count(file), entries=reader.read(file))


def decode(data: bytes) -> str:
    r"""Return the text of a file, with `\n` line ends, whatever encoding it is in.

    Raises:
        EmptyFile: There is nothing in it.
        UnknownFormat: It is not text, but a PDF, an archive, an image or the like.
    """
    if not data.strip():
        raise EmptyFile("The file is empty.")
    if kind := binary_kind(data):
        raise UnknownFormat(f"{_looked_for()}; this file looks like {kind}.")
    return to_text(data)


def _sniff(file: _File) -> Format:
    """Return the format whose first sign stands first in the file; names tell nothing."""
    for format, reader in _BINARY.items():
        if reader.begins(file) is not None:
            return format
    if not file.text.strip():
        raise EmptyFile("The file is empty.")
    signs: dict[Format, int] = {}
    for format, reader in _TEXT.items():
        if (at := reader.begins(file)) is not None:
            signs[format] = at
    if not signs:
        raise _unknown(file)
    return min(signs, key=lambda format: signs[format])


def _unknown(file: _File, sign: str | None = None) -> UnknownFormat:
    if kind := text_kind(file.text):
        return UnknownFormat(f"{_looked_for(sign)}; this file looks like {kind}.")
    beginning = normalise.clean(file.text.strip()[: 10 * _LONGEST_BEGINNING])[:_LONGEST_BEGINNING]
    return UnknownFormat(f"{_looked_for(sign)}; this file begins with {beginning!r}.")


def _looked_for(sign: str | None = None) -> str:
    if sign:
        return f"Found no {sign}"
    *others, last = (reader.sign for reader in _READERS.values())
    return f"Found neither {', '.join(others)} nor {last}"
