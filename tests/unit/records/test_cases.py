"""Small files out of public reports that were once read wrongly, each with what it must give.

What two records come to as duplicates is tested beside the duplicates.
"""

from pathlib import Path

import pytest

from tandem.records.formats import reading
from tandem.records.formats.entry import Entry, Kind, Prior

CASES = Path(__file__).parent / "cases"


def entries(name: str) -> list[Entry]:
    found = list(reading.read((CASES / name).read_bytes()).entries)
    assert all(isinstance(item, Entry) for item in found), found
    return [item for item in found if isinstance(item, Entry)]


def test_fields_may_stand_before_the_type() -> None:
    found = entries("f04_ty_not_first.ris")
    assert [(e.title, e.abstract, e.authors, e.year, e.journal) for e in found] == [
        ("First title", "First abstract", ("Birch, A",), 2019, "Toys"),
        ("Second title", "Second abstract", ("Cedar, B",), 2020, "Toys"),
    ]


def test_na_is_no_abstract() -> None:
    assert [e.abstract for e in entries("i_na_richest.csv")] == [
        "",
        "The real abstract of the study.",
    ]


def test_fields_that_say_na_are_empty() -> None:
    (entry,) = entries("l01_mrbirch_na.ris")
    assert entry.title == "Naps of nurses from an R export"
    empty = (entry.abstract, entry.journal, entry.volume, entry.year, entry.pages)
    assert empty == ("", None, None, None, None)


@pytest.mark.parametrize(
    ("name", "n"), [("i_title_year_twice.ris", 2), ("m03_equal_titles_pages_differ.csv", 8)]
)
def test_every_record_of_the_cases_of_duplicates_is_read(name: str, n: int) -> None:
    assert len(entries(name)) == n


def test_a_table_of_trials() -> None:
    (entry,) = entries("d05_ictrp.csv")
    assert (entry.year, entry.kind) == (2020, Kind.TRIAL)
    assert "Sleep" in entry.keywords
    assert entry.registry_ids == ("ACTRN12600000000001",)


def test_an_ellipsis_is_no_author() -> None:
    (entry,) = entries("d09_pop.csv")
    assert entry.authors == ("C Finch", "S Kelly-Birch")


def test_descriptors_are_keywords() -> None:
    (entry,) = entries("d16_vhl.csv")
    assert {"Enfermagem", "Tolerância ao Trabalho Programado", "Sono"} <= set(entry.keywords)


def test_abstrackr() -> None:
    found = entries("d29_abstrackr.csv")
    assert [e.ref for e in found] == ["1", "2", "3"]
    assert found[0].pmid == "31000007"
    # A conflict and what nobody has labelled are no decisions.
    assert [e.priors for e in found] == [(), (Prior("exclude"),), ()]


def test_colandr() -> None:
    first, second = entries("g04_colandr.csv")
    assert (first.title, first.abstract, first.year) == ("Naps in Colandr", "Abs.", 2019)
    assert first.authors == ("Birch, A", "Cedar, B")
    assert (first.journal, first.volume, first.ref) == ("Toy Sleep", "12", "1")
    assert first.keywords == ("sleep", "nap")
    assert first.priors == (Prior("include"),)
    assert second.priors == (Prior("exclude", reasons=("wrong population",)),)


def test_a_doi_with_an_escaped_underscore_is_whole() -> None:
    (entry,) = entries("e07_bibmanager108.bib")
    assert entry.doi == "10.1007/978-3-319-20794-0_129-1"


def test_dois_in_latex() -> None:
    assert [e.doi for e in entries("f02_doi_latex.bib")] == [
        *["10.1007/978-3-319-20794-0_129-1"] * 4,
        "10.1002/(sici)1097-0258(19980815)17:15<1661::aid>3.0.co;2-2",
        "10.48550/arxiv.2001.00001",
        "10.1000/g",
        "10.1000/h",
    ]


def test_a_paper_inherits_from_its_proceedings() -> None:
    paper = next(e for e in entries("g03_bibtexparser_crossref.bib") if e.ref == "p1")
    assert (paper.title, paper.year, paper.journal) == ("Paper one", 2019, "Proc. of Toys 2019")


def test_a_bare_er_ends_a_record() -> None:
    assert [e.title for e in entries("g11_cff392.ris")] == ["Toy software", "Toy software two"]


def test_a_header_that_comes_again_is_no_record() -> None:
    assert [e.title for e in entries("j04_csv_concat.csv")] == ["Csv concat one", "Csv concat two"]


def test_no_type_of_bibtex_is_passed_over() -> None:
    assert [e.ref for e in entries("m01_types_with_underscore.bib")] == [
        *("Birch2018", "Cedar2019", "Elm2020"),
    ]


def test_a_record_indented_with_no_break_spaces() -> None:
    found = entries("m04_indented_no_break.ris")
    assert [(e.title, e.year) for e in found] == [
        ("First toy study", 2019),
        ("Second toy study, indented with no-break spaces", 2020),
    ]
