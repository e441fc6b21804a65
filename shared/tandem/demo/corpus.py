"""The records of the demo review: synthetic, labelled as such, and the same everywhere."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tandem.demo.chance import Dice
from tandem.demo.texts import Text, by_hand, from_templates
from tandem.demo.vocabulary import Vocabulary, vocabulary

SOURCES = ("Medline", "CINAHL", "Scopus")
FIRST_PMID = 99_000_001
"""Far above any number that PubMed has given away."""

_OVERLAPS: Mapping[tuple[str, ...], int] = {
    ("Medline",): 410,
    ("CINAHL",): 288,
    ("Scopus",): 388,
    ("Medline", "CINAHL"): 70,
    ("Medline", "Scopus"): 210,
    ("CINAHL", "Scopus"): 52,
    ("Medline", "CINAHL", "Scopus"): 110,
}
_ONLY_PMID = 12
"""Records of Medline and Scopus without a DOI: their PMID alone links them."""
_NO_DOI = 110
"""Records of one source without a DOI."""
_NO_ABSTRACT = 61
_NEWEST, _SPAN = 2024, 22
_PANDEMIC = 2021
_SHARED = 0.6
"""Largest part of its sentences that an abstract may share with another of its topic."""


@dataclass(frozen=True, slots=True)
class Record:
    """One publication, in all its sources. Authors are written "Family, Given I."."""

    record_id: str
    title: str
    sections: tuple[tuple[str, str], ...]
    authors: tuple[str, ...]
    year: int
    month: int
    journal: str
    journal_abbreviation: str
    volume: str
    issue: str
    pages: str
    doi: str | None
    pmid: str | None
    keywords: tuple[str, ...]
    language: str
    kinds: tuple[str, ...]
    relevant: bool
    sources: tuple[str, ...]

    @property
    def abstract(self) -> str:
        """The abstract as one paragraph, with its labels; empty if there is none."""
        return " ".join(f"{label}: {text}" if label else text for label, text in self.sections)


@dataclass(frozen=True, slots=True)
class Corpus:
    records: tuple[Record, ...]
    question: str
    criteria: Mapping[str, list[str]]


@dataclass(frozen=True, slots=True)
class _Draft:
    """What a record says, before it is placed among the others."""

    text: Text
    journals: str
    kinds: tuple[str, ...]
    year: int
    relevant: bool
    silent: bool = False


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a record was found and by what it can be recognised."""

    sources: tuple[str, ...]
    doi: bool


def corpus(seed: int = 20240) -> Corpus:
    """Return 1,528 distinct synthetic records, 34 of them relevant.

    The same seed gives the same corpus on every Python and every system.
    """
    words, dice = vocabulary(), Dice(seed)
    drafts = dice.shuffled([*_written_by_hand(words, dice), *_templated(words, dice)])
    silent = _without_abstract(drafts, dice)
    places = _places(dice)
    records = []
    pmid = FIRST_PMID
    for i, (draft, place) in enumerate(zip(drafts, places, strict=True)):
        listed = "Medline" in place.sources
        records.append(
            _record(
                words,
                dice,
                draft=draft,
                place=place,
                number=i + 1,
                pmid=str(pmid) if listed else None,
                silent=i in silent,
            )
        )
        pmid += listed
    return Corpus(
        records=tuple(records),
        question=words.question,
        criteria={"include": list(words.include), "exclude": list(words.exclude)},
    )


def folded(title: str) -> str:
    """Return the letters and digits of a title, without regard to case."""
    return "".join(c for c in title.casefold() if c.isalnum())


def _written_by_hand(words: Vocabulary, dice: Dice) -> Iterator[_Draft]:
    kinds = words.designs["qualitative"].kinds
    for study in (*words.studies, *words.lookalikes):
        text = by_hand(words, dice, study=study)
        year = max(_NEWEST - dice.below(15), _PANDEMIC if "COVID" in study.title else 0)
        relevant = study in words.studies
        yield _Draft(text, study.journals, kinds, year, relevant, silent=not study.abstract)


def _templated(words: Vocabulary, dice: Dice) -> Iterator[_Draft]:
    """Write the records of all topics: no title twice, and no abstract nearly so."""
    taken = {folded(study.title) for study in (*words.studies, *words.lookalikes)}
    for topic in words.topics:
        earlier: list[set[str]] = []
        for name, count in topic.designs.items():
            design = words.designs[name]
            facets = dice.shuffled(topic.facets_for(design, words.shared))
            for i in range(count):
                facet, phrases = facets[i % len(facets)]
                # Recent years are more frequent, as they are in every search.
                year = _NEWEST - min(dice.below(_SPAN), dice.below(_SPAN))
                if facet == "covid":
                    year = max(year, _PANDEMIC)
                while True:
                    text = from_templates(words, dice, phrases=phrases, design=design, year=year)
                    if folded(text.title) not in taken and not _repeats(text, earlier):
                        break
                taken.add(folded(text.title))
                earlier.append(_sentences(text))
                yield _Draft(text, topic.journals, design.kinds, year, relevant=False)


def _sentences(text: Text) -> set[str]:
    return {s for _, section in text.sections for s in section.split(". ")}


def _repeats(text: Text, earlier: list[set[str]]) -> bool:
    mine = _sentences(text)
    return any(len(mine & other) > _SHARED * min(len(mine), len(other)) for other in earlier)


def _without_abstract(drafts: list[_Draft], dice: Dice) -> set[int]:
    """Choose records that have only a title: half of the editorials, and some others."""
    silent = [i for i, draft in enumerate(drafts) if draft.silent]
    order = dice.shuffled([i for i, draft in enumerate(drafts) if not draft.relevant])
    editorials = [i for i in order if "Editorial" in drafts[i].kinds]
    others = [i for i in order if "Editorial" not in drafts[i].kinds]
    chosen = silent + editorials[: len(editorials) // 2]
    return {*chosen, *others[: _NO_ABSTRACT - len(chosen)]}


def _places(dice: Dice) -> list[_Place]:
    places = []
    for sources, count in _OVERLAPS.items():
        for i in range(count):
            linked_by_pmid = sources == ("Medline", "Scopus") and i < _ONLY_PMID
            places.append(_Place(sources, doi=not linked_by_pmid))
    single = dice.shuffled([i for i, place in enumerate(places) if len(place.sources) == 1])
    for i in single[:_NO_DOI]:
        places[i] = _Place(places[i].sources, doi=False)
    return dice.shuffled(places)


def _record(
    words: Vocabulary,
    dice: Dice,
    *,
    draft: _Draft,
    place: _Place,
    number: int,
    pmid: str | None,
    silent: bool,
) -> Record:
    journal, abbreviation = dice.pick(words.journals[draft.journals])
    first = dice.between(1, 940)
    foreign = not draft.relevant and dice.chance(0.045)
    language = dice.pick(words.languages[1:]) if foreign else words.languages[0]
    return Record(
        record_id=f"D{number:04d}",
        title=draft.text.title,
        sections=() if silent else draft.text.sections,
        authors=_authors(words, dice),
        year=draft.year,
        month=dice.between(1, 12),
        journal=journal,
        journal_abbreviation=abbreviation,
        volume=str(draft.year - 1994 + len(journal) % 7),
        issue=str(dice.between(1, 6)),
        pages=f"{first}-{first + dice.between(3, 16)}",
        doi=f"10.5555/tandem.{draft.year}.{number:04d}" if place.doi else None,
        pmid=pmid,
        keywords=draft.text.keywords,
        language=language[1],
        kinds=draft.kinds,
        relevant=draft.relevant,
        sources=place.sources,
    )


def _authors(words: Vocabulary, dice: Dice) -> tuple[str, ...]:
    families = dice.shuffled(words.family_names)[: dice.between(1, 7)]
    return tuple(
        f"{family}, {dice.pick(words.given_names)}"
        + (f" {dice.pick(words.initials)}." if dice.chance(0.4) else "")
        for family in families
    )
