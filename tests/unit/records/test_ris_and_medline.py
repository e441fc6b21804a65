"""RIS and the files of PubMed, in all their dialects, record by record."""

import pytest

from tandem.records.formats.entry import Entry, Kind, Rejection
from unit.records.read_whole import NBIB, RIS, entries, everything, only


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
