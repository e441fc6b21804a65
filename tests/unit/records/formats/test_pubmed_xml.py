import pytest
from hypothesis import given

from tandem.records.formats import reading
from tandem.records.formats.entry import Entry, Kind, Rejection
from tandem.records.formats.xml.pubmed import PUBMED_XML
from unit.records.formats.tagged_lines import any_text, read

ARTICLE = """<PubmedArticle><MedlineCitation Status="MEDLINE"><PMID Version="1">31234567</PMID>
<Article PubModel="Print"><Journal><JournalIssue CitedMedium="Print"><Volume>7</Volume>
<Issue>2</Issue><PubDate><Year>2019</Year><Month>Mar</Month></PubDate></JournalIssue>
<Title>Journal of rest</Title><ISOAbbreviation>J Rest</ISOAbbreviation></Journal>
<ArticleTitle>Sleep &amp; <i>memory</i>.</ArticleTitle>
<Pagination><MedlinePgn>101-9</MedlinePgn></Pagination>
<ELocationID EIdType="pii" ValidYN="Y">S1</ELocationID>
<ELocationID EIdType="doi" ValidYN="N">10.1234/wrong</ELocationID>
<ELocationID EIdType="doi" ValidYN="Y">10.1234/Rest.7</ELocationID>
<Abstract><AbstractText Label="AIM" NlmCategory="OBJECTIVE">To ask.</AbstractText>
<AbstractText Label="UNLABELLED">They slept (p&lt;0.05).</AbstractText></Abstract>
<AuthorList CompleteYN="Y"><Author ValidYN="Y"><LastName>Okafor</LastName>
<ForeName>Ada B</ForeName><Initials>AB</Initials><Suffix>Jr</Suffix>
<AffiliationInfo><Affiliation>Somewhere</Affiliation></AffiliationInfo></Author>
<Author ValidYN="N"><LastName>Mispelt</LastName><ForeName>A</ForeName></Author>
<Author ValidYN="Y"><CollectiveName>The Rest Group</CollectiveName></Author></AuthorList>
<Language>eng</Language><PublicationTypeList><PublicationType UI="D016428">Journal Article
</PublicationType></PublicationTypeList>
<VernacularTitle>Schlaf</VernacularTitle></Article>
<MeshHeadingList><MeshHeading><DescriptorName MajorTopicYN="Y">Sleep</DescriptorName>
<QualifierName>physiology</QualifierName></MeshHeading></MeshHeadingList>
<KeywordList Owner="NOTNLM"><Keyword MajorTopicYN="N">older adults</Keyword></KeywordList>
</MedlineCitation><PubmedData><ReferenceList><Reference><Citation>X</Citation><ArticleIdList>
<ArticleId IdType="doi">10.1234/cited</ArticleId></ArticleIdList></Reference></ReferenceList>
<ArticleIdList><ArticleId IdType="pubmed">31234567</ArticleId></ArticleIdList></PubmedData>
</PubmedArticle>"""

BOOK = """<PubmedBookArticle><BookDocument><PMID Version="1">20301295</PMID>
<ArticleIdList><ArticleId IdType="bookaccession">NBK1</ArticleId></ArticleIdList>
<Book><Publisher><PublisherName>A Press</PublisherName></Publisher>
<BookTitle book="rest">A Book of Rest</BookTitle><PubDate><Year>1993</Year></PubDate>
<AuthorList Type="editors"><Author><LastName>Ray</LastName><ForeName>Eve</ForeName></Author>
</AuthorList></Book><ArticleTitle book="rest" part="a">On naps</ArticleTitle>
<Language>eng</Language><AuthorList Type="authors"><Author><LastName>Lind</LastName>
<Initials>B</Initials></Author></AuthorList><PublicationType>Review</PublicationType>
<Abstract><AbstractText Label="SUMMARY">Naps help.</AbstractText></Abstract>
</BookDocument></PubmedBookArticle>"""

HEAD = """<?xml version="1.0" ?>
<!DOCTYPE PubmedArticleSet PUBLIC "-//NLM//DTD PubMedArticle//EN" "https://example.org/p.dtd">
"""


def only(text: str) -> Entry:
    (entry,) = read(PUBMED_XML, text)
    assert isinstance(entry, Entry), entry
    return entry


def article(inner: str, types: str = "Journal Article") -> Entry:
    return only(
        f"<PubmedArticle><MedlineCitation><PMID>1</PMID><Article>{inner}<PublicationTypeList>"
        f"<PublicationType>{types}</PublicationType></PublicationTypeList></Article>"
        "</MedlineCitation></PubmedArticle>"
    )


def test_article_is_read_whole() -> None:
    assert only(f"{HEAD}<PubmedArticleSet>\n{ARTICLE}\n</PubmedArticleSet>") == Entry(
        title="Sleep & memory.",
        abstract="AIM: To ask. They slept (p<0.05).",
        authors=("Okafor, Ada B Jr", "The Rest Group"),
        year=2019,
        journal="Journal of rest",
        volume="7",
        issue="2",
        pages="101-9",
        doi="10.1234/rest.7",
        pmid="31234567",
        url=None,
        keywords=("older adults", "Sleep"),
        language="eng",
        ref="31234567",
        raw=ARTICLE,
        kind=Kind.ARTICLE,
    )


def test_chapter_of_a_book_is_read() -> None:
    entry = only(f"{HEAD}<PubmedArticleSet>{BOOK}</PubmedArticleSet>")
    assert (entry.title, entry.journal, entry.year) == ("On naps", "A Book of Rest", 1993)
    assert entry.authors == ("Lind, B",)
    assert entry.abstract == "SUMMARY: Naps help."
    assert (entry.pmid, entry.kind) == ("20301295", Kind.CHAPTER)


def test_indentation_within_values_does_no_harm() -> None:
    indented = ARTICLE.replace("Journal Article\n", "\n  Published\n  Erratum\n")
    indented = indented.replace(">31234567<", ">\n  31234567\n<").replace("2019", "\n 2019\n ")
    entry = only(indented)
    assert (entry.pmid, entry.year, entry.kind) == ("31234567", 2019, Kind.ERRATUM)


def test_articles_and_books_are_read_in_their_order() -> None:
    found = read(PUBMED_XML, f"<PubmedArticleSet>{BOOK}{ARTICLE}{BOOK}</PubmedArticleSet>")
    assert [e.title for e in found if isinstance(e, Entry)] == [
        "On naps",
        "Sleep & memory.",
        "On naps",
    ]


def test_record_needs_no_set_around_it() -> None:
    assert only(ARTICLE).pmid == "31234567"


def test_citation_alone_is_a_record() -> None:
    citation = ARTICLE[ARTICLE.index("<MedlineCitation") : ARTICLE.index("<PubmedData>")]
    for text in (citation, f"<MedlineCitationSet>{citation}</MedlineCitationSet>"):
        assert only(text).title == "Sleep & memory."


@pytest.mark.parametrize(
    ("types", "kind"),
    [
        ("Retraction of Publication", Kind.RETRACTION),
        ("Retracted Publication", Kind.RETRACTION),
        ("Published Erratum", Kind.ERRATUM),
        ("Preprint", Kind.PREPRINT),
        ("Randomized Controlled Trial", Kind.ARTICLE),
    ],
)
def test_kind_is_what_tells_most(types: str, kind: Kind) -> None:
    both = f"Journal Article</PublicationType><PublicationType>{types}"
    assert article("<ArticleTitle>T</ArticleTitle>", both).kind is kind


def test_date_in_words_gives_its_year() -> None:
    date = "<PubDate><MedlineDate>1998 Dec-1999 Jan</MedlineDate></PubDate>"
    inner = f"<Journal><JournalIssue>{date}</JournalIssue></Journal><ArticleTitle>T</ArticleTitle>"
    assert article(inner).year == 1998


def test_title_in_its_own_language_stands_in_for_none() -> None:
    missing = "<ArticleTitle>[Not Available].</ArticleTitle>"
    assert article(f"{missing}<VernacularTitle>Schlaf</VernacularTitle>").title == "Schlaf"


def test_abstract_by_another_hand_stands_in_for_none() -> None:
    text = ARTICLE.replace("<Abstract>", "<Gone>").replace("</Abstract>", "</Gone>")
    other = '<OtherAbstract Type="{}" Language="{}"><AbstractText>{}</AbstractText></OtherAbstract>'
    others = other.format("Publisher", "eng", "Abstract available from the publisher.")
    others += other.format("AIDS", "fre", "Ils dorment.")
    assert only(text.replace("</MedlineCitation>", f"{others}</MedlineCitation>")).abstract == (
        "Ils dorment."
    )


def test_doi_of_what_is_cited_is_not_the_records_own() -> None:
    assert only(ARTICLE.replace('EIdType="doi"', 'EIdType="pii"')).doi is None


def test_page_ends_make_a_range() -> None:
    pages = "<Pagination><StartPage>5</StartPage><EndPage>9</EndPage></Pagination>"
    assert article(f"<ArticleTitle>T</ArticleTitle>{pages}").pages == "5-9"


def test_broken_article_is_one_rejection() -> None:
    bad = ARTICLE.replace("</Abstract>", "")
    found = read(PUBMED_XML, f"<PubmedArticleSet>{ARTICLE}{bad}{BOOK}</PubmedArticleSet>")
    assert [isinstance(each, Rejection) for each in found] == [False, True, False]


def test_format_is_recognised_by_the_content() -> None:
    assert reading.read((HEAD + ARTICLE).encode()).format == "pubmed_xml"


@given(any_text)
def test_any_text_within_is_read_or_rejected(text: str) -> None:
    found = read(PUBMED_XML, ARTICLE + ARTICLE.replace("To ask.", text) + ARTICLE)
    assert isinstance(found[0], Entry)
    assert isinstance(found[-1], Entry)
    read(PUBMED_XML, text)
