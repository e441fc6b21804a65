"""The demo corpus as files: what each database would export, and a table of labels."""

import csv
import io
import textwrap
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tandem.demo.corpus import Corpus, Record
from tandem.demo.vocabulary import vocabulary

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_SMALL = frozenset(
    ("a", "an", "and", "as", "at", "by", "for", "from", "in", "into", "of", "on", "or", "the", "to")
)
_SCOPUS_COLUMNS = (
    "Authors",
    "Author full names",
    "Author(s) ID",
    "Title",
    "Year",
    "Source title",
    "Volume",
    "Issue",
    "Art. No.",
    "Page start",
    "Page end",
    "Cited by",
    "DOI",
    "Link",
    "Abstract",
    "Author Keywords",
    "Publisher",
    "PubMed ID",
    "Language of Original Document",
    "Abbreviated Source Title",
    "Document Type",
    "Publication Stage",
    "Source",
    "EID",
)


@dataclass(frozen=True, slots=True)
class Export:
    """One file as a database would have written it, with the number of its records."""

    source: str
    path: Path
    n: int


def write_exports(corpus: Corpus, folder: Path) -> list[Export]:
    """Write `medline.nbib`, `cinahl.ris` and `scopus.csv` into `folder`.

    The bytes are the same on every system.
    """
    medline = [r for r in corpus.records if "Medline" in r.sources]
    cinahl = [r for r in corpus.records if "CINAHL" in r.sources]
    scopus = [r for r in corpus.records if "Scopus" in r.sources]
    # Each database has an order of its own: by number, by year, and by year and title.
    cinahl.sort(key=lambda r: (-r.year, r.record_id))
    scopus.sort(key=lambda r: (-r.year, r.title))

    folder.mkdir(parents=True, exist_ok=True)
    exports = [
        Export("Medline", folder / "medline.nbib", len(medline)),
        Export("CINAHL", folder / "cinahl.ris", len(cinahl)),
        Export("Scopus", folder / "scopus.csv", len(scopus)),
    ]
    codes = {name: code for code, name in vocabulary().languages}
    texts = (
        "\n" + "\n".join(_nbib(r, codes[r.language]) for r in medline),
        "".join(_ris(r, number) for number, r in enumerate(cinahl, start=1)),
        # Scopus begins its files with a byte order mark.
        "\ufeff" + _csv(_SCOPUS_COLUMNS, (_scopus_row(r) for r in scopus)),
    )
    for export, text in zip(exports, texts, strict=True):
        export.path.write_bytes(text.encode())
    return exports


def write_labelled(corpus: Corpus, path: Path) -> None:
    """Write every record with its label (1 relevant, 0 not), for simulations."""
    columns = ("record_id", "title", "abstract", "authors", "year", "doi", "keywords")
    rows = (
        (
            r.record_id,
            r.title,
            r.abstract,
            "; ".join(r.authors),
            r.year,
            r.doi or "",
            "; ".join(r.keywords),
            int(r.relevant),
        )
        for r in corpus.records
    )
    path.write_bytes(_csv((*columns, "label_included"), rows).encode())


def _csv(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return buffer.getvalue()


def _nbib(record: Record, language: str) -> str:
    title = _stopped(record.title)
    if record.language != "English":
        title = f"[{title}]"  # MEDLINE's sign of a translated title
    date = f"{record.year} {_MONTHS[record.month - 1]}"
    place = f"{date};{record.volume}({record.issue}):{_short_pages(record.pages)}."
    doi = [f"{record.doi} [doi]"] if record.doi else []
    fields: list[tuple[str, str]] = [
        ("PMID", record.pmid or ""),
        ("OWN", "NLM"),
        ("STAT", "MEDLINE"),
        ("VI", record.volume),
        ("IP", record.issue),
        ("DP", date),
        ("TI", title),
        ("PG", _short_pages(record.pages)),
        *(("LID", d) for d in doi),
    ]
    if record.sections:
        fields.append(("AB", _labelled(record, upper=True)))
    for author in record.authors:
        family, given = author.split(", ")
        fields += [("FAU", author.rstrip(".")), ("AU", f"{family} {_initials(given)}")]
    fields.append(("LA", language))
    fields += [("PT", kind) for kind in record.kinds]
    fields += [("TA", record.journal_abbreviation), ("JT", record.journal), ("OTO", "NOTNLM")]
    fields += [("OT", keyword) for keyword in record.keywords]
    fields.append(("EDAT", f"{record.year}/{record.month:02d}/01 06:00"))
    fields += [("AID", d) for d in doi]
    fields += [("PST", "ppublish"), ("SO", f"{record.journal_abbreviation}. {place}")]
    return "".join(_wrapped(tag, value) for tag, value in fields)


def _wrapped(tag: str, value: str) -> str:
    lines = textwrap.wrap(value, 82, break_long_words=False, break_on_hyphens=False)
    return f"{tag:<4}- " + "\n      ".join(lines) + "\n"


def _ris(record: Record, number: int) -> str:
    first, last = record.pages.split("-")
    # EBSCO took over full names for some journals and initials for others.
    brief = len(record.journal) % 2 == 0
    fields = [("TY", "JOUR")]
    for author in record.authors:
        family, given = author.split(", ")
        fields.append(("AU", f"{family}, {'. '.join(_initials(given))}." if brief else author))
    fields += [
        ("TI", _stopped(_title_case(record.title))),
        ("JF", record.journal),
        ("JO", record.journal_abbreviation),
        ("PY", str(record.year)),
        ("VL", record.volume),
        ("IS", record.issue),
        ("SP", first),
        ("EP", last),
    ]
    if record.sections:
        fields.append(("AB", record.abstract))
    fields += [("KW", _title_case(keyword)) for keyword in record.keywords]
    fields += [("LA", record.language), ("DB", "CINAHL"), ("DP", "EBSCOhost")]
    fields.append(("AN", str(990_000_000 + number)))
    if record.doi:
        fields.append(("DO", record.doi))
    lines = [f"{tag}  - {value}\n" for tag, value in fields]
    return "".join(lines) + "ER  - \n\n"


def _scopus_row(record: Record) -> list[str]:
    split = [author.split(", ") for author in record.authors]
    # A checksum of the name, so that a name has one number in the whole file.
    numbers = [str(99_000_000_000 + zlib.crc32(a.encode())) for a in record.authors]
    first, last = record.pages.split("-")
    eid = f"2-s2.0-99{int(record.record_id[1:]):09d}"
    abstract = "[No abstract available]"  # Scopus's own words
    if record.sections:
        abstract = f"{_labelled(record)} © {record.year} The Author(s)."
    row = {
        "Authors": "; ".join(f"{family} {'.'.join(_initials(g))}." for family, g in split),
        "Author full names": "; ".join(
            f"{author} ({number})" for author, number in zip(record.authors, numbers, strict=True)
        ),
        "Author(s) ID": "; ".join(numbers),
        "Title": record.title if record.month % 4 else _title_case(record.title),
        "Year": str(record.year),
        "Source title": record.journal,
        "Volume": record.volume,
        "Issue": record.issue,
        "Page start": first,
        "Page end": last,
        "Cited by": str((2025 - record.year) * record.month // 3),
        "DOI": record.doi or "",
        "Link": f"https://example.org/scopus/{eid}",
        "Abstract": abstract,
        "Author Keywords": "; ".join(record.keywords),
        "Publisher": "Synthetic Press",
        "PubMed ID": record.pmid or "",
        "Language of Original Document": record.language,
        "Abbreviated Source Title": record.journal_abbreviation,
        "Document Type": _scopus_type(record),
        "Publication Stage": "Final",
        "Source": "Scopus",
        "EID": eid,
    }
    return [row.get(column, "") for column in _SCOPUS_COLUMNS]


def _scopus_type(record: Record) -> str:
    if "Editorial" in record.kinds:
        return "Editorial"
    return "Review" if "Systematic Review" in record.kinds else "Article"


def _labelled(record: Record, *, upper: bool = False) -> str:
    return " ".join(
        f"{label.upper() if upper else label}: {text}" if label else text
        for label, text in record.sections
    )


def _initials(given: str) -> str:
    return "".join(part[0] for part in given.split())


def _stopped(title: str) -> str:
    return title if title.endswith(("?", "!")) else f"{title}."


def _short_pages(pages: str) -> str:
    """Return "213-24" for "213-224", as MEDLINE did for decades."""
    first, last = pages.split("-")
    if len(first) != len(last):
        return pages
    same = next(i for i, (a, b) in enumerate(zip(first, last, strict=True)) if a != b)
    return f"{first}-{last[same:]}"


def _title_case(title: str) -> str:
    words = title.split(" ")
    result = []
    for i, word in enumerate(words):
        starts = i == 0 or words[i - 1].endswith((":", "?"))
        keep = word in _SMALL and not starts
        result.append(word if keep else word[:1].upper() + word[1:])
    return " ".join(result)
