"""EndNote's XML, as EndNote and the many programs that imitate it write it.

Values come bare or in pieces of styled text. EndNote up to its 7th edition wrote the same
names in capitals, with underscores (`REFERENCE_TYPE`) and without groups.
"""

from lxml.etree import _Element as Element

from tandem.records.formats import kinds
from tandem.records.formats.entry import Kind
from tandem.records.formats.fields import FieldMap
from tandem.records.formats.xml import reader as xml
from tandem.records.formats.xml import tree

_CUT = xml.Cut(
    names="record",
    inside="ref-type|reference_type|secondary-title|electronic-resource-num|source-app",
    then=r"\s*<(?:database|source-app|rec-number|foreign-keys|ref-type|contributors|titles|refnum"
    r"|reference_type|authors|auth-address|title|year|abstract|periodical|dates|urls|keywords"
    r"|accession-num|isbn|label|notes|language|pages|volume|number|publisher|custom[1-9]"
    r"|electronic-resource-num|remote-database-name)\b",
    any_case=True,
)
_KINDS = {
    "ref-type": {
        **dict.fromkeys(("17", "19", "23", "43"), Kind.ARTICLE),
        **dict.fromkeys(("6", "28", "44"), Kind.BOOK),
        **dict.fromkeys(("5", "60"), Kind.CHAPTER),
        **dict.fromkeys(("10", "47"), Kind.CONFERENCE),
        **dict.fromkeys(("27", "46"), Kind.REPORT),
        "32": Kind.THESIS,
    },
    "reference-type": {
        "0": Kind.ARTICLE,
        "1": Kind.BOOK,
        "2": Kind.THESIS,
        "3": Kind.CONFERENCE,
        "7": Kind.CHAPTER,
        "10": Kind.REPORT,
    },
}
"""EndNote's numbers, for files that give a type no name, and those before EndNote 8."""

_FIELDS = FieldMap(
    titles="titles/title title titles/translated-title titles/short-title short-title",
    abstracts="abstract titles/abstract",
    authors="contributors/authors/author authors/author"
    "|contributors/secondary-authors/author secondary-authors/secondary-author"
    "|contributors/tertiary-authors/author",
    dates="dates/year year dates/pub-dates/date date",
    journals="periodical/full-title titles/secondary-title secondary-title"
    " alt-periodical/full-title titles/alt-title periodical/abbr-1 titles/tertiary-title",
    volume="volume",
    issue="number issue",
    start="pages",
    dois="electronic-resource-num doi urls//url url accession-num label",
    pmids="pmid pubmed-id",
    accessions="accession-num",
    databases="remote-database-name remote-database-provider",
    urls="urls//url url",
    keywords="keywords/keyword",
    language="language",
    refs="accession-num rec-number refnum foreign-keys/key",
    types="ref-type reference-type work-type",
    publisher="publisher",
    notes="notes research-notes",
    naming="accession-num custom1 custom2 custom5 custom6",
)


def _prepared(record: Element) -> Element:
    """Return the record with today's names, a type in words, and one author in an element.

    Some programs write several authors, keywords or addresses with `&#xD;` between them.
    """
    for each in record.iter():
        each.tag = str(each.tag).lower().replace("_", "-")
    for each in record.iter("author", "secondary-author", "keyword", "url"):
        first, *others = tree.text_of(each).split("\r")
        for text in reversed(others):
            each.addnext(tree.element(str(each.tag), text))
        if others:
            each[:], each.text = [], first
    for each in record.iter(*_KINDS):
        text = tree.text_of(each).strip()
        name = each.get("name") or text
        each[:], each.text = [], name if kinds.kind(name) else _KINDS[str(each.tag)].get(text, name)
    return record


ENDNOTE_XML = xml.XmlReader(_CUT, xml.by_paths(_FIELDS, prepared=_prepared))
