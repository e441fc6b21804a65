"""The one reader of all formats whose lines are a tag and a value.

What differs between them is a `Dialect`: how a line with a tag looks, where records begin and end,
which lines go on with the one before, and which tag holds what.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from tandem.records.formats.assembly import Parts, assemble
from tandem.records.formats.entry import Entry, Rejection
from tandem.records.formats.pieces import BREAKS_OFF, FILLER, RECORD, Make, Piece, Reader, gap
from tandem.records.formats.tagged.fields import Fields

INDENT = r"[ \t\xa0\u2000-\u200d\u202f\u205f\u2060\u3000\ufeff]{0,40}"
"""What may stand before a tag: spaces of any kind, also those that nobody sees."""

_BLANK_LINE = re.compile(r"\n[^\S\n]*\n")
_LONGEST_BLOCK = 20_000
_MOST_LINES_ABOVE = 100


@dataclass(frozen=True)
class Dialect(Reader[str]):
    """How records are written in a format of tagged lines.

    A record begins where a line of `opens` stands and none is open; lines with tags right above
    belong to it. It ends with a line of `ends`, and before a line that only the next one can have:
    one of `always`; one of `heads` that it has; after a blank line, one of `again` that it has or
    one with the tag that the file began with. A line of `heads` that it does not have belongs to
    it, unless another title follows there.

    Args:
        tells: What shows that a file is in this format.
        line: A line with a tag: the groups `tag` and `value`.
        edge: A pattern of what ends a record, as the group `end`, or of the line of a tag, as the
            group `tag`; `TAGS` in it stands for the tags that matter.
        parts: Makes sense of the values.
        opens: Where a record begins; None: `tells`.
        in_blocks: Whether a record begins with its block of lines where one of these tells so.
        lists: Tags whose further lines are further values, not the rest of the first.
        prose: Tags whose values may have several paragraphs. Behind a value of any other, text that
            stands apart belongs to no record.
        stops: Whether a line without a tag goes on with no value where a blank line is before it.
        preamble: What a file may begin with, up to its first record.
        between: Lines between records that belong to none.
        fields: Takes a record apart where lines with tags do not tell it all.
        renamed: Returns the name that a tag has elsewhere here.
    """

    tells: re.Pattern[str]
    line: re.Pattern[str]
    edge: str
    parts: Callable[[Fields], Parts]
    heads: frozenset[str] = frozenset()
    titles: frozenset[str] = frozenset()
    again: frozenset[str] = frozenset()
    always: frozenset[str] = frozenset()
    opens: re.Pattern[str] | None = None
    in_blocks: bool = False
    lists: frozenset[str] = frozenset()
    prose: frozenset[str] = frozenset()
    stops: bool = False
    preamble: re.Pattern[str] | None = None
    between: re.Pattern[str] | None = None
    fields: "Callable[[Dialect, str], Fields] | None" = None
    renamed: Callable[[str], str] = str.upper

    def begins(self, data: str) -> int | None:
        """Return where the first sign of the format stands, or None."""
        found = self.tells.search(data)
        return found.start() if found else None

    def pieces(self, data: str) -> Iterator[Piece]:
        """Yield the records and what stands between them."""
        at, first = 0, ""
        opens = self.opens or self.tells
        marked = True
        n_records = n_marked = 0
        while at < len(data):
            start = at
            if marked:
                opening = opens.search(data, at)
                start = self._first_line(data, at, opening.start()) if opening else len(data)
            if at == 0 and self.preamble and self.preamble.match(data, 0, start):
                yield start, FILLER
            else:
                yield from gap(data, at, start, self.between)
            if start == len(data):
                return
            if not first and (line := self.line.match(data, start)):
                first = self.renamed(line["tag"])
            end, at = self._end(data, start, first)
            marked = end < at
            if not marked:
                end = self.last_line(data, start, end)
            # Of a download that was broken off the last record alone has no end mark.
            breaks_off = 0 < n_records == n_marked and not marked and at == len(data)
            yield end, BREAKS_OFF if breaks_off else RECORD
            n_records, n_marked = n_records + 1, n_marked + marked
            yield from [(at, FILLER)] if marked else gap(data, end, at, self.between)

    def maker(self, data: str) -> Make[str]:
        """Return what makes a record of a piece."""
        return self._record

    def taken_apart(self, raw: str) -> Fields:
        """Return the values of a record; a line without a tag goes on with the one before."""
        fields = Fields(self.lists)
        blank = False
        for line in raw.split("\n"):
            if found := self.line.match(line):
                fields.add(self.renamed(found["tag"]), found["value"] or "")
            elif not line.strip():
                blank = True
                continue
            elif not (self.stops and blank and line[0] not in " \t"):
                fields.go_on(line)
            else:
                fields.add("", "")  # text between records
            blank = False
        return fields

    def tag_of(self, line: str) -> str | None:
        """Return the tag that `line` has, None if it has none."""
        found = self.line.match(line)
        return self.renamed(found["tag"]) if found else None

    def last_line(self, text: str, start: int, end: int) -> int:
        """Return where the record ends that no mark ends before `end`.

        What stands behind its last field and a blank line is none of it, unless that is prose.
        """
        at, apart = end, end
        while at > start:
            following, at = at, text.rfind("\n", start, at - 1) + 1 or start
            line = text[at:following]
            if not line.strip():
                apart = following
            elif (tag := self.tag_of(line.rstrip("\n"))) is not None:
                return end if tag in self.prose else apart
        return end

    def _record(self, position: int, raw: str) -> Entry | Rejection:
        fields = self.fields(self, raw) if self.fields else self.taken_apart(raw)
        return assemble(position, raw, self.parts(fields))

    def _end(self, text: str, start: int, first: str) -> tuple[int, int]:
        """Return where the record ends that begins at `start`, and where its end mark does."""
        seen = set[str]()
        edges = _compiled(self.edge, self.heads | self.titles | self.again | {first} - {""})
        for edge in edges.finditer(text, start):
            if edge.lastgroup == "end":
                return self._marked_end(text, edge.start(), edge.end())
            tag = self.renamed(edge["tag"])
            if edge.start() > start:
                at = self._another(text, start, edge, tag, seen, first)
                if at is not None:
                    return at, at
            seen.add(tag)
        return len(text), len(text)

    def _marked_end(self, text: str, start: int, end: int) -> tuple[int, int]:
        """Return where the record ends and where its end mark does, with whatever follows there.

        Text on the line of the mark is a part of the record, another record's first tag is not.
        """
        if self.opens and self.opens.match(text, end):
            return start, end
        line_end = (text.find("\n", end) + 1) or len(text)
        return (line_end if text[end:line_end].strip() else start), line_end

    def _another(
        self, text: str, start: int, edge: re.Match[str], tag: str, seen: set[str], first: str
    ) -> int | None:
        """Return where the next record begins, if the line at `edge` tells that one does."""
        at = edge.start()
        if tag in self.always:
            return at
        if tag in self.heads and tag not in seen:
            return at if seen & self.titles and self._title_follows(text, edge.end(), tag) else None
        if tag in self.heads:
            return (self.in_blocks and self._block(text, start, at)) or at
        has_more = bool(seen - self.heads)
        if _BLANK_LINE.match(text, text.rfind("\n", start, max(start, at - 1))):
            return at if tag in seen & self.again or (tag == first and has_more) else None
        return self._block(text, start, at) if self.in_blocks and tag in seen & self.again else None

    def _title_follows(self, text: str, at: int, head: str) -> bool:
        """Whether a title comes after `at`, before a blank line, an end or another such head."""
        edges = _compiled(self.edge, self.heads | self.titles)
        for edge in edges.finditer(text, at):
            if edge.lastgroup == "end" or _BLANK_LINE.search(text, at, edge.start() + 1):
                return False
            tag = self.renamed(edge["tag"])
            if tag in self.titles or tag == head:
                return tag in self.titles
        return False

    def _first_line(self, text: str, after: int, start: int) -> int:
        """Return where the lines with tags begin that end at `start`, none before `after`."""
        for _ in range(_MOST_LINES_ABOVE):
            if start <= after:
                break
            above = text.rfind("\n", after, start - 1) + 1 or after
            line = text[above:start]
            if not self.line.match(line) or (self.between and self.between.match(line.strip())):
                break
            start = above
        return start

    def _block(self, text: str, start: int, at: int) -> int | None:
        """Return where the lines begin that no blank line parts from `at`, if that is a tag's."""
        before = max(start, at - _LONGEST_BLOCK)
        blanks = [blank.end() for blank in _BLANK_LINE.finditer(text, before, at)]
        return blanks[-1] if blanks and self.line.match(text, blanks[-1]) else None


@lru_cache(maxsize=256)
def _compiled(edge: str, tags: frozenset[str]) -> re.Pattern[str]:
    return re.compile(edge.replace("TAGS", "|".join(map(re.escape, sorted(tags)))), re.M)
