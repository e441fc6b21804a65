from hypothesis import given
from hypothesis import strategies as st

from tandem.records.formats import reading
from tandem.records.formats.entry import Kind, Rejection
from tandem.records.formats.xml.ebsco import EBSCO_XML
from unit.records.formats.tagged_lines import any_text, only, read, titles

RECORD = """<rec resultID="1"><header shortDbName="ccm" uiTerm="100000007"><controlInfo><bkinfo/>
<jinfo><jtl>Journal of Rest</jtl><issn>12345678</issn></jinfo>
<pubinfo><dt year="2019" month="03" day="01">Mar2019</dt><vid>7</vid><iid>2</iid></pubinfo>
<artinfo><ui type="doi">10.1234/rest.7</ui><ui type="pmid">NLM31234567</ui><ppf>101</ppf>
<ppct>9</ppct><tig><atl>Sleep &amp; memory</atl></tig>
<aug><au>Lind, Bo</au><au>Okafor, Ada</au><affil>Somewhere</affil></aug>
<sug><subj type="major">Sleep</subj><subj>Memory</subj></sug>
<ab>Aim: To sleep.</ab><pubtype>Academic Journal</pubtype><doctype>Article</doctype></artinfo>
<language>English</language></controlInfo><displayInfo><pLink><url>https://example.org/7</url>
</pLink></displayInfo></header></rec>"""


def file(*records: str) -> str:
    return f"<?xml version='1.0'?><records>{''.join(records)}</records>"


def test_a_record_is_read_whole() -> None:
    assert reading.read(file(RECORD).encode()).format == "ebsco_xml"
    entry = only(EBSCO_XML, file(RECORD))
    assert (entry.title, entry.abstract) == ("Sleep & memory", "Aim: To sleep.")
    assert entry.authors == ("Lind, Bo", "Okafor, Ada")
    assert (entry.journal, entry.year, entry.volume, entry.issue) == (
        "Journal of Rest",
        2019,
        "7",
        "2",
    )
    assert (entry.pages, entry.doi, entry.pmid) == ("101-109", "10.1234/rest.7", "31234567")
    assert entry.keywords == ("Sleep", "Memory")
    assert (entry.url, entry.language, entry.ref) == (
        "https://example.org/7",
        "English",
        "100000007",
    )
    assert entry.kind is Kind.ARTICLE


def test_the_number_of_a_record_of_medline_is_pubmeds() -> None:
    medline = RECORD.replace("ccm", "cmedm").replace("NLM31234567", "")
    medline = medline.replace("100000007", "31234567")
    assert only(EBSCO_XML, file(medline)).pmid == "31234567"


def test_a_damaged_record_spoils_no_other() -> None:
    found = read(EBSCO_XML, file(RECORD, RECORD.replace("</aug>", ""), RECORD))
    assert [isinstance(item, Rejection) for item in found] == [False, True, False]
    assert titles(EBSCO_XML, file(RECORD, RECORD)) == ["Sleep & memory"] * 2


@given(any_text, st.integers(0, len(RECORD)), st.integers(0, len(RECORD)))
def test_any_damage_is_survived(noise: str, start: int, end: int) -> None:
    read(EBSCO_XML, file(RECORD[:start] + noise + RECORD[end:], RECORD))
