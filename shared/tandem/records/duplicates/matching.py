"""Whether two records are one, and how sure that is, from what they say of themselves.

Linking hides a record from screening. So it happens without people only where identifiers or
the whole place of publication agree and nothing contradicts; what is very probable is proposed;
the rest stays apart: a duplicate read twice costs a minute, an article hidden is lost.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from tandem.ids import RecordNumber
from tandem.records.duplicates.comparison import Comparison, Features, compare_features, evidence
from tandem.records.duplicates.names import read_names
from tandem.records.duplicates.relations import Relation, relation_of
from tandem.records.duplicates.rules import Verdict, judge, weight
from tandem.records.duplicates.titles import plain_title, read_title
from tandem.records.duplicates.venues import read_journal, read_numbers, read_pages
from tandem.records.formats.entry import Kind


@dataclass(frozen=True, slots=True)
class Identity:
    """What a record is recognised by. `abstract` may be its beginning only.

    `registry_ids` are numbers of trial registries; of a trial's record its own is the first.
    """

    number: RecordNumber
    title: str
    authors: tuple[str, ...]
    year: int | None
    journal: str | None
    volume: str | None
    issue: str | None
    pages: str | None
    doi: str | None
    pmid: str | None
    kind: Kind | None
    abstract: str = ""
    registry_ids: tuple[str, ...] = ()


class Certainty(StrEnum):
    """What may be done about a match: link the two at once, or ask people."""

    AUTOMATIC = "automatic"
    PROPOSED = "proposed"


@dataclass(frozen=True, slots=True)
class Match:
    """Two records that are, or very probably are, one.

    Attributes:
        certainty: Whether they may be linked without asking.
        score: In [0, 1], for putting proposals in order; not a probability.
        evidence: What speaks for it and against, in words for people.
    """

    certainty: Certainty
    score: float
    evidence: tuple[str, ...]


def compare(a: Identity, b: Identity) -> Match | None:
    """Return whether two records are one; None where they are not, or nothing says so.

    The order of the two does not matter.
    """
    return match(features(a), features(b))


def match(a: Features, b: Features) -> Match | None:
    """Do what `compare` does, for records of which several are compared."""
    pair = compare_features(a, b)
    return match_of(pair, judge(pair))


def match_of(pair: Comparison, verdict: Verdict) -> Match | None:
    if verdict is Verdict.SAME:
        return Match(Certainty.AUTOMATIC, score(pair, verdict), evidence(pair))
    if verdict is Verdict.PROBABLY:
        return Match(Certainty.PROPOSED, score(pair, verdict), evidence(pair))
    return None


def score(pair: Comparison, verdict: Verdict) -> float:
    """Return a number in [0, 1] that puts matches in order, the surest first."""
    known = weight(pair) / _MOST_WEIGHT
    titles = pair.similarity / 100
    sure = 0.5 * titles + 0.5 * min(1.0, max(0.0, known))
    if pair.pmid or pair.doi:
        sure = 0.5 + sure / 2
    return round(0.5 + sure / 2 if verdict is Verdict.SAME else sure, 4)


_MOST_WEIGHT = 8.0
_ABSTRACT_COMPARED = 200
_VERSION = re.compile(r"[./]?v[0-9]{1,3}$")
_PREPRINT_DOI = re.compile(
    r"10\.1101/(?:20[0-9]{2}\.[0-9]{2}\.[0-9]{2}\.)?[0-9]{6}|10\.64898/|10\.48550/arxiv"
    r"|10\.21203/rs\.|10\.2139/ssrn|10\.20944/preprints|10\.3121[0-9]/osf|10\.3123[0-9]/osf"
    r"|10\.26434/chemrxiv|10\.22541/au\.|10\.36227/techrxiv|10\.2196/preprints"
)
"""bioRxiv and medRxiv (their publisher's journals have letters there), arXiv, Research Square,
SSRN, Preprints.org, the Open Science Framework's, ChemRxiv, Authorea, TechRxiv, JMIR."""


def features(identity: Identity) -> Features:
    """Return the identity with each part in the form in which it is compared."""
    doi, kind = _published(identity)
    return Features(
        title=read_title(identity.title),
        names=read_names(identity.authors),
        year=identity.year,
        journal=read_journal(identity.journal),
        volume=read_numbers(identity.volume, year=identity.year),
        issue=read_numbers(identity.issue, year=identity.year),
        pages=read_pages(identity.pages),
        doi=doi,
        pmid=identity.pmid,
        kind=kind,
        abstract=_beginning(identity.abstract),
        registry_ids=identity.registry_ids,
    )


def _published(identity: Identity) -> tuple[str | None, Kind | None]:
    """Return the DOI, of a preprint less its version, and what was published.

    A preprint is one work in all its versions. Many databases call preprints articles, their
    DOIs do not.
    """
    doi = identity.doi.casefold() if identity.doi else None
    if doi is None or not _PREPRINT_DOI.match(doi):
        return doi, identity.kind
    unsaid = identity.kind in (None, Kind.ARTICLE, Kind.OTHER)
    return _VERSION.sub("", doi), Kind.PREPRINT if unsaid else identity.kind


def _beginning(abstract: str) -> str:
    """Return how an abstract begins, in the form in which beginnings are compared."""
    key = plain_title(abstract[: 2 * _ABSTRACT_COMPARED]).replace(" ", "")[:_ABSTRACT_COMPARED]
    return key if len(key) >= _ABSTRACT_COMPARED // 2 else ""


def relation(a: Identity, b: Identity) -> Relation | None:
    """Return how two records about one work hang together that are not one record."""
    one, other = features(a), features(b)
    return relation_of(one, other, compare_features(one, other))
