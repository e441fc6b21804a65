"""Formats that are read since somebody sent a file in them."""

import io
import json
from zipfile import ZipFile

import pytest

from tandem.records.formats import reading
from tandem.records.formats.entry import Entry, Kind
from tandem.records.formats.reading import UnknownFormat


def entries(text: str, format: str) -> list[Entry]:
    result = reading.read(text.encode())
    assert result.format == format
    found = list(result.entries)
    assert all(isinstance(item, Entry) for item in found), found
    return [item for item in found if isinstance(item, Entry)]


def test_xml_of_ictrp() -> None:
    trial = (
        "<Trial><Internal_Number>1</Internal_Number><TrialID>ISRCTN12345678</TrialID>"
        "<Public_title>Naps for nurses</Public_title><Condition>Sleep</Condition>"
        "<Date_registration3>20200120</Date_registration3><Secondary_ID>NCT01234567</Secondary_ID>"
        "<web_address>https://www.isrctn.com/ISRCTN12345678</web_address></Trial>"
    )
    text = f"<?xml version='1.0'?><Trials>{trial * 2}</Trials>"
    entry, _ = entries(text, "ictrp_xml")
    assert (entry.title, entry.year, entry.kind) == ("Naps for nurses", 2020, Kind.TRIAL)
    assert entry.registry_ids == ("ISRCTN12345678", "NCT01234567")
    assert entry.keywords == ("Sleep",)


MODULES = {
    "identificationModule": {
        "nctId": "NCT01234567",
        "briefTitle": "Naps for nurses",
        "secondaryIdInfos": [{"id": "2019-000446-20", "type": "EUDRACT_NUMBER"}],
    },
    "descriptionModule": {"briefSummary": "Nurses nap."},
    "statusModule": {"startDateStruct": {"date": "2020-03"}},
    "conditionsModule": {"conditions": ["Sleep", "Shift work"]},
}


def test_json_of_clinicaltrials() -> None:
    study = {"protocolSection": MODULES, "hasResults": False}
    for text in (json.dumps({"totalCount": 1, "studies": [study]}), json.dumps([study])):
        (entry,) = entries(text, "json")
        assert (entry.title, entry.abstract, entry.year) == ("Naps for nurses", "Nurses nap.", 2020)
        assert (entry.ref, entry.kind) == ("NCT01234567", Kind.TRIAL)
        assert entry.registry_ids[0] == "NCT01234567"
        assert entry.keywords == ("Sleep", "Shift work")


def test_older_json_of_clinicaltrials() -> None:
    section = {
        "IdentificationModule": {"NCTId": "NCT01234567", "OfficialTitle": "Naps for nurses"},
        "ConditionsModule": {"ConditionList": {"Condition": ["Sleep"]}},
        "DescriptionModule": {"BriefSummary": "Nurses nap."},
    }
    studies = [{"Rank": 1, "Study": {"ProtocolSection": section}}]
    text = json.dumps({"FullStudiesResponse": {"APIVrs": "1", "FullStudies": studies}})
    (entry,) = entries(text, "json")
    assert (entry.title, entry.abstract) == ("Naps for nurses", "Nurses nap.")
    assert (entry.registry_ids, entry.keywords) == (("NCT01234567",), ("Sleep",))


def test_json_of_eppi_reviewer() -> None:
    item = {
        "Codes": [{"AttributeId": 1}],
        "ItemId": 7,
        "Title": "Naps",
        "ParentTitle": "Toy Sleep",
        "Authors": "Birch A ; Cedar B ; ",
        "Abstract": "Abs.",
        "Year": "2019",
        "TypeName": "Journal, Article",
        "DOI": "10.1000/x",
    }
    (entry,) = entries(json.dumps({"CodeSets": [{"SetName": "s"}], "References": [item]}), "json")
    assert (entry.title, entry.journal, entry.year) == ("Naps", "Toy Sleep", 2019)
    assert (entry.authors, entry.doi) == (("Birch A", "Cedar B"), "10.1000/x")
    assert (entry.kind, entry.ref) == (Kind.ARTICLE, "7")


def test_noteexpress() -> None:
    text = (
        "{Reference Type}: Journal Article\n{Title}: Naps\n{Author}: Birch, A;Cedar, B\n"
        "{Journal}: Toy Sleep\n{Year}: 2019\n{Pages}: 1-9\n{Abstract}: Nurses\nnap.\n\n"
        "{Reference Type}: Thesis\n{Title}: More naps\n{Author}: Elm, C\n"
    )
    first, second = entries(text, "noteexpress")
    assert (first.title, first.abstract, first.journal) == ("Naps", "Nurses nap.", "Toy Sleep")
    assert (first.authors, first.year, first.pages) == (("Birch, A", "Cedar, B"), 2019, "1-9")
    assert (second.title, second.kind) == ("More naps", Kind.THESIS)


def test_pubmeds_abstracts_as_text() -> None:
    text = """1. Toy Sleep. 2019 Jan 5;12(3):1-9. doi: 10.1000/x.

Naps of night nurses.

Birch A(1), Cedar B(2).

Author information:
(1)Department of Toys.
(2)Department of Rest.

BACKGROUND: Nurses nap.
They do.

RESULTS: Some.

DOI: 10.1000/x
PMID: 31000001 [Indexed for MEDLINE]


2. Rest. 2020;1:e5.

More naps.

Elm C.

PMID: 31000002
"""
    first, second = entries(text, "pubmed_text")
    assert (first.title, first.authors) == ("Naps of night nurses.", ("Birch A", "Cedar B"))
    assert first.abstract == "BACKGROUND: Nurses nap. They do. RESULTS: Some."
    assert (first.journal, first.year, first.volume, first.issue) == ("Toy Sleep", 2019, "12", "3")
    assert (first.pages, first.doi, first.pmid) == ("1-9", "10.1000/x", "31000001")
    assert (second.title, second.pmid, second.abstract) == ("More naps.", "31000002", "")


def test_jats() -> None:
    text = (
        '<?xml version="1.0"?><!DOCTYPE article PUBLIC "x" "y.dtd">'
        '<article article-type="research-article" xml:lang="en"><front><journal-meta>'
        "<journal-title-group><journal-title>Toy Sleep</journal-title></journal-title-group>"
        '</journal-meta><article-meta><article-id pub-id-type="doi">10.1000/x</article-id>'
        "<title-group><article-title>Naps</article-title></title-group><contrib-group>"
        '<contrib contrib-type="author"><name><surname>Birch</surname><given-names>Ann'
        "</given-names></name></contrib></contrib-group><pub-date><year>2019</year></pub-date>"
        "<abstract><p>Nurses nap.</p></abstract></article-meta></front><body><p>x</p></body>"
        "</article>"
    )
    (entry,) = entries(text, "jats_xml")
    assert (entry.title, entry.abstract, entry.authors) == ("Naps", "Nurses nap.", ("Birch, Ann",))
    assert (entry.doi, entry.year, entry.journal) == ("10.1000/x", 2019, "Toy Sleep")
    assert (entry.kind, entry.language) == (Kind.ARTICLE, "en")


def test_marc_in_json() -> None:
    record = {
        "leader": "00000nam a2200000 a 4500",
        "fields": [
            {"001": "7"},
            {"245": {"ind1": "1", "ind2": "0", "subfields": [{"a": "Naps :"}, {"b": "a book"}]}},
            {"100": {"ind1": "1", "ind2": " ", "subfields": [{"a": "Birch, Ann"}]}},
        ],
    }
    (entry,) = entries(json.dumps([record]), "marc_json")
    assert (entry.title, entry.authors, entry.kind) == ("Naps: a book", ("Birch, Ann",), Kind.BOOK)


@pytest.mark.parametrize(
    ("names", "advice"),
    [
        (["project.json", "data/x.csv"], "an ASReview project"),
        (["My Library.enl", "sdb/sdb.eni"], "a packed EndNote library"),
    ],
)
def test_projects_of_other_programs_are_named_with_what_to_do(
    names: list[str], advice: str
) -> None:
    packed = io.BytesIO()
    with ZipFile(packed, "w") as archive:
        for name in names:
            archive.writestr(name, "title\nT\n")
    with pytest.raises(UnknownFormat, match=f"{advice}.*: export"):
        reading.read(packed.getvalue())
