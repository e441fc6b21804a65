"""From a record's parts, as its format names them, to an entry or the reason there is none."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain, filterfalse, islice

from tandem.records.formats import normalise, priors, registries
from tandem.records.formats.entry import LONGEST_EXCERPT, Entry, Kind, Prior, Rejection
from tandem.records.marks import is_mark

LONGEST_RECORD = 1_000_000
"""Characters. No record of a bibliography is that long; a file cut or joined wrongly has one."""

_NO_ABSTRACT = re.compile(
    r"\W*(?:(?:there is |has )?no abstract(?: (?:is )?(?:available|provided|found|given|supplied))?"
    r"(?: (?:for|from|because) .{1,80})?"
    r"|(?:the )?abstract (?:is )?(?:not|un) ?available(?: .{1,80})?"
    r"|none available|abstract available|(?:abstract )?(?:available )?from (?:the )?publisher"
    r"|publisher: abstract available(?: .{1,80})?"
    r"|see full text)\W*",
    re.I,
)
"""What Scopus and others write where there is none."""

_DECIMAL = re.compile(r"([0-9]{1,6})\.0")
"""A whole number out of a spreadsheet."""

LONGEST_TITLE = 5_000
LONGEST_FIELD = 500
LONGEST_LIST = 10_000


@dataclass(frozen=True, slots=True)
class Parts:
    """What a format knows of one record, unnormalised. The first usable of several is taken."""

    titles: Iterable[str] = ()
    abstracts: Iterable[str] = ()
    authors: Iterable[str] = ()
    dates: Iterable[str] = ()
    journals: Iterable[str] = ()
    volume: str = ""
    issue: str = ""
    pages: tuple[str, str] = ("", "")
    dois: Iterable[str] = ()
    pmids: Iterable[str] = ()
    urls: Iterable[str] = ()
    keywords: Iterable[str] = ()
    language: str = ""
    refs: Iterable[str] = ()
    kind: Kind | None = None
    notes: Iterable[str] = ()
    """May hold earlier decisions and identifiers, also of trial registries; they are not shown."""
    naming: Iterable[str] = ()
    """Other texts that may name a PubMed number, as `C3  - PUBMED 1` does."""
    priors: tuple[Prior, ...] = ()
    registered: Iterable[str] = ()
    """Texts that may name a number of a trial registry; refs, addresses and prose do anyway."""


def assemble(position: int, raw: str, parts: Parts) -> Entry | Rejection:
    """Normalise `parts`; reject a record that has neither title nor abstract."""
    title = _first(parts.titles, LONGEST_TITLE)
    abstracts = map(priors.without_rayyan, filterfalse(_is_no_abstract, parts.abstracts))
    abstract = _first(abstracts, LONGEST_RECORD)
    if title is None and abstract is None:
        return reject(position, "no title and no abstract", raw)
    pages = normalise.pages(*map(_whole, parts.pages))
    refs, authors = list(parts.refs), list(parts.authors)
    urls = [url for each in parts.urls if each and (url := normalise.url(each))]
    notes, keywords = [n for n in parts.notes if not is_mark(n)], list(parts.keywords)
    # Asked lazily: most records have identifiers in fields of their own.
    dois = chain(parts.dois, normalise.named_dois(notes))
    pmids = chain(parts.pmids, urls, normalise.named_pmids(chain(parts.naming, notes)))
    registry_ids = registries.numbers(
        (*refs, *urls, *authors[:1]), (*parts.registered, *notes), (title or "", abstract or "")
    )
    return Entry(
        title=title or "",
        abstract=abstract or "",
        authors=tuple(n[:LONGEST_FIELD] for n in normalise.names(authors)[:LONGEST_LIST]),
        year=next(filter(None, map(normalise.year, parts.dates)), None),
        journal=_first((j for j in parts.journals if not normalise.url(j)), LONGEST_FIELD),
        volume=_first([_whole(parts.volume)], LONGEST_FIELD),
        issue=_first([_whole(parts.issue)], LONGEST_FIELD),
        pages=pages[:LONGEST_FIELD] if pages else None,
        doi=next(filter(None, map(normalise.doi, dois)), None),
        pmid=next(filter(None, map(normalise.pmid, pmids)), None),
        url=next(iter(urls), None),
        keywords=_keywords(keywords),
        language=_first([parts.language], LONGEST_FIELD),
        ref=_first(map(_whole, refs), LONGEST_FIELD),
        raw=normalise.clean_raw(raw),
        kind=_kind(parts.kind, refs),
        priors=parts.priors or priors.noted(notes, keywords),
        registry_ids=registry_ids,
    )


def _kind(kind: Kind | None, refs: Iterable[str]) -> Kind | None:
    """Return the kind; what is listed under a trial's number and says no other is a trial."""
    is_trial = kind in {None, Kind.OTHER} and any(map(registries.own, refs))
    return Kind.TRIAL if is_trial else kind


def reject(position: int, reason: str, raw: str) -> Rejection:
    """Say that the record `raw` was not read."""
    # An excerpt needs no more than the beginning, and a runaway record can be a whole file.
    excerpt = normalise.clean(raw[: 10 * LONGEST_EXCERPT])
    return Rejection(position, reason, excerpt[:LONGEST_EXCERPT])


def reject_overlong(position: int, raw: str) -> Rejection:
    """Say that `raw` is too long to be one record."""
    return reject(position, f"longer than {LONGEST_RECORD:,} characters", raw)


def _keywords(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the publication's own keywords: other tools' marks tell of verdicts."""
    texts = (text for text in texts if not priors.is_tools_mark(text))
    terms = (
        term for term in normalise.terms(texts) if not (is_mark(term) or priors.is_tools_mark(term))
    )
    return tuple(term[:LONGEST_FIELD] for term in islice(terms, LONGEST_LIST))


def _is_no_abstract(text: str) -> bool:
    return len(text) < 200 and _NO_ABSTRACT.fullmatch(normalise.clean(text)) is not None


def _whole(text: str) -> str:
    number = _DECIMAL.fullmatch(text.strip())
    return number[1] if number else text


def _first(texts: Iterable[str], limit: int) -> str | None:
    """Return the first text that says something."""
    cleaned = (normalise.short(text, limit) for text in texts)
    return next((text for text in cleaned if text and not normalise.says_nothing(text)), None)
