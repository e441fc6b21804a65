"""BibTeX and BibLaTeX, as databases, reference managers and people write it, by bibtexparser."""

import logging
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise

from bibtexparser.model import DuplicateFieldKeyBlock, ParsingFailedBlock
from bibtexparser.model import Entry as Block
from bibtexparser.splitter import Splitter

from tandem.records.formats.assembly import assemble, reject
from tandem.records.formats.bibtex import values as bibtex_values
from tandem.records.formats.bibtex.fields import Fields, parts
from tandem.records.formats.bibtex.values import Malformed, Strings
from tandem.records.formats.entry import Entry, Rejection
from tandem.records.formats.pieces import BREAKS_OFF, FILLER, RECORD, STRAY, Make, Piece
from tandem.records.formats.tagged.dialect import INDENT

# Everything that it warns of is reported in a rejection's words.
logging.getLogger("bibtexparser.splitter").setLevel(logging.CRITICAL + 1)

_NO_RECORDS = frozenset({"comment", "preamble", "string", "xdata", "set"})
_KEY = r"[^\n,={}\"@]{0,200}"
_TYPE = r"[^\W\d][^\s{}(),\"#%'=~\\@]{0,60}"
_BEGIN = re.compile(
    rf"^{INDENT}@[ \t]*(?P<type>{_TYPE})\s{{0,10}}"
    rf"(?:\{{|\((?={_KEY},)|(?i:(?<=string))\((?=[^()\n]{{1,60}}=)|(?i:(?<=preamble))\()"
    # Only where a key follows may a record begin within a line: after the end of another.
    rf"|(?<=\}})[ \t]*@(?P<within>{_TYPE})[ \t]{{0,10}}\{{(?={_KEY},)",
    re.M,
)
_SIGN = re.compile(
    rf"^{INDENT}@[ \t]*(?:(?:comment|preamble|string)\s{{0,10}}[{{(]"
    rf"|{_TYPE}\s{{0,10}}[{{(]{_KEY}(?:,|=[ \t]*[{{\"]|\}}"
    rf"|\n\s{{0,100}}[A-Za-z-]{{1,30}}[ \t]{{0,30}}=[ \t]{{0,30}}[{{\"\d]))",
    re.M | re.I,
)
_STRING = re.compile(r"^[ \t]*@string\s{0,10}[{(]", re.M | re.I)
_FIELD = re.compile(r"^[ \t,]*([A-Za-z][\w:+-]{0,50})[ \t]*=[ \t]*(?=[^\s=])", re.M)
_LOST_HEAD = re.compile(r"^[^\S\n]*@?[A-Za-z][\w-]{0,60}\s{0,9}[{(][^\n{}=]{0,200},", re.M)
_MORE_FIELDS = re.compile(r"[\s,}]{0,1000}[A-Za-z][\w-]{0,50}\s{0,50}=\s{0,50}[{\"]")
_HEAD = re.compile(rf"^{INDENT}@[ \t]*(?P<type>{_TYPE})\s{{0,10}}(?=[{{(])")
_BRACES = re.compile(r"\\.|[{}]", re.S)
_LIKE_AN_ENTRY = re.compile(r"\w\s{0,9}[{}]|[{}]\s{0,9}\w|=\s{0,30}\"|@\S{0,60}\s{0,10}\(")
"""A word beside a brace, a value in quotation marks, or an entry in parentheses."""
_SWALLOWED = re.compile(r",\s{0,100}[A-Za-z][\w-]{1,30}\s{0,30}=\s{0,30}[{\"\d]")
_POINTER = re.compile(r"\b(?:crossref|xdata)\s{0,30}=\s{0,30}[{\"]([^{}\"\n]{1,500})", re.I)
_KEYED = re.compile(rf"{INDENT}@[ \t]*{_TYPE}\s{{0,10}}[{{(]\s{{0,20}}([^\s,{{}}]{{1,200}})")
_INHERITED = {
    "title": "booktitle",
    **{name: name for name in ("booktitle", "journal", "journaltitle", "year", "date", "volume")},
    **{name: name for name in ("number", "series", "publisher", "editor", "eventtitle")},
}
"""What a field of the whole is for its part."""

_MOST_PARENTS = 10
_OPENING = re.compile(r"[{(]")
# A last line of a brace alone: what is missing is a brace within the entry, not its end.
_ENDS_CLOSED = re.compile(r"(?:^|\n)[ \t]*[})]\s*\Z")
_LONGEST_STRINGS = 1_000_000


def begins(text: str) -> int | None:
    """Return where the first `@type{key,` stands, or None."""
    found = _SIGN.search(text)
    return found.start() if found else None


def pieces(data: str) -> Iterator[Piece]:
    """Yield the entries. Comments, preambles and `@string` definitions are filler.

    What stands outside of any entry is a comment, by the language, unless it looks like one that
    has lost its beginning.
    """
    if begins(data) is None:
        return
    edges = [*_edges(data), ("", len(data))]
    yield edges[0][1], _outside(data[: edges[0][1]])
    for (kind, start), (_, following) in pairwise(edges):
        end, is_closed = _closing(data, start, following)
        is_whole = is_closed or end < len(data) or _ENDS_CLOSED.search(data)
        what = RECORD if is_whole else BREAKS_OFF
        yield end, _no_record(data[start:end]) if kind in _NO_RECORDS else what
        yield following, _outside(data[end:following])


def maker(data: str) -> Make[str]:
    """Return what makes a record of an entry's text."""
    strings = _strings(data)
    context = _Context(strings, _parents(data, strings))
    return lambda position, raw: _record(position, raw, context)


def _edges(text: str) -> Iterator[tuple[str, int]]:
    for found in _BEGIN.finditer(text):
        yield (found["type"] or found["within"] or "").lower(), found.start()


def _closing(text: str, start: int, following: int) -> tuple[int, bool]:
    """Return where an entry ends, at the latest where another begins, and whether it is closed."""
    head, depth = _HEAD.match(text, start), 0
    if head and text[head.end()] == "(":
        end = text.rfind(")", start, following) + 1
        return end or following, end > 0
    for sign in _BRACES.finditer(text, start, following):
        depth += {"{": 1, "}": -1}.get(sign[0], 0)
        if depth == 0 and sign[0] == "}":
            goes_on = _goes_on(text, sign.end(), following)
            return (following if goes_on else sign.end()), True
    return following, False


def _goes_on(text: str, at: int, following: int) -> bool:
    """Whether an entry was closed by a brace too many: more of its fields come, no other entry."""
    if _MORE_FIELDS.match(text, at, following):
        return True
    return bool(_FIELD.search(text, at, following)) and not _LOST_HEAD.search(text, at, following)


def _no_record(text: str) -> str:
    """Tell whether a comment or definition that is never closed has swallowed an entry."""
    head = _HEAD.match(text)
    is_closed = text.rstrip()[-1:] in {"}", ")"}
    return FILLER if is_closed or head is None else _outside(text[head.end() + 1 :])


def _outside(text: str) -> str:
    return STRAY if _LIKE_AN_ENTRY.search(text) else FILLER


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


@dataclass(frozen=True, slots=True)
class _Context:
    """What entries refer to: names of texts, and entries that others point to by their keys."""

    strings: Strings
    entries: dict[str, Fields]

    def inherited(self, fields: Fields) -> Iterator[tuple[str, list[str]]]:
        """Yield what an entry has from those that it points to, the nearest first.

        By `crossref` that is what a part has in common with its whole: never an identifier.
        """
        queue, seen = list(_pointed_to(fields)), set[str]()
        while queue and len(seen) < _MOST_PARENTS:
            key, by = queue.pop(0)
            if key in seen or key not in self.entries:
                continue
            seen.add(key)
            for name, values in self.entries[key].items():
                if by == "xdata":
                    yield name, values
                elif name in _INHERITED:
                    yield _INHERITED[name], values
            queue += _pointed_to(self.entries[key])


def _pointed_to(fields: Fields) -> Iterator[tuple[str, str]]:
    """Yield the keys of entries in small letters, and by which field they are pointed to."""
    for name in ("crossref", "xdata"):
        for value in fields.get(name, ()):
            yield from ((key.strip().lower(), name) for key in value.split(","))


def _parents(text: str, strings: Strings) -> dict[str, Fields]:
    """Return the entries that others point to, by their keys in small letters."""
    wanted = {
        key.strip().lower() for found in _POINTER.finditer(text) for key in found[1].split(",")
    }
    parents: dict[str, Fields] = {}
    edges = [*_edges(text), ("", len(text))] if wanted else []
    for (_, start), (_, following) in pairwise(edges):
        named = _KEYED.match(text, start)
        if named and (key := named[1].strip().lower()) in wanted and key not in parents:
            raw = text[start : _closing(text, start, following)[0]]
            with suppress(Malformed):
                parents[key] = _parsed(_normal_head(raw), strings)[1]
    return parents


def _record(position: int, raw: str, context: _Context) -> Entry | Rejection:
    head = _HEAD.match(raw)
    kind = head["type"].lower() if head else ""
    strings = context.strings
    try:
        key, fields = _parsed(_normal_head(raw), strings)
    except Malformed as error:
        if (recovered := _line_by_line(raw, strings)) is None:
            return reject(position, f"not readable as BibTeX: {error}", raw)
        key, fields = recovered
    for name, values in context.inherited(fields):
        fields.setdefault(name, values)
    return assemble(position, raw, parts(kind, key, fields))


def _normal_head(raw: str) -> str:
    """Return an entry with a type of letters alone, as bibtexparser knows them."""
    return _HEAD.sub(
        lambda head: f"@{re.sub('[^A-Za-z]', '', head['type']) or 'misc'}", raw.strip()
    )


def _parsed(raw: str, strings: Strings) -> tuple[str, Fields]:
    """Return the record's key and its fields."""
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
    return block.key, fields


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
