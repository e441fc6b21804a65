"""All duplicates among many records: groups that are one, pairs for people to look at."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from tandem.ids import RecordNumber
from tandem.progress import OnProgress, counted, no_progress, stretch
from tandem.records.duplicates.blocks import candidates
from tandem.records.duplicates.matching import Identity, features, match_of
from tandem.records.duplicates.partition import Link, Partition
from tandem.records.duplicates.relations import Relation, relation_of
from tandem.records.duplicates.rules import Verdict, judge
from tandem.records.duplicates.signs import Features, read_signs

_READ = 0.5
"""The share of the work that reading the records takes. Comparing takes the rest."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """Two records that are very probably one; `first` < `second`. For the rest see `Match`."""

    first: RecordNumber
    second: RecordNumber
    score: float
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Related:
    """Two records about one work that are not the same record; `first` < `second`."""

    first: RecordNumber
    second: RecordNumber
    relation: Relation


@dataclass(frozen=True, slots=True)
class Found:
    """What was found, each tuple in ascending order.

    Attributes:
        linked: New groups and those that grew, with all their members, each ascending.
        proposed: What to ask people. Whatever would be settled by accepting surer pairs is left
            out, and comes up in the next search if they are not accepted.
        related: Pairs to show to people.
    """

    linked: tuple[tuple[RecordNumber, ...], ...]
    proposed: tuple[Proposal, ...]
    related: tuple[Related, ...] = ()


def find(
    identities: Sequence[Identity],
    *,
    groups: Iterable[Collection[RecordNumber]] = (),
    apart: Collection[frozenset[RecordNumber]] = (),
    on_progress: OnProgress = no_progress,
) -> Found:
    """Find the duplicates among `identities`, in whatever order they come.

    Args:
        identities: Each with a number of its own.
        groups: Records linked already, by people or earlier. They stay linked. Numbers that
            are not among `identities` are ignored.
        apart: Pairs that people have marked as different. No group that grows holds one, and
            none is proposed, nor are two groups that hold one between them.
        on_progress: Called with the share that is done.

    Raises:
        ValueError: Two identities have one number.
    """
    ordered = sorted(identities, key=lambda identity: identity.number)
    numbers = [identity.number for identity in ordered]
    place = {number: at for at, number in enumerate(numbers)}
    if len(place) != len(numbers):
        raise ValueError("Two identities have one number.")
    records = [
        features(identity) for identity in counted(ordered, stretch(on_progress, 0.0, _READ))
    ]
    links, related = _compare_all(records, stretch(on_progress, _READ, 1.0))
    partition = Partition(
        records,
        [[place[n] for n in group if n in place] for group in groups],
        [[place[n] for n in pair] for pair in apart if all(n in place for n in pair)],
    )
    doubtful = [link for link in links if not (link.is_certain and partition.join(link))]
    return Found(
        linked=tuple(sorted(tuple(numbers[at] for at in group) for group in partition.grown())),
        proposed=tuple(
            Proposal(numbers[link.low], numbers[link.high], link.match.score, link.match.evidence)
            for link in partition.open_questions(doubtful)
        ),
        related=tuple(
            Related(numbers[low], numbers[high], relation)
            for low, high, relation in sorted(related)
            if not partition.is_one(low, high)
        ),
    )


def _compare_all(
    records: Sequence[Features], on_progress: OnProgress
) -> tuple[list[Link], list[tuple[int, int, Relation]]]:
    """Return links, the surest first, and relations."""
    links: list[Link] = []
    related: list[tuple[int, int, Relation]] = []
    for low, high in candidates(records, on_progress):
        signs = read_signs(records[low], records[high])
        verdict = judge(signs)
        if match := match_of(signs, verdict):
            links.append(Link(low, high, match, verdict is Verdict.SAME))
        if relation := relation_of(records[low], records[high], signs):
            related.append((low, high, relation))
    # Of two that are as sure, the order of import does not decide.
    linked = {at for link in links for at in (link.low, link.high)}
    rank = {at: n for n, at in enumerate(sorted(linked, key=lambda at: records[at].order))}

    def surest_first(link: Link) -> tuple[bool, float, int, int]:
        low, high = sorted((rank[link.low], rank[link.high]))
        return not link.is_certain, -link.match.score, low, high

    links.sort(key=surest_first)
    return links, related
