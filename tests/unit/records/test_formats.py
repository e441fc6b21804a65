import codecs
from collections.abc import Iterator
from itertools import islice

import pytest

from tandem.records.formats import normalise, reading
from tandem.records.formats.entry import Entry, Kind, Rejection
from tandem.records.formats.people import split_names, split_terms
from tandem.records.formats.reading import EmptyFile, Format, UnknownFormat

RIS = """TY  - JOUR
TI  - Sleep and memory in older adults
AU  - Okafor, Ada
AU  - Lind, Bo
PY  - 2019///
JF  - Journal of Rest
VL  - 7
IS  - 2
SP  - 101
EP  - 109
DO  - https://doi.org/10.1234/Rest.2019.7.
AB  - Background: people sleep.
Methods: we asked them.
KW  - sleep
memory
UR  - https://example.org/a;b
LA  - English
AN  - R-1
ER  -
"""

NBIB = """PMID- 01234567
OWN - NLM
DP  - 2018 Apr
TI  - Walking after surgery: a
      trial.
LID - 10.1234/walk.18 [doi]
PG  - 11-9
AB  - BACKGROUND: Walking
      helps.
FAU - Rossi, Carla
AU  - Rossi C
FAU - Wang, Yu
AU  - Wang Y
LA  - eng
JT  - Annals of walking
VI  - 3
OT  - gait
MH  - Aged
MH  - *Walking/physiology

"""


def entries(text: str | bytes, format: Format | None = None) -> list[Entry]:
    found = everything(text, format)
    assert all(isinstance(item, Entry) for item in found), found
    return [item for item in found if isinstance(item, Entry)]


def everything(text: str | bytes, format: Format | None = None) -> list[Entry | Rejection]:
    result = reading.read(text.encode() if isinstance(text, str) else text, format)
    found = list(result.entries)
    assert len(found) == result.total
    return found


def only(text: str | bytes) -> Entry:
    (entry,) = entries(text)
    return entry


def test_ris_record_is_read_whole() -> None:
    assert only(RIS) == Entry(
        title="Sleep and memory in older adults",
        abstract="Background: people sleep. Methods: we asked them.",
        authors=("Okafor, Ada", "Lind, Bo"),
        year=2019,
        journal="Journal of Rest",
        volume="7",
        issue="2",
        pages="101-109",
        doi="10.1234/rest.2019.7",
        pmid=None,
        url="https://example.org/a;b",
        keywords=("sleep", "memory"),
        language="English",
        ref="R-1",
        raw=RIS.removesuffix("ER  -\n").strip(),
        kind=Kind.ARTICLE,
    )


def test_medline_record_is_read_whole() -> None:
    assert only(NBIB) == Entry(
        title="Walking after surgery: a trial.",
        abstract="BACKGROUND: Walking helps.",
        authors=("Rossi, Carla", "Wang, Yu"),
        year=2018,
        journal="Annals of walking",
        volume="3",
        issue=None,
        pages="11-9",
        doi="10.1234/walk.18",
        pmid="1234567",
        url=None,
        keywords=("gait", "Aged", "Walking"),
        language="eng",
        ref="01234567",
        raw=NBIB.strip(),
    )


@pytest.mark.parametrize(
    ("record", "title"),
    [
        ("TY - JOUR\nTI - One space\nER -\n", "One space"),
        ("TY  -JOUR\nTI  -No space after\nER  -\n", "No space after"),
        ("TY  - JOUR\nT1  - Another tag\nER  - \n", "Another tag"),
        ("TY  - BOOK\nBT  - A book\nER  - \n", "A book"),
        ("TY  – JOUR\nTI  – Dashes by a word processor\nER  – \n", "Dashes by a word processor"),
        ("  TY  - JOUR\n  TI  - Indented\n  ER  - \n", "Indented"),
        ("TY  - JOUR\nTI  - No end", "No end"),
        ("TY  - JOUR\nTI  -\nT1  - The second is filled\nER  -", "The second is filled"),
        ("1.\nProvider: X\n\nTY  - JOUR\nTI  - After junk\nER  -", "After junk"),
        ("TY  - JOUR\nTI  - Going\n      on\n\n  twice\nER  -", "Going on twice"),
        ("TY  - JOUR\nTI  - First\nTI  - Repeated\nER  -", "First"),
    ],
)
def test_dialects_of_ris(record: str, title: str) -> None:
    assert only(record).title == title


def test_a_missing_end_or_beginning_costs_no_record() -> None:
    text = (
        "TY  - JOUR\nTI  - Without end\n"
        "TY  - JOUR\nTI  - Whole\nER  - \nRecord #3\n"
        "TI  - Without type\nER  - \n"
        "TY  - JOUR\nTI  - Last"
    )
    assert [e.title for e in entries(text)] == ["Without end", "Whole", "Without type", "Last"]


def test_text_between_records_is_no_part_of_them() -> None:
    text = RIS + "\nRecord #2\nProvider: X\n2.\n" + RIS
    assert entries(text) == [only(RIS)] * 2


@pytest.mark.parametrize(
    ("lines", "pmid"),
    [
        ("DB  - PubMed\nAN  - 31234567", "31234567"),
        ("DP  - NLM\nAN  - 31234567", "31234567"),
        ("AN  - 31234567", None),
        ("DB  - MEDLINE\nAN  - 2214991469", None),
        ("AN  - MEDLINE:31234567", "31234567"),
        ("DB  - Embase\nDB  - Medline\nC5  - 31234567", "31234567"),
        ("C7  - 31234567", None),
        ("C3  - PUBMED 31234567", "31234567"),
        ("PMID  - 31234567", "31234567"),
        ("UR  - https://pubmed.ncbi.nlm.nih.gov/31234567/", "31234567"),
    ],
)
def test_pubmed_number_of_ris_only_when_certain(lines: str, pmid: str | None) -> None:
    assert only(f"TY  - JOUR\nTI  - T\n{lines}\nER  - \n").pmid == pmid


@pytest.mark.parametrize(
    "line",
    [
        "M3  - doi: 10.1234/abc",
        "UR  - http://dx.doi.org/10.1234/ABC",
        "UR  - https://index.example/r?eid=1&doi=10.1234%2fabc&key=2",
        "L3  - 10.1234/abc",
    ],
)
def test_doi_of_ris_outside_its_own_tag(line: str) -> None:
    assert only(f"TY  - JOUR\nTI  - T\n{line}\nER  - \n").doi == "10.1234/abc"


def test_a_bad_record_is_rejected_alone() -> None:
    found = everything(RIS + "TY  - JOUR\nKW  - nothing else\nER  - \n" + RIS)

    assert isinstance(found[0], Entry)
    assert isinstance(found[2], Entry)
    assert found[1] == Rejection(2, "no title and no abstract", "TY - JOUR KW - nothing else")


def test_a_record_longer_than_any_is_rejected() -> None:
    endless = "TY  - JOUR\nTI  - T\nAB  - " + "word " * 250_000
    (rejection,) = everything(endless)
    assert isinstance(rejection, Rejection)
    assert rejection.reason == "longer than 1,000,000 characters"
    assert len(rejection.excerpt) == 200


@pytest.mark.parametrize(
    "line",
    [
        "IS  - not an ISSN",
        "AID - S1-2",
        "AID - https://doi.example/x",
        "PHST- whenever",
        "DEP - soon",
        "ISSN - ISSN-1234-5678",
        "GIBBERISH WITHOUT A TAG",
        "AB  - ",
    ],
)
def test_medline_lines_the_library_refuses_cost_nothing(line: str) -> None:
    entry = only(NBIB.replace("DP  -", f"{line}\nDP  -"))
    assert entry.title == "Walking after surgery: a trial."
    assert entry.doi == "10.1234/walk.18"
    assert entry.abstract == "BACKGROUND: Walking helps."


def test_medline_records_part_at_their_heads() -> None:
    other = NBIB.replace("01234567", "7654321").strip()
    within = NBIB.replace("FAU - Rossi", "\nFAU - Rossi")  # a blank line that parts nothing

    assert [e.pmid for e in entries(within + other + "\n" + NBIB)] == [
        "1234567", "7654321", "1234567"
    ]  # fmt: skip
    assert [e.authors[0] for e in entries(within)] == ["Rossi, Carla"]


def test_medline_of_other_makers() -> None:
    eric = "OWN - ERIC\nTI  - Schools\nAU  - Smith, Tom\nOID - EJ1\n\n"
    pmc = "PMC - PMC1\nPMID- 5\nTI  - Open\n\n"

    assert [(e.title, e.authors, e.ref) for e in entries(eric * 2)] == [
        ("Schools", ("Smith, Tom",), "EJ1")
    ] * 2
    assert [e.pmid for e in entries(pmc + pmc)] == ["5", "5"]


def test_medline_falls_back_to_other_fields() -> None:
    text = "PMID- 5\nBTI - A book\nOAB - Ein Abstract\nCN  - The Group\nDEP - 20200131\n"
    entry = only(text)
    assert (entry.title, entry.abstract) == ("A book", "Ein Abstract")
    assert (entry.authors, entry.year) == (("The Group",), 2020)
    assert only(text.replace("Ein", "Publisher: Abstract available")).abstract == ""


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_table_with_any_delimiter(delimiter: str) -> None:
    rows = [
        ["Record_ID", "Document Title", "AUTHORS", "Publication Year", "Page Start", "Page End"],
        ["7", '"One, two; three\tfour ""five""\nsix"', '"Lim SM; Xu L"', "2020.0", "3", "9"],
    ]
    entry = only("\n".join(delimiter.join(row) for row in rows))
    assert entry.title == 'One, two; three four "five" six'
    assert (entry.ref, entry.year, entry.pages) == ("7", 2020, "3-9")
    assert entry.authors == ("Lim SM", "Xu L")


def test_table_of_web_of_science() -> None:
    text = (
        "PT\tAU\tTI\tSO\tDE\tID\tAB\tPY\tVL\tBP\tEP\tDI\tUT\tPM\t\n"
        'J\tLim, S; Xu, L\t"Quoted" beginning\tSLEEP\ta; b\tPLUS\tText.\t2001\t3\t4\t5'
        "\t10.1234/X\tWOS:1\t12\t\n"
    )
    entry = only(codecs.BOM_UTF16_LE + text.encode("utf-16-le"))
    assert entry.title == '"Quoted" beginning'
    assert (entry.ref, entry.pmid, entry.doi) == ("WOS:1", "12", "10.1234/x")
    assert (entry.journal, entry.pages) == ("SLEEP", "4-5")


def test_table_with_notes_before_the_header() -> None:
    note, entry = everything('sep=;\n"About the data: exported, today"\n\nTitle;Abstract\nT;A\n')
    assert isinstance(note, Rejection)
    assert note.excerpt == '"About the data: exported, today"'
    assert isinstance(entry, Entry)
    assert entry.title == "T"


def test_a_note_that_there_is_no_abstract_is_none() -> None:
    assert only("title,abstract\nT,[No abstract available]\n").abstract == ""


def test_embase_keeps_everything_in_one_column() -> None:
    entry = only(
        "Title,Source\nT,Cancer (2004) 102:4 (253-258). Date of Publication: 25 Aug 2004\n"
    )
    assert (entry.journal, entry.year, entry.volume) == ("Cancer", 2004, "102")
    assert (entry.issue, entry.pages) == ("4", "253-258")


def test_rows_of_other_lengths_than_the_header() -> None:
    found = everything(
        "title,abstract,year\nShort\nA,B,2020,,\nA,B,2020,extra\n,,\n\n,,2020\nZ,,\n"
    )

    assert [item.title if isinstance(item, Entry) else item.reason for item in found] == [
        "Short",
        "A",
        "more fields than the header's 3 columns",
        "no title and no abstract",
        "Z",
    ]


def test_a_header_short_of_a_column_loses_only_what_it_misnames() -> None:
    row = "T{},2020,10.1234/{},mystery,English,X{}\n"
    found = entries("title,year,doi,language,id\n" + "".join(row.format(n, n, n) for n in range(9)))
    assert [e.title for e in found] == [f"T{n}" for n in range(9)]
    assert {(e.year, e.language, e.ref) for e in found} == {(2020, None, None)}

    misplaced = "Part one, part two,Abstract,2020\n" * 9  # the stray comma is in the title
    assert all(
        isinstance(item, Rejection) for item in everything("title,abstract,year\n" + misplaced)
    )


def test_a_quotation_mark_left_open_swallows_no_rows() -> None:
    rows = "".join(f'"T{n}","A{n}",{n}\n' for n in range(1, 4))
    found = everything(f'title,abstract,id\n{rows}"open,"B",4\n"open, and more,x,y,9\n{rows}')

    assert [item.title for item in found if isinstance(item, Entry)] == [
        *("T1", "T2", "T3", '"open', "T1", "T2", "T3"),
    ]
    assert [(r.position, r.reason) for r in found if isinstance(r, Rejection)] == [
        (5, "a quotation mark is opened that is not closed")
    ]


def test_a_table_without_a_title_column_is_not_ours() -> None:
    with pytest.raises(UnknownFormat, match="begins with 'name,abstract,year x,y,2020'"):
        reading.read(b"name,abstract,year\nx,y,2020\n", None)


def test_a_header_alone_is_a_table_of_no_records() -> None:
    result = reading.read(b"title,abstract\n", None)
    assert (result.format, result.total, list(result.entries)) == ("csv", 0, [])


@pytest.mark.parametrize(
    "encoding",
    ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "mac_roman"],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r", "\r\r\n"])
def test_any_encoding_and_line_end(encoding: str, newline: str) -> None:
    sentence = "Étude de l'efficacité du traitement à l'hôpital chez les élèves âgés"
    text = RIS.replace("Sleep and memory in older adults", sentence).replace("\n", newline)
    assert only(text.encode(encoding)).title == sentence


def test_encodings_of_other_scripts() -> None:
    for encoding, title in (
        ("cp1251", "Исследование эффективности лечения больных"),
        ("gb18030", "糖尿病患者的系统评价与荟萃分析研究结果"),
    ):
        assert only(f"TY  - JOUR\nTI  - {title}\nER  - \n".encode(encoding)).title == title


def test_single_bytes_that_are_not_utf8_spoil_nothing_else() -> None:
    text = "TY  - JOUR\nTI  - Éé ąę 中文\nAB  - caf".encode() + b"\xe9\nER  - \n"
    entry = only(text)
    assert (entry.title, entry.abstract) == ("Éé ąę 中文", "café")


@pytest.mark.parametrize("first", ["utf-8", "cp1251"])
def test_a_file_in_two_encodings_is_read_in_both(first: str) -> None:
    title = "Исследование эффективности лечения больных"
    one = f"TY  - JOUR\nTI  - {title}\nER  - \n"
    second = "cp1251" if first == "utf-8" else "utf-8"
    found = entries(one.encode(first) * 3 + one.encode(second) * 3)
    assert [e.title for e in found] == [title] * 6


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"%PDF-1.7\n%\xe2\xe3", "a PDF"),
        (b"PK\x03\x04\x14\x00 xl/workbook.xml", "an Excel workbook"),
        (b"PK\x03\x04\x14\x00 other", "a zip archive"),
        (b"\x89PNG\r\n\x1a\n", "an image"),
        (b"SQLite format 3\x00" + b"\x10\x00", "a database, such as a library of EndNote"),
        (b"PK\x03\x04\x14\x00 My.Data/sdb/sdb.eni", "a packed EndNote library"),
        (b"Dear colleague, here they are.", "text without field tags"),
        (b"name,year\nx,2020\n", "a table without titles"),
        (bytes(range(32)) * 20, "binary data"),
        (b"\x00" * 500, "binary data"),
        (b"<?xml version='1.0'?><records/>", "XML"),
        (b"<!DOCTYPE html><html></html>", "a web page"),
        (b'[{"name": "T"}]', "JSON"),
    ],
)
def test_other_kinds_of_file_are_named(data: bytes, kind: str) -> None:
    with pytest.raises(UnknownFormat, match=f"looks like {kind}") as caught:
        reading.read(data, None)
    assert caught.value.code == "unknown_format"
    # What it is and what to do come first, then the formats that are read.
    first, _, rest = str(caught.value).partition(". Found neither ")
    assert first.startswith("This file looks like ")
    assert ": " in first
    assert "TY  - JOUR" in rest
    assert "title column" in str(caught.value)


@pytest.mark.parametrize("data", [b"", b" \r\n\t", codecs.BOM_UTF8, codecs.BOM_UTF16_LE])
@pytest.mark.parametrize("format", [None, "ris", "nbib", "csv"])
def test_an_empty_file_is_said_to_be_empty(data: bytes, format: Format | None) -> None:
    with pytest.raises(EmptyFile) as caught:
        reading.read(data, format)
    assert caught.value.code == "empty_file"


def test_the_format_shows_in_the_content() -> None:
    assert reading.read(RIS.encode()).format == "ris"
    assert reading.read(NBIB.encode()).format == "nbib"
    assert reading.read(b"title\nA\n").format == "csv"
    assert reading.read(b"TY  - JOUR\nKW  - title, abstract\nPMID- 5\nER  - ").format == "ris"
    assert reading.read(b"title,notes\nT,TY  - JOUR\n").format == "csv"


@pytest.mark.parametrize(
    ("text", "format"), [(RIS, "nbib"), (RIS, "csv"), (NBIB, "ris"), ("title\nT", "ris")]
)
def test_a_file_that_is_not_what_it_is_said_to_be(text: str, format: Format) -> None:
    with pytest.raises(UnknownFormat, match="Found no"):
        reading.read(text.encode(), format)


def test_records_are_parsed_as_they_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed = 0
    original = normalise.clean_raw

    def counting(text: str) -> str:
        nonlocal parsed
        parsed += 1
        return original(text)

    monkeypatch.setattr(normalise, "clean_raw", counting)
    result = reading.read((RIS * 1000).encode(), "ris")
    found: Iterator[Entry | Rejection] = islice(result.entries, 3)

    assert len(list(found)) == 3
    assert (result.total, parsed) == (1000, 3)


def test_what_a_database_refuses_is_taken_out_everywhere() -> None:
    entry = only(RIS.replace("Sleep", "Sl\x00e\x07ep").replace("Rest", "Re\x00st"))
    assert entry.title == "Sleep and memory in older adults"
    assert entry.journal == "Journal of Rest"
    assert "\x00" not in entry.raw


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("<jats:title>Background</jats:title><jats:p>CO<sub>2</sub></jats:p>", "Background CO2"),
        ('<AbstractText Label="METHODS">We did.</AbstractText>', "METHODS: We did."),
        ("p &lt; 0.05 &amp; q", "p < 0.05 & q"),
        ("p &amp;lt; 0.05", "p < 0.05"),
        ("&lt;i&gt;E. coli&lt;/i&gt;", "E. coli"),
        ("if a<b and c>d or x <5 and y> 3", "if a<b and c>d or x <5 and y> 3"),
        ("a&copy=2", "a&copy=2"),
        ("\x93quoted\x94 soft\xadhyphen\ufeff", "“quoted” softhyphen"),
        (" a \t\n\u2028 b\x85c ", "a b c"),
        ("lone \ud800 surrogate", "lone surrogate"),
    ],
)
def test_cleaning(text: str, cleaned: str) -> None:
    assert normalise.clean(text) == cleaned


@pytest.mark.parametrize(
    ("text", "doi"),
    [
        ("10.1234/ABC", "10.1234/abc"),
        ("doi:10.1234/abc.", "10.1234/abc"),
        ("DOI: https://doi.org/10.1234/abc?x=1", "10.1234/abc"),
        ("10.1234/abc [doi]", "10.1234/abc"),
        ("10.1016/S0140-6736(05)12345-6)", "10.1016/s0140-6736(05)12345-6"),
        ("10.1002/(SICI)1097(1999)9:1<1::AID-X>3.0.CO;2-B",
         "10.1002/(sici)1097(1999)9:1<1::aid-x>3.0.co;2-b"),
        ("https://publisher.example/doi/full/10.1234/abc", "10.1234/abc"),
        ("10.12/abc", None),
        ("10.1234/", None),
        ("see 10.1234/abc for more", None),
        ("10.1234/" + "x" * 400, None),
    ],
)  # fmt: skip
def test_doi(text: str, doi: str | None) -> None:
    assert normalise.doi(text) == doi


@pytest.mark.parametrize(
    ("text", "pmid"),
    [
        ("00123", "123"),
        ("PMID: 123", "123"),
        ("123.0", "123"),
        ("0", None),
        ("12345678901", None),
        ("12a", None),
        ("١٢٣", None),
    ],
)
def test_pmid(text: str, pmid: str | None) -> None:
    assert normalise.pmid(text) == pmid


@pytest.mark.parametrize(
    ("text", "year"),
    [
        ("2019///", 2019),
        ("2019 Jan", 2019),
        ("4-8 Aug. 2020", 2020),
        ("Start date: 20170812", 2017),
        ("201708", 2017),
        ("10 15", None),
        ("0999 and 2101", None),
        ("123456789", None),
    ],
)
def test_year(text: str, year: int | None) -> None:
    assert normalise.year(text) == year


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Lim SM, Shiau CWC, Lau Y.", ["Lim SM", "Shiau CWC", "Lau Y"]),
        ("Liu R., Adler D.G.", ["Liu R.", "Adler D.G."]),
        ("Okafor, Ada; Lind, Bo", ["Okafor, Ada", "Lind, Bo"]),
        ("Okafor, Ada and Lind, Bo", ["Okafor, Ada", "Lind, Bo"]),
        ("Okafor, A., Lind, B.", ["Okafor, A.", "Lind, B."]),
        ("Okafor, Ada", ["Okafor, Ada"]),
        ("Murata T.", ["Murata T."]),
        ("['Okafor, Ada', 'Lind, Bo']", ["Okafor, Ada", "Lind, Bo"]),
    ],
)
def test_names_of_one_cell(text: str, names: list[str]) -> None:
    assert [name.strip() for name in split_names(text)] == names


def test_terms_of_one_cell() -> None:
    assert normalise.terms(split_terms("cyst (diagnosis, surgery), adult, Adult")) == (
        "cyst (diagnosis, surgery)",
        "adult",
    )
