"""MEDLINE, as PubMed writes it: a tag padded to four columns, a dash and a value.

The files are split and their lines filtered here, because the `nbib` library gives a whole
file up at the first line or value it does not expect. It is handed one record at a time, of
that only the lines Tandem has a use for.
"""

import re
from collections.abc import Iterator
from typing import Any

import nbib

from tandem.records.formats import kinds, normalise
from tandem.records.formats.assembly import Parts, assemble, reject
from tandem.records.formats.entry import Entry, Rejection
from tandem.records.formats.tagged import Span, entries

_STARTS = ("PMID", "PMC", "OWN", "STAT")
"""What only the head of a record has, and each record once."""

_BEGIN = re.compile(r"^\ufeff?(?:PMID|PMC|OWN|STAT) {0,2}-[ \t]*\S", re.M)
_LINE = re.compile(r"\ufeff?([A-Z]{2,4})( {0,2})-(?: |(?=[0-9]*$))(.*)$")
_COLUMNS = (4, 5)
"""Before the dash: four in PubMed's own files, five in ERIC's `ISSN -`."""

_PASSED_ON = frozenset({"TI", "TT", "FAU", "AU", "DP", "JT", "TA", "VI", "IP", "PG", "OT", "MH"})
_WANTED = _PASSED_ON | {
    "PMID",
    "PMC",
    "OID",
    "BTI",
    "AB",
    "OAB",
    "CN",
    "DEP",
    "LA",
    "AID",
    "LID",
    "PT",
    "SI",
}
_OPENING = re.compile(rf"^\ufeff?({'|'.join(sorted({*_STARTS, *_WANTED}))}) {{0,2}}-", re.M)
_DOI_ID = re.compile(r"(.*\S)\s*\[doi\]\s*$", re.I)
_NO_ABSTRACT = re.compile(r"Publisher: Abstract available", re.I)

_Lines = list[tuple[str, str]]


def begins(text: str) -> int | None:
    """Return where the first record starts, or None if `text` is not MEDLINE."""
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

    Blank lines alone do not part records, as some files have them within one. A record
    starts where a tag of its head comes again, or after a blank line with a tag of the head,
    with the tag that the file began with, or with another title.
    """
    if begins(text) is None or (opening := _OPENING.search(text)) is None:
        return
    first = opening[1]
    tags = "|".join(dict.fromkeys((*_STARTS, "TI", first)))
    heads = re.compile(
        rf"(?:\A|\n(?P<blank>[ \t]*\n)?)\ufeff?(?P<tag>{tags}) {{0,2}}-(?=[ 0-9]|$)", re.M
    )
    start, seen = opening.start(), {first}
    for head in heads.finditer(text, opening.end()):
        tag, blank = head["tag"], head["blank"] is not None
        again = tag in seen and (blank or tag in _STARTS)
        if again or (blank and tag in {"PMID", "PMC", first}):
            yield start, head.start() + 1
            start, seen = head.start("tag"), set()
        seen.add(tag)
    yield start, len(text)


def _record(position: int, raw: str) -> Entry | Rejection:
    lines = _lines(raw)
    try:
        references = nbib.read(
            "".join(f"{tag:4}- {value}\n" for tag, value in _ironed(lines)) + "\n"
        )
    except Exception as error:  # besides its own errors it lets those of its parsers through
        return reject(position, f"not readable as MEDLINE: {error}", raw)
    return assemble(position, raw, _parts(references[0] if references else {}, lines))


def _lines(raw: str) -> _Lines:
    """Return tags and values of one record, lines that go on joined to the first."""
    lines: _Lines = []
    wanted = blank = False
    for line in raw.split("\n"):
        found = _LINE.match(line)
        if found and (len(found[1] + found[2]) in _COLUMNS or found[1] in _WANTED):
            wanted = found[1] in _WANTED
            if wanted:
                lines.append((found[1], found[3].strip()))
        elif not line.strip():
            blank = True
            continue
        elif wanted and not (blank and line[0] not in " \t"):
            tag, value = lines[-1]
            lines[-1] = (tag, f"{value} {line.strip()}")
        else:
            wanted = False  # text between records, not the rest of a value
        blank = False
    return lines


def _ironed(lines: _Lines) -> Iterator[tuple[str, str]]:
    """Yield the lines the library is to read, such as it needs to find everything.

    It knows an author by the full name alone, a DOI by `AID` alone, and of a repeated
    abstract the last.
    """
    tags = {tag for tag, _ in lines}
    for tag, value in lines:
        if tag == "AU" and "FAU" not in tags:
            yield "FAU", value
        elif tag in _PASSED_ON:
            yield tag, value
    if "AB" in tags:
        yield "AB", " ".join(value for tag, value in lines if tag == "AB")
    ids = (_DOI_ID.match(value) for tag, value in lines if tag in {"AID", "LID"})
    if found := next(filter(None, ids), None):
        yield "AID", f"{found[1]} [doi]"


def _parts(reference: dict[str, Any], lines: _Lines) -> Parts:
    def values(*tags: str) -> list[str]:
        return [value for wanted in tags for tag, value in lines if tag == wanted]

    def known(name: str) -> str:
        return str(reference.get(name, ""))

    authors = [str(author["author"]) for author in reference.get("authors", ())]
    headings = [str(heading["descriptor"]) for heading in reference.get("descriptors", ())]
    others = [abstract for abstract in values("OAB") if not _NO_ABSTRACT.match(abstract)]
    return Parts(
        titles=(known("title"), *values("BTI"), known("transliterated_title")),
        abstracts=(known("abstract"), *others),
        authors=[*authors, *values("CN")],
        dates=(known("publication_date"), *values("DEP")),
        journals=(known("journal"), known("journal_abbreviated")),
        volume=known("journal_volume"),
        issue=known("journal_issue"),
        pages=(known("pages"), ""),
        dois=(known("doi"), *values("AID", "LID")),
        # What goes on under it is a line that lost its tag.
        pmids=(normalise.pmid(value.partition(" ")[0]) for value in values("PMID")),
        urls=values("LID", "AID"),
        keywords=[*(str(word) for word in reference.get("keywords", ())), *headings],
        language="; ".join(values("LA")),
        registered=values("SI"),
        refs=values("PMID", "OID", "PMC"),
        kind=kinds.of(values("PT"), (known("journal"), known("journal_abbreviated"))),
    )
