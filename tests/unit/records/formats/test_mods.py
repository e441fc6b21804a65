import pytest
from hypothesis import given

from tandem.records.formats import reading
from tandem.records.formats.entry import Entry, Kind, Rejection
from tandem.records.formats.xml.mods import MODS
from unit.records.formats.tagged_lines import any_text, read

WHOLE = """<mods xmlns="http://www.loc.gov/mods/v3" ID="m1" version="3.7">
<titleInfo type="abbreviated"><title>Slp mem</title></titleInfo>
<titleInfo><nonSort>The </nonSort><title>sleep of memory</title><subTitle>a survey</subTitle>
</titleInfo>
<name type="personal"><namePart type="family">Okafor</namePart>
<namePart type="given">Ada</namePart><namePart type="date">1970-</namePart>
<role><roleTerm authority="marcrelator" type="code">aut</roleTerm></role></name>
<name type="personal"><namePart>Lind, Bo, 1950-</namePart>
<role><roleTerm type="text">Author</roleTerm></role></name>
<name type="personal"><namePart>Ray, Eve</namePart>
<role><roleTerm>translator</roleTerm></role></name>
<typeOfResource>text</typeOfResource><genre>journal article</genre>
<originInfo><dateIssued encoding="w3cdtf">2019-03</dateIssued></originInfo>
<language><languageTerm type="code" authority="iso639-2b">eng</languageTerm>
<languageTerm type="text">English</languageTerm></language>
<abstract>People sleep.</abstract>
<subject authority="lcsh"><topic>Sleep</topic><geographic>Norway</geographic></subject>
<subject><topic>memory</topic><topic>rest</topic></subject>
<relatedItem type="host"><titleInfo><title>Journal of rest</title></titleInfo>
<part><detail type="volume"><number>7</number></detail>
<detail type="issue"><number>2</number><caption>no.</caption></detail>
<extent unit="pages"><start>101</start><end>109</end></extent><date>2019</date></part></relatedItem>
<identifier type="issn">1234-5678</identifier><identifier type="doi">10.1234/Rest.7</identifier>
<identifier type="pmid">31234567</identifier>
<location><url>https://example.org/a</url></location>
<recordInfo><recordIdentifier source="X">r9</recordIdentifier></recordInfo></mods>"""


def only(text: str) -> Entry:
    (entry,) = read(MODS, text)
    assert isinstance(entry, Entry), entry
    return entry


def record(inner: str) -> Entry:
    return only(f"<mods><titleInfo><title>T</title></titleInfo>{inner}</mods>")


@pytest.mark.parametrize(
    "around", ["{}", "<modsCollection>{}</modsCollection>", "<a:x><m>{}</m></a:x>"]
)
def test_record_is_read_whole(around: str) -> None:
    assert only(around.format(WHOLE)) == Entry(
        title="The sleep of memory: a survey",
        abstract="People sleep.",
        authors=("Okafor, Ada", "Lind, Bo"),
        year=2019,
        journal="Journal of rest",
        volume="7",
        issue="2",
        pages="101-109",
        doi="10.1234/rest.7",
        pmid="31234567",
        url="https://example.org/a",
        keywords=("Sleep / Norway", "memory", "rest"),
        language="eng",
        ref="r9",
        raw=WHOLE,
        kind=Kind.ARTICLE,
    )


def test_prefixed_records_are_read() -> None:
    text = "<m:modsCollection><m:mods><m:titleInfo><m:title>A</m:title></m:titleInfo></m:mods>"
    text += "<m:mods><m:titleInfo><m:title>B</m:title></m:titleInfo></m:mods></m:modsCollection>"
    assert [e.title for e in read(MODS, text) if isinstance(e, Entry)] == ["A", "B"]


def test_names_without_a_role_are_authors_and_editors_stand_in() -> None:
    editor = "<name><namePart>Ray, Eve</namePart><role><roleTerm>edt</roleTerm></role></name>"
    assert record(editor).authors == ("Ray, Eve",)
    assert record(f"{editor}<name><namePart>Lind, Bo</namePart></name>").authors == ("Lind, Bo",)


def test_kind_without_a_genre_is_recognised_by_the_host() -> None:
    host = '<relatedItem type="host"><titleInfo><title>H</title></titleInfo>{}</relatedItem>'
    book = "<originInfo><issuance>monographic</issuance></originInfo>"
    assert record(host.format("")).kind is Kind.ARTICLE
    assert record(host.format(book)).kind is Kind.CHAPTER
    assert record(book).kind is Kind.BOOK
    assert record("").kind is None
    assert record("<genre>doctoral thesis</genre>").kind is Kind.THESIS


def test_title_of_a_series_or_host_is_not_the_records_own() -> None:
    text = (
        '<mods><relatedItem type="series"><titleInfo><title>S</title></titleInfo></relatedItem>'
        "<abstract>Something.</abstract></mods>"
    )
    assert only(text).title == ""


def test_broken_record_is_one_rejection() -> None:
    bad = WHOLE.replace("</abstract>", "")
    found = read(MODS, f"<modsCollection>{WHOLE}{bad}{WHOLE}</modsCollection>")
    assert [isinstance(each, Rejection) for each in found] == [False, True, False]


def test_format_is_recognised_by_the_content() -> None:
    assert reading.read(WHOLE.encode()).format == "mods"
    assert MODS.begins("<game><mods><mod/></mods></game>") is None


@given(any_text)
def test_any_text_within_is_read_or_rejected(text: str) -> None:
    found = read(MODS, WHOLE + WHOLE.replace("People sleep.", text) + WHOLE)
    assert isinstance(found[0], Entry)
    assert isinstance(found[-1], Entry)
    read(MODS, text)


def test_a_language_is_said_once() -> None:
    text = "<mods><titleInfo><title>T</title></titleInfo><language><languageTerm>eng</languageTerm>"
    assert only(text + "</language></mods>").language == "eng"
