"""Which column of a table holds what, by the names databases and programs give them."""

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tandem.records.formats.table.lines import Lines

_DELIMITERS = ",;\t|"
_ROWS_SEARCHED = 20
_FEWEST_WITHOUT_TITLE = 4
_CHARACTERS_SEARCHED = 100_000

# Compared in lower case and without spaces and signs: `Publication Year` is `publicationYear`.
# Where a table has several of a field, the first named here is preferred.
_NAMES: dict[str, str] = {
    "title": """
        title|article title|document title|item title|primary title|paper title|record title
        |study title|publication title of article|full title|ti|t1|title english|english title
        |citation title|public title|scientific title|title of article|title of publication
        |ti title|original title
        |display name|titel|titre|título|titolo|titulo
        |brief title|official title
    """,
    "abstract": """
        abstract|citation abstract|abstract note|abstract text|abstracts|ab|notes abstract
        |abstract english
        |english abstract|paper abstract|description|summary|brief summary|n2|ab abstract
        |original abstract|zusammenfassung|résumé|resumen|resumo
    """,
    "authors": """
        authors|author names|author full names|author|author s|au|af|authorship author display name
        |authorships author display name|authorships display name|author display names
        |authors display name|author names list
        |first authors|author list|creator|creators|authors list
        |contributors|contributor|a1|au author|full authors|author name|autoren|auteurs|autores
        |autor|auteur|author string|citation authors|autor es
    """,
    "year": """
        year|publication year|py|pub year|pubyear|year published|year of publication
        |published year|publication date|pub date|date published|published date|date
        |cover date|issue date|published|y1|yr|dp|entry date|pubtime|date of publication
        |publication date yyyy mm dd|first posted|start date|journal info year of publication
        |first publication date|citation pub year|date registration3|date registration
        |registration date|date of registration|date of first enrolment|jahr|année|annee|año|ano
        |start date struct date|start date struct start date|study first submit date
    """,
    "doi": """
        doi|item doi|di|article doi|digital object identifier|doi link|do|doi url|ids doi|dois
        |externalids doi|identifiers doi|prism doi|doi number
    """,
    "pmid": """
        pmid|pubmed id|pubmed|medline pmid|pm|ids pmid|pubmed number|medline id|ids pubmed
        |externalids pubmed|identifiers pmid|pubmed identifier
    """,
    "journal": """
        source title|journal|citation journal name|publication title|journal title|journal book
        |journal name
        |secondary title|publication name|container title|full journal name|so|jf|jt|t2
        |primary location source display name|host venue display name|journal full title
        |journal info journal title
        |source display name|alternate title3|publication|pubtitle|venue|periodical|book title
        |is part of|proceedings title|conference name|anthology title|book series title
        |journal abbreviation|abbreviated source title|alternate title2|series title|ja|jn|jo
        |journal iso abbreviation|nlm abbreviation|server|zeitschrift|revue|revista
        |parent title
    """,
    "citation": "source|citation|so source|publication info|bibliographic citation",
    "volume": """
        volume|journal volume|citation journal volume|journal info volume|volume number|vl|vol
        |biblio volume|bd|band|vi
    """,
    "issue": """
        issue|journal issue|journal info issue|journal number|issue number|issue no|is|ip|number
        |biblio issue|heft|num
    """,
    "pages": """
        pages|page range|page numbers|journal pages|page info|pagination|pg|page|page s
        |seiten|páginas
    """,
    "page start": """
        page start|start page|first page|beginning page|bp|sp|biblio first page|startpage
    """,
    "page end": "page end|end page|last page|ending page|ep|biblio last page|endpage",
    "article number": "art no|article number|article no|ar|eid number|elocation id",
    "url": """
        link|url|links|urls|article url|item url|document url|full text url|plink|permalink
        |primary location landing page url|landing page url|best oa location landing page url
        |persistent link|source url|source urls|html link|full text link|pdf link|open url link
        |external url|dimensions url|study url|web address|ur|lk|best oa url|biorxiv url
    """,
    "keywords": """
        author keywords|keywords|index keywords|keyword|key words|de|kw|identifier keywords
        |keywords plus|mesh terms|mesh|mesh headings|mesh heading|subject terms|subjects|subject
        |subject headings|ieee terms|manual tags|keywords display name|keyphrase|conditions
        |emtree drug index terms major focus|emtree medical index terms major focus|ot|mh
        |descriptor s|descriptors|mesh term|decs|fields of study|condition|conditions studied
        |health conditions|citation keywords|schlagwörter|mots clés|palabras clave|palavras chave
        |condition list condition|keyword list keyword
    """,
    "language": """
        language of original document|language|languages|la|original language|language of text
        |article language|journal language|sprache|langue|idioma
    """,
    "ref": """
        source id|record id|record number|eid|ut|ut unique wos id|ut unique id|unique wos id
        |accession number
        |accession|accession no|an|lens id|publication id|embase accession id|pui|store id
        |reference id|refid|unique id|nct number|trialid|trial id|document id|ui
        |cochrane review id|id|key|study id|covidence|openalex id|paperid|corpusid|item id
        |nct id
    """,
    "registry ids": """
        registry ids|registry id|secondary ids|secondary id|secondary id s|other ids|other id
        |trial registration|trial registration number|registration number|trial id s
        |clinical trial number|clinical trial registration|clinical trial registry number
        |other records|secondary identifying numbers|study identifiers
        |secondary id infos|secondary id info list secondary id info|secondary id
    """,
    "type": """
        document type|publication type|document types|publication types|type|item type|dt|pt
        |doctype|content type|article type|type of reference|reference type|publication type s
        |kind|formats|pub type|pub type list pub type|type of article|type crossref|genre
        |source type        |document identifier|publication stage|doc type|doc sub type|record type
        |type name|study type
    """,
    "publisher": "publisher|server name|source library|archive|repository",
    "notes": """
        notes|note|exported notes 1|exported notes|research notes|user notes|n1|comments
        |asreview note
    """,
    "labels": "screening labels|asreview tags",
    "label": """
        asreview label|label included|included|included label|final included|inclusion
        |screening decision|final decision|decision|include|label abstract screening
        |label abstract|final abstract|label title abstract|title abstract decision|label|relevant
        |is relevant|is included|screening label|citation screening status
    """,
    "labelled by": "asreview user name|screened by|screener|labelled by|labeled by",
    "reasons": "exclusion reason|exclusion reasons|reason for exclusion|screening reasons"
    "|citation exclude reasons",
    "consensus": "consensus",
}


def _squeezed(name: str) -> str:
    """Return what is compared of a name: `Title-题名` and `Title` are alike."""
    letters = re.sub(r"[\W_]+", "", name).lower()
    return re.sub(r"[^\x00-\u02ff]+", "", letters) or letters


_FIELDS: dict[str, tuple[str, int]] = {}
for _field, _known in _NAMES.items():
    for _rank, _name in enumerate(_known.split("|")):
        _FIELDS.setdefault(_squeezed(_name), (_field, _rank))

FIELDS = tuple(_NAMES)
"""All that a column may hold."""

_REVIEWER = re.compile(r"\s*((?:reviewer|screener|rater)[ _-]?(?:[0-9]{1,2}|[A-Z]))\s*", re.I)
_PREFERENCE_LAST = 10_000


@dataclass(frozen=True, slots=True)
class Header:
    """The header row: where it stands, how cells are parted, which columns hold a field.

    `columns` has positions from 0, the preferred first. `names` are all the cells.
    """

    start: int
    end: int
    delimiter: str
    names: tuple[str, ...]
    columns: dict[str, tuple[int, ...]]

    @property
    def width(self) -> int:
        """How many columns there are."""
        return len(self.names)


def field_of(name: str) -> str | None:
    """Return the field that a column called `name` holds, or None."""
    found = _FIELDS.get(_squeezed(name))
    return found[0] if found else None


def columns_of(names: Iterable[str]) -> dict[str, tuple[int, ...]]:
    """Return the positions of every field's columns among `names`, the preferred first.

    A column of one reviewer's own decisions is a field by itself: `by reviewer_1`.
    """
    at: dict[str, list[tuple[int, int]]] = {}
    for position, name in enumerate(names):
        if known := _FIELDS.get(_squeezed(name)):
            at.setdefault(known[0], []).append((known[1], position))
        elif reviewer := _REVIEWER.fullmatch(name):
            at.setdefault(f"by {reviewer[1]}", []).append((_PREFERENCE_LAST, position))
    return {field: tuple(position for _, position in sorted(found)) for field, found in at.items()}


def find_header(text: str) -> Header | None:
    """Return the header row of a table with a title column, or None.

    Databases put notes before it, so the first 20 rows are searched; but in any row save the
    first a title column counts only beside another that is known. Abstracts do for titles
    beside several others.
    """
    beginning = text[:_CHARACTERS_SEARCHED]
    candidates = [h for delimiter in _DELIMITERS if (h := _candidate(beginning, delimiter))]
    # A header parted at the wrong sign has fewer columns that mean something.
    return max(candidates, key=lambda h: (len(h.columns), h.width), default=None)


def _candidate(beginning: str, delimiter: str) -> Header | None:
    rows = 0
    for start, end, cells in head_rows(beginning, delimiter):
        if not any(cell.strip() for cell in cells):
            continue
        rows += 1
        columns = columns_of(cells)
        if ("title" in columns and (rows == 1 or len(columns) > 1)) or (
            "abstract" in columns and len(columns) >= _FEWEST_WITHOUT_TITLE
        ):
            return Header(start, end, delimiter, tuple(cells), columns)
    return None


def head_rows(text: str, delimiter: str) -> Iterator[tuple[int, int, list[str]]]:
    """Yield where each of the first rows starts and ends, and its cells, as far as they parse."""
    lines = Lines(text[:_CHARACTERS_SEARCHED])
    reader = csv.reader(lines, delimiter=delimiter)
    for _ in range(_ROWS_SEARCHED):
        start = lines.at
        try:
            cells = next(reader)
        except (StopIteration, csv.Error):
            return
        yield start, lines.at, cells
