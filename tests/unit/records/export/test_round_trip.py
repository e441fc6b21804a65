"""What is exported and imported again is the same: every format, any record."""

import re
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tandem.records.export.names import ExportFormat
from tandem.records.export.record import ExportedRecord
from tandem.records.formats import normalise
from tandem.records.formats.entry import Kind
from unit.records.export.exported import ANN, BARE, FORMATS, FULL, expected, read_back, written

# Neither controls nor surrogates: no import lets them in.
letters = st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"])
nasty = st.sampled_from(
    [
        *("\n", "\r\n", "\t", "\u2028", "\x85", ";", ",", '"', "'", "|", "{", "}", "\\", "%", "&"),
        *("$", "#", "_", "^", "~", "*", "@", "=", "-", "+", "--", " and ", " & ", ", ", "; "),
        *("\nTY  - JOUR", "\nER  - ", "TI  - ", "KW", "[", "]", "['a']", "``", "''", "\\&", "\\'e"),
        *("&amp;", "&lt;b&gt;", "<i>", "a < b", "$x^2$", "{\\'e}", "\\textit{a}", "http://a.b/c"),
        *("Ω", "中文", "ﷺ", "e\u0301", "😀", "10.1234/a", "PMID: 7", "Lee", "Ann", " "),
    ]
)


def _stands_for_nothing(text: str) -> bool:
    """Whether an import takes the text, or a part of it, for the mark of an empty field."""
    parts = re.split(r"[;,]| and ", normalise.clean(text))
    return any(normalise.says_nothing(part) for part in parts if part)


texts = st.lists(st.one_of(letters, nasty, st.text("abc xyz", max_size=9)), max_size=12).map(
    "".join
)
some = texts.filter(lambda text: normalise.clean(text) and not _stands_for_nothing(text))
maybe = st.none() | some
dois = st.from_regex(r"10\.[0-9]{4,9}/[-._;()/:<>a-zA-Z0-9]{1,30}", fullmatch=True)
urls = st.from_regex(r"https?://[a-z.]{1,20}/[-._~:/?#@!$&'()*+,=%a-zA-Z0-9]{0,40}", fullmatch=True)
ranges = st.from_regex(r"[Se]?[0-9]{1,5}([-–][0-9]{1,5})?(, [0-9]{1,4})?", fullmatch=True)


def _tells_no_identifier(record: ExportedRecord) -> bool:
    """Whether no address names a DOI or PubMed page: importing it would add what was not there."""
    url = record.url or ""
    return normalise.doi(url) is None and normalise.pmid(url) is None


records = st.builds(
    lambda **values: replace(BARE, **values),
    title=some,
    abstract=texts,
    authors=st.lists(some, max_size=4).map(tuple),
    year=st.none() | st.integers(1000, 2100),
    journal=maybe,
    volume=maybe,
    issue=maybe,
    pages=st.none() | ranges | some,
    doi=st.none() | dois.map(normalise.doi),
    pmid=st.none() | st.integers(1, 99_999_999).map(str),
    url=st.none() | urls,
    keywords=st.lists(some, max_size=4).map(tuple),
    language=maybe,
    kind=st.none() | st.sampled_from(Kind),
).filter(_tells_no_identifier)


def check(format: ExportFormat, *given: ExportedRecord) -> None:
    assert read_back(written(format, *given), format) == [expected(one) for one in given]


@pytest.mark.parametrize("format", FORMATS)
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(given=st.lists(records, min_size=1, max_size=3))
def test_any_records_come_back(format: ExportFormat, given: list[ExportedRecord]) -> None:
    check(format, *given)


@pytest.mark.parametrize("format", FORMATS)
def test_a_full_and_a_bare_record_come_back(format: ExportFormat) -> None:
    check(format, replace(FULL, judged=(), status="unscreened"), BARE)


@pytest.mark.parametrize("format", FORMATS)
def test_numbers_of_trial_registries_come_back(format: ExportFormat) -> None:
    check(format, replace(BARE, registry_ids=("NCT01234567", "ISRCTN12345678")))


@pytest.mark.parametrize("format", FORMATS)
def test_what_looks_like_a_formula_comes_back(format: ExportFormat) -> None:
    check(format, *(replace(BARE, title=f"{sign}1+1", authors=("@a, b",)) for sign in "=+-@'＝"))


@pytest.mark.parametrize("format", FORMATS)
def test_the_screening_does_not_become_the_publications(format: ExportFormat) -> None:
    note = "Same cohort as PMID: 123 and doi:10.1234/abc"
    check(format, FULL, replace(BARE, status="excluded", judged=(replace(ANN, note=note),)))


@pytest.mark.parametrize("format", FORMATS)
def test_two_keywords_that_begin_and_end_like_a_list_are_two(format: ExportFormat) -> None:
    check(format, replace(BARE, keywords=("['a']", "]")))
