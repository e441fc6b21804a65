"""JATS, the XML that publishers and PubMed Central give articles in."""

from collections.abc import Iterator
from dataclasses import replace

from lxml.etree import _Element as Element

from tandem.records.formats import kinds
from tandem.records.formats.assembly import Parts
from tandem.records.formats.fields import FieldMap
from tandem.records.formats.xml import reader as xml
from tandem.records.formats.xml import tree

_CUT = xml.Cut(
    names="article",
    inside="article-meta|journal-meta",
    then=r"\s*(?:<\?[^<>]{0,500}\?>\s*|<!--[^<>]{0,2000}-->\s*)?(?=<(?:processing-meta|front)\b)",
)
_M = "front/article-meta"
_FIELDS = FieldMap(
    titles=f"{_M}/title-group/article-title {_M}/title-group/trans-title-group/trans-title",
    dates=f"{_M}/pub-date/year {_M}/pub-date",
    journals="front/journal-meta//journal-title front/journal-meta/journal-id",
    volume=f"{_M}/volume",
    issue=f"{_M}/issue",
    start=f"{_M}/fpage {_M}/elocation-id",
    end=f"{_M}/lpage",
    dois=f"{_M}/article-id[@pub-id-type='doi']",
    pmids=f"{_M}/article-id[@pub-id-type='pmid']",
    keywords=f"{_M}/kwd-group/kwd",
    refs=f"{_M}/article-id[@pub-id-type='pmc'] {_M}/article-id[@pub-id-type='publisher-id']",
)


def _refined(article: Element, parts: Parts) -> Parts:
    return replace(
        parts,
        abstracts=tree.texts(article, f"{_M}/abstract", f"{_M}/trans-abstract"),
        authors=_authors(article),
        language=article.get("{http://www.w3.org/XML/1998/namespace}lang") or "",
        kind=kinds.of([article.get("article-type") or ""], parts.journals),
    )


def _authors(article: Element) -> Iterator[str]:
    for one in article.iterfind(f"{_M}/contrib-group/contrib"):
        if one.get("contrib-type", "author") == "author":
            surname, given = (tree.first(one, f".//{part}") for part in ("surname", "given-names"))
            yield tree.name(surname, given) or tree.first(one, ".//collab")


JATS_XML = xml.XmlReader(_CUT, xml.by_paths(_FIELDS, _refined))
