"""The fields of UNIMARC, which catalogues of France, Italy, Portugal and Russia use."""

from collections.abc import Iterator

from pymarc import Field, Record

from tandem.records.formats import isbd, kinds, normalise
from tandem.records.formats.assembly import Parts
from tandem.records.formats.entry import Kind

_AUTHORS = ("700", "701", "710", "711")
_OTHERS = ("702", "712")


def is_unimarc(record: Record) -> bool:
    """Whether the title stands in field 200, which MARC 21 has not, and not in 245."""
    return not _fields(record, "245") and bool(_values(record, "a", "200"))


def parts(record: Record) -> Parts:
    """Return what `record` tells of the work it describes."""
    hosts = _fields(record, "461", "463")
    journals = [title for host in hosts for title in host.get_subfields("t")]
    numbers = [value for host in hosts for value in host.get_subfields("v")]
    return Parts(
        titles=_titles(record),
        abstracts=(" ".join(_values(record, "a", "330")),),
        authors=_authors(record, *_AUTHORS) or _authors(record, *_OTHERS),
        dates=_dates(record),
        journals=[*map(isbd.title, journals), *map(isbd.title, _values(record, "a", "225"))],
        volume=next(iter(numbers), "") if journals else "",
        dois=(*_values(record, "a", "017", "024"), *_values(record, "u", "856")),
        pmids=(normalise.pmid_in_url(url) for url in _values(record, "u", "856")),
        urls=_values(record, "u", "856"),
        keywords=_keywords(record),
        language="; ".join(dict.fromkeys(_values(record, "a", "101"))),
        refs=[field.data or "" for field in record.get_fields("001") if field.control_field],
        kind=_kind(record),
    )


def _fields(record: Record, *tags: str) -> list[Field]:
    return [field for tag in tags for field in record.get_fields(tag) if not field.control_field]


def _values(record: Record, code: str, *tags: str) -> list[str]:
    return [value for field in _fields(record, *tags) for value in field.get_subfields(code)]


def _titles(record: Record) -> Iterator[str]:
    for field in _fields(record, "200", "500", "510"):
        yield isbd.title(*field.get_subfields("a", "e", "h", "i"))


def _authors(record: Record, *tags: str) -> list[str]:
    """Return `Family, Given` of people, the name of bodies."""
    names = (
        isbd.name(", ".join(part.strip(" ,") for part in field.get_subfields("a", "b")))
        for field in _fields(record, *tags)
    )
    return list(dict.fromkeys(filter(None, names)))


def _dates(record: Record) -> Iterator[str]:
    yield from _values(record, "d", "210", "214")
    for coded in _values(record, "a", "100"):
        yield coded[9:13]


def _keywords(record: Record) -> Iterator[str]:
    for field in _fields(record, "606", "600", "601", "607", "610"):
        parts = field.get_subfields("a", "x", "y")
        yield "/".join(filter(None, map(isbd.keyword, parts)))


def _kind(record: Record) -> Kind | None:
    leader = str(record.leader)
    if _fields(record, "328"):
        return Kind.THESIS
    if leader[6:7] not in {"a", "b"}:
        return Kind.OTHER
    if leader[7:8] == "a":
        return Kind.ARTICLE
    return Kind.BOOK if leader[7:8] == "m" else kinds.of(_values(record, "a", "608"))
