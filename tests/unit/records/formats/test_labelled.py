import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.records.formats import reading
from tandem.records.formats.entry import Kind
from tandem.records.formats.tagged.labelled import LABELLED
from unit.records.formats.tagged_lines import any_line, any_text, only, read, titles

COCHRANE = """Record #1 of 2
ID: CN-00000007
AU: Lind B
AU: Okafor A
TI: Sleep and memory
SO: Journal of Rest
YR: 2019
VL: 7
NO: 2
PG: 101‐109
PM: PUBMED 31234567
PT: Journal article
KY: Adult; *Sleep [physiology]
DOI: 10.1234/rest.7
AB: AIM: To sleep. METHODS: We slept.
US: https://www.example.org/central/doi/10.1002/central/CN-00000007/full


Record #2 of 2
ID: CN-00000008
AU: NCT00000123,
TI: A trial of rest
SO: https://trials.example.org/NCT00000123
YR: 2020
PT: Trial registry record
"""
EMBASE = """RECORD 1
TITLE
Sleep and memory
AUTHOR NAMES
Lind B.
Okafor A.
SOURCE
Journal of Rest (2019) 7:2 (101-109). Date of Publication: 1 Mar 2019
ABSTRACT
Aim: To sleep. DNA was kept.
MEDLINE PMID
31234567 (http://www.example.org/pubmed/31234567)
PUI
L600000007
DOI
10.1234/rest.7
RECORD 2
TITLE
Another
PUI
L600000008
"""
PROQUEST = """____________________

Report Information from ProQuest
____________________

Document 1 of 2

Sleep and memory

Author: Lind, Bo; Okafor, Ada

Abstract: People sleep.

Results: They remember.

Subject: Sleep; Memory

Company: None of ours

Title: Sleep and memory

Publication title: Journal of Rest

Pages: 101-109

Publication year: 2019

DOI: http://dx.doi.org/10.1234/rest.7

ProQuest document ID: 2000000007

____________________

Document 2 of 2

Title: Another

Abstract: None available.

Publication year: 2020

____________________

Contact us at: http://www.example.org
"""
TEXTS = [COCHRANE, EMBASE, PROQUEST]


@pytest.mark.parametrize("text", TEXTS)
def test_each_is_recognised_by_its_content_and_read_whole(text: str) -> None:
    assert reading.read(text.encode()).format == "labelled"
    first, second = titles(LABELLED, text)
    assert first == "Sleep and memory"
    assert second in {"A trial of rest", "Another"}


def test_cochrane() -> None:
    entry = only(LABELLED, COCHRANE.partition("Record #2")[0])
    assert entry.authors == ("Lind B", "Okafor A")
    assert (entry.journal, entry.year, entry.volume, entry.issue) == (
        "Journal of Rest",
        2019,
        "7",
        "2",
    )
    assert (entry.pages, entry.doi, entry.pmid) == ("101-109", "10.1234/rest.7", "31234567")
    assert entry.abstract == "AIM: To sleep. METHODS: We slept."
    assert entry.keywords == ("Adult", "Sleep [physiology]")
    assert (entry.ref, entry.kind) == ("CN-00000007", Kind.ARTICLE)


def test_a_trials_number_and_address_are_neither_its_author_nor_its_journal() -> None:
    entry = only(LABELLED, COCHRANE.partition("\n\n\n")[2])
    assert (entry.authors, entry.journal, entry.kind) == ((), None, Kind.TRIAL)


def test_embase() -> None:
    entry = only(LABELLED, EMBASE.partition("RECORD 2")[0])
    assert entry.authors == ("Lind B.", "Okafor A.")
    assert (entry.journal, entry.volume, entry.issue) == ("Journal of Rest", "7", "2")
    assert (entry.pages, entry.year, entry.pmid) == ("101-109", 2019, "31234567")
    assert entry.abstract == "Aim: To sleep. DNA was kept."
    assert (entry.ref, entry.doi) == ("L600000007", "10.1234/rest.7")


def test_proquest() -> None:
    entry = only(LABELLED, PROQUEST.partition("Document 2")[0])
    assert entry.authors == ("Lind, Bo", "Okafor, Ada")
    assert entry.abstract == "People sleep. Results: They remember."
    assert entry.keywords == ("Sleep", "Memory")
    assert (entry.journal, entry.ref) == ("Journal of Rest", "2000000007")


def test_a_record_without_a_title_is_rejected_by_itself() -> None:
    text = COCHRANE + "\nRecord #3 of 3\nID: CN-00000009\nYR: 2020\n"
    found = read(LABELLED, text)
    assert [hasattr(item, "reason") for item in found] == [False, False, True]


def test_prose_under_such_a_line_is_none_of_these() -> None:
    assert LABELLED.begins("Record 1\nThis is a letter.\nYours: me\n") is None
    assert LABELLED.begins("TI: T\nAU: A\nYR: 2019\n") is None


_LINES = st.sampled_from(
    ["Record #1 of 2", "RECORD 1", "TITLE", "TI: T", "AU: A", "YR: 2019", "____"]
)


@given(st.lists(_LINES | any_line).map("\n".join) | any_text)
def test_any_text_is_read_without_fail(text: str) -> None:
    read(LABELLED, text)
