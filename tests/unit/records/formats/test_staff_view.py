import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.records.formats import reading
from tandem.records.formats.entry import Entry, Kind
from tandem.records.formats.vufind import fields as solr_fields
from tandem.records.formats.vufind import staff_view
from unit.records.formats.tagged_lines import any_line, any_text, read, titles

PAGE = """Sleep and memory

<h4>Aim</h4>To ask...

Full description

Saved in:
Bibliographic Details
Main Authors: Ada Okafor, Bo Lind
Format: Article
Language:English
"""
FIELDS = """_version_ 1849320778264215552
author Ada Okafor
Bo Lind
author_facet Ada Okafor
Bo Lind
collection DOAJ
description <h4>Aim</h4>To ask.<h4>Results</h4>They slept.
format Article
id doaj-1
institution A University
issn 1234-5678
language English
publishDate 2019-03-01
publisher A Press
record_format Article
series Journal of Rest
spelling doaj-1 Sleep and memory
spellingShingle Ada Okafor
title like words are a value
Sleep and memory
title Sleep and memory
title_full Sleep and memory
title_short Sleep and memory
topic sleep
older adults
url https://doi.org/10.1234/Rest.7
https://example.org/toc
work_keys_str_mv AT adaokafor sleepandmemory
"""
MARC = """LEADER \t01234naa a2200301 a 4500
001 \tab12
008 \t190301s2018    xxu           000 0 eng d
024 \t7 \t  \t|a 10.1234/Rest.7 |2 doi
100 \t1 \t  \t|a Okafor, Ada, |d 1970- |e author
245 \t1 \t0 \t|a Sleep and memory : |b a survey / |c Ada Okafor
260 \t  \t  \t|c 2019
520 \t3 \t  \t|a People sleep.
650 \t  \t0 \t|a Sleep
773 \t0 \t  \t|t Journal of rest |g Vol. 7, no. 2, p. 101-109
"""


def only(text: str) -> Entry:
    (entry,) = read(staff_view, text)
    assert isinstance(entry, Entry), entry
    return entry


@pytest.mark.parametrize("page", ["", PAGE])
def test_record_is_read_whole(page: str) -> None:
    assert only(page + FIELDS) == Entry(
        title="Sleep and memory",
        abstract="Aim To ask. Results They slept.",
        authors=("Ada Okafor", "Bo Lind"),
        year=2019,
        journal="Journal of Rest",
        volume=None,
        issue=None,
        pages=None,
        doi="10.1234/rest.7",
        pmid=None,
        url="https://doi.org/10.1234/Rest.7",
        keywords=("sleep", "older adults"),
        language="English",
        ref="doaj-1",
        raw=FIELDS.strip(),
        kind=Kind.ARTICLE,
    )


def test_fields_may_be_parted_by_tabs_or_stand_above_their_values() -> None:
    tabs = "\n".join(line.replace(" ", "\t", 1) for line in FIELDS.split("\n") if "_" in line[:12])
    assert only(tabs + "\nurl\thttp://example.org\ntitle\tRest\nid\t1").title == "Rest"
    above = FIELDS.replace("description ", "description\n").replace("author ", "author\n")
    assert only(above).authors == ("Ada Okafor", "Bo Lind")
    assert only(above).abstract.startswith("Aim To ask")


def test_fields_in_any_order_are_read() -> None:
    text = (
        "id 7\ntitle Rest /\nformat Book\nauthor Lind, Bo, 1950-\npublishDate 2001\n"
        "title_full Rest / by Bo Lind\nrecord_format marc\nauthor2 Ray, Eve\ntopic Sleep.\n"
    )
    entry = only(text)
    assert (entry.title, entry.authors, entry.year) == ("Rest", ("Lind, Bo", "Ray, Eve"), 2001)
    assert (entry.kind, entry.keywords, entry.ref) == (Kind.BOOK, ("Sleep",), "7")


def test_several_records_are_parted() -> None:
    other = FIELDS.replace("Sleep and memory", "Naps")
    assert titles(staff_view, PAGE + FIELDS + PAGE + other) == ["Sleep and memory", "Naps"]
    assert titles(staff_view, MARC + MARC.replace("Sleep and", "Naps and")) == [
        "Sleep and memory: a survey",
        "Naps and memory: a survey",
    ]


@pytest.mark.parametrize("change", [lambda t: t, lambda t: t.replace("\t", " ")])
def test_marc_of_a_catalogues_record_is_read(change: object) -> None:
    assert callable(change)
    entry = only(PAGE + change(MARC))
    assert (entry.title, entry.abstract) == ("Sleep and memory: a survey", "People sleep.")
    assert (entry.authors, entry.year, entry.doi) == (("Okafor, Ada",), 2019, "10.1234/rest.7")
    assert (entry.journal, entry.volume, entry.pages) == ("Journal of rest", "7", "101-109")
    assert (entry.ref, entry.kind, entry.keywords) == ("ab12", Kind.ARTICLE, ("Sleep",))


@pytest.mark.parametrize(
    "text",
    [
        "title,author,url\nRest,Lind,x\n",
        "title Rest\nauthor Lind\nurl http://example.org\n",
        "TY  - JOUR\nTI  - title\nAB  - description of a format\nER  - \n",
        '{"title": "Rest", "title_full": "Rest", "author": ["Lind"]}',
        "LEADER 12345 is all there is\n",
        "",
    ],
)
def test_other_texts_are_not_taken(text: str) -> None:
    assert staff_view.begins(text) is None


def test_format_is_recognised_by_the_content() -> None:
    assert reading.read((PAGE + FIELDS).encode()).format == "vufind"
    assert reading.read(MARC.replace("\t", " ").encode()).format == "vufind"


def test_index_fields_of_any_type_are_understood() -> None:
    parts = solr_fields.parts(
        {
            "title": ["Rest :", None],
            "publishDate": 2001,
            "author": "Lind, Bo",
            "author2": [],
            "doi_str_mv": ["10.1234/A"],
            "pmid_str": "31234567",
            "container_title": "Journal of rest",
            "container_volume": 7,
            "nested": {"title": "no"},
            "format": ["Electronic", "Article"],
            "topic": [["deep"], "sleep"],
        }
    )
    assert next(iter(parts.titles)) == "Rest"
    assert (list(parts.dates), list(parts.authors), parts.volume) == (["2001"], ["Lind, Bo"], "7")
    assert next(iter(parts.dois)) == "10.1234/A"
    assert list(parts.pmids) == ["31234567"]
    assert (list(parts.journals), parts.kind) == (["Journal of rest"], Kind.ARTICLE)
    assert list(parts.keywords) == ["deep", "sleep"]


names = st.sampled_from(
    ["_version_", "id", "title", "title_full", "author", "format", "url", "topic", "LEADER", "245"]
)
lines = st.one_of(
    st.builds("{}{}{}".format, names, st.sampled_from([" ", "\t", ""]), any_line), any_line
)


@given(st.lists(lines, max_size=12).map("\n".join), any_text)
def test_any_lines_are_read_or_rejected(text: str, junk: str) -> None:
    read(staff_view, FIELDS + text)
    read(staff_view, MARC + text)
    read(staff_view, text)
    read(staff_view, junk)


def test_only_the_beginning_of_a_large_file_is_looked_at() -> None:
    assert staff_view.begins("\n" * 2_000_000 + FIELDS) is None
    assert staff_view.begins("\n" * 2_000 + FIELDS) == 2_000
