"""BibTeX and BibLaTeX, as databases, reference managers and people write it, by bibtexparser."""

import logging
import re
from collections.abc import Iterator
from itertools import pairwise

from bibtexparser.model import DuplicateFieldKeyBlock, ParsingFailedBlock
from bibtexparser.model import Entry as Block
from bibtexparser.splitter import Splitter

from tandem.records.formats import bibtex_values
from tandem.records.formats.assembly import LONGEST_RECORD, assemble, reject, reject_overlong
from tandem.records.formats.bibtex_fields import Fields, parts
from tandem.records.formats.bibtex_values import Malformed, Strings
from tandem.records.formats.entry import Entry, Rejection

# Everything it warns of, people are told in a rejection's words.
logging.getLogger("bibtexparser.splitter").setLevel(logging.CRITICAL + 1)

_NO_RECORDS = frozenset({"comment", "preamble", "string", "xdata", "set"})
_KEY = r"[^\n,={}\"@]{0,200}"
_BEGIN = re.compile(
    rf"^[ \t]*@[ \t]*(?P<type>[A-Za-z]+)\s{{0,10}}(?:\{{|\((?={_KEY},))"
    # Only where a key follows may a record begin within a line: after the end of another.
    rf"|(?<=\}})[ \t]*@(?P<within>[A-Za-z]+)[ \t]{{0,10}}\{{(?={_KEY},)",
    re.M,
)
_SIGN = re.compile(
    rf"^[ \t]*@[ \t]*(?:(?:comment|preamble|string)\s{{0,10}}[{{(]"
    rf"|[A-Za-z]+\s{{0,10}}[{{(]{_KEY}(?:,|=[ \t]*[{{\"]|\}}"
    rf"|\n\s{{0,100}}[A-Za-z-]{{1,30}}[ \t]{{0,30}}=[ \t]{{0,30}}[{{\"\d]))",
    re.M | re.I,
)
_STRING = re.compile(r"^[ \t]*@string\s{0,10}[{(]", re.M | re.I)
_FIELD = re.compile(r"^[ \t,]*([A-Za-z][\w:+-]{0,50})[ \t]*=[ \t]*(?=[^\s=])", re.M)
_MORE_FIELDS = re.compile(r"[\s,}]{0,1000}[A-Za-z][\w-]{0,50}\s{0,50}=\s{0,50}[{\"]")
_LOOSE = re.compile(r"^@[ \t]+")
_SWALLOWED = re.compile(r",\s{0,100}[A-Za-z][\w-]{1,30}\s{0,30}=\s{0,30}[{\"\d]")
_OPENING = re.compile(r"[{(]")
_LONGEST_STRINGS = 1_000_000


def begins(text: str) -> int | None:
    """Return where the first `@type{key,` stands, or None."""
    found = _SIGN.search(text)
    return found.start() if found else None


def count(text: str) -> int:
    """Return how many records `read` yields, without parsing them."""
    return sum(1 for _ in _spans(text))


def read(text: str) -> Iterator[Entry | Rejection]:
    """Yield every record in order, one that cannot be read as its rejection.

    Comments, preambles and `@string` definitions are no records; the last are put in.
    """
    strings = _strings(text)
    for position, (kind, start, end) in enumerate(_spans(text), start=1):
        if end - start > LONGEST_RECORD:
            yield reject_overlong(position, text[start : start + LONGEST_RECORD])
        else:
            yield _record(position, kind, text[start:end], strings)


def _spans(text: str) -> Iterator[tuple[str, int, int]]:
    """Yield each record's type, and where it starts and ends: at the latest where one begins."""
    if begins(text) is None:
        return
    for begin, end in pairwise(_edges(text)):
        kind = begin[0].lower()
        if kind and kind not in _NO_RECORDS:
            yield kind, begin[1], end[1]


def _edges(text: str) -> Iterator[tuple[str, int]]:
    for found in _BEGIN.finditer(text):
        yield found["type"] or found["within"], found.start()
    yield "", len(text)


def _strings(text: str) -> Strings:
    """Return what the names defined by `@string` stand for, each by those before it."""
    strings: Strings = {}
    total = 0
    for found in _STRING.finditer(text):
        closing = text.find("\n@", found.end())
        definition = text[found.start() : min(found.end() + 10_000, closing % (len(text) + 1))]
        blocks = Splitter(definition.strip()).split().strings
        for block in blocks[:1]:
            try:
                value = bibtex_values.joined(block.value, strings)
            except Malformed:
                continue
            total += len(value)
            if total < _LONGEST_STRINGS:  # names made of names grow without end
                strings[block.key.lower()] = value
    return strings


def _record(position: int, kind: str, raw: str, strings: Strings) -> Entry | Rejection:
    try:
        key, fields, raw = _parsed(raw, strings)
    except Malformed as error:
        if (recovered := _line_by_line(raw, strings)) is None:
            return reject(position, f"not readable as BibTeX: {error}", raw)
        key, fields = recovered
    return assemble(position, raw, parts(kind, key, fields))


def _parsed(raw: str, strings: Strings) -> tuple[str, Fields, str]:
    """Return the record's key, its fields and its text without what stands after it."""
    raw = _LOOSE.sub("@", raw.strip())
    try:
        block = _block(raw)
    except Exception as error:  # it promises nothing of what it raises; the file must go on
        raise Malformed(str(error) or type(error).__name__) from error
    if not isinstance(block, Block):
        raise Malformed(_reason(block).rstrip(".") or "no record")
    end = len(block.raw or "")
    if _MORE_FIELDS.match(raw, end):
        raise Malformed("closed by a brace before its end")
    fields: Fields = {}
    for field in block.fields:
        words = field.key.split()
        if words:
            value = bibtex_values.joined(field.value, strings)
            fields.setdefault(_name(words[-1]), []).append(value)
    return block.key, fields, raw[:end]


def _block(raw: str) -> object:
    """Return the first thing that bibtexparser finds in `raw`, an entry if it can be had."""
    first = Splitter(raw).split().blocks[0]
    if "after entry key" in _reason(first):
        # The key, or the comma behind it, is missing: what stands first is a field.
        first = Splitter(_OPENING.sub(r"\g<0>,", raw, count=1)).split().blocks[0]
    if "Unexpectedly reached end of file" in _reason(first):
        # Often only the last brace is missing, where files were joined or cut.
        closed = Splitter(f"{raw}\n}}").split().blocks[0]
        # It may as well be a field's: then that has swallowed the next.
        if isinstance(closed, Block) and not any(map(_SWALLOWED.search, _values(closed))):
            return closed
    return first.ignore_error_block if isinstance(first, DuplicateFieldKeyBlock) else first


def _values(block: Block) -> list[str]:
    return [str(field.value) for field in block.fields]


def _reason(block: object) -> str:
    if not isinstance(block, ParsingFailedBlock):
        return ""
    return " ".join(str(getattr(block.error, "abort_reason", "")).split())


def _line_by_line(raw: str, strings: Strings) -> tuple[str, Fields] | None:
    """Return the fields of a record whose braces do not add up, if its title is whole.

    Each is taken to reach to the next line that begins as a field does.
    """
    found = list(_FIELD.finditer(raw))
    if not found:
        return None
    ends = [*(field.start() for field in found[1:]), len(raw)]
    fields: Fields = {}
    for field, end in zip(found, ends, strict=True):
        value = raw[field.end() : end].strip().rstrip(",").rstrip()
        if end == len(raw) and value.count("}") > value.count("{"):
            value = value[:-1].rstrip().rstrip(",").rstrip()
        name = _name(field[1])
        try:
            text = bibtex_values.joined(value, strings)
        except Malformed:
            if name in {"title", "booktitle"} and not value.endswith(("}", '"')):
                return None
            text = value.strip('{}"')
        fields.setdefault(name, []).append(text)
    if "title" not in fields and "booktitle" not in fields:
        return None
    key = re.search(r"[{(]\s{0,10}([^\s,{}=]{1,200})\s{0,10},", raw[: found[0].start() + 1])
    return (key[1] if key else ""), fields


def _name(written: str) -> str:
    return re.sub(r"[\W_]+", "", written).lower()
