"""All duplicates among many records: groups that are one, pairs for people to look at."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from tandem.ids import RecordNumber
from tandem.progress import OnProgress, counted, no_progress, stretch
from tandem.records.duplicates.blocking import candidates
from tandem.records.duplicates.comparison import Features, compare_features
from tandem.records.duplicates.matching import Identity, features, match_of
from tandem.records.duplicates.partition import Link, Partition
from tandem.records.duplicates.relations import Relation, relation_of
from tandem.records.duplicates.rules import Verdict, judge


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


@dataclass(frozen=True, slots=True)
class Compared:
    """Records in the form in which they are compared, aligned, in ascending order of number."""

    numbers: Sequence[RecordNumber]
    records: Sequence[Features]


def read(identities: Collection[Identity], on_progress: OnProgress = no_progress) -> Compared:
    """Prepare records to be compared, in whatever order they come. They are gone through once.

    Raises:
        ValueError: Two identities have one number.
    """
    numbers: list[RecordNumber] = []
    records: list[Features] = []
    for identity in counted(identities, on_progress):
        numbers.append(identity.number)
        records.append(features(identity))
    if len(set(numbers)) != len(numbers):
        raise ValueError("Two identities have one number.")
    order = sorted(range(len(numbers)), key=numbers.__getitem__)
    return Compared([numbers[at] for at in order], [records[at] for at in order])


def find(
    identities: Collection[Identity],
    *,
    groups: Iterable[Collection[RecordNumber]] = (),
    apart: Collection[frozenset[RecordNumber]] = (),
    on_progress: OnProgress = no_progress,
) -> Found:
    """Find the duplicates among `identities`; see `read` and `find_among`."""
    compared = read(identities, stretch(on_progress, 0.0, 0.5))
    rest = stretch(on_progress, 0.5, 1.0)
    return find_among(compared, groups=groups, apart=apart, on_progress=rest)


def find_among(
    compared: Compared,
    *,
    groups: Iterable[Collection[RecordNumber]] = (),
    apart: Collection[frozenset[RecordNumber]] = (),
    on_progress: OnProgress = no_progress,
) -> Found:
    """Find the duplicates among records.

    Args:
        compared: The records.
        groups: Records linked already, by people or earlier. They stay linked. Numbers that
            are not among the records are ignored.
        apart: Pairs that people have marked as different. No group that grows holds one, and
            none is proposed, nor are two groups that hold one between them.
        on_progress: Called with the share that is done.
    """
    numbers, records = compared.numbers, compared.records
    place = {number: at for at, number in enumerate(numbers)}
    links, related = _compare_all(records, on_progress)
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
        pair = compare_features(records[low], records[high])
        verdict = judge(pair)
        if match := match_of(pair, verdict):
            links.append(Link(low, high, match, verdict is Verdict.SAME))
        if relation := relation_of(records[low], records[high], pair):
            related.append((low, high, relation))
    # Of two that are as sure, the order of import does not decide.
    linked = {at for link in links for at in (link.low, link.high)}
    rank = {at: n for n, at in enumerate(sorted(linked, key=lambda at: records[at].order))}

    def surest_first(link: Link) -> tuple[bool, float, int, int]:
        low, high = sorted((rank[link.low], rank[link.high]))
        return not link.is_certain, -link.match.score, low, high

    links.sort(key=surest_first)
    return links, related
