"""PubMed's XML, as its site, E-utilities and yearly files give it: articles and books."""

from collections.abc import Iterator

from lxml import etree
from lxml.etree import _Element as Element

from tandem.records.formats import kinds, normalise
from tandem.records.formats.assembly import Parts
from tandem.records.formats.entry import Kind
from tandem.records.formats.xml import reader as xml

_SETS = xml.Cut(
    names="PubmedArticle|PubmedBookArticle",
    inside="MedlineCitation|BookDocument|ArticleTitle",
)
_CITATIONS = xml.Cut(names="MedlineCitation", inside="ArticleTitle")
"""A record in the files that MEDLINE was given out in before, and in some cut by hand."""

_ARTICLE = "MedlineCitation/Article/"
_BOOK = "BookDocument/"
_NO_TITLE = "[not available]"
_NO_ABSTRACT = "abstract available"


def _cut(text: str) -> xml.Cut:
    return _SETS if not xml.is_xml(text) or _SETS.begin.search(text) else _CITATIONS


def _parts(record: Element) -> Parts:
    if record.tag == "MedlineCitation":
        record, citation = etree.Element("PubmedArticle"), record
        record.append(citation)
    journals = xml.texts(
        record,
        f"{_ARTICLE}Journal/Title",
        "MedlineCitation/MedlineJournalInfo/MedlineTA",
        f"{_ARTICLE}Journal/ISOAbbreviation",
    )
    pmids = xml.texts(
        record,
        "MedlineCitation/PMID",
        f"{_BOOK}PMID",
        "PubmedData/ArticleIdList/ArticleId[@IdType='pubmed']",
    )
    types = xml.texts(
        record,
        f"{_ARTICLE}PublicationTypeList/PublicationType",
        f"{_ARTICLE}PublicationType",
        f"{_BOOK}PublicationType",
    )
    chapters = xml.texts(record, f"{_BOOK}ArticleTitle")
    books = xml.texts(record, f"{_BOOK}Book/BookTitle")
    kind = kinds.of(types, journals)
    if books and kind in {None, Kind.ARTICLE, Kind.OTHER}:
        kind = Kind.CHAPTER if chapters else Kind.BOOK
    return Parts(
        titles=(*_titles(record), *chapters, *books),
        abstracts=_abstracts(record),
        authors=_authors(record),
        dates=_dates(record),
        journals=(*journals, *(books if chapters else ())),
        volume=xml.first(record, f"{_ARTICLE}Journal/JournalIssue/Volume", f"{_BOOK}Book/Volume"),
        issue=xml.first(record, f"{_ARTICLE}Journal/JournalIssue/Issue"),
        pages=_pages(record),
        dois=_dois(record),
        pmids=map(normalise.pmid, pmids),
        keywords=xml.texts(
            record,
            "MedlineCitation/KeywordList/Keyword",
            f"{_BOOK}KeywordList/Keyword",
            "MedlineCitation/MeshHeadingList/MeshHeading/DescriptorName",
        ),
        language="; ".join(xml.texts(record, f"{_ARTICLE}Language", f"{_BOOK}Language")),
        registered=xml.texts(record, f"{_ARTICLE}DataBankList/DataBank/AccessionNumberList/*"),
        refs=pmids,
        kind=kind,
    )


def _titles(record: Element) -> list[str]:
    titles = xml.texts(record, f"{_ARTICLE}ArticleTitle", f"{_ARTICLE}VernacularTitle")
    return [title for title in titles if title.strip(" .\n").lower() != _NO_TITLE]


def _abstracts(record: Element) -> Iterator[str]:
    """Yield the abstract, then those in other languages or by other hands."""
    for path in (f"{_ARTICLE}Abstract", f"{_BOOK}Abstract", "MedlineCitation/OtherAbstract"):
        for abstract in record.iterfind(path):
            sections = [_section(each) for each in abstract.iterfind("AbstractText")]
            text = " ".join(filter(None, sections)) or xml.text_of(abstract)
            if not (len(text) < 100 and _NO_ABSTRACT in text.lower()):
                yield text


def _section(element: Element) -> str:
    text, label = xml.text_of(element).strip(), element.get("Label", "").strip(" :")
    return f"{label}: {text}" if text and label and label.upper() != "UNLABELLED" else text


def _authors(record: Element) -> list[str]:
    """Return authors; editors where a book has none."""
    lists = list(record.iterfind(f"{_ARTICLE}AuthorList"))
    lists += record.iterfind(f"{_BOOK}AuthorList")
    lists += record.iterfind(f"{_BOOK}Book/AuthorList")
    lists.sort(key=lambda names: names.get("Type", "authors") != "authors")
    for names in lists:
        people = [each for each in names.iterfind("Author") if each.get("ValidYN") != "N"]
        if found := list(filter(None, map(_name, people))):
            return found
    return []


def _name(author: Element) -> str:
    if body := xml.first(author, "CollectiveName"):
        return body
    last, fore = (
        " ".join(xml.first(author, *paths).split())
        for paths in (("LastName",), ("ForeName", "FirstName", "Initials"))
    )
    if suffix := xml.first(author, "Suffix").strip():
        fore = f"{fore} {suffix}".strip()
    return ", ".join(filter(None, (last, fore)))


def _dates(record: Element) -> Iterator[str]:
    for path in (
        f"{_ARTICLE}Journal/JournalIssue/PubDate",
        f"{_BOOK}Book/PubDate",
        f"{_ARTICLE}ArticleDate",
        f"{_BOOK}ContributionDate",
        "PubmedData/History/PubMedPubDate[@PubStatus='pubmed']",
        "MedlineCitation/DateCreated",
    ):
        for date in record.iterfind(path):
            yield " ".join(xml.texts(date, "Year", "MedlineDate"))


def _pages(record: Element) -> tuple[str, str]:
    for path in (f"{_ARTICLE}Pagination", f"{_BOOK}Pagination"):
        if (pagination := record.find(path)) is not None:
            whole = xml.first(pagination, "MedlinePgn")
            return (
                (whole, "")
                if whole
                else (xml.first(pagination, "StartPage"), xml.first(pagination, "EndPage"))
            )
    return "", ""


def _dois(record: Element) -> list[str]:
    """Return the record's own DOIs: lists of what it cites have some too."""
    places = [
        each
        for path in (f"{_ARTICLE}ELocationID", f"{_BOOK}ELocationID", f"{_BOOK}Book/ELocationID")
        for each in record.iterfind(path)
        if each.get("EIdType") == "doi" and each.get("ValidYN") != "N"
    ]
    for path in ("PubmedData", "PubmedBookData", "BookDocument"):
        places += record.iterfind(f"{path}/ArticleIdList/ArticleId[@IdType='doi']")
    return [xml.text_of(place) for place in places]


PUBMED_XML = xml.XmlReader(_cut, _parts)
