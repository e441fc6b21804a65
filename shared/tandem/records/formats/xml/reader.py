"""The one way XML is read here: record by record, and nothing in it is ever expanded.

The text is cut into its records before any parser sees it. So one malformed record spoils no
other, memory holds one record's tree at a time, and a document type with its entities, which
stands before the first record, is never read at all.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from functools import cached_property, partial

from lxml.etree import _Element as Element

from tandem.records.formats.assembly import Parts, assemble, reject
from tandem.records.formats.entry import Entry, Rejection
from tandem.records.formats.fields import FieldMap
from tandem.records.formats.pieces import BLANKS, FILLER, RECORD, STRAY, Make, Piece
from tandem.records.formats.xml.tree import Malformed, parse, texts

_PREFIX = r"(?:[A-Za-z_][\w.-]{0,60}:)?"
_BEGINNING = re.compile(r"^[\ufeff \t]*<[A-Za-z_?!]", re.M)
_LONGEST_PREAMBLE = 1_000


class _End(Enum):
    """How a span of text ends."""

    CLOSED = "with its own end tag"
    OPEN = "where the next record begins, or with the file"
    STRAY = "it has no start tag either"


_REASONS = {
    _End.OPEN: "the record breaks off: its end tag is missing",
    _End.STRAY: "stands outside of any record: its start tag is missing",
}
_DOCTYPE = re.compile(r"<!DOCTYPE[^\[>]{0,2000}(?:\[[^\]]*\])?\s*>", re.I)
_OF_A_RECORD = re.compile(
    r"(?:title|abstract(?:text)?|atl|subfield|author|creator)(?:\s[^<>]{0,500})?>\s{0,100}[^<>\s]",
    re.I,
)
_BROWSERS_WORD = re.compile(r"This XML file does not appear to have any style information")
_LEAF = re.compile(r"<([A-Za-z_][^\s<>/]{0,100})(?:\s[^<>]*)?>[^<>]*</\1\s*>")
_TAG = re.compile(r"<[^<>]*(?:>|\Z)")


@dataclass(frozen=True)
class Cut:
    """How the records of a format are recognised in its files.

    Args:
        names: Names of a record's element, with `|` between them, whatever their prefix.
        then: A pattern of what follows the start tag of every record and of nothing else.
        inside: Names of elements that only a record has; where they stand outside of one,
            its start tag is lost.
        any_case: Whether names may be in capitals or not.
    """

    names: str
    inside: str
    then: str = ""
    any_case: bool = False

    @cached_property
    def begin(self) -> re.Pattern[str]:
        return re.compile(
            rf"<(?:!--|{_PREFIX}(?:{self.names})(?:\s[^<>]*)?(/?)>{self.then})", self._flags
        )

    @cached_property
    def edge(self) -> re.Pattern[str]:
        return re.compile(rf"<(/?){_PREFIX}(?:{self.names})(?=[\s/>])[^<>]*>?", self._flags)

    @cached_property
    def sign(self) -> re.Pattern[str]:
        return re.compile(rf"<{_PREFIX}(?:{self.inside})(?=[\s/>])", self._flags)

    @property
    def _flags(self) -> int:
        return re.I if self.any_case else 0


class XmlReader:
    """Reads the records of an XML format.

    Args:
        cut: How its records are recognised; may depend on the file.
        parts: Makes sense of one record, as `by_paths` does. Names in it have lost their namespace.
    """

    def __init__(self, cut: Cut | Callable[[str], Cut], parts: Callable[[Element], Parts]) -> None:
        self._cut = cut if callable(cut) else lambda _: cut
        self._parts = parts

    def begins(self, data: str) -> int | None:
        """Return where the first record with a start tag is; None if there is none or no XML."""
        if not is_xml(data):
            return None
        spans = _spans(data, self._cut(data))
        return next((start for start, _, how in spans if how is not _End.STRAY), None)

    def pieces(self, data: str) -> Iterator[Piece]:
        """Yield the records, what is left of broken ones, and the elements around them."""
        at = 0
        for start, end, how in _spans(data, self._cut(data)):
            yield start, _around(data, at, start)
            yield end, _REASONS.get(how, RECORD)
            at = end
        yield len(data), _around(data, at, len(data))

    def maker(self, data: str) -> Make[str]:
        """Return what makes a record of an element's text."""
        return self._record

    def _record(self, position: int, raw: str) -> Entry | Rejection:
        try:
            element = parse(raw)
        except Malformed as error:
            return reject(position, f"not well-formed XML: {error}", raw)
        return assemble(position, raw, self._parts(element))


def _around(text: str, start: int, end: int) -> str:
    """Tell what stands between records: elements around them, or text that is in none."""
    bare = _DOCTYPE.sub("", _without_comments(text[start:end]), count=1)
    if _OF_A_RECORD.search(bare):
        return STRAY
    bare = _TAG.sub("", _LEAF.sub("", bare)).strip(BLANKS)
    return STRAY if bare and not (start == 0 and _BROWSERS_WORD.match(bare)) else FILLER


def _without_comments(text: str) -> str:
    pieces, at = [], 0
    while (begin := text.find("<!--", at)) >= 0 and (end := text.find("-->", begin)) >= 0:
        pieces.append(text[at:begin])
        at = end + 3
    return "".join((*pieces, text[at:]))


def is_xml(text: str) -> bool:
    """Return whether `text` begins as XML does, if need be after a browser's word on it."""
    return _BEGINNING.search(text[:_LONGEST_PREAMBLE]) is not None


def by_paths(
    fields: FieldMap,
    refined: Callable[[Element, Parts], Parts] = lambda _, parts: parts,
    prepared: Callable[[Element], Element] = lambda record: record,
) -> Callable[[Element], Parts]:
    """Return what makes sense of a record by paths.

    Args:
        fields: What stands at which path.
        refined: Adds what paths alone do not tell.
        prepared: Brings a record into the form that the paths are for.
    """

    def parts(record: Element) -> Parts:
        record = prepared(record)
        return refined(record, fields.parts(partial(texts, record)))

    return parts


def _spans(text: str, cut: Cut) -> Iterator[tuple[int, int, _End]]:
    """Yield where each record starts and ends, and how.

    A record ends at its end tag, or where the next begins if that comes first. Comments
    between records are passed over with whatever they hold.
    """
    at = 0
    commented = True
    while begin := cut.begin.search(text, at):
        if text.startswith("<!--", begin.start()):
            end = text.find("-->", begin.end()) if commented else -1
            commented = end >= 0  # one search to the end of the file is enough
            stray = cut.sign.search(text, at, begin.start())
            if stray:
                yield stray.start(), begin.start(), _End.STRAY
            at = end + 3 if commented else begin.end()
            continue
        if stray := cut.sign.search(text, at, begin.start()):
            yield stray.start(), begin.start(), _End.STRAY
        if begin[1]:
            at, how = begin.end(), _End.CLOSED
        elif edge := cut.edge.search(text, begin.end()):
            how = _End.CLOSED if edge[1] else _End.OPEN
            at = edge.end() if edge[1] else edge.start()
        else:
            at, how = len(text), _End.OPEN
        yield begin.start(), at, how
    if stray := cut.sign.search(text, at):
        yield stray.start(), len(text), _End.STRAY
