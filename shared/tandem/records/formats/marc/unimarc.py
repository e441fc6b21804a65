"""The fields of UNIMARC, which catalogues of France, Italy, Portugal and Russia use."""

from collections.abc import Iterator

from pymarc import Record

from tandem.records.formats import isbd, kinds
from tandem.records.formats.assembly import Parts
from tandem.records.formats.entry import Kind
from tandem.records.formats.marc.record import control, fields, values

_AUTHORS = ("700", "701", "710", "711")
_OTHERS = ("702", "712")


def is_unimarc(record: Record) -> bool:
    """Whether the title stands in field 200, which MARC 21 has not, and not in 245."""
    return not fields(record, "245") and bool(values(record, "a", "200"))


def parts(record: Record) -> Parts:
    """Return what `record` tells of the work it describes."""
    hosts = fields(record, "461", "463")
    journals = [title for host in hosts for title in host.get_subfields("t")]
    numbers = [value for host in hosts for value in host.get_subfields("v")]
    return Parts(
        titles=_titles(record),
        abstracts=(" ".join(values(record, "a", "330")),),
        authors=_authors(record, *_AUTHORS) or _authors(record, *_OTHERS),
        dates=_dates(record),
        journals=[*map(isbd.title, journals), *map(isbd.title, values(record, "a", "225"))],
        volume=next(iter(numbers), "") if journals else "",
        dois=(*values(record, "a", "017", "024"), *values(record, "u", "856")),
        urls=values(record, "u", "856"),
        keywords=_keywords(record),
        language="; ".join(dict.fromkeys(values(record, "a", "101"))),
        refs=control(record, "001"),
        kind=_kind(record),
    )


def _titles(record: Record) -> Iterator[str]:
    for field in fields(record, "200", "500", "510"):
        yield isbd.title(*field.get_subfields("a", "e", "h", "i"))


def _authors(record: Record, *tags: str) -> list[str]:
    """Return `Family, Given` of people, the name of bodies."""
    names = (
        isbd.name(", ".join(part.strip(" ,") for part in field.get_subfields("a", "b")))
        for field in fields(record, *tags)
    )
    return list(dict.fromkeys(filter(None, names)))


def _dates(record: Record) -> Iterator[str]:
    yield from values(record, "d", "210", "214")
    for coded in values(record, "a", "100"):
        yield coded[9:13]


def _keywords(record: Record) -> Iterator[str]:
    for field in fields(record, "606", "600", "601", "607", "610"):
        parts = field.get_subfields("a", "x", "y")
        yield "/".join(filter(None, map(isbd.keyword, parts)))


def _kind(record: Record) -> Kind | None:
    leader = str(record.leader)
    if fields(record, "328"):
        return Kind.THESIS
    if leader[6:7] not in {"a", "b"}:
        return Kind.OTHER
    if leader[7:8] == "a":
        return Kind.ARTICLE
    return Kind.BOOK if leader[7:8] == "m" else kinds.of(values(record, "a", "608"))
