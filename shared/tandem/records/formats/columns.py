"""Which column of a table holds what, by the names databases and programs give them."""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass

from tandem.records.formats.lines import Lines

_DELIMITERS = ",;\t|"
_ROWS_SEARCHED = 20
_CHARACTERS_SEARCHED = 100_000

# The names are compared in lower case, with a space for everything but letters and digits.
# Where a table has several of a field, the first named here is preferred.
_NAMES: dict[str, tuple[str, ...]] = {
    "title": (
        *("title", "article title", "document title", "item title", "primary title"),
        *("paper title", "record title", "study title", "ti", "t1", "title english"),
        *("english title", "original title"),
    ),
    "abstract": (
        *("abstract", "abstract note", "abstract text", "abstracts", "ab", "notes abstract"),
        *("description", "summary", "n2", "original abstract"),
    ),
    "authors": (
        *("authors", "author names", "author full names", "author", "author s", "au", "af"),
        *("first authors", "author list", "creator", "creators", "contributors", "a1"),
    ),
    "year": (
        *("year", "publication year", "py", "pub year", "pubyear", "year published"),
        *("published year", "publication date", "date published", "published date", "date"),
        *("publicationyear", "cover date", "issue date", "published", "y1"),
    ),
    "doi": ("doi", "item doi", "di", "article doi", "digital object identifier", "doi link", "do"),
    "pmid": ("pmid", "pubmed id", "pubmedid", "pubmed", "medline pmid", "pm"),
    "journal": (
        *("source title", "journal", "publication title", "journal title", "journal book"),
        *("journal name", "secondary title", "publication name", "container title"),
        *("full journal name", "so", "jf", "jt", "t2", "alternate title3", "publication"),
        *("venue", "periodical", "book title", "book series title", "journal abbreviation"),
        *("abbreviated source title", "alternate title2", "series title", "ja"),
    ),
    "citation": ("source", "citation"),
    "volume": ("volume", "journal volume", "volume number", "vl", "vol"),
    "issue": ("issue", "journal issue", "issue number", "issue no", "is", "ip", "number"),
    "pages": ("pages", "page range", "page numbers", "pagination", "pg", "page", "page s"),
    "page start": ("page start", "start page", "first page", "beginning page", "bp", "sp"),
    "page end": ("page end", "end page", "last page", "ending page", "ep"),
    "article number": ("art no", "article number", "article no", "ar"),
    "url": (
        *(
            "link",
            "url",
            "links",
            "urls",
            "article url",
            "item url",
            "document url",
            "full text url",
        ),
        *("source url", "html link", "full text link", "pdf link", "open url link", "ur"),
    ),
    "keywords": (
        *("author keywords", "keywords", "index keywords", "keyword", "key words", "de", "kw"),
        *("keywords plus", "mesh terms", "mesh", "mesh headings", "mesh heading", "subject terms"),
        *("subjects", "ieee terms", "manual tags"),
    ),
    "language": (
        "language of original document",
        "language",
        "languages",
        "la",
        "original language",
    ),
    "ref": (
        *(
            "record id",
            "recordid",
            "eid",
            "ut",
            "ut unique wos id",
            "ut unique id",
            "unique wos id",
        ),
        *("accession number", "accession", "accession no", "an", "lens id", "publication id"),
        *(
            "document identifier",
            "embase accession id",
            "pui",
            "reference id",
            "refid",
            "unique id",
        ),
        *("id", "key", "study id", "covidence", "openalex id", "paperid", "corpusid"),
    ),
}


@dataclass(frozen=True, slots=True)
class Header:
    """The header row: where it stands, how cells are parted, which columns hold a field.

    `columns` has positions from 0, the preferred first.
    """

    start: int
    end: int
    delimiter: str
    width: int
    columns: dict[str, tuple[int, ...]]


def find_header(text: str) -> Header | None:
    """Return the header row of a table with a title column, or None.

    Databases put notes before it, so the first 20 rows are searched; but in any row save the
    first a title column counts only beside another that is known.
    """
    beginning = text[:_CHARACTERS_SEARCHED]
    candidates = [h for delimiter in _DELIMITERS if (h := _candidate(beginning, delimiter))]
    # A header parted at the wrong sign has fewer columns that mean something.
    return max(candidates, key=lambda h: (len(h.columns), h.width), default=None)


def _candidate(beginning: str, delimiter: str) -> Header | None:
    rows = 0
    for start, end, cells in _head_rows(beginning, delimiter):
        if not any(cell.strip() for cell in cells):
            continue
        rows += 1
        columns = _columns(cells)
        if "title" in columns and (rows == 1 or len(columns) > 1):
            return Header(start, end, delimiter, len(cells), columns)
    return None


def _head_rows(beginning: str, delimiter: str) -> Iterator[tuple[int, int, list[str]]]:
    lines = Lines(beginning)
    reader = csv.reader(lines, delimiter=delimiter)
    for _ in range(_ROWS_SEARCHED):
        start = lines.at
        try:
            cells = next(reader)
        except (StopIteration, csv.Error):
            return
        yield start, lines.at, cells


def _columns(cells: list[str]) -> dict[str, tuple[int, ...]]:
    names = [re.sub(r"[\W_]+", " ", cell).strip().lower() for cell in cells]
    columns: dict[str, tuple[int, ...]] = {}
    for field, known in _NAMES.items():
        at = [position for name in known for position, n in enumerate(names) if n == name]
        if at:
            columns[field] = tuple(at)
    return columns
