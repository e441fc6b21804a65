"""The staff view of a record in VuFind, copied from its page as text.

It shows the fields of VuFind's search index, a name and its values, one a line, or for a
record of a catalogue its MARC (`LEADER`, then `245 1 0 |a Title`). What the page shows above
it is left aside: the fields hold it unshortened.
"""

import re
from collections import Counter
from collections.abc import Iterator

from tandem.records.formats.assembly import Parts, assemble
from tandem.records.formats.entry import Entry, Rejection
from tandem.records.formats.marc import fields as marc_fields
from tandem.records.formats.marc import record as marc_record
from tandem.records.formats.pieces import FILLER, RECORD, Make, Piece
from tandem.records.formats.vufind import fields as solr_fields

_NAMES = """
    _version_ abstract allfields author author_additional author_corporate author_corporate_role
    author_facet author_fuller author_role author_sort author_variant author2 author2_fuller
    author2_role author2_variant authorStr building callnumber-first callnumber-label
    callnumber-raw callnumber-search callnumber-sort callnumber-subject collection
    container_issue container_reference container_start_page container_title container_volume
    contents ctrlnum dateSpan description dewey-full dewey-hundreds dewey-ones dewey-raw
    dewey-search dewey-sort dewey-tens doi edition era era_facet first_indexed format fullrecord
    fulltext genre genre_facet geographic geographic_facet hierarchy_parent_id
    hierarchy_parent_title hierarchy_top_id hierarchy_top_title hierarchytype id illustrated
    institution is_hierarchy_id is_hierarchy_title isbn issn language last_indexed lccn long_lat
    long_lat_display oclc_num physical publishDate publishDateSort publisher publisherStr
    publication_place record_format recordtype series series2 spelling spellingShingle subject
    summary thumbnail title title_alt title_auth title_full title_fullStr title_full_unstemmed
    title_new title_old title_short title_sort title_sub topic topic_browse topic_facet upc_str_mv
    url vf_hash work_keys_str_mv
"""
_DYNAMIC = r"[A-Za-z][A-Za-z0-9_]{0,60}_(?:str|txt|isn|date|boolean|bool|int|facet)(?:_mv)?"
_OF_INDEX = frozenset(
    {
        *("_version_", "record_format", "recordtype", "title_fullStr", "title_full", "title_short"),
        *("title_auth", "title_sort", "author_facet", "author_sort", "publishDateSort"),
        *("spelling", "spellingShingle", "first_indexed"),
    }
)
"""Names that only an index has, not a table or a form."""

_FEWEST = 4
_LONGEST_BEGINNING = 1_000_000
"""Characters. What a page shows above its first record, and that record, are not longer."""

_KNOWN = "|".join(map(re.escape, _NAMES.split()))
_FIELD = re.compile(rf"^[ \t]{{0,4}}({_KNOWN}|{_DYNAMIC})(?:[ \t]+(?=\S)|[ \t]*$)", re.M)
_ORDER = ("author", "format", "id", "language", "title", "url")

_LEADER = re.compile(r"^[ \t]{0,4}LEADER[ \t]+(?=[0-9]{5})", re.M)
_MARC_FIELD = re.compile(r"[ \t]*([0-9]{3})(?:[ \t]+|$)([^|\n]{0,12}(?=\|[a-z0-9] ))?(.*)")
_SUBFIELD = re.compile(r"\|([a-z0-9]) ")


def begins(text: str) -> int | None:
    """Return where the first field stands, or None if `text` is no staff view."""
    beginning = text[:_LONGEST_BEGINNING]
    if leader := _LEADER.search(beginning):
        following = text[leader.end() : leader.end() + 2000].split("\n")
        if any(found and found[2] is not None for found in map(_MARC_FIELD.match, following)):
            return leader.start()
    first, seen = None, set()
    for field in _FIELD.finditer(beginning):
        first = field.start() if first is None else first
        seen.add(field[1])
        if "title" in seen and seen & _OF_INDEX and len(seen & solr_fields.TELLING) >= _FEWEST:
            return first
    return None


def pieces(data: str) -> Iterator[Piece]:
    """Yield the records. What a page shows above the first, their fields repeat."""
    for start, end in _spans(data):
        yield start, FILLER
        yield end, RECORD


def maker(data: str) -> Make[str]:
    """Return what makes a record of a piece."""
    return _record


def _record(position: int, raw: str) -> Entry | Rejection:
    return assemble(position, raw, _marc(raw) if _LEADER.match(raw) else _index(raw))


def _spans(text: str) -> Iterator[tuple[int, int]]:
    """Yield where each record starts, at its leader or at the field the first began with."""
    if (start := begins(text)) is None:
        return
    first = _FIELD.match(text, start)
    again = (
        re.compile(rf"^[ \t]{{0,4}}{re.escape(first[1])}(?=[ \t]|$)", re.M) if first else _LEADER
    )
    for following in again.finditer(text, start + 1):
        if first is None or _FIELD.match(text, following.start()):
            yield start, following.start()
            start = following.start()
    yield start, len(text)


def _index(raw: str) -> Parts:
    """Return what the fields tell; a line that begins with no field's name is a further value.

    Where the fields stand in the order of their names, as the index gives them, a name out
    of order is a value that begins like one; elsewhere, a name that was there before.
    """
    names = [field[1] for field in map(_FIELD.match, raw.split("\n")) if field]
    places = [names.index(name) for name in _ORDER if name in names]
    ordered = places == sorted(places)
    to_come = Counter(names)
    document: dict[str, list[str]] = {}
    values: list[str] = []
    last = ""
    for line in raw.split("\n"):
        begun = _FIELD.match(line)
        if begun:
            to_come[begun[1]] -= 1
        if (
            begun
            and begun[1] not in document
            and (not ordered or begun[1] > last)
            # These two repeat other fields' values, also those that come after.
            and not (last in {"spelling", "spellingShingle"} and to_come[begun[1]])
        ):
            last, line = begun[1], line[begun.end() :]
            values = document[last] = []
        if line.strip():
            values.append(line.strip())
    return solr_fields.parts(document)


def _marc(raw: str) -> Parts:
    leader, *lines = raw[_end(raw) :].split("\n")
    fields = filter(None, map(_field, lines))
    return marc_fields.parts(marc_record.made(leader.strip(), fields))


def _field(line: str) -> marc_record.Written | None:
    found = _MARC_FIELD.match(line)
    if found is None:
        return None
    tag, before, rest = found[1], found[2], found[3]
    if before is None:
        return (tag, rest.strip(), ()) if tag.startswith("00") else None
    _, *pieces = _SUBFIELD.split(rest)
    subfields = zip(pieces[::2], map(str.strip, pieces[1::2]), strict=True)
    return tag, "".join(_indicators(before)), subfields


def _end(raw: str) -> int:
    leader = _LEADER.match(raw)
    return leader.end() if leader else 0


def _indicators(cells: str) -> tuple[str, str]:
    """Return the two signs, of cells of a table or of two characters run together."""
    if "\t" in cells:
        first, _, second = cells.partition("\t")
        return first.strip() or " ", second.strip()[:1] or " "
    signs = cells.strip()
    if len(signs.replace(" ", "")) == 2:
        return signs[0], signs[-1]
    return (signs or " ")[0], " "
