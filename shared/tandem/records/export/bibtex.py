"""BibTeX in UTF-8, as JabRef, Zotero, Mendeley and LaTeX read it."""

import re
import unicodedata
from collections.abc import Iterable, Iterator

from tandem.records.export.record import ExportedRecord, one_line
from tandem.records.export.tags import notes, tags
from tandem.records.formats import normalise
from tandem.records.formats.entry import Kind

_TYPES = {
    Kind.ARTICLE: "article",
    Kind.CONFERENCE: "inproceedings",
    Kind.CHAPTER: "incollection",
    Kind.BOOK: "book",
    Kind.THESIS: "phdthesis",
    Kind.REPORT: "techreport",
    Kind.ERRATUM: "article",
    Kind.RETRACTION: "article",
}
_IN_A_BOOK = {"inproceedings", "incollection"}

# Braces as commands: BibTeX counts them even behind a backslash.
_COMMANDS = {
    "\\": r"\textbackslash{}",
    "{": r"\textbraceleft{}",
    "}": r"\textbraceright{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{sign: f"\\{sign}" for sign in "&%$#_"},
}
_ESCAPED = str.maketrans(_COMMANDS)
_RANGE = re.compile(r"(?<=\d)-(?=[A-Za-z]{0,3}\d)")
_AND = re.compile(r"\band\b", re.I)


def write(records: Iterable[ExportedRecord]) -> Iterator[str]:
    """Yield each record as an entry; its key is made of name, year and number."""
    for record in records:
        kind = _type(record)
        lines = [
            f"  {name} = {{{text}}}" for name, text in _fields(record, kind) if text.strip(" {}")
        ]
        yield ",\n".join([f"@{kind}{{{_key(record)}", *lines]) + "\n}\n\n"


def _type(record: ExportedRecord) -> str:
    if record.kind is None:
        return "article" if record.journal else "misc"
    return _TYPES.get(record.kind, "misc")


def _fields(record: ExportedRecord, kind: str) -> Iterator[tuple[str, str]]:
    yield "title", f"{{{_text(record.title)}}}"  # a second pair: styles leave capitals alone
    yield "author", " and ".join(map(_name, record.authors))
    yield "year", str(record.year or "")
    yield "booktitle" if kind in _IN_A_BOOK else "journal", _text(record.journal)
    yield "volume", _text(record.volume)
    yield "number", _text(record.issue)
    yield "pages", _RANGE.sub("--", _text(record.pages))
    yield "doi", _address(record.doi)
    yield "pmid", _text(record.pmid)
    yield "url", _address(record.url)
    yield "language", _text(record.language)
    yield "abstract", _text(record.abstract)
    words = (*normalise.terms(record.keywords), *tags(record))
    yield "keywords", ", ".join(map(_keyword, words))
    yield "annote", " ".join(map(_text, notes(record)))


def _text(text: str | None) -> str:
    return one_line(text or "").translate(_ESCAPED)


def _address(text: str | None) -> str:
    """Return an address as it stands, which is how LaTeX and reference managers take it."""
    line = one_line(text or "")
    return _text(line) if any(sign in line for sign in "\\{}$") else line


def _keyword(word: str) -> str:
    text = _text(word)
    return f"{{{text}}}" if "," in text or ";" in text else text


def _name(name: str) -> str:
    """Brace a name that has no single comma to part it: it is an organisation's, or unknown."""
    text = _text(name)
    family, comma, given = text.partition(", ")
    is_parted = comma and family and given and "," not in family + given
    return text if is_parted and not _AND.search(text) else f"{{{text}}}"


def _key(record: ExportedRecord) -> str:
    family = record.authors[0].partition(",")[0] if record.authors else ""
    plain = unicodedata.normalize("NFKD", family).encode("ascii", "ignore").decode()
    letters = "".join(re.findall("[A-Za-z]+", plain)).lower()[:30]
    return f"{letters or 'record'}{record.year or ''}-{record.id}"
