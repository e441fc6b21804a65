"""Refer, as EndNote writes it: lines of a percent sign, one character and a value.

A record begins with `%0`, its type. Where files do without, blank lines part records.
"""

import re
from collections.abc import Iterator

from tandem.records.formats import kinds, normalise, priors
from tandem.records.formats.assembly import Parts, assemble
from tandem.records.formats.entry import Entry, Rejection
from tandem.records.formats.tagged import Fields, Span, entries

_TAG = r"[ \t\ufeff]{0,20}%(?P<tag>[0-9A-Zf?@!#$\]&()*+^><\[=~])(?=[ \t]|$)"
_LINE = re.compile(rf"{_TAG}(?P<value>.*)")
_BEGIN = re.compile(rf"^[ \t\ufeff]{{0,20}}%(?:0(?:[ \t]|$)|[TA][ \t]+\S.*\n{_TAG})", re.M)
_TAG_LINE = re.compile(rf"(?:\A|\n(?P<blank>[ \t]*\n)?)(?P<line>{_TAG})", re.M)

_LISTS = frozenset("AEKU?>")
"""Tags whose further lines are further values, not the rest of the first."""

_PUBMED = re.compile(r"pubmed|medline|^nlm$", re.I)
_AND = re.compile(r"\s+and\s+")


def begins(text: str) -> int | None:
    """Return where the first record starts, or None if `text` is not refer."""
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

    A record starts with another `%0`. After a blank line it also starts with the tag that the
    file began with or with a tag of lines among which there is a title; other lines after a
    blank one, such as those that follow an abstract's last paragraph, go on with the record.
    """
    if (start := begins(text)) is None:
        return
    seen = set[str]()
    opening = _TAG_LINE.search(text, max(start - 1, 0))
    first = opening["tag"] if opening else "0"
    for block, tags in _blocks(text, start):
        another = "0" in seen and "0" in tags
        only_its_type = seen <= {"0"}
        if another or (not only_its_type and {"0", "T", first} & tags):
            yield start, block
            start, seen = block, set()
        seen.update(tags)
    yield start, len(text)


def _blocks(text: str, start: int) -> Iterator[tuple[int, set[str]]]:
    """Yield where lines begin that no blank line and no other `%0` parts, and their tags."""
    at, tags = start, set[str]()
    for line in _TAG_LINE.finditer(text, max(start - 1, 0)):
        tag = line["tag"]
        if tags and (line["blank"] is not None or (tag == "0" and "0" in tags)):
            yield at, tags
            at, tags = line.start("line"), set()
        tags.add(tag)
    if tags:
        yield at, tags


def _record(position: int, raw: str) -> Entry | Rejection:
    fields = Fields()
    for line in raw.split("\n"):
        if found := _LINE.match(line):
            fields.add(found["tag"], found["value"])
        else:
            fields.go_on(line, _LISTS)
    return assemble(position, raw, _parts(fields))


def _parts(fields: Fields) -> Parts:
    values, first = fields.values, fields.first
    journals = values("J", "B", "S")
    notes = "\n".join(values("Z", "1", "<", "O"))
    # Open Journal Systems puts the subject where others have the type of article.
    types = (*values("0"), *filter(kinds.is_type, values("9")))
    return Parts(
        titles=values("T", "Q", "!"),
        abstracts=(fields.joined("X"),),
        authors=[name for text in (values("A") or values("E")) for name in _names(text)],
        dates=values("D", "8", "7"),
        journals=journals,
        volume=first("V"),
        issue=first("N"),
        pages=(first("P", "&"), ""),
        dois=values("R", "U", "M", "3", "Z", ">"),
        pmids=_pmids(fields),
        urls=values("U", ">"),
        keywords=values("K"),
        language="; ".join(values("G")),
        registered=[notes],
        refs=values("M", "F", "L"),
        kind=kinds.of(types, (*journals, *values("I"))),
        priors=(*priors.rayyan(notes), *priors.asreview(notes)),
    )


def _names(text: str) -> list[str]:
    """Return the names in `text`: `Lind, Bo and Okafor, Ada` are two, an office's name is one."""
    parts = _AND.split(text)
    return parts if all("," in part for part in parts) else [text]


def _pmids(fields: Fields) -> Iterator[str | None]:
    """Yield PubMed numbers: the accession number if the record says it comes from there."""
    if any(_PUBMED.search(source) for source in fields.values("W", "~")):
        for number in fields.values("M"):
            yield normalise.pmid(number, guessed=True)
    yield from map(normalise.pmid_in_url, fields.values("U"))
