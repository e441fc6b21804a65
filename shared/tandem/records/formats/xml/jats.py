"""JATS, the XML that publishers and PubMed Central give articles in."""

from collections.abc import Iterator

from lxml.etree import _Element as Element

from tandem.records.formats import kinds, normalise
from tandem.records.formats.assembly import Parts
from tandem.records.formats.xml import reader as xml

_CUT = xml.Cut(
    names="article",
    inside="article-meta|journal-meta",
    then=r"\s*(?:<\?[^<>]{0,500}\?>\s*|<!--[^<>]{0,2000}-->\s*)?(?=<(?:processing-meta|front)\b)",
)
_META = "front/article-meta/"


def _parts(article: Element) -> Parts:
    def values(*paths: str) -> list[str]:
        return xml.texts(article, *(f"{_META}{path}" for path in paths))

    def first(*paths: str) -> str:
        return next(iter(values(*paths)), "")

    journals = xml.texts(
        article, "front/journal-meta//journal-title", "front/journal-meta/journal-id"
    )
    return Parts(
        titles=values("title-group/article-title", "title-group/trans-title-group/trans-title"),
        abstracts=values("abstract", "trans-abstract"),
        authors=list(_authors(article)),
        dates=values("pub-date/year", "pub-date"),
        journals=journals,
        volume=first("volume"),
        issue=first("issue"),
        pages=(first("fpage", "elocation-id"), first("lpage")),
        dois=values("article-id[@pub-id-type='doi']"),
        pmids=map(normalise.pmid, values("article-id[@pub-id-type='pmid']")),
        keywords=values("kwd-group/kwd"),
        language=article.get("{http://www.w3.org/XML/1998/namespace}lang") or "",
        refs=values("article-id[@pub-id-type='pmc']", "article-id[@pub-id-type='publisher-id']"),
        kind=kinds.of([article.get("article-type") or ""], journals),
    )


def _authors(article: Element) -> Iterator[str]:
    for one in article.iterfind(f"{_META}contrib-group/contrib"):
        if one.get("contrib-type", "author") == "author":
            surname, given = (xml.first(one, f".//{part}") for part in ("surname", "given-names"))
            yield ", ".join(filter(None, (surname, given))) or xml.first(one, ".//collab")


JATS_XML = xml.XmlReader(_CUT, _parts)
