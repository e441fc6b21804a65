"""From the bytes of an uploaded file to its records, whatever tool wrote it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class _Reader:
    sign: str
    begins: Callable[[str], int | None]
    count: Callable[[str], int]
    read: Callable[[str], Iterator[Entry | Rejection]]


_READERS: dict[Format, _Reader] = {
    "ris": _Reader("RIS (lines such as `TY  - JOUR`)", ris.begins, ris.count, ris.read),
    "nbib": _Reader("MEDLINE (lines such as `PMID- 1`)", nbib.begins, nbib.count, nbib.read),
    "csv": _Reader(
        "CSV (a header row with a title column)", tabular.begins, tabular.count, tabular.read
    ),
}


def read(data: bytes, format: Format | None = None) -> Reading:
    """Prepare to read a file; its records are parsed one at a time as they are asked for.

    Args:
        data: The file as it was sent.
        format: What the sender says it is; None to tell from the content.

    Raises:
        EmptyFile: There is nothing in it.
        UnknownFormat: It is not in `format`, or in none of the formats read here.
    """
    text = decode(data)
    if format is None:
        format = sniff(text)
    elif not text.strip():
        raise EmptyFile("The file is empty.")
    elif _READERS[format].begins(text) is None:
        raise _unknown(text, _READERS[format].sign)
    reader = _READERS[format]
    return Reading(format=format, total=reader.count(text), entries=reader.read(text))


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


def sniff(text: str) -> Format:
    """Return the format whose first sign stands first in `text`; names tell nothing.

    Raises:
        EmptyFile: There is nothing but white space.
        UnknownFormat: No sign of any format; the message says what was looked for.
    """
    if not text.strip():
        raise EmptyFile("The file is empty.")
    signs: dict[Format, int] = {}
    for format, reader in _READERS.items():
        if (at := reader.begins(text)) is not None:
            signs[format] = at
    if not signs:
        raise _unknown(text)
    return min(signs, key=lambda format: signs[format])


def _unknown(text: str, sign: str | None = None) -> UnknownFormat:
    if kind := text_kind(text):
        return UnknownFormat(f"{_looked_for(sign)}; this file looks like {kind}.")
    beginning = normalise.clean(text.strip()[: 10 * _LONGEST_BEGINNING])[:_LONGEST_BEGINNING]
    return UnknownFormat(f"{_looked_for(sign)}; this file begins with {beginning!r}.")


def _looked_for(sign: str | None = None) -> str:
    if sign:
        return f"Found no {sign}"
    *others, last = (reader.sign for reader in _READERS.values())
    return f"Found neither {', '.join(others)} nor {last}"
