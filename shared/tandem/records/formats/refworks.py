"""RefWorks tagged: lines of a two-letter tag, one space and a value; `RT` begins a record."""

import re
from collections.abc import Iterator

from tandem.records.formats import kinds, normalise, priors
from tandem.records.formats.assembly import Parts, assemble
from tandem.records.formats.entry import Entry, Rejection
from tandem.records.formats.tagged import Fields, Span, entries

_TAGS = (
    "RT SR ID A1 T1 JF JO YR FD VO IS SP OP K1 AB NO A2 T2 ED PB PP A3 A4 A5 T3 SN AV AD AN LA CL "
    "SF OT LK DO CN DB DS IP RD ST UL SL LL CR WT A6 WV WP OL PMID PMCID"
)
_KNOWN = "|".join(_TAGS.split()) + "|U1?[0-9]"
_LINE = re.compile(rf"[ \t\ufeff]{{0,8}}({_KNOWN}|ER)(?:[ \t]+(?![-–—][ \t])(.*)|$)")
_START = r"^[ \t\ufeff]{0,8}RT[ \t]+[A-Z][A-Za-z,/() -]{2,60}$"
_OTHER = rf"[ \t]{{0,8}}(?:{_KNOWN})[ \t]+(?![-–—][ \t])\S"
_BEGIN = re.compile(rf"{_START}\n(?:[ \t]*\n)?{_OTHER}", re.M)
_EDGE = re.compile(
    r"^[ \t\ufeff]{0,8}(?:(?P<start>RT)[ \t]+[A-Z]|(?P<part>SR|ID|A1|T1)[ \t]+(?![-–—])\S)", re.M
)

_LISTS = frozenset({"A1", "A2", "K1", "UL", "LK"})
"""Tags whose further lines are further values, not the rest of the first."""

_PUBMED = re.compile(r"pubmed|medline|^nlm$", re.I)
_NAMED_PMID = re.compile(r"\b(?:PMID|PUBMED)\b[: ]\s*([0-9]{1,8})(?![0-9])", re.I)
_NAMED_DOI = re.compile(r"\bdoi:?\s{0,3}(10\.[0-9]{4,9}/\S{1,300})", re.I)
_LONGEST_NOTE = 2_000
_COMMA = re.compile(r",(?=[^\s,])")


def begins(text: str) -> int | None:
    """Return where the first record starts, or None if `text` is not RefWorks tagged."""
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

    It starts with `RT`; if that is missing, after a blank line where a tag of the head of a
    record comes again.
    """
    if (start := begins(text)) is None:
        return
    seen = set[str]()
    for edge in _EDGE.finditer(text, start):
        again = edge["part"] in seen and text.endswith("\n\n", start, edge.start())
        if seen and (edge["start"] or again):
            yield start, edge.start()
            start, seen = edge.start(), set()
        seen.add(edge["start"] or edge["part"])
    yield start, len(text)


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
    journals = values("JF", "JO", "T2", "T3")
    notes = " ".join(values("NO", "U1", "U2", "U3", "U4", "U5"))
    named = _NAMED_DOI.findall(notes[:_LONGEST_NOTE])
    return Parts(
        titles=values("T1", "OT", "ST"),
        abstracts=(fields.joined("AB"),),
        authors=[_COMMA.sub(", ", name) for name in values("A1") or values("A2")],
        dates=values("YR", "FD", "WP"),
        journals=journals,
        volume=first("VO"),
        issue=first("IS"),
        pages=(first("SP"), first("OP")),
        dois=[*values("DO"), *named, *values("UL", "LK", "AN")],
        pmids=_pmids(fields),
        urls=values("UL", "LK", "AV"),
        keywords=values("K1"),
        language="; ".join(values("LA")),
        registered=[notes],
        refs=values("AN", "ID"),
        kind=kinds.of(values("RT"), (*journals, *values("PB"))),
        priors=(*priors.rayyan(notes), *priors.asreview(notes)),
    )


def _pmids(fields: Fields) -> Iterator[str | None]:
    """Yield PubMed numbers: of their own tag, named so, or of a record said to come from there."""
    yield from map(normalise.pmid, fields.values("PMID"))
    for note in fields.values("AN", "NO", "U1", "U2", "U5"):
        if named := _NAMED_PMID.search(note[:_LONGEST_NOTE]):
            yield normalise.pmid(named[1])
    if any(_PUBMED.search(source) for source in fields.values("DS", "DB")):
        for number in fields.values("AN"):
            yield normalise.pmid(number, guessed=True)
    yield from map(normalise.pmid_in_url, fields.values("UL", "LK"))
