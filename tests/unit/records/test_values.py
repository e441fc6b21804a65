"""Single values: text that is cleaned, DOIs, PubMed numbers, years, names."""

import pytest

from tandem.records.formats import normalise
from tandem.records.formats.people import split_names, split_terms
from unit.records.read_whole import RIS, only


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
