"""Whatever a file holds, reading it ends in records, rejections or one of the errors it names."""

import dataclasses
import gzip
import re

from hypothesis import example, given
from hypothesis import strategies as st

from tandem.records.formats import normalise, reading
from tandem.records.formats.archive import UnreadableArchive
from tandem.records.formats.assembly import LONGEST_RECORD
from tandem.records.formats.entry import LONGEST_EXCERPT, Entry, Rejection
from tandem.records.formats.reading import EmptyFile, Format, UnknownFormat
from tandem.records.formats.table import rows as tabular
from tandem.records.formats.table.workbook import UnreadableWorkbook
from tandem.records.formats.tagged.nbib import NBIB
from tandem.records.formats.tagged.ris import RIS
from unit.records.formats.tagged_lines import read

UNSTORABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")

any_text = st.text(st.characters(codec=None), max_size=200)
values = st.one_of(
    any_text,
    st.sampled_from(["10.1234/a", "2019///", "<p>x</p>", "&#0;&#xD800;", '"', '""', "a;b", "PMID"]),
)
tags = st.sampled_from(["TY", "TI", "AB", "N2", "AU", "KW", "DO", "UR", "AN", "PY", "ER", "ZZ"])
gaps = st.sampled_from(["  - ", " - ", "  -", "- ", "-", "\t-", "  – "])
ris_lines = st.one_of(st.builds("{}{}{}".format, tags, gaps, values), any_text)
heads = st.sampled_from(["PMID", "PMC", "TI", "AB", "FAU", "AU", "AID", "LID", "DP", "MH", "ZZ"])
nbib_lines = st.one_of(st.builds("{:4}- {}".format, heads, values), any_text, st.just(""))
cells = st.one_of(values, st.builds('"{}"'.format, values))
rows = st.lists(cells, max_size=5)


def check(found: Entry | Rejection) -> None:
    if isinstance(found, Rejection):
        assert found.position >= 1
        assert found.reason
        assert len(found.excerpt) <= LONGEST_EXCERPT
        assert not UNSTORABLE.search(found.excerpt)
        return
    assert found.title or found.abstract
    texts = [getattr(found, field.name) for field in dataclasses.fields(found)]
    for text in (t for t in (*texts, *found.authors, *found.keywords) if isinstance(t, str)):
        assert not UNSTORABLE.search(text)
        assert len(text) <= LONGEST_RECORD
    assert found.year is None or 1000 <= found.year <= 2100


def check_all(data: bytes, format: Format | None) -> None:
    try:
        result = reading.read(data, format)
    except (UnknownFormat, EmptyFile, UnreadableArchive, UnreadableWorkbook):
        return
    found = list(result.entries)
    assert len(found) == result.total
    assert [f.position for f in found if isinstance(f, Rejection)] == [
        position for position, f in enumerate(found, start=1) if isinstance(f, Rejection)
    ]
    for item in found:
        check(item)


formats = st.sampled_from([None, "ris", "nbib", "csv"])


@given(st.binary(max_size=400), formats)
@example(b"\x00\xd8T\x00Y\x00", None)
@example(b"\xff\xfe\x00", "ris")
@example(b"\xed\xa0\x80", None)
@example(gzip.compress(b"TY  - JOUR")[:-4], None)
def test_any_bytes(data: bytes, format: Format | None) -> None:
    check_all(data, format)


@given(any_text)
def test_any_text(text: str) -> None:
    for reader in (RIS, NBIB, tabular):
        for item in read(reader, text):
            check(item)


@given(st.lists(ris_lines, max_size=30))
def test_anything_after_the_beginning_of_ris(lines: list[str]) -> None:
    text = "\n".join(["TY  - JOUR", *lines])
    for item in read(RIS, text):
        check(item)
    check_all(text.encode("utf-8", "surrogatepass"), None)


@given(st.lists(nbib_lines, max_size=30))
def test_anything_after_the_beginning_of_medline(lines: list[str]) -> None:
    text = "\n".join(["PMID- 1", *lines])
    for item in read(NBIB, text):
        check(item)
    check_all(text.encode("utf-8", "surrogatepass"), None)


@given(st.lists(rows, max_size=12), st.sampled_from(",;\t"))
def test_anything_under_a_header(table: list[list[str]], delimiter: str) -> None:
    header = delimiter.join(["title", "abstract", "doi"])
    text = "\n".join([header, *(delimiter.join(row) for row in table)])
    for item in read(tabular, text):
        check(item)
    check_all(text.encode("utf-8", "surrogatepass"), "csv")


@given(any_text)
def test_cleaning_leaves_nothing_to_clean(text: str) -> None:
    cleaned = normalise.clean(text)
    assert not UNSTORABLE.search(cleaned)
    assert cleaned == " ".join(cleaned.split())


@given(st.text(st.sampled_from("10.234/abc ():;<>[]\"'doiDOI%2F?&=\x00\xad")))
def test_a_doi_is_one_or_none(text: str) -> None:
    found = normalise.doi(text)
    assert found is None or re.fullmatch(r"10\.[0-9]{4,9}/\S{1,300}", found)
    assert found is None or normalise.doi(found) == found
