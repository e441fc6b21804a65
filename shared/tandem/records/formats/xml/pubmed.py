"""PubMed's XML, as its site, E-utilities and yearly files give it: articles and books."""

from collections.abc import Iterator
from dataclasses import replace

from lxml import etree
from lxml.etree import _Element as Element

from tandem.records.formats.assembly import Parts
from tandem.records.formats.entry import Kind
from tandem.records.formats.fields import FieldMap
from tandem.records.formats.xml import reader as xml
from tandem.records.formats.xml import tree

_SETS = xml.Cut(
    names="PubmedArticle|PubmedBookArticle",
    inside="MedlineCitation|BookDocument|ArticleTitle",
)
_CITATIONS = xml.Cut(names="MedlineCitation", inside="ArticleTitle")
"""A record in the files that MEDLINE was given out in before, and in some cut by hand."""

_ARTICLE = "MedlineCitation/Article"
_BOOK = "BookDocument"
_ISSUE = f"{_ARTICLE}/Journal/JournalIssue"
_DATES = (
    f"{_ISSUE}/PubDate {_BOOK}/Book/PubDate {_ARTICLE}/ArticleDate {_BOOK}/ContributionDate"
    " PubmedData/History/PubMedPubDate[@PubStatus='pubmed'] MedlineCitation/DateCreated"
)
_DOI = "ELocationID[@EIdType='doi']"
_DOI_ID = "ArticleIdList/ArticleId[@IdType='doi']"
_PMIDS = f"MedlineCitation/PMID {_BOOK}/PMID PubmedData/ArticleIdList/ArticleId[@IdType='pubmed']"

_FIELDS = FieldMap(
    titles=f"{_ARTICLE}/ArticleTitle {_ARTICLE}/VernacularTitle"
    f" {_BOOK}/ArticleTitle {_BOOK}/Book/BookTitle",
    dates=" ".join(f"{date}/Year {date}/MedlineDate" for date in _DATES.split()),
    journals=f"{_ARTICLE}/Journal/Title MedlineCitation/MedlineJournalInfo/MedlineTA"
    f" {_ARTICLE}/Journal/ISOAbbreviation",
    volume=f"{_ISSUE}/Volume {_BOOK}/Book/Volume",
    issue=f"{_ISSUE}/Issue",
    start="|".join(
        f"{part}/Pagination/{name}"
        for part in (_ARTICLE, _BOOK)
        for name in ("MedlinePgn", "StartPage")
    ),
    end=f"{_ARTICLE}/Pagination/EndPage|{_BOOK}/Pagination/EndPage",
    # Lists of what a record cites have DOIs, too.
    dois=f"{_ARTICLE}/{_DOI} {_BOOK}/{_DOI} {_BOOK}/Book/{_DOI}"
    f" PubmedData/{_DOI_ID} PubmedBookData/{_DOI_ID} {_BOOK}/{_DOI_ID}",
    pmids=_PMIDS,
    keywords=f"MedlineCitation/KeywordList/Keyword {_BOOK}/KeywordList/Keyword"
    " MedlineCitation/MeshHeadingList/MeshHeading/DescriptorName",
    language=f"{_ARTICLE}/Language {_BOOK}/Language",
    refs=_PMIDS,
    types=f"{_ARTICLE}/PublicationTypeList/PublicationType {_ARTICLE}/PublicationType"
    f" {_BOOK}/PublicationType",
    registered=f"{_ARTICLE}/DataBankList/DataBank/AccessionNumberList/*",
)


def _cut(text: str) -> xml.Cut:
    return _SETS if not xml.is_xml(text) or _SETS.begin.search(text) else _CITATIONS


def _prepared(record: Element) -> Element:
    """Return the record with the outer element that all have, less what is marked as wrong."""
    if record.tag == "MedlineCitation":
        record, citation = etree.Element("PubmedArticle"), record
        record.append(citation)
    for wrong in record.findall(".//*[@ValidYN='N']"):
        wrong.getparent().remove(wrong)  # type: ignore[union-attr]  # the root is not among them
    return record


def _refined(record: Element, parts: Parts) -> Parts:
    chapter = record.find(f"{_BOOK}/ArticleTitle") is not None
    books = tree.texts(record, f"{_BOOK}/Book/BookTitle")
    kind = parts.kind
    if books and kind in {None, Kind.ARTICLE, Kind.OTHER}:
        kind = Kind.CHAPTER if chapter else Kind.BOOK
    return replace(
        parts,
        titles=[title for title in parts.titles if title.strip(" .").lower() != "[not available]"],
        abstracts=_abstracts(record),
        authors=_authors(record),
        journals=(*parts.journals, *(books if chapter else ())),
        kind=kind,
    )


def _abstracts(record: Element) -> Iterator[str]:
    """Yield the abstract, then those in other languages or by other hands."""
    for path in (f"{_ARTICLE}/Abstract", f"{_BOOK}/Abstract", "MedlineCitation/OtherAbstract"):
        for abstract in record.iterfind(path):
            sections = [_section(each) for each in abstract.iterfind("AbstractText")]
            yield " ".join(filter(None, sections)) or tree.text_of(abstract)


def _section(element: Element) -> str:
    text, label = tree.text_of(element).strip(), element.get("Label", "").strip(" :")
    return f"{label}: {text}" if text and label and label.upper() != "UNLABELLED" else text


def _authors(record: Element) -> list[str]:
    """Return authors; editors where a book has none."""
    paths = (f"{_ARTICLE}/AuthorList", f"{_BOOK}/AuthorList", f"{_BOOK}/Book/AuthorList")
    lists = [names for path in paths for names in record.iterfind(path)]
    lists.sort(key=lambda names: names.get("Type", "authors") != "authors")
    named = ([*filter(None, map(_name, names.iterfind("Author")))] for names in lists)
    return next(filter(None, named), [])


def _name(author: Element) -> str:
    given = (
        f"{tree.first(author, 'ForeName', 'FirstName', 'Initials')} {tree.first(author, 'Suffix')}"
    )
    return tree.first(author, "CollectiveName") or tree.name(tree.first(author, "LastName"), given)


PUBMED_XML = xml.XmlReader(_cut, xml.by_paths(_FIELDS, _refined, _prepared))
