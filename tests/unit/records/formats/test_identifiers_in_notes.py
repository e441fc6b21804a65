"""A note may name the record's own DOI and PubMed number; another article's is worse than none."""

import pytest

from tandem.records.formats import normalise
from tandem.records.formats.assembly import Parts, assemble
from tandem.records.formats.entry import Entry


@pytest.mark.parametrize(
    "note",
    [
        "Cited by PMID: 22222222",
        "same data as PMID: 22222222",
        "Comment in: Toys. 2019; doi: 10.1016/j.toys.2019.01.001",
        "Erratum in: doi:10.1000/other",
        "cites the same data as doi 10.1001/other",
        "Compare with the trial, doi: 10.1000/other",
    ],
)
def test_a_note_on_another_article_gives_no_identifier(note: str) -> None:
    assert list(normalise.named_pmids([note])) == []
    assert list(normalise.named_dois([note])) == []


@pytest.mark.parametrize(
    ("note", "pmid", "doi"),
    [
        ("PMID: 123456", "123456", None),
        ("Toys International PMID: 123456", "123456", None),
        ("Epub 2019 Jan 3. doi: 10.1000/own", None, "10.1000/own"),
        ("Comment in: Toys 2019\nPMID: 123456", "123456", None),
        ("Accession Number: 1. Entry Date: 20190101. PMID: NLM123456.", "123456", None),
    ],
)
def test_a_note_on_the_record_names_its_own(note: str, pmid: str | None, doi: str | None) -> None:
    entry = assemble(1, "", Parts(titles=["Toys"], notes=[note]))
    assert isinstance(entry, Entry)
    assert (entry.pmid, entry.doi) == (pmid, doi)


def test_the_records_own_page_goes_before_its_notes() -> None:
    urls = ["https://pubmed.ncbi.nlm.nih.gov/11111111/"]
    entry = assemble(1, "", Parts(titles=["Toys"], urls=urls, notes=["PMID: 22222222"]))
    assert isinstance(entry, Entry)
    assert entry.pmid == "11111111"
