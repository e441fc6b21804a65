"""Which field of a record holds what: one table for each format, all read in one way."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import chain

from tandem.records.formats import kinds, normalise
from tandem.records.formats.assembly import Parts
from tandem.records.marks import is_mark

Get = Callable[[str], list[str] | None]
"""Returns the values of a field, by the name that the format has for it: a tag, a path, a key."""


@dataclass(frozen=True)
class FieldMap:
    """The names of the fields that hold each part of a record; what is not given, a format has not.

    `A B|C` are all values of A and B, or, where these are empty, those of C. Each abstract is one
    field's values together. `accessions` are PubMed numbers where one of `databases` is PubMed;
    `notes` and `naming` may name one, or a DOI, among other text.
    """

    titles: str
    authors: str = ""
    abstracts: str = ""
    dates: str = ""
    journals: str = ""
    volume: str = ""
    issue: str = ""
    start: str = ""
    end: str = ""
    dois: str = ""
    pmids: str = ""
    accessions: str = ""
    databases: str = ""
    urls: str = ""
    keywords: str = ""
    language: str = ""
    refs: str = ""
    types: str = ""
    publisher: str = ""
    notes: str = ""
    naming: str = ""
    registered: str = ""

    def parts(self, get: Get) -> Parts:
        """Return the parts of the record whose fields `get` returns."""
        values = partial(chosen, get)
        journals = values(self.journals)
        return Parts(
            titles=values(self.titles),
            abstracts=[" ".join(get(name) or ()) for name in self.abstracts.split()],
            authors=values(self.authors),
            dates=values(self.dates),
            journals=journals,
            volume=_first(values(self.volume)),
            issue=_first(values(self.issue)),
            pages=(_first(values(self.start)), _first(values(self.end))),
            dois=values(self.dois),
            pmids=self._pmids(values),
            urls=values(self.urls),
            keywords=values(self.keywords),
            language="; ".join(dict.fromkeys(values(self.language))),
            refs=values(self.refs),
            kind=kinds.of(values(self.types), (*journals, *values(self.publisher))),
            notes=values(self.notes),
            naming=chain.from_iterable(map(values, [self.naming])),  # rarely asked
            registered=values(self.registered),
        )

    def _pmids(self, values: Callable[[str], list[str]]) -> Iterator[str]:
        """Yield PubMed numbers, the certain ones first."""
        yield from values(self.pmids)
        if any(map(normalise.is_pubmed, values(self.databases))):
            yield from values(self.accessions)


def chosen(get: Get, names: str) -> list[str]:
    """Return the values of `names`, as `FieldMap` writes them.

    What a reviewer noted here is not the publication's, nor are its identifiers.
    """
    for group in _groups(names) if names else ():
        found = [value for name in group if (values := get(name)) for value in values]
        if any(found):
            return [value for value in found if not is_mark(value)]
    return []


def _first(values: list[str]) -> str:
    return next(filter(None, values), "")


@lru_cache(maxsize=1024)
def _groups(names: str) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(group.split()) for group in names.split("|"))
