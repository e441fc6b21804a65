"""The values of one record by tag, and which tag holds what."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from tandem.records.formats import kinds, normalise
from tandem.records.formats.assembly import Parts
from tandem.records.marks import is_mark

_PUBMED = re.compile(r"pubmed|medline|^nlm$", re.I)
_NAMED_PMID = re.compile(r"\b(?:PMID|PUBMED|MEDLINE)\b[: ]\s*(?:NLM)?([0-9]{1,8})(?![0-9])", re.I)
_NAMED_DOI = re.compile(r"\bdoi:?\s{0,3}(10\.[0-9]{4,9}/[^\s;]{1,300})", re.I)
_OF_EBSCO = re.compile(r"Accession Number:", re.I)
_LONGEST_NOTE = 10_000
_LONGEST_TELLING = 100
"""Characters. A longer note in prose may cite another article's number."""


class Fields:
    """The values of one record by tag, in their order, put together from lines."""

    def __init__(self, lists: frozenset[str] = frozenset()) -> None:
        self._values: dict[str, list[list[str]]] = {}
        self._lists = lists
        self._last: list[str] = []
        self.tag = ""

    def add(self, tag: str, value: str) -> None:
        """Begin a value of `tag`."""
        # In pieces, as adding to a text again and again takes the square of its length.
        self._last = [value.strip()]
        self.tag = tag
        self._values.setdefault(tag, []).append(self._last)

    def go_on(self, line: str) -> None:
        """Continue the last value with `line`, by another value where its tag is a list."""
        if self.tag in self._lists:
            self.add(self.tag, line)
        else:
            self._last.append(line.strip())

    @property
    def tags(self) -> list[str]:
        """All tags, in the order in which they first came."""
        return list(self._values)

    def values(self, *tags: str) -> list[str]:
        """Return all values of `tags`, in the order of `tags`."""
        return [" ".join(pieces) for tag in tags for pieces in self._values.get(tag, ())]

    def of(self, tags: str) -> list[str]:
        """Return all values of `tags`, given as `A B|C`: those of C where A and B have none."""
        known = self._values
        for group in _groups(tags):
            found = [" ".join(each) for tag in group if tag in known for each in known[tag]]
            if any(found):
                # What a reviewer noted here is not the publication's, nor are its identifiers.
                return [value for value in found if not is_mark(value)]
        return []

    def first(self, *tags: str) -> str:
        """Return the first value that is not empty, or an empty text."""
        return next(filter(None, self.values(*tags)), "")

    def joined(self, tag: str) -> str:
        """Return all values of `tag` as one text."""
        return " ".join(self.values(tag))


@dataclass(frozen=True)
class TagMap:
    """Which tags hold what, each as for `Fields.of`. What is not given, a format does not have.

    `pmids` are PubMed numbers for certain; `accessions` are where one of `databases` is PubMed;
    `notes` may name one, as they may name a DOI or an earlier decision.
    """

    titles: str
    authors: str
    abstracts: str = ""
    dates: str = ""
    journals: str = ""
    volume: str = ""
    issue: str = ""
    start: str = ""
    end: str = ""
    dois: str = ""
    urls: str = ""
    keywords: str = ""
    language: str = ""
    refs: str = ""
    types: str = ""
    publisher: str = ""
    notes: str = ""
    registered: str = ""
    pmids: str = ""
    accessions: str = ""
    databases: str = ""
    naming: str = ""

    def parts(self, fields: Fields) -> Parts:
        """Return what `fields` tell of their record."""
        of = fields.of
        notes, urls, journals = of(self.notes), of(self.urls), of(self.journals)
        return Parts(
            titles=of(self.titles),
            abstracts=[fields.joined(tag) for tag in self.abstracts.split()],
            authors=of(self.authors),
            dates=of(self.dates),
            journals=journals,
            volume=_first(of(self.volume)),
            issue=_first(of(self.issue)),
            pages=(_first(of(self.start)), _first(of(self.end))),
            dois=[*of(self.dois), *_named_dois(notes)],
            pmids=self._pmids(fields, urls),
            urls=urls,
            keywords=of(self.keywords),
            language="; ".join(of(self.language)),
            refs=of(self.refs),
            kind=kinds.of(of(self.types), (*journals, *of(self.publisher))),
            notes=notes,
            registered=of(self.registered),
        )

    def _pmids(self, fields: Fields, urls: Iterable[str]) -> Iterator[str | None]:
        """Yield PubMed numbers, the certain ones first."""
        yield from map(normalise.pmid, fields.of(self.pmids))
        if any(map(_PUBMED.search, fields.of(self.databases))):
            for number in fields.of(self.accessions):
                yield normalise.pmid(number, guessed=True)
        for text in fields.of(self.naming):
            yield _named_pmid(text)
        yield from map(normalise.pmid_in_url, urls)


@lru_cache(maxsize=512)
def _groups(tags: str) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(group.split()) for group in tags.split("|"))


def _first(values: Iterable[str]) -> str:
    return next(filter(None, values), "")


def _named_pmid(text: str) -> str | None:
    tells = len(text) < _LONGEST_TELLING or _OF_EBSCO.match(text)
    named = (_NAMED_PMID.search if tells else _NAMED_PMID.match)(text[:_LONGEST_NOTE])
    return normalise.pmid(named[1]) if named else None


def _named_dois(notes: Iterable[str]) -> Iterator[str]:
    for note in notes:
        if len(note) < 3 * _LONGEST_TELLING or _OF_EBSCO.match(note):
            yield from _NAMED_DOI.findall(note[:_LONGEST_NOTE])
