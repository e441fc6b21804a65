"""The phrases of the demo corpus, read from the TOML files beside this module."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

SLOT = re.compile(r"\{(\w+)\}")
_FACETS = re.compile(r"^\(([\w,]+)\) ")
_IDENTITY = {"subject", "topic", "population", "setting"}
_ALWAYS = {"background": 3, "implication": 2, "keywords": 3}


@dataclass(frozen=True, slots=True)
class Design:
    """The text of a study of one kind: templates whose slots a topic fills."""

    name: str
    sizes: tuple[int, int]
    kinds: tuple[str, ...]
    titles: tuple[str, ...]
    aim: tuple[str, ...]
    methods: tuple[tuple[str, ...], ...]
    results: tuple[tuple[str, ...], ...]
    extra: tuple[str, ...]
    extra_in: str
    result_slot: str
    closing: tuple[str, ...]

    def needs(self) -> dict[str, int]:
        """Return how many phrases of each list the templates name at most."""
        needs = dict(_ALWAYS)
        groups = (self.titles, self.aim, self.extra, self.closing, *self.methods, *self.results)
        for slot in SLOT.findall(" ".join(text for group in groups for text in group)):
            name, place = list_slot(slot)
            needs[name] = max(needs.get(name, 0), place + 1)
        if self.result_slot:
            needs[self.result_slot] = 2
        return needs


@dataclass(frozen=True, slots=True)
class Topic:
    """What some of the irrelevant records are about, with how many of each design."""

    name: str
    journals: str
    designs: Mapping[str, int]
    phrases: Mapping[str, Sequence[str]]

    def facets(self) -> list[str]:
        """Return the sub-topics in order of appearance; [""] if there are none."""
        found: dict[str, None] = {}
        for phrases in self.phrases.values():
            for phrase in phrases:
                if match := _FACETS.match(phrase):
                    found.update(dict.fromkeys(match[1].split(",")))
        return list(found) or [""]

    def of_facet(self, facet: str) -> dict[str, list[str]]:
        """Return the phrases that may stand together in a record of `facet`.

        Who is studied, where and how comes from the facet alone where it says so: otherwise
        an abstract might announce interviews with siblings and report on spouses.
        """
        chosen = {}
        for name, phrases in self.phrases.items():
            own = [_FACETS.sub("", p) for p in phrases if facet in _facets_of(p)]
            free = [p for p in phrases if not _facets_of(p)]
            chosen[name] = own if own and name in _IDENTITY else own + free
        return chosen

    def facets_for(
        self, design: Design, shared: Mapping[str, Sequence[str]]
    ) -> list[tuple[str, dict[str, Sequence[str]]]]:
        """Return the facets that have phrases enough for every slot of `design`, with these."""
        needs = {k: n for k, n in design.needs().items() if k in _ALWAYS or k in LISTS}
        result = []
        for facet in self.facets():
            lists: dict[str, Sequence[str]] = {**shared, **self.of_facet(facet)}
            if all(len(lists.get(name, ())) >= n for name, n in needs.items()):
                result.append((facet, lists))
        return result


LISTS = _IDENTITY | {"outcome", "factor", "theme", "finding", "result", "place", "analysis"}
"""Slots that are filled from lists of phrases; all others are numbers."""


@dataclass(frozen=True, slots=True)
class Study:
    """A record written by hand; missing parts come from the pools."""

    title: str
    journals: str
    abstract: bool
    role: str
    about: str
    how: str
    found: tuple[str, ...]
    background: tuple[str, ...]
    implication: tuple[str, ...]
    keywords: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    headings: tuple[tuple[str, ...], ...]
    designs: Mapping[str, Design]
    topics: tuple[Topic, ...]
    shared: Mapping[str, Sequence[str]]
    journals: Mapping[str, Sequence[tuple[str, str]]]
    languages: tuple[tuple[str, str], ...]
    family_names: Sequence[str]
    given_names: Sequence[str]
    initials: str
    studies: tuple[Study, ...]
    lookalikes: tuple[Study, ...]
    pools: Mapping[str, Sequence[str]]
    question: str
    include: tuple[str, ...]
    exclude: tuple[str, ...]


def list_slot(slot: str) -> tuple[str, int]:
    """Split "theme3" into its list and its place in it, counted from 0."""
    name = slot.lower().rstrip("0123456789")
    number = slot[len(name) :]
    return name, int(number) - 1 if number else 0


@cache
def vocabulary() -> Vocabulary:
    names, designs, relevant = _read("names"), _read("designs"), _read("relevant")
    headings = designs.pop("headings")
    pools = {key: relevant[key] for key in ("background", "finding", "implication")}
    topics = [
        _topic(name, entry, pools)
        for part in ("near", "middle", "far")
        for name, entry in _read(part).items()
    ]
    return Vocabulary(
        headings=tuple(tuple(h) for h in headings),
        designs={name: _design(name, entry) for name, entry in designs.items()},
        topics=tuple(topics),
        shared={key: names[key] for key in ("place", "analysis")},
        journals={g: [(j[0], j[1]) for j in js] for g, js in names["journals"].items()},
        languages=tuple((code, name) for code, name in names["languages"]),
        family_names=names["family"],
        given_names=names["given"],
        initials=names["initials"],
        studies=tuple(_study(entry) for entry in relevant["study"]),
        lookalikes=tuple(_study(entry) for entry in _read("lookalike")["study"]),
        pools=pools,
        question=relevant["question"],
        include=tuple(relevant["include"]),
        exclude=tuple(relevant["exclude"]),
    )


def _read(name: str) -> dict[str, Any]:
    path = resources.files("tandem.demo") / "phrases" / f"{name}.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"))


def _facets_of(phrase: str) -> list[str]:
    match = _FACETS.match(phrase)
    return match[1].split(",") if match else []


def _design(name: str, entry: Mapping[str, Any]) -> Design:
    return Design(
        name=name,
        sizes=(entry["n"][0], entry["n"][1]),
        kinds=tuple(entry["kinds"]),
        titles=tuple(entry["titles"]),
        aim=tuple(entry["aim"]),
        methods=tuple(tuple(group) for group in entry["methods"]),
        results=tuple(tuple(group) for group in entry["results"]),
        extra=tuple(entry["extra"]),
        extra_in=entry.get("extra_in", "results"),
        result_slot=entry.get("result_slot", "result"),
        closing=tuple(entry["closing"]),
    )


def in_role(phrase: str, role: str) -> str:
    """Return a phrase of the pools about people in this role."""
    return phrase.replace("{role}", role).replace("{Role}", role[:1].upper() + role[1:])


def _topic(name: str, entry: Mapping[str, Any], pools: Mapping[str, Sequence[str]]) -> Topic:
    """Read a topic. It may borrow from the pools of the relevant studies.

    Without that, those phrases would give the relevant records away to any ranking.
    """
    fixed = ("journals", "designs", "borrows")
    phrases = {key: list(value) for key, value in entry.items() if key not in fixed}
    if borrows := entry.get("borrows"):
        for pool in borrows["pools"]:
            phrases[pool] += [in_role(phrase, borrows["role"]) for phrase in pools[pool]]
    return Topic(
        name=name,
        journals=entry["journals"],
        designs=entry["designs"],
        phrases=phrases,
    )


def _study(entry: Mapping[str, Any]) -> Study:
    return Study(
        title=entry["title"],
        journals=entry["journals"],
        abstract=entry.get("abstract", True),
        role=entry.get("role", ""),
        about=entry["about"],
        how=entry["how"],
        found=tuple(entry["found"]),
        background=tuple(entry.get("background", ())),
        implication=tuple(entry.get("implication", ())),
        keywords=tuple(entry["keywords"]),
    )
