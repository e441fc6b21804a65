"""EBSCOhost's XML, of CINAHL and its other databases: `<rec>` with `<controlInfo>`."""

from collections.abc import Iterator

from lxml.etree import _Element as Element

from tandem.records.formats import kinds, normalise
from tandem.records.formats.assembly import Parts
from tandem.records.formats.xml import reader as xml

_CUT = xml.Cut(
    names="rec",
    inside="controlInfo|artinfo|jinfo",
    then=r"\s*<(?:header|controlInfo|displayInfo|pdfLink|plink)\b",
)
_MEDLINE = frozenset({"cmedm", "mdc", "mnh", "medline"})
"""What EBSCO calls its editions of MEDLINE; the number of a record there is PubMed's."""


def _parts(record: Element) -> Parts:
    def values(*names: str) -> list[str]:
        return xml.texts(record, *(f".//{name}" for name in names))

    def first(*names: str) -> str:
        return next(iter(values(*names)), "")

    journals = values("jtl", "bkinfo/btl", "btl", "stl")
    start, count_ = first("ppf"), first("ppct")
    header = record.find(".//header")
    return Parts(
        titles=values("artinfo/tig/atl", "tig/atl", "atl", "tig/btl", "btl"),
        abstracts=(" ".join(values("artinfo/ab") or values("ab")),),
        authors=values("artinfo/aug/au") or values("aug/au") or values("au"),
        dates=(*_dates(record), *values("pubinfo/dt", "dt")),
        journals=journals,
        volume=first("vid"),
        issue=first("iid"),
        pages=(start, _last(start, count_)),
        dois=(*_numbers(record, "doi"), *values("ui")),
        pmids=_pmids(record, header),
        urls=values("pLink/url", "plink/url", "pLink", "plink", "url"),
        keywords=values("sug/subj", "keyword"),
        language=first("language"),
        refs=(*filter(None, [header.get("uiTerm") if header is not None else ""]), *values("ui")),
        kind=kinds.of(values("doctype", "pubtype"), journals),
    )


def _last(start: str, count_: str) -> str:
    """Return the last page: EBSCO gives the first and how many there are."""
    if not (start.isdecimal() and count_.isdecimal() and len(start + count_) < 12):
        return ""
    return str(int(start) + max(int(count_), 1) - 1)


def _dates(record: Element) -> Iterator[str]:
    for date in record.iterfind(".//dt"):
        yield date.get("year") or ""


def _numbers(record: Element, *types: str) -> list[str]:
    found = record.iterfind(".//ui")
    return [xml.text_of(each) for each in found if (each.get("type") or "").lower() in types]


def _pmids(record: Element, header: Element | None) -> Iterator[str | None]:
    """Yield PubMed numbers, of their own or of a record of MEDLINE."""
    for number in _numbers(record, "pmid", "nlmuid-pmid", "pubmed"):
        yield normalise.pmid(number.strip().removeprefix("NLM"))
    if header is not None and (header.get("shortDbName") or "").lower() in _MEDLINE:
        yield normalise.pmid(header.get("uiTerm") or "", guessed=True)


EBSCO_XML = xml.XmlReader(_CUT, _parts)
