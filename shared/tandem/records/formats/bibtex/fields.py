"""Which field of a BibTeX entry holds what, by the names databases and programs give them."""

import re
from collections.abc import Iterator
from typing import Protocol

from tandem.records.formats import kinds, normalise
from tandem.records.formats.assembly import Parts
from tandem.records.formats.bibtex import values as bibtex_values
from tandem.records.formats.bibtex.latex import to_plain
from tandem.records.formats.entry import Kind
from tandem.records.formats.people import split_names
from tandem.records.marks import is_mark

Fields = dict[str, list[str]]
"""The values of each field, by its name in small letters without signs (`keywords-plus` is
`keywordsplus`), without their outer delimiters."""


class _Values(Protocol):
    """The values of the fields named, in that order, less empty ones."""

    def __call__(self, *names: str) -> list[str]: ...


_WITH_DOI = ("doi", "url", "link", "howpublished", "ee")
_ARTICLE = ("artnumber", "articleno", "artno", "elocationid")
_SAYS_NOTHING = frozenset({"misc", "unknown", "entry", "electronic", "online", "www"})
_ARXIV = re.compile(r"(?:arxiv:)?\s{0,3}([a-z.-]{1,20}/\d{7}|\d{4}\.\d{4,5})(?:v\d+)?", re.I)
_PAGES = re.compile(r"(?<=\d)\s{0,3}-{2,3}\s{0,3}(?=[A-Za-z]{0,3}\d)")
_ADDRESS = re.compile(r"https?://[^\s{}\"]{1,2000}", re.I)
_LONGEST_NOTE = 100_000


def parts(kind: str, key: str, fields: Fields) -> Parts:
    """Return what an entry says of its record.

    Args:
        kind: The entry's type, such as `article`, in small letters.
        key: What it is cited by.
        fields: Its values.
    """

    def values(*names: str) -> list[str]:
        return [value for name in names for value in fields.get(name, ()) if value.strip()]

    def plain(*names: str) -> list[str]:
        return [to_plain(value) for value in values(*names)]

    def exact(*names: str) -> list[str]:
        return [to_plain(value, ties=False) for value in values(*names)]

    def first(*names: str) -> str:
        return next(iter(plain(*names)), "")

    journals = plain(
        *("journal", "journaltitle", "fjournal", "journalfull", "booktitle", "journaliso"),
        *("journalabbrev", "shortjournal", "maintitle", "eventtitle", "conference", "series"),
    )
    is_pubmed = any(map(normalise.is_pubmed, values("eprinttype")))
    notes = [n for n in values("note", "notes", "annote", "annotation") if not is_mark(n)]
    return Parts(
        titles=_titles(plain),
        abstracts=plain("abstract", "abstractnote", "summary", "description"),
        authors=_names(values("author", "authors") or values("editor", "editors", "collaboration")),
        dates=plain("year", "date", "issued", "publicationdate", "earlyaccessdate", "da"),
        journals=journals,
        volume=first("volume"),
        issue=first("number", "issue"),
        pages=(_PAGES.sub("-", first("pages", "page", "eid", "articlenumber", *_ARTICLE)), ""),
        dois=[*values(*_WITH_DOI), *exact(*_WITH_DOI), *_arxiv_doi(values, exact)],
        pmids=exact("pmid", "pubmedid", "pubmed", *(["eprint"] if is_pubmed else [])),
        urls=list(_urls(values, exact)),
        keywords=_keywords(values),
        language=first("language", "langid").replace("undefined", ""),
        refs=[*exact("uniqueid", "accessionnumber", "eid"), to_plain(key, ties=False)],
        kind=_kind(kind, values, plain, journals),
        notes=notes,
    )


def _titles(plain: _Values) -> list[str]:
    titles = plain("title")
    if titles and (subtitle := next(iter(plain("subtitle")), "")):
        titles[0] = f"{titles[0].rstrip(' :')}: {subtitle}"
    return [*titles, *plain("booktitle", "maintitle", "titleaddon", "shorttitle")]


def _names(lists: list[str]) -> list[str]:
    """Return the names of the first list. `{World Health Organization}` is one, as it stands."""
    found: list[str] = []
    for name in bibtex_values.names(lists[0]) if lists else ():
        if name.casefold() == "others":
            continue
        text = normalise.clean(to_plain(name))
        several = not bibtex_values.is_braced(name) and (text.count(",") > 2 or ";" in text)
        found.extend(split_names(text) if several else [text])
    return found


def _keywords(values: _Values) -> list[str]:
    fields = values(
        *("keywords", "keyword", "authorkeywords", "keywordsplus", "indexkeywords", "mesh"),
        *("meshterms", "tags", "subject", "mrclass"),
    )
    return [to_plain(term) for field in fields for term in bibtex_values.terms(field)]


def _kind(kind: str, values: _Values, plain: _Values, journals: list[str]) -> Kind | None:
    types = plain("documenttype", "type", "entrysubtype", "itemtype", "pubtype")
    if kind not in _SAYS_NOTHING:
        types.append(kind)
    archives = values("archiveprefix", "eprinttype", "eprintclass", "publisher", "howpublished")
    if values("eprint") and any(_is_arxiv(archive) for archive in archives):
        archives.append("arXiv")
    found = kinds.of(types, [*journals, *map(to_plain, archives)])
    return found or (Kind.OTHER if kind in {"online", "electronic", "www"} else None)


def _is_arxiv(text: str) -> bool:
    return "arxiv" in text.lower()


def _arxiv_number(values: _Values) -> str | None:
    kinds_of_number = values("archiveprefix", "eprinttype")
    for number in values("eprint", "arxivid", "arxiv"):
        if kinds_of_number and not any(map(_is_arxiv, kinds_of_number)):
            continue
        if found := _ARXIV.fullmatch(number.strip()):
            return found[1]
    return None


def _arxiv_doi(values: _Values, exact: _Values) -> Iterator[str]:
    """Yield the DOI that arXiv registers for a paper published nowhere else."""
    published = values("journal", "journaltitle", "booktitle", "doi")
    if not published and (number := _arxiv_number(values)):
        yield f"10.48550/arXiv.{number}"


def _urls(values: _Values, exact: _Values) -> Iterator[str]:
    yield from exact("url", "link", "ee", "bdskurl1", "pdfurl")
    for text in exact("howpublished", "note"):
        if found := _ADDRESS.search(text[:_LONGEST_NOTE]):
            yield found[0].rstrip(".,;)")
    if number := _arxiv_number(values):
        yield f"https://arxiv.org/abs/{number}"
