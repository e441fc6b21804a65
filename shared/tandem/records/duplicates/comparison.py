"""The comparison of two records, field by field, and its wording for people."""

import re
from dataclasses import dataclass
from enum import Enum, auto

from rapidfuzz import fuzz

from tandem.records.duplicates.names import Name, same_first, same_team
from tandem.records.duplicates.title_relation import TitleRelation, similarity, title_relation
from tandem.records.duplicates.titles import Title
from tandem.records.duplicates.venues import (
    Journal,
    Pages,
    same_journal,
    same_numbers,
    same_pages,
)
from tandem.records.formats.entry import Kind

_SAME_ABSTRACT = 95.0
_OTHER_ABSTRACT = 55.0
"""Two texts of one language have about half their letters in the same order by chance."""

_OF_CENTRAL = "10.1002/central/"
"""Cochrane's register gives DOIs of its own to its records of articles."""

_LETTERS = re.compile(r"^[A-Za-z]+")
_NOTICES = frozenset([Kind.ERRATUM, Kind.RETRACTION])
_OWN_WORKS = frozenset([Kind.PREPRINT, Kind.CONFERENCE, Kind.ARTICLE, Kind.THESIS, Kind.TRIAL])


@dataclass(frozen=True, slots=True)
class Features:
    """A record's identity, each part in the form in which it is compared."""

    title: Title
    names: tuple[Name, ...]
    year: int | None
    journal: Journal | None
    volume: tuple[int, ...]
    issue: tuple[int, ...]
    pages: Pages | None
    doi: str | None
    pmid: str | None
    kind: Kind | None
    abstract: str
    """How it begins, without spaces; "" where it is too short to tell."""
    registry_ids: tuple[str, ...] = ()
    """Numbers of trial registries; see `own_number`."""

    @property
    def own_number(self) -> str | None:
        """The number under which a registry has this record; None where it is no such record."""
        return self.registry_ids[0] if self.kind is Kind.TRIAL and self.registry_ids else None

    @property
    def order(self) -> str:
        """What puts records in one order, whenever they were imported; equal only for copies."""
        # One text: a hundred thousand tuples would keep the garbage collector busy.
        parts = [self.title.key, self.doi, self.pmid, self.abstract, self.year, self.kind]
        parts += (*self.title.words, *self.volume, "", *self.issue, "", *self.registry_ids)
        for name in self.names:
            parts += (name.family, name.initial, *name.words)
        if self.journal:
            parts += (*self.journal.words, self.journal.initials, self.journal.aside)
        if pages := self.pages:
            parts += (pages.letters, pages.first, pages.last, *sorted(pages.starts))
        return "\x1f".join(map(str, parts))


class Kinds(Enum):
    """Whether two records can be one by what was published."""

    FIT = auto()
    EDITIONS = auto()
    """One work published twice: as a preprint or at a conference, and as an article."""
    NOTICE = auto()
    """One is an erratum or a retraction note, the other is not."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """For each field: equal (True), different (False), or unknown (None).

    Attributes:
        similarity: Of the titles, 0 to 100.
        gap: Years between the two.
        telling: Neither title is short or generic.
        length: Weight of the shorter title.
        generic: One of the titles only names a kind of text.
        number: Both are records of trials with one own number of a registry; False: with two
            numbers of one registry.
        names_number: Both are records of trials, and one names the other's own number.
        team: How many authors both have, the same ones in the same order; else 0.
        unsigned: One has no author.
        filled: Both fill the same pages, from the first to the last, at least three.
    """

    titles: TitleRelation
    similarity: float
    telling: bool
    length: int
    generic: bool
    doi: bool | None
    pmid: bool | None
    number: bool | None
    names_number: bool
    author: bool | None
    team: int
    unsigned: bool
    gap: int | None
    volume: bool | None
    issue: bool | None
    pages: bool | None
    filled: bool
    journal: bool | None
    abstract: bool | None
    kinds: Kinds
    kind_names: tuple[str, ...]


def compare_features(a: Features, b: Features) -> Comparison:
    return Comparison(
        titles=title_relation(a.title, b.title),
        similarity=similarity(a.title, b.title),
        telling=a.title.is_telling and b.title.is_telling,
        length=min(a.title.weight, b.title.weight),
        generic=a.title.is_generic or b.title.is_generic,
        doi=_same_doi(a.doi, b.doi),
        pmid=_equal(a.pmid, b.pmid),
        number=_same_number(a, b),
        names_number=_names_number(a, b),
        author=(author := same_first(a.names, b.names)),
        team=same_team(a.names, b.names) if author else 0,
        unsigned=not a.names or not b.names,
        gap=abs(a.year - b.year) if a.year and b.year else None,
        volume=same_numbers(a.volume, b.volume),
        issue=same_numbers(a.issue, b.issue),
        pages=same_pages(a.pages, b.pages),
        filled=_fill_same(a.pages, b.pages),
        journal=same_journal(a.journal, b.journal),
        abstract=_same_abstract(a.abstract, b.abstract),
        kinds=_kinds(a, b),
        kind_names=tuple(sorted((kind or Kind.ARTICLE).value for kind in (a.kind, b.kind))),
    )


def evidence(pair: Comparison) -> tuple[str, ...]:
    """Say what speaks for the two being one, then what speaks against it."""
    fors = [
        (pair.pmid, "same PMID"),
        (pair.doi, "same DOI"),
        (pair.number, "same registry number"),
        (
            pair.names_number and not pair.number,
            "one names the other's registry number",
        ),
        (True, _TITLES[pair.titles].format(int(pair.similarity))),
        (pair.author, "same first author"),
        (pair.gap == 0, "same year"),
        (pair.journal, "same journal"),
        (pair.volume, "same volume"),
        (pair.pages, "same pages"),
        (pair.abstract, "same abstract"),
    ]
    againsts = [
        (pair.kinds is not Kinds.FIT, " and ".join(pair.kind_names)),
        (pair.gap, f"years differ by {pair.gap}"),
        (pair.pmid is False, "different PMIDs"),
        (pair.doi is False, "different DOIs"),
        (pair.number is False, "different numbers of one registry"),
        (pair.author is False, "different first authors"),
        (pair.journal is False, "different journals"),
        (pair.volume is False, "different volumes"),
        (pair.pages is False, "different pages"),
        (pair.abstract is False, "different abstracts"),
    ]
    return tuple(words for holds, words in fors + againsts if holds)


_TITLES = {
    TitleRelation.EQUAL: "equal titles",
    TitleRelation.MISSPELT: "titles alike ({:d} %)",
    TitleRelation.ALIKE: "titles alike ({:d} %)",
    TitleRelation.REWORDED: "titles alike ({:d} %)",
    TitleRelation.SHORTENED: "one title is part of the other",
    TitleRelation.OTHER_WORK: "titles differ by a telling word or number",
    TitleRelation.DIFFERENT: "different titles",
    TitleRelation.UNKNOWN: "titles cannot be compared",
}


def _equal(a: str | None, b: str | None) -> bool | None:
    return a == b if a and b else None


def _same_doi(a: str | None, b: str | None) -> bool | None:
    """Whether two DOIs are one; CENTRAL's own say nothing of an article's."""
    same = _equal(a, b)
    return None if same is False and f"{a} {b}".count(_OF_CENTRAL) else same


def _same_number(a: Features, b: Features) -> bool | None:
    if not a.registry_ids or not b.registry_ids:  # most have none, and pairs are many
        return None
    one, other = a.own_number, b.own_number
    if one is None or other is None:
        return None
    return True if one == other else False if _registry(one) == _registry(other) else None


def _names_number(a: Features, b: Features) -> bool:
    if not a.registry_ids or not b.registry_ids:
        return False
    one, other = a.own_number, b.own_number
    if one is None or other is None:
        return False
    return one in b.registry_ids or other in a.registry_ids


def _registry(number: str) -> str:
    """Return what every number of a registry begins with."""
    return next(iter(_LETTERS.findall(number)), number)


def _same_abstract(a: str, b: str) -> bool | None:
    if not a or not b:
        return None
    alike = fuzz.ratio(a, b)
    return True if alike >= _SAME_ABSTRACT else False if alike < _OTHER_ABSTRACT else None


def _fill_same(a: Pages | None, b: Pages | None) -> bool:
    return a is not None and b is not None and a == b and a.are_exact


def _kinds(a: Features, b: Features) -> Kinds:
    kinds = {a.kind, b.kind}
    if len(kinds) == 1:
        return Kinds.FIT
    if None in kinds:
        if Kind.TRIAL in kinds:  # a registry's record is not linked to what may be an article
            return Kinds.EDITIONS
        # What has a DOI of its own beside a preprint is its article.
        other_doi = _same_doi(a.doi, b.doi) is False
        return Kinds.EDITIONS if Kind.PREPRINT in kinds and other_doi else Kinds.FIT
    if kinds & _NOTICES:
        return Kinds.NOTICE
    return Kinds.EDITIONS if kinds <= _OWN_WORKS else Kinds.FIT
