import pytest
from hypothesis import given

from tandem.records.formats import reading
from tandem.records.formats.entry import Entry, Kind, Prior, Rejection
from tandem.records.formats.xml.endnote import ENDNOTE_XML
from unit.records.formats.tagged_lines import any_text, read


def styled(text: str) -> str:
    return f'<style face="normal" font="default" size="100%">{text}</style>'


WHOLE = f"""<record><database name="My.enl" path="C:\\My.enl">My.enl</database>
<source-app name="EndNote" version="20.2">EndNote</source-app><rec-number>12</rec-number>
<foreign-keys><key app="EN" db-id="x" timestamp="1">12</key></foreign-keys>
<ref-type name="Journal Article">17</ref-type><contributors>
<authors><author>{styled("Okafor, Ada")}</author><author>{styled("Lind, Bo")}</author></authors>
<secondary-authors><author>{styled("Ray, Eve")}</author></secondary-authors></contributors>
<titles><title>{styled("Effects of CO")}<style face="subscript" size="100%">2</style>{styled(" on")}
{styled("rest")}</title><secondary-title>{styled("Journal of Rest")}</secondary-title></titles>
<periodical><full-title>{styled("Journal of Rest")}</full-title><abbr-1>J Rest</abbr-1></periodical>
<pages>{styled("101-9")}</pages><volume>{styled("7")}</volume><number>{styled("2")}</number>
<keywords><keyword>{styled("sleep")}</keyword><keyword>{styled("older adults")}</keyword>
<keyword/></keywords>
<dates><year>{styled("2019")}</year><pub-dates><date>{styled("Mar 3")}</date></pub-dates></dates>
<isbn>{styled("1234-5678&#xD;8765-4321")}</isbn><accession-num>{styled("31234567")}</accession-num>
<abstract>{styled("People sleep.")}</abstract><notes>{styled("A note")}</notes>
<urls><related-urls><url>{styled("https://example.org/a")}</url></related-urls>
<pdf-urls><url>internal-pdf://1.pdf</url></pdf-urls></urls>
<electronic-resource-num>{styled("10.1234/Rest.7")}</electronic-resource-num>
<remote-database-name>{styled("PubMed")}</remote-database-name>
<language>{styled("eng")}</language></record>"""


def only(text: str) -> Entry:
    (entry,) = read(ENDNOTE_XML, text)
    assert isinstance(entry, Entry), entry
    return entry


def record(inner: str, kind: str = '<ref-type name="Journal Article">17</ref-type>') -> Entry:
    title = "" if "<title>" in inner else "<titles><title>T</title></titles>"
    return only(f"<xml><records><record>{kind}{title}{inner}</record></records></xml>")


def test_record_is_read_whole() -> None:
    assert only(f'<?xml version="1.0"?><xml><records>{WHOLE}</records></xml>') == Entry(
        title="Effects of CO2 on rest",
        abstract="People sleep.",
        authors=("Okafor, Ada", "Lind, Bo"),
        year=2019,
        journal="Journal of Rest",
        volume="7",
        issue="2",
        pages="101-9",
        doi="10.1234/rest.7",
        pmid="31234567",
        url="https://example.org/a",
        keywords=("sleep", "older adults"),
        language="eng",
        ref="31234567",
        raw=WHOLE,
        kind=Kind.ARTICLE,
    )


def test_values_need_no_style() -> None:
    entry = record(
        "<contributors><authors><author>Lind, B.</author></authors></contributors>"
        "<titles><title>Rest</title><secondary-title>A Journal</secondary-title></titles>"
        "<dates><year>2001-05</year></dates><urls><web-urls><url>http://example.org</url>"
        "</web-urls></urls>"
    )
    assert (entry.title, entry.journal, entry.year) == ("Rest", "A Journal", 2001)
    assert entry.authors == ("Lind, B.",)
    assert entry.url == "http://example.org"


def test_several_authors_and_keywords_on_lines_of_one_value_are_parted() -> None:
    entry = record(
        "<contributors><authors><author>Lind, B&#xD;Ray, E</author></authors></contributors>"
        "<keywords><keyword>sleep&#13;rest</keyword></keywords>"
    )
    assert entry.authors == ("Lind, B", "Ray, E")
    assert entry.keywords == ("sleep", "rest")


def test_editors_stand_in_for_authors() -> None:
    editors = "<secondary-authors><author>Ray, E</author></secondary-authors>"
    assert record(f"<contributors>{editors}</contributors>").authors == ("Ray, E",)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ('<ref-type name="Thesis">32</ref-type>', Kind.THESIS),
        ('<ref-type name="Book Section">5</ref-type>', Kind.CHAPTER),
        ('<ref-type name="Conference Proceedings">10</ref-type>', Kind.CONFERENCE),
        ("<ref-type>27</ref-type>", Kind.REPORT),
        ("<ref-type>Journal Article</ref-type>", Kind.ARTICLE),
        ("<rec-number>1</rec-number>", None),
    ],
)
def test_kind_is_the_name_of_the_type_or_its_number(kind: str, expected: Kind | None) -> None:
    assert record("", kind).kind is expected


def test_accession_number_of_another_database_is_no_pmid() -> None:
    other = "<remote-database-name>Embase</remote-database-name>"
    assert record(f"<accession-num>31234567</accession-num>{other}").pmid is None
    provider = "<remote-database-provider>NLM</remote-database-provider>"
    assert record(f"<accession-num>31234567</accession-num>{provider}").pmid == "31234567"
    assert record("<accession-num>31234567</accession-num>").pmid is None
    assert record("<notes>PMID: 31234567</notes>").pmid == "31234567"


def test_earlier_decisions_in_the_notes_are_kept() -> None:
    note = 'RAYYAN-INCLUSION: {"Ann"=>"Excluded"} | RAYYAN-EXCLUSION-REASONS: wrong outcome'
    assert record(f"<notes>{note.replace('>', '&gt;')}</notes>").priors == (
        Prior("exclude", "Ann", ("wrong outcome",)),
    )


def test_old_endnote_in_capitals_is_read() -> None:
    entry = only(
        "<XML><RECORDS><RECORD><REFERENCE_TYPE>0</REFERENCE_TYPE><REFNUM>5</REFNUM>"
        "<AUTHORS><AUTHOR>Lind, B.</AUTHOR></AUTHORS><YEAR>1999</YEAR><TITLE>Old rest</TITLE>"
        "<SECONDARY_TITLE>A Journal</SECONDARY_TITLE><VOLUME>3</VOLUME><PAGES>1-2</PAGES>"
        "<KEYWORDS><KEYWORD>sleep</KEYWORD></KEYWORDS><ABSTRACT>They rest.</ABSTRACT>"
        "<URL>http://example.org</URL></RECORD></RECORDS></XML>"
    )
    assert (entry.title, entry.journal, entry.year) == ("Old rest", "A Journal", 1999)
    assert (entry.authors, entry.keywords) == (("Lind, B.",), ("sleep",))
    assert (entry.kind, entry.volume, entry.pages) == (Kind.ARTICLE, "3", "1-2")
    assert (entry.ref, entry.abstract, entry.url) == ("5", "They rest.", "http://example.org")


def test_broken_record_is_one_rejection() -> None:
    bad = WHOLE.replace("</titles>", "")
    found = read(ENDNOTE_XML, f"<xml><records>{WHOLE}{bad}{WHOLE}</records></xml>")
    assert [isinstance(each, Rejection) for each in found] == [False, True, False]


@pytest.mark.parametrize(
    "other",
    [
        "<records><record><leader>x</leader></record></records>",
        "<records><record><header/><metadata/></record></records>",
        "<html><body>record ref-type</body></html>",
        '{"record": "<record><ref-type>"}',
    ],
)
def test_other_records_are_not_taken(other: str) -> None:
    assert ENDNOTE_XML.begins(other) is None


def test_format_is_recognised_by_the_content() -> None:
    assert reading.read(f"<xml><records>{WHOLE}</records></xml>".encode("utf-16")).format == (
        "endnote_xml"
    )


@given(any_text)
def test_any_text_within_is_read_or_rejected(text: str) -> None:
    found = read(ENDNOTE_XML, WHOLE + WHOLE.replace("People sleep.", text) + WHOLE)
    assert isinstance(found[0], Entry)
    assert isinstance(found[-1], Entry)
    read(ENDNOTE_XML, text)
