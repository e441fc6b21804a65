r"""MARC 21 in its form of exchange (ISO 2709), in UTF-8, MARC-8 or Windows Cyrillic.

The file is cut into records here: at the sign that ends a record (0x1D), and where a leader
shows that the sign is missing. A record's fields are where its directory says, or in its order.
"""

import re
from collections.abc import Iterator

from pymarc import Record
from pymarc.marc8 import marc8_to_unicode

from tandem.records.formats.assembly import assemble, reject
from tandem.records.formats.entry import Entry, Rejection
from tandem.records.formats.marc import fields as marc_fields
from tandem.records.formats.marc import record as marc_record
from tandem.records.formats.pieces import FILLER, RECORD, Make, Piece, shown

_RECORD_END = 0x1D
_FIELD_END = b"\x1e"
_SUBFIELD = b"\x1f"
_LEADER = 24
_ENTRY = 12
_UTF8 = ord("a")

_LOOSE_LEADER = re.compile(rb"(?:\xef\xbb\xbf)?[\s\x00]{0,100}([0-9]{5}[\x20-\x7e]{7}[0-9 ]{5})")
_NEXT_LEADER = rb"[0-9]{5}[acdnopst][a-z ][a-z ][a-z ][a ]22[0-9]{5}[0-9A-Za-z #]{3}45[0-9 ]0"
_EDGE = re.compile(rb"\x1d|(?=" + _NEXT_LEADER + rb")")
_BETWEEN = re.compile(rb"(?:\xef\xbb\xbf)?[\s\x00\x1a\x1d]+|\xef\xbb\xbf")
_BREAKS_OFF = "the record breaks off: its end sign is missing"
_CYRILLIC = "cp1251"
_HIGH_BYTES = re.compile(rb"[\xc0-\xff]{5}")
_LONGEST_FIRST_FIELD = 100_000
_LONGEST_IN_DIRECTORY = 90_000


def begins(data: bytes) -> int | None:
    """Return where the first leader starts, or None if `data` is not MARC.

    No text holds the signs that part a record's directory, fields and subfields.
    """
    leader = _LOOSE_LEADER.match(data)
    if leader is None:
        return None
    beginning = data[leader.start(1) + _LEADER : _LONGEST_FIRST_FIELD]
    return leader.start(1) if _FIELD_END in beginning and _SUBFIELD in beginning else None


def pieces(data: bytes) -> Iterator[Piece]:
    """Yield the records, and the signs and blanks between them."""
    for start, end in _spans(data):
        yield start, FILLER
        yield end, RECORD if data[end - 1] == _RECORD_END else _BREAKS_OFF


def maker(data: bytes) -> Make[bytes]:
    """Return what makes a record of a piece; its raw text is the record as `pymarc` prints it."""
    return _entry


def _entry(position: int, raw: bytes) -> Entry | Rejection:
    if (record := _record(raw)) is None:
        return reject(position, "not readable as MARC 21", shown(raw))
    return assemble(position, str(record), marc_fields.parts(record))


def _spans(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield where each record starts and ends, the sign that ends it included.

    A leader's length counts only if a record's end sign stands where it leads.
    """
    if begins(data) is None:
        return
    at = 0
    while at < len(data):
        if gap := _BETWEEN.match(data, at):
            at = gap.end()
            continue
        edge = _EDGE.search(data, at + 1)
        end = edge.end() if edge else len(data)
        if edge and edge[0]:
            end = _stated_end(data, at, end)
        yield at, end
        at = end


def _stated_end(data: bytes, start: int, end: int) -> int:
    """Return where the leader at `start` says that the record ends, if a sign before is stray."""
    length = data[start : start + 5]
    there = start + int(length) if length.isdigit() else 0
    if there <= end or data[there - 1 : there] != bytes([_RECORD_END]):
        return end
    between = _EDGE.search(data, end, there - 1)
    return end if between or _LOOSE_LEADER.match(data, end) else there


def _record(raw: bytes) -> Record | None:
    """Return the record, by its directory, or else by its fields in their order."""
    at = raw.find(_FIELD_END) + 1
    directory = raw[_LEADER : at - 1]
    if at <= _LEADER or not directory or len(directory) % _ENTRY:
        return None
    entries = [directory[n : n + _ENTRY] for n in range(0, len(directory), _ENTRY)]
    leader, values = raw[:_LEADER], _by_directory(entries, raw[at:])
    if values is not None:
        # Its numbers are counted in characters by some programs, and wrong in others.
        leader = b"%05d%b%05d%b" % (len(raw), raw[5:12], at, raw[17:_LEADER])
    else:
        values = raw[at:-1].removesuffix(_FIELD_END).split(_FIELD_END)
    if len(values) != len(entries):
        return None
    codec = "utf-8" if _in_utf8(raw) else _CYRILLIC if _in_cyrillic(raw) else None
    return marc_record.made(
        leader.decode("ascii", "replace"),
        (
            _field(entry[:3].decode("ascii", "replace"), value, codec)
            for entry, value in zip(entries, values, strict=True)
        ),
    )


def _by_directory(entries: list[bytes], body: bytes) -> list[bytes] | None:
    """Return the fields as the directory has them; None if they do not fit one after the other.

    One that names the same bytes again and again would blow a record up a thousandfold.
    """
    if not all(entry[3:].isdigit() for entry in entries):
        return None
    spans = [(int(entry[7:]), int(entry[3:7])) for entry in entries]
    if sum(length for _, length in spans) > len(body) or len(body) > _LONGEST_IN_DIRECTORY:
        return None
    return [body[start : start + max(0, length - 1)] for start, length in spans]


def _field(tag: str, value: bytes, codec: str | None) -> marc_record.Written:
    if tag.startswith("00"):
        return tag, _decoded(value, codec), ()
    signs, *rest = value.split(_SUBFIELD)
    subfields = [(chr(each[0]), _decoded(each[1:], codec)) for each in rest if each]
    return tag, signs.decode("ascii", "replace"), subfields


def _in_utf8(raw: bytes) -> bool:
    """Return whether the record is in UTF-8, as its leader says or its bytes show."""
    if raw[9] == _UTF8:
        return True
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return not raw.isascii()


def _in_cyrillic(raw: bytes) -> bool:
    """Return whether the record is in the Cyrillic encoding of Windows.

    MARC-8 has no such runs of high bytes: a diacritic's letter is ASCII, and other scripts stand
    behind an escape.
    """
    return not _in_utf8(raw) and b"\x1b" not in raw and _HIGH_BYTES.search(raw) is not None


def _decoded(value: bytes, codec: str | None) -> str:
    if codec is not None:
        return value.decode(codec, "replace")
    try:
        # An escape at the end announces nothing, and pymarc fails at it.
        return str(marc8_to_unicode(value.rstrip(b"\x1b"), True))
    except UnicodeDecodeError:  # the tables of East Asian letters end before its bytes do
        return value.decode("ascii", "replace")
