"""PubMed's format "Abstract (text)": paragraphs of citation, title, authors and abstract.

A record begins with its number and where it was published: `1. Toys. 2019 Jan;12(3):1-9. doi: …`.
"""

import re

from tandem.records.formats.fields import FieldMap
from tandem.records.formats.tagged.dialect import Dialect
from tandem.records.formats.tagged.fields import Fields

_HEAD = r"^(?P<tag>[0-9]{1,6})(?=\. [^\n]{2,300}?(?:\.|\n)[ \n](?:19|20)[0-9]{2}\b)"
_PARAGRAPHS = re.compile(r"\n[^\S\n]*\n\s*")
_CITED = re.compile(
    r"[0-9]{1,6}\. (?P<journal>.{2,300}?)\. (?P<year>(?:19|20)[0-9]{2})[^;:.]{0,30}"
    r"(?:;(?P<volume>[^(:;. ]{1,20})?"
    r"(?:\((?P<issue>[^()]{1,30})\))?(?::(?P<pages>[^.;\s]{1,40}))?)?"
)
_NUMBERED = re.compile(r"\([0-9]{1,3}\)")
_IDENTIFIER = re.compile(r"^(DOI|PMID|PMCID): ?(\S+)", re.M)
_DOI = re.compile(r"doi: ?(10\.[0-9]{4,9}/\S+)", re.I)
_NO_ABSTRACT = re.compile(
    r"(?:author information|collaborators?|comment (?:in|on)|erratum in|update (?:in|of)"
    r"|copyright|©|conflict of interest|\(c\) ?[12]|doi:|pmid:|pmcid:|declaration of)",
    re.I,
)

_MAP = FieldMap(
    titles="title",
    abstracts="abstract",
    authors="author",
    dates="year",
    journals="journal",
    volume="volume",
    issue="issue",
    start="pages",
    dois="DOI",
    refs="PMID PMCID",
    pmids="PMID",
)


def _fields(dialect: Dialect, raw: str) -> Fields:
    fields = Fields()
    cited, *paragraphs = (" ".join(each.split()) for each in _PARAGRAPHS.split(raw.strip()))
    if found := _CITED.match(cited):
        for name, value in found.groupdict(default="").items():
            fields.add(name, value)
    title, authors, *rest = [*paragraphs, "", ""]
    fields.add("title", title)
    for name in _NUMBERED.sub("", authors).rstrip(".").split(","):
        fields.add("author", name)
    fields.add("abstract", " ".join(text for text in rest if not _NO_ABSTRACT.match(text)))
    for kind, value in _IDENTIFIER.findall(raw):
        fields.add(kind, value)
    for doi in _DOI.findall(cited):
        fields.add("DOI", doi)
    return fields


class _PubmedText(Dialect):
    def tag_of(self, line: str) -> str | None:
        """Return the name of an identifier or remark: a record ends with such."""
        found = _IDENTIFIER.match(line) or _NO_ABSTRACT.match(line)
        return found[0] if found else None


PUBMED_TEXT = _PubmedText(
    tells=re.compile(rf"{_HEAD}(?=[^\x00]{{0,20000}}?^PMID: [0-9])", re.M),
    opens=re.compile(_HEAD, re.M),
    line=re.compile(r"(?P<tag>(?!))(?P<value>)"),
    edge=_HEAD,
    always=frozenset({"0"}),
    fields=_fields,
    parts=lambda fields: _MAP.parts(fields.by_tag().get),
    renamed=lambda _: "0",
)
