"""Records as text for people: `TI: Title`, `Publication title: Journal`, or names above values.

The Cochrane Library's text, ProQuest's and Embase's are such; each record stands under a line
that numbers it (`Record #1 of 2`, `Document 1 of 2`, `RECORD 1`). The fields are called much as
in tables, so `columns` tells them.
"""

import re

from tandem.records.formats.assembly import Parts
from tandem.records.formats.table.cells import parts
from tandem.records.formats.table.columns import FIELDS, field_of
from tandem.records.formats.tagged.dialect import Dialect
from tandem.records.formats.tagged.fields import Fields

_HEAD = (
    r"^[ \t\ufeff]{0,8}(?P<tag>Record|Document|Citation|Item)(?=[ \t]{1,3}(?:#[ \t]?)?[0-9]{1,7}"
    r"(?:[ \t]{1,3}of[ \t]{1,3}[0-9]{1,7})?[ \t]*$)"
)
_BEGIN = re.compile(_HEAD, re.M | re.I)
_BESIDE = re.compile(r"[ \t]*([A-Za-z][A-Za-z0-9 ()/_-]{1,60}?)[ \t]?:(?:[ \t]+(.*)|[ \t]*$)")
_ABOVE = re.compile(r"[A-Z][A-Z0-9 ()/,&-]{2,80}")
_RULE = re.compile(r"[ \t]*(?:[_=*-][ \t]?){5,200}$", re.M)
_SECTION = re.compile(
    r"aims?|backgrounds?|conclusions?|context|design|discussion|findings|importance|interventions?"
    r"|interpretation|introduction|methods?|(?:main )?(?:outcome measures?|outcomes?|results)"
    r"|objectives?|participants|patients|purpose|rationale|setting|significance|methodology"
    r"|(?:study|trial) (?:design|registration)|limitations?|materials and methods|results?",
    re.I,
)
"""What abstracts begin their parts with; no field is called so."""

_OWN_NAMES = {
    "no": "issue",
    "ky": "keywords",
    "us": "url",
    "pb": "publisher",
    "full text link": "url",
    "document url": "url",
    "proquest document id": "ref",
    "identifier / keyword": "keywords",
    "mesh subject": "keywords",
    "emtree drug index terms": "keywords",
    "emtree medical index terms": "keywords",
    "language of article": "language",
    "language of publication": "language",
}
"""Names that tables do not have, or use otherwise."""

_LISTS = frozenset({"authors", "keywords", "url"})
_TELLING = ("authors", "citation", "year", "ref", "doi", "journal", "abstract")
_FEWEST = 2
_SAMPLE = 20_000


class _Labelled(Dialect):
    def begins(self, data: str) -> int | None:
        """Return where the line above the first record stands.

        Such a line may stand in any text: under it there must be a title and other known fields.
        """
        head = _BEGIN.search(data)
        if head is None:
            return None
        following = _BEGIN.search(data, head.end(), head.end() + _SAMPLE)
        end = following.start() if following else head.end() + _SAMPLE
        fields = _fields(self, data[head.start() : end])
        found = sum(1 for field in _TELLING if fields.first(field))
        return head.start() if fields.first("title") and found >= _FEWEST else None

    def tag_of(self, line: str) -> str | None:
        """Return the field that `line` names; one of no use has an empty name."""
        if (name := _name(line, above=False)) is not None:
            return _field(name) or ""
        return _field(line) if _name(line, above=True) else None

    def last_line(self, text: str, start: int, end: int) -> int:
        """Return where the record ends: at the latest at a rule below its title."""
        at, titled = start, False
        while at < end and not (titled and _RULE.match(text, at, end)):
            following = text.find("\n", at, end) + 1 or end
            titled = titled or self.tag_of(text[at:following].rstrip("\n")) == "title"
            at = following
        return super().last_line(text, start, at)


def _parts(fields: Fields) -> Parts:
    cells = {name: found for name in FIELDS if (found := _filled(fields, name))}
    cells["authors"] = ["; ".join(cells.get("authors", ()))]
    return parts(cells)


def _filled(fields: Fields, name: str) -> list[str]:
    return [value for value in fields.values(name) if value.strip()]


def _fields(dialect: Dialect, raw: str) -> Fields:
    """Return the values under the fields of `columns`, those of no use under an empty name.

    Names stand either all above their values or all beside them.
    """
    _, *lines = raw.strip().split("\n")
    above = sum(1 for line in lines if _ABOVE.fullmatch(line.strip()) and _field(line)) >= _FEWEST
    fields = Fields(_LISTS)
    last, named = "", False
    for line in lines:
        # What stands directly under a name is its value, even if it is in capitals.
        name = None if named and above and line.strip() else _name(line, above)
        named = bool(name)
        if _RULE.match(line):
            continue
        if name and not (last == "abstract" and _SECTION.fullmatch(name)):
            last = _field(name) or ""
            fields.add(last, "" if above else line.partition(":")[2])
        elif line.strip():
            fields.go_on(line)
    return fields


def _name(line: str, above: bool) -> str | None:
    """Return the name of a field that `line` is or begins with."""
    if above:
        return line.strip() if _ABOVE.fullmatch(line.strip()) else None
    found = _BESIDE.match(line)
    return found[1] if found else None


def _field(name: str) -> str | None:
    return _OWN_NAMES.get(name.strip().lower()) or field_of(name)


LABELLED = _Labelled(
    tells=_BEGIN,
    line=re.compile(r"(?P<tag>(?!))(?P<value>)"),
    edge=f"(?i:{_HEAD})",
    always=frozenset({"RECORD", "DOCUMENT", "CITATION", "ITEM"}),
    preamble=re.compile(r"[\s_]*(?:report information|search name|date run|comment)", re.I),
    between=re.compile(
        r"contact us|database copyright|copyright|terms and conditions|bibliography|citation style"
        r"|report information|search strategy|table of contents",
        re.I,
    ),
    lists=_LISTS,
    prose=frozenset({"abstract", "notes"}),
    fields=_fields,
    parts=_parts,
)
