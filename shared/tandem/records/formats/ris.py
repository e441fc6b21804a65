"""RIS: lines of a two-letter tag, two spaces, a dash and a value, from `TY` to `ER`.

The files are split and their dialects ironed out here, so that `rispy` is handed one record
at a time in the form of the specification and no record can spoil another.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

import rispy

from tandem.records.export.marks import is_mark
from tandem.records.formats import kinds, normalise, priors
from tandem.records.formats.assembly import Parts, assemble, reject
from tandem.records.formats.entry import Entry, Prior, Rejection
from tandem.records.formats.tagged import Span, entries

_TY = r"(?:(?:TY|ty)[ \t]{2}-|TY[ \t]{0,4}[-–—][ \t]*[A-Za-z][A-Za-z /]{1,40}$)"
_ER = r"(?:(?:ER|er)[ \t]{2}-|ER[ \t]{0,4}[-–—][ \t]*$)"
_INDENT = r"^[\ufeff \t]*"
_BEGIN = re.compile(rf"{_INDENT}{_TY}", re.M)
_BEGIN_WITHOUT_TYPE = re.compile(rf"{_INDENT}(?:{_TY}|(?:TI|T1|AU|A1|AB|N2)[ ]{{2}}-)", re.M)
_EDGE = re.compile(rf"{_INDENT}(?:{_TY}|({_ER}))", re.M)
_END = re.compile(rf"{_INDENT}{_ER}", re.M)
_TAG_LINE = re.compile(r"[\ufeff \t]*[A-Z][A-Z0-9][ ]{2}-")
_LOWER_TAG = re.compile(rf"{_INDENT}[a-z][a-z0-9](?=[ \t]{{2}}-)", re.M)

_LINE = re.compile(r"[\ufeff \t]*([A-Z][A-Z0-9]{1,4}(?=[ \t]{2})|PMID)[ \t]{0,2}[-–—](.*)")
_NARROW_LINE = re.compile(r"([A-Z][A-Z0-9])[ \t]-[ \t]+(\S.*)")
_LOOSE_LINE = re.compile(r"[\ufeff \t]*([A-Z][A-Z0-9]{1,4})[ \t]{0,4}[-–—](.*)")
_TWO_LETTERS = {"PMID": "PM"}
"""Tags longer than RIS has them; rispy reads two letters only."""

_LISTS = frozenset({"AU", "A1", "A2", "ED", "KW", "DE", "N1", "RN", "UR", "L2", "L3", "LK"})
"""Tags whose further lines are further values, not the rest of the first."""

_OTHERS = (
    "TY TI T1 BT CT ST TT AB N2 PY Y1 YR DA JF T2 JO JA J2 J1 JN VL VO IS SP EP DO DI M3 ID AN "
    "DB DP PB PM LA U2 UT M1 C1 C2 C3 C4 C5 C6 C7 C8"
)
_WANTED = _LISTS | frozenset(_OTHERS.split())

# Every tag is a list, under its own name: by default rispy drops repeated tags and cuts
# addresses at semicolons.
_PARSER = rispy.RisParser(
    mapping={tag: tag for tag in _WANTED} | {"ER": "ER"},
    list_tags=sorted(_WANTED - {"TY"}),
    delimiter_tags_mapping={},
    skip_unknown_tags=True,
)

_PUBMED = re.compile(r"pubmed|medline|^nlm$", re.I)
_NAMED_PMID = re.compile(r"\b(?:PMID|PUBMED|MEDLINE)\b[: ]\s*(?:NLM)?([0-9]{1,8})(?![0-9])", re.I)
_OF_EBSCO = re.compile(r"Accession Number:", re.I)
_LONGEST_NOTE = 10_000

_Values = Callable[..., list[str]]


def begins(text: str) -> int | None:
    """Return where the first record starts, or None if `text` is not RIS."""
    found = _BEGIN.search(text)
    if found is None and _END.search(text):  # every `TY` was lost on the way
        found = _BEGIN_WITHOUT_TYPE.search(text)
    return found.start() if found else None


def count(text: str) -> int:
    """Return how many records `read` yields, without parsing them."""
    return sum(1 for _ in _spans(text))


def read(text: str) -> Iterator[Entry | Rejection]:
    """Yield every record in order, one that cannot be read as its rejection."""
    return entries(text, _spans(text), _record)


def _spans(text: str) -> Iterator[Span]:
    """Yield where each record starts and ends.

    It ends at its `ER`, at the next `TY` or with the file. Between records anything may
    stand; lines that only a record has start one even if its `TY` is missing.
    """
    if begins(text) is None:
        return
    at = 0
    while begin := _BEGIN_WITHOUT_TYPE.search(text, at):
        start = begin.start()
        if not _BEGIN.match(text, start):
            start = _first_line(text, at, start)
        edge = _EDGE.search(text, begin.end())
        end = edge.start() if edge else len(text)
        yield start, end
        at = edge.end() if edge and edge[1] else end


def _first_line(text: str, after: int, start: int) -> int:
    """Return where the lines with tags begin that end at `start`, none before `after`."""
    while start > after:
        before = text.rfind("\n", after, start - 1) + 1 or after
        if not _TAG_LINE.match(text, before, start):
            break
        start = before
    return start


def _record(position: int, raw: str) -> Entry | Rejection:
    text = raw
    if raw.lstrip(" \t\ufeff").startswith("ty"):
        text = _LOWER_TAG.sub(lambda tag: tag[0].upper(), raw)
    lines = _ironed(text, _LINE)
    if not any(line.startswith(("TI", "T1", "BT", "AB", "N2")) for line in lines):
        lines = _ironed(text, _LOOSE_LINE)
    try:
        records = _PARSER.parse_lines(iter([*lines, "ER  - "]))
    except Exception as error:  # rispy promises nothing of what it raises; the file must go on
        return reject(position, f"not readable as RIS: {error or type(error).__name__}", raw)
    if len(records) != 1:
        return reject(position, "not readable as RIS", raw)
    return assemble(position, raw, _parts(records[0]))


def _ironed(raw: str, pattern: re.Pattern[str]) -> list[str]:
    """Return the lines of one record as the specification writes them, those of use only.

    A line without a tag continues the one before: a list by another value, else its text.
    """
    type_ = _LOOSE_LINE.match(raw)
    known = type_[2].strip() if type_ and type_[1] == "TY" else ""
    # Each in pieces, as adding to a text again and again takes the square of its length.
    lines = [[f"TY  - {known}"]]
    tag = "TY"
    for line in raw.split("\n"):
        # Nearly every line takes the first way; the pattern is four times as slow.
        if line[2:5] == "  -" and (line[:2] in _WANTED):
            tag, value = line[:2], line[5:]
        elif found := pattern.match(line):
            tag, value = _TWO_LETTERS.get(found[1], found[1]), found[2]
        elif tag in _LISTS and (narrow := _NARROW_LINE.match(line)) and narrow[1] in _WANTED:
            tag, value = narrow[1], narrow[2]
        elif tag in _LISTS:
            value = line
        else:
            if tag in _WANTED and tag != "TY":
                lines[-1].append(line.strip())
            continue
        if tag in _WANTED and tag != "TY":
            lines.append([f"{tag}  - {value.strip()}"])
    return [" ".join(pieces) for pieces in lines]


def _parts(record: dict[str, Any]) -> Parts:
    def values(*tags: str) -> list[str]:
        found = (value for tag in tags for value in record.get(tag, ()))
        return [value for value in found if not is_mark(value)]

    def first(*tags: str) -> str:
        return next(filter(None, values(*tags)), "")

    journals = values("JF", "T2", "JO", "JN", "JA", "J2", "J1")
    return Parts(
        titles=values("TI", "T1", "BT", "CT", "TT", "ST"),
        abstracts=(" ".join(record.get("AB", ())), " ".join(record.get("N2", ()))),
        authors=values("AU") or values("A1") or values("A2", "ED"),
        dates=values("PY", "Y1", "YR", "DA"),
        journals=journals,
        volume=first("VL", "VO"),
        issue=first("IS"),
        pages=(first("SP"), first("EP")),
        dois=values("DO", "DI", "M3", "UR", "L3", "L2", "LK", "ID", "N1"),
        pmids=_pmids(values),
        urls=values("UR", "L2", "LK", "L3"),
        keywords=values("KW", "DE"),
        language="; ".join(values("LA")),
        registered=values("N1", "M1", "C1", "C2", "C3", "C4", "C5", "C6", "C7", "C8", "ID", "AN"),
        refs=values("AN", "U2", "UT", "ID"),
        kind=kinds.of((str(record.get("TY", "")), *values("M3")), (*journals, *values("PB"))),
        priors=_priors(values),
    )


def _priors(values: _Values) -> tuple[Prior, ...]:
    """Return decisions in the notes; reference managers make keywords of ASReview's."""
    notes = "\n".join(values("N1", "RN"))
    labels = "\n".join((notes, *values("KW")))
    return (*priors.rayyan(notes), *priors.asreview(labels))


def _pmids(values: _Values) -> Iterator[str | None]:
    """Yield PubMed numbers, the certain ones first.

    An accession number is one only if the record says it comes from PubMed; a custom field
    only if it names PubMed, or is Embase's `C5` of a record that MEDLINE has too.
    """
    yield from map(normalise.pmid, values("PM"))
    if any(_PUBMED.search(source) for source in values("DB", "DP")):
        for number in values("AN", "C5"):
            yield normalise.pmid(number, guessed=True)
    for text in values("AN", "N1", "C1", "C2", "C3", "C4", "C5", "C6", "C7", "C8"):
        # A note in prose may cite another article's.
        of_this = len(text) < 100 or _OF_EBSCO.match(text)
        find = _NAMED_PMID.search if of_this else _NAMED_PMID.match
        if named := find(text[:_LONGEST_NOTE]):
            yield normalise.pmid(named[1])
    yield from map(normalise.pmid_in_url, values("UR", "L2", "LK"))
