"""A file cut into pieces, one after the other, so that all of it is accounted for.

A piece is a record, filler (what is known to be none: blank lines, numbers between records,
comments, a preamble), or a rejection. A piece begins where the one before it ends: nothing can be
left out, however the file is made. What a reader cannot place becomes a rejection.
"""

import re
from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, AnyStr, Generic, Protocol, TypeVar

from tandem.log import logger
from tandem.records.formats.assembly import LONGEST_RECORD, reject, reject_overlong
from tandem.records.formats.entry import Entry, Rejection

RECORD = "record"
BREAKS_OFF = "record that ends with the file, without the mark that should end it"
FILLER = "filler"
STRAY = "text that belongs to no record"
FAULT = "not read, because Tandem has a fault here; its log says which"
"""Why a record is rejected at which a reader failed. All others are read."""

log_ = logger(__name__)

Piece = tuple[int, str]
"""Where a piece ends, and what it is: `RECORD`, `BREAKS_OFF`, `FILLER`, or why it is rejected."""

Read = TypeVar("Read", str, bytes, contravariant=True)

Make = Callable[[int, AnyStr], Entry | Rejection]
"""Makes a record of its position, from 1, and its text."""

BLANKS = (
    "\ufeff\u200b\u200c\u200d\u2060\x00\x1a \t\r\n\f\v\x1c\x1d\x1e\x1f\x85\xa0\u2028\u2029\u3000"
)
_LONGEST_LINE = 2_000
_FILLER_LINE = re.compile(
    r"(?:[0-9]{1,7}[.):]?|<[0-9]{1,7}\.?[ \t]?>|[-_=*#~+.]([ \t]?[-_=*#~+.]){1,500}"
    r"|(?:record|document|citation|item|reference|result)s?[ \t]{0,3}#?[ \t]?[0-9]{1,7}"
    r"(?:[ \t]{1,3}of[ \t]{1,3}[0-9]{1,7})?[.:]?"
    r"|(?:provider|databases?|content|platform|source|export(?:ed)?(?: (?:by|date|from|on))?"
    r"|search(?: (?:date|name|strategy))?|query|encoding|character set|total|count|copyright"
    r"|number of (?:records|references|results)|results?|generated (?:by|on)|file|format|date)"
    r"[ \t]{0,3}[:=].*"
    r"|(?:exported|generated|created|downloaded|retrieved) (?:by|from|on|at)\b.*"
    r"|</?(?:html|head|body|pre|p|br|div|meta|title)\b[^<>]{0,300}>|(?:#|//|%%).*"
    r"|eo?f|sep=.?|er[ \t\xa0]{0,4}-?)?",
    re.I,
)


class Reader(Protocol[Read]):
    """What a format offers."""

    def begins(self, data: Read) -> int | None:
        """Return where the first sign of the format stands, or None."""

    def pieces(self, data: Read) -> Iterator[Piece]:
        """Yield the pieces in order; what follows the last is a rejection, unless it is blank."""

    def maker(self, data: Read) -> Make[Read]:
        """Return what makes records of pieces of `data`."""


class Cut(Generic[AnyStr]):
    """A file and its pieces: gone through once to be cut, and again for each use."""

    def __init__(self, data: AnyStr, pieces: Iterable[Piece]) -> None:
        self.data: AnyStr = data
        self._ends = array("q")
        self._kinds = bytearray()
        self._names = [FILLER, RECORD, STRAY]
        self.total = 0
        try:
            for end, kind in pieces:
                self._add(end, kind)
        except MemoryError:
            raise
        except Exception:  # what is cut already can be read
            log_.exception("a reader failed while it cut a file", at=self._end)
            self._add(len(data), FAULT)
        if self._end < len(data):
            self._add(len(data), FILLER if _is_blank(data[self._end :]) else STRAY)

    def __iter__(self) -> Iterator[tuple[int, int, str]]:
        """Yield where each piece begins and ends, and what it is."""
        start = 0
        for end, kind in zip(self._ends, self._kinds, strict=True):
            yield start, end, self._names[kind]
            start = end

    @property
    def _end(self) -> int:
        return self._ends[-1] if self._ends else 0

    def _add(self, end: int, kind: str) -> None:
        if end <= self._end:
            return
        if kind not in self._names:
            self._names.append(kind)
        self._ends.append(end)
        self._kinds.append(self._names.index(kind))
        self.total += kind != FILLER


@dataclass(frozen=True, slots=True)
class File(Generic[AnyStr]):
    """One reader's view of one file."""

    cut: Cut[AnyStr]
    make: Make[AnyStr]

    def entries(self) -> Iterator[Entry | Rejection]:
        """Yield an entry or a rejection for every piece that is no filler."""
        data, line, at, position = self.cut.data, 1, 0, 0
        for start, end, kind in self.cut:
            if kind == FILLER:
                continue
            position += 1
            raw = data[start:end]
            if len(raw) > LONGEST_RECORD and kind != FAULT:
                yield reject_overlong(position, shown(raw))
            elif kind in (RECORD, BREAKS_OFF):
                made = self._made(position, raw)
                if kind == BREAKS_OFF and isinstance(made, Entry):
                    made = replace(made, breaks_off=True)
                yield made
            elif kind == STRAY:
                newline: Any = "\n" if isinstance(data, str) else b"\n"
                begin = start + len(raw) - len(raw.lstrip())
                line += data.count(newline, at, begin)
                at = begin
                yield reject(position, f"{STRAY} (line {line})", shown(raw))
            else:
                yield reject(position, kind, shown(raw))

    def _made(self, position: int, raw: AnyStr) -> Entry | Rejection:
        try:
            return self.make(position, raw)
        except MemoryError:
            raise
        except Exception:  # a fault at one record may not cost all others
            log_.exception("a reader failed at a record", position=position)
            return reject(position, FAULT, shown(raw))


def opened(reader: Reader[AnyStr], data: AnyStr) -> File[AnyStr]:
    """Cut `data` by `reader`, in one pass."""
    return File(Cut(data, reader.pieces(data)), reader.maker(data))


def gap(text: str, start: int, end: int, known: re.Pattern[str] | None = None) -> Iterator[Piece]:
    """Yield the pieces of what stands between records: filler, and rejections.

    Args:
        text: The file.
        start: Where the record before ends.
        end: Where the next begins.
        known: What the format has between its records besides what all have; it matches lines.
    """
    if start >= end:
        return
    stray = False
    at = start
    while at < end:
        following = text.find("\n", at, end) + 1 or end
        line = text[at:following]
        words = line.strip(BLANKS)
        blank = not words
        if not blank and not is_filler(words, known):
            if not stray:
                yield at, FILLER
            stray = True
        elif stray and not blank:
            yield at, STRAY
            stray = False
        at = following
    yield end, STRAY if stray else FILLER


def is_filler(words: str, known: re.Pattern[str] | None = None) -> bool:
    """Whether a line is known to be no record: blank, a number, a rule, a note of the export.

    `known` is what the format has besides what all have.
    """
    if len(words) > _LONGEST_LINE:
        return False
    return bool(_FILLER_LINE.fullmatch(words) or (known and known.match(words)))


def shown(raw: str | bytes) -> str:
    """Return the beginning of a piece as text, for people."""
    beginning = raw[:LONGEST_RECORD]
    if isinstance(beginning, bytes):
        return beginning.decode("utf-8", "replace").replace("\x1e", "\n")
    return beginning


def _is_blank(data: str | bytes) -> bool:
    text = data if isinstance(data, str) else data.decode("latin-1")
    return not text.strip(BLANKS)
