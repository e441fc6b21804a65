"""Web of Science: lines of a two-letter tag, one space and a value, from `PT` to `ER`.

Also what its Inspec and Medline write, and ISI before it. Read by hand: `rispy`'s parser of
it keeps of a repeated tag the last and gives a file up at the first line out of place.
"""

import re
from collections.abc import Iterator

from tandem.records.formats import kinds, normalise
from tandem.records.formats.assembly import Parts, assemble
from tandem.records.formats.entry import Entry, Kind, Rejection
from tandem.records.formats.tagged import Fields, Span, entries

_TAGGED = r"(?:[A-Z][A-Z0-9][ \t]+(?![ \t]*[-–—])\S|   )"
_BEGIN = re.compile(
    rf"^\ufeff?(?:FN [^\n-].*\n(?=VR|PT|{_TAGGED})|PT[ \t]+[A-Z][A-Za-z -]{{0,40}}\n(?={_TAGGED}))",
    re.M,
)
_START = re.compile(
    r"^\ufeff?(?:PT[ \t]+[A-Z]|(?:AU|AF|BA|CA|TI|SO|AB|DT|AN|UT)[ \t]+(?![ \t]*[-–—])\S)", re.M
)
_EDGE = re.compile(r"^\ufeff?(?:PT[ \t]+[A-Z]|(?P<end>E[RF][ \t]*$)|FN [^\n-])", re.M)
_LINE = re.compile(r"\ufeff?([A-Z][A-Z0-9])(?:[ \t](.*)|$)")

_LISTS = frozenset({"AU", "AF", "BA", "BF", "BE", "CA", "GP", "Z2", "MH"})
"""Tags whose further lines are further values, not the rest of the first."""

_TYPES = {"J": Kind.ARTICLE, "C": Kind.CONFERENCE, "B": Kind.BOOK, "P": Kind.OTHER}
_BRACKETED_DOI = re.compile(r"\[(10\.[0-9]{4,9}/[^\]\s]{1,300})\]")


def begins(text: str) -> int | None:
    """Return where the file's head or first record starts, or None if it is another format."""
    found = _BEGIN.search(text)
    return found.start() if found else None


def count(text: str) -> int:
    """Return how many records `read` yields, without parsing them."""
    return sum(1 for _ in _spans(text))


def read(text: str) -> Iterator[Entry | Rejection]:
    """Yield every record in order, one that cannot be read as its rejection."""
    return entries(text, _spans(text), _record)


def _spans(text: str) -> Iterator[Span]:
    """Yield where each record starts and ends.

    It ends at its `ER`, at the next `PT` or with the file. Between records anything may
    stand; lines that only a record has start one even if its `PT` is missing.
    """
    if (at := begins(text)) is None:
        return
    while begin := _START.search(text, at):
        edge = _EDGE.search(text, begin.end())
        end = edge.start() if edge else len(text)
        yield begin.start(), end
        at = edge.end() if edge and edge["end"] else end


def _record(position: int, raw: str) -> Entry | Rejection:
    fields = Fields()
    for line in raw.split("\n"):
        if found := _LINE.match(line):
            fields.add(found[1], found[2] or "")
        elif line.strip():
            fields.go_on(line, _LISTS)
    return assemble(position, raw, _parts(fields))


def _parts(fields: Fields) -> Parts:
    values, first = fields.values, fields.first
    # `AF` has names in full, but now and then not all of them.
    authors = max((values(tag) for tag in ("AF", "AU", "BF", "BA", "Z2")), key=len)
    editors = values("BE", "ED")
    inspec = first("UT", "FN").upper().startswith("INSPEC")
    return Parts(
        titles=values("TI", "FT", "Z1", "BT"),
        abstracts=(fields.joined("AB"), fields.joined("Z4")),
        authors=[*authors, *values("CA", "GP")] or editors,
        dates=values("PY", "YR", "EY", "PD", "EA"),
        journals=values("SO", "JI", "J9", "SE", "Z3"),
        volume=first("VL"),
        issue=first("IS"),
        pages=(first("BP") or first("PS", "AR"), first("EP") if first("BP") else ""),
        dois=[*values("DI", "D2", "DO", "DOI"), *_BRACKETED_DOI.findall(first("ID"))],
        pmids=_pmids(fields),
        urls=values("UR", "UL", "LK"),
        # Inspec keeps numbers of the article in `ID`.
        keywords=values("DE", "MH", "CT") if inspec else values("DE", "ID", "MH", "CT"),
        language="; ".join(values("LA")),
        refs=values("UT", "AN", "GA"),
        kind=_kind(fields),
    )


def _pmids(fields: Fields) -> Iterator[str | None]:
    yield from map(normalise.pmid, fields.values("PM"))
    for number in fields.values("UT"):
        if number.upper().startswith("MEDLINE:"):
            yield normalise.pmid(number)


def _kind(fields: Fields) -> Kind | None:
    """Return the kind: of its several types the one that tells most, else the medium's.

    `Article; Proceedings Paper` in a journal is an article whatever meeting it comes from.
    """
    medium = fields.first("PT")
    types = fields.joined("DT")
    sources = fields.values("SO", "PU")
    known = kinds.of((types,), sources) or kinds.of((medium,), sources)
    if known is Kind.CONFERENCE and medium == "J" and types.startswith("Article"):
        return Kind.ARTICLE
    return known or _TYPES.get(medium)
