"""EBSCOhost's XML, of CINAHL and its other databases: `<rec>` with `<controlInfo>`."""

from dataclasses import replace

from lxml.etree import _Element as Element

from tandem.records.formats.assembly import Parts
from tandem.records.formats.fields import FieldMap
from tandem.records.formats.xml import reader as xml
from tandem.records.formats.xml import tree

_CUT = xml.Cut(
    names="rec",
    inside="controlInfo|artinfo|jinfo",
    then=r"\s*<(?:header|controlInfo|displayInfo|pdfLink|plink)\b",
)
_MEDLINE = frozenset({"cmedm", "mdc", "mnh", "medline"})
"""What EBSCO calls its editions of MEDLINE; the number of a record there is PubMed's."""

_FIELDS = FieldMap(
    titles=".//artinfo/tig/atl .//tig/atl .//atl .//tig/btl .//btl",
    abstracts=".//ab",
    authors=".//artinfo/aug/au|.//aug/au|.//au",
    dates=".//dt-year .//dt",
    journals=".//jtl .//bkinfo/btl .//btl .//stl",
    volume=".//vid",
    issue=".//iid",
    start=".//ppf",
    dois=".//ui[@type='doi'] .//ui",
    pmids=".//ui[@type='pmid'] .//ui[@type='nlmuid-pmid'] .//ui[@type='pubmed']",
    urls=".//pLink/url .//plink/url .//pLink .//plink .//url",
    keywords=".//sug/subj .//keyword",
    language=".//language",
    refs=".//ui",
    types=".//doctype .//pubtype",
)


def _prepared(record: Element) -> Element:
    """Return the record with types of numbers in small letters, and years of dates as text."""
    for number in record.iter("ui"):
        number.set("type", (number.get("type") or "").lower())
    for date in record.findall(".//dt"):
        date.addprevious(tree.element("dt-year", date.get("year") or ""))
    return record


def _refined(record: Element, parts: Parts) -> Parts:
    header = record.find(".//header")
    number, database = "", ""
    if header is not None:
        number, database = header.get("uiTerm") or "", header.get("shortDbName") or ""
    start, count = parts.pages[0], tree.first(record, ".//ppct")
    return replace(
        parts,
        pages=(start, _last(start, count)),
        pmids=[
            *(text.removeprefix("NLM") for text in parts.pmids),
            *([number] if database.lower() in _MEDLINE else []),
        ],
        refs=[*filter(None, [number]), *parts.refs],
    )


def _last(start: str, count: str) -> str:
    """Return the last page: EBSCO gives the first and how many there are."""
    if not (start.isdecimal() and count.isdecimal() and len(start + count) < 12):
        return ""
    return str(int(start) + max(int(count), 1) - 1)


EBSCO_XML = xml.XmlReader(_CUT, xml.by_paths(_FIELDS, _refined, _prepared))
