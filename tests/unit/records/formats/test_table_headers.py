"""Tables by the headers that databases and programs give them, and those of one field a row."""

import csv
import io
import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.records.formats import reading
from tandem.records.formats.entry import Entry, Kind, Prior, Rejection
from tandem.records.formats.people import split_glued, split_names
from tandem.records.formats.table import rows as tabular
from unit.records.formats.tagged_lines import any_text, only, read, titles


def table(*rows: dict[str, str], delimiter: str = ",") -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), delimiter=delimiter, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


COMMON = {"Title": "T", "Abstract": "Text."}
SOURCES = {
    "scopus": {
        "Authors": "Okafor A., Lind B.", "Title": "T", "Year": "2019", "Source title": "J",
        "Volume": "7", "Issue": "2", "Page start": "3", "Page end": "9", "DOI": "10.1234/X",
        "PubMed ID": "77", "Document Type": "Article", "Publication Stage": "Final",
        "Source": "Scopus", "EID": "2-s2.0-1",
    },
    "cinahl": {
        "Article Title": "T", "Author": "Okafor, A.; Lind, B.", "Journal Title": "J",
        "Publication Date": "Mar2019", "Volume": "7", "Issue": "2", "Page Numbers": "3-9",
        "Accession Number": "2-s2.0-1", "DOI": "10.1234/X", "Doctype": "Journal Article",
        "PMID": "77",
    },
    "web of science": {
        "PT": "J", "AU": "Okafor, A; Lind, B", "TI": "T", "SO": "J", "DT": "Article",
        "DE": "a; b", "ID": "C", "PY": "2019", "VL": "7", "IS": "2", "BP": "3", "EP": "9",
        "DI": "10.1234/X", "UT": "2-s2.0-1", "PM": "77",
    },
    "lens": {
        "Lens ID": "2-s2.0-1", "Title": "T", "Date Published": "2019-03-01",
        "Publication Year": "2019", "Publication Type": "journal article", "Source Title": "J",
        "Author/s": "A Okafor; B Lind", "Volume": "7", "Issue Number": "2", "Start Page": "3",
        "End Page": "9", "PMID": "77", "DOI": "10.1234/x",
    },
    "openalex": {
        "id": "2-s2.0-1", "doi": "https://doi.org/10.1234/x", "display_name": "T",
        "publication_year": "2019", "type": "article", "ids.pmid": "77",
        "primary_location.source.display_name": "J", "biblio.volume": "7", "biblio.issue": "2",
        "authorships.author.display_name": "A Okafor|B Lind", "biblio.first_page": "3",
        "biblio.last_page": "9",
    },
    "dimensions": {
        "Publication ID": "2-s2.0-1", "DOI": "10.1234/x", "PMID": "77", "Title": "T",
        "Source title": "J", "PubYear": "2019", "Volume": "7", "Issue": "2", "Pagination": "3-9",
        "Authors": "Okafor, A; Lind, B", "Document Type": "Research Article",
    },
    "proquest": {
        "Title": "T", "StoreId": "2-s2.0-1", "Authors": "Okafor, A; Lind, B", "pubtitle": "J",
        "digitalObjectIdentifier": "10.1234/x", "documentType": "Journal Article", "volume": "7",
        "issue": "2", "pages": "3-9", "year": "2019", "pubmed": "77",
    },
    "ovid": {
        "TI": "T", "AU": "Okafor A; Lind B", "SO": "J", "YR": "2019", "VO": "", "Source": "",
        "PT": "Journal Article", "UI": "2-s2.0-1", "DO": "10.1234/x", "PM": "77", "Vol": "7",
        "IP": "2", "PG": "3-9",
    },
    "zotero": {
        "Key": "2-s2.0-1", "Item Type": "journalArticle", "Publication Year": "2019",
        "Author": "Okafor, A; Lind, B", "Title": "T", "Publication Title": "J",
        "DOI": "10.1234/x", "Date": "2019-03", "Pages": "3-9", "Issue": "2", "Volume": "7",
        "PMID": "77",
    },
    "jstor": {
        "id": "2-s2.0-1", "title": "T", "isPartOf": "J", "publicationYear": "2019",
        "doi": "10.1234/x", "docType": "article", "issueNumber": "2", "volumeNumber": "7",
        "creator": "A Okafor; B Lind", "pageStart": "3", "pageEnd": "9", "pmid": "77",
    },
    "publish or perish": {
        "Cites": "3", "Authors": "A Okafor, B Lind", "Title": "T", "Year": "2019", "Source": "J",
        "Publisher": "P", "GSRank": "1", "Type": "article", "DOI": "10.1234/x", "Volume": "7",
        "Issue": "2", "StartPage": "3", "EndPage": "9", "UID": "", "ID": "2-s2.0-1", "PMID": "77",
    },
    "embase": {
        "TITLE": "T", "AUTHOR NAMES": "Okafor A., Lind B.", "SOURCE TITLE": "J",
        "PUBLICATION YEAR": "2019", "VOLUME": "7", "ISSUE": "2", "FIRST PAGE": "3",
        "LAST PAGE": "9", "PUBLICATION TYPE": "Article", "MEDLINE PMID": "77", "PUI": "2-s2.0-1",
        "DOI": "10.1234/x",
    },
}  # fmt: skip


@pytest.mark.parametrize("source", SOURCES)
def test_headers_of_databases(source: str) -> None:
    entry = only(tabular, table(SOURCES[source]))
    assert (entry.title, entry.year, entry.journal) == ("T", 2019, "J")
    assert (entry.volume, entry.issue, entry.pages) == ("7", "2", "3-9")
    assert (entry.doi, entry.pmid, entry.ref) == ("10.1234/x", "77", "2-s2.0-1")
    assert [re.sub(r"\W", "", name)[:6] for name in entry.authors] in (
        ["Okafor", "LindB"], ["AOkafo", "BLind"]
    )  # fmt: skip
    assert entry.kind is Kind.ARTICLE


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("Cancer (2004) 102:4 (253-258). Date: 1", ("Cancer", 2004, "102", "4", "253-258")),
        ("Behav Ther. 2022 Mar;53(2):334-47. doi: 10.1", ("Behav Ther", 2022, "53", "2", "334-47")),
        ("Lancet. 300(2):123-30, 2008 Jul 9.", ("Lancet", 2008, "300", "2", "123-30")),
        ("Scopus", (None, None, None, None, None)),
    ],
)
def test_a_citation_in_one_column(source: str, expected: tuple[object, ...]) -> None:
    entry = only(tabular, table(COMMON | {"Source": source}))
    assert (entry.journal, entry.year, entry.volume, entry.issue, entry.pages) == expected


@pytest.mark.parametrize(
    ("columns", "kind"),
    [
        ({"Document Identifier": "IEEE Conferences"}, Kind.CONFERENCE),
        ({"Document Identifier": "IEEE Journals & Magazines"}, Kind.ARTICLE),
        ({"Publication Type": "Journal Article; Retracted Publication"}, Kind.RETRACTION),
        ({"Content Type": "Chapter"}, Kind.CHAPTER),
        ({"Journal": "medRxiv"}, Kind.PREPRINT),
        ({"NCT Number": "NCT01234567"}, Kind.TRIAL),
        ({"Type": "nonsense"}, None),
    ],
)
def test_kinds(columns: dict[str, str], kind: Kind | None) -> None:
    assert only(tabular, table(COMMON | columns)).kind is kind


@pytest.mark.parametrize(
    ("columns", "priors"),
    [
        ({"included": "1"}, [Prior("include")]),
        ({"label_included": "0", "label_abstract": "1"}, [Prior("exclude")]),
        ({"asreview_label": "1", "asreview_user_name": "Ann"}, [Prior("include", "Ann")]),
        ({"included": "-1"}, []),
        ({"included": ""}, []),
        (
            {"reviewer_1": "include", "reviewer_2": "exclude", "label_included": "0"},
            [Prior("include", "reviewer_1"), Prior("exclude", "reviewer_2")],
        ),
        (
            {"notes": 'RAYYAN-INCLUSION: {"Ann"=>"Excluded"} | RAYYAN-EXCLUSION-REASONS: age'},
            [Prior("exclude", "Ann", ("age",))],
        ),
        (
            {"Notes": "Exclusion reason: Wrong setting; "},
            [Prior("exclude", None, ("Wrong setting",))],
        ),
        ({"Notes": "ASReview_irrelevant"}, [Prior("exclude")]),
        ({"Notes": "included 30 people"}, []),
    ],
)
def test_decisions_a_table_carries(columns: dict[str, str], priors: list[Prior]) -> None:
    assert list(only(tabular, table(COMMON | columns)).priors) == priors


@pytest.mark.parametrize(
    ("glued", "names"),
    [
        ("Anna SmithBen Jones", ["Anna Smith", "Ben Jones"]),
        ("Anna B. SmithBen JonesCai Li", ["Anna B. Smith", "Ben Jones", "Cai Li"]),
        ("Ann McDonaldBo LeBlanc", ["Ann McDonald", "Bo LeBlanc"]),
        ("Prof. Dr. Eve RayDr. Li Wu", ["Eve Ray", "Li Wu"]),
        ("Ann DeVries", ["Ann DeVries"]),
        ("Mononym", ["Mononym"]),
        ("", [""]),
    ],
)
def test_names_that_springer_glues(glued: str, names: list[str]) -> None:
    assert split_glued(glued) == names


@pytest.mark.parametrize(
    ("cell", "names"),
    [
        ("Adeli K.Lewis G. F.", ["Adeli K.", "Lewis G. F."]),
        ("Wagner D.N. El Hachmane M. van Dam A.", ["Wagner D.N.", "El Hachmane M.", "van Dam A."]),
        ("Wang X O'Hara MB de Vries C", ["Wang X", "O'Hara MB", "de Vries C"]),
        ("Smith JA Jones", ["Smith JA Jones"]),
        ("J. K. Rowling", ["J. K. Rowling"]),
        ("John F. Kennedy", ["John F. Kennedy"]),
        ("A.Smith", ["A.Smith"]),
        ("Smith J. Jr.", ["Smith J. Jr."]),
        ("Kennedy J. F.", ["Kennedy J. F."]),
    ],
)
def test_names_that_run_together(cell: str, names: list[str]) -> None:
    assert split_names(cell) == names


def test_springer_only() -> None:
    row = {"Item Title": "T", "Item DOI": "10.1234/x", "Authors": "Anna SmithBen Jones"}
    assert only(tabular, table(row)).authors == ("Anna Smith", "Ben Jones")
    assert only(tabular, table(COMMON | {"Authors": "Anna SmithBen Jones"})).authors == (
        "Anna SmithBen Jones",
    )


def test_a_header_short_of_a_column_is_read_from_both_ends() -> None:
    header = "Title,Year,DOI,Funding,References,Document Type,EID\n"
    rows = "".join(f"T{n},2020,10.1234/{n},f,x,y,Review,2-s2.0-{n}000000\n" for n in range(1, 8))
    first = read(tabular, header + rows)[0]
    assert isinstance(first, Entry)
    assert (first.title, first.kind, first.ref) == ("T1", Kind.ARTICLE, "2-s2.0-1000000")


VERTICAL = (
    '"TITLE","A study, of rest"\n"AUTHOR NAMES","Okafor A.","Lind B."\n"CORRESPONDENCE","x"\n'
    '"SOURCE","Rest (2019) 7:2 (3-9). Date of Publication: 2019"\n"ABSTRACT","One.\n\nTwo."\n'
    '"MEDLINE PMID","77"\n"DOI","10.1234/x"\n"PUBLICATION TYPE","Conference Abstract"\n'
)


@pytest.mark.parametrize("between", ["", "\n", "\n\n"])
@pytest.mark.parametrize("delimiter", [",", ";"])
def test_a_table_of_one_field_a_row(between: str, delimiter: str) -> None:
    text = (VERTICAL + between) * 2
    first, second = read(tabular, text.replace('","', f'"{delimiter}"'))
    assert isinstance(first, Entry)
    assert isinstance(second, Entry)
    assert first.title == second.title == "A study, of rest"
    assert (first.abstract, first.authors) == ("One. Two.", ("Okafor A.", "Lind B."))
    assert (first.journal, first.year, first.pages) == ("Rest", 2019, "3-9")
    assert (first.doi, first.pmid, first.kind) == ("10.1234/x", "77", Kind.CONFERENCE)
    assert reading.read(text.encode()).format == "csv"


def test_an_open_quotation_mark_costs_no_other_record() -> None:
    broken = VERTICAL.replace('One.\n\nTwo."', "One.")
    assert titles(tabular, VERTICAL + broken + VERTICAL) == ["A study, of rest"] * 3


def test_a_record_of_one_field_a_row_without_title_is_rejected() -> None:
    nothing = '"SOURCE","x"\n"SOURCE","y"\n'
    found = read(tabular, VERTICAL + nothing + VERTICAL)
    assert [type(item) for item in found] == [Entry, Rejection, Entry] or isinstance(
        found[1], Rejection
    )


def test_a_header_is_none_of_them() -> None:
    assert titles(tabular, "Title,Abstract\nTitle,Year\nAbstract,2000\n") == ["Title", "Abstract"]


cells = st.text(st.sampled_from("ab\"',;\n\\ "), max_size=8)


@given(cells, st.sampled_from(["ABSTRACT", "SOURCE", "OTHER", "TITLE"]))
def test_a_mangled_row_never_costs_other_records(text: str, name: str) -> None:
    mangled = VERTICAL.replace(f'"{name}"', f'{text}"{name}"', 1)
    found = read(tabular, f"{VERTICAL}\n{mangled}\n{VERTICAL}")
    assert isinstance(found[0], Entry)
    assert found[0] == found[-1]


@given(st.lists(st.lists(cells, max_size=4), max_size=6), st.one_of(any_text, cells))
def test_anything_is_read_to_its_end(rows: list[list[str]], text: str) -> None:
    read(tabular, VERTICAL + "\n".join(",".join(row) for row in rows) + text)
    read(tabular, VERTICAL[: len(text)] + text + VERTICAL)


def test_abstracts_do_for_titles_beside_other_columns() -> None:
    row = {"abstract": "Text.", "authors": "Lind, B.", "year": "2019", "doi": "10.1234/x"}
    entry = only(tabular, table(row))
    assert (entry.title, entry.abstract, entry.year) == ("", "Text.", 2019)
    assert tabular.begins("abstract,of\na,b\n") is None


def test_embases_pubmed_number_stands_beside_its_address() -> None:
    row = COMMON | {"Medline PMID": "31234567 (http://www.example.org/pubmed/31234567)"}
    assert only(tabular, table(row)).pmid == "31234567"


@pytest.mark.parametrize(("number", "issue"), [(lambda n: n, None), (lambda n: n % 12, "1")])
def test_a_column_that_counts_the_records_is_no_issue(
    number: Callable[[int], int], issue: str | None
) -> None:
    rows = [f"Toys of {n},{number(n)}" for n in range(1, 41)]
    first, *_ = reading.read("\n".join(["title,number", *rows]).encode()).entries
    assert isinstance(first, Entry)
    assert first.issue == issue
