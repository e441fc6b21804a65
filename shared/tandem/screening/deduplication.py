"""What a worker does after every import: links the records that are certainly one, asks of others.

The comparing happens outside any transaction, on a snapshot. What people have linked or parted
meanwhile is looked at again under the review's lock, so theirs is always the last word.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import TypeVar

from sqlalchemy.orm import Session

from tandem.db.session import Database
from tandem.ids import RecordNumber, ReviewId
from tandem.log import logger
from tandem.records.duplicates import clusters, groups, identities, related
from tandem.records.duplicates.clusters import Proposal
from tandem.records.duplicates.groups import Evidence
from tandem.records.duplicates.matching import Identity, compare
from tandem.records.duplicates.models import GroupState
from tandem.reviews import service as reviews
from tandem.reviews.models import Review
from tandem.screening import merging

T = TypeVar("T")

_BATCH = 20
"""Groups per transaction: decisions of the same review wait at most for one of them."""

_log = logger(__name__)


def run(database: Database, review_id: ReviewId, hold: Callable[[Session], None]) -> None:
    """Compare all records of the review with each other, link and propose.

    Safe to run twice and to be killed anywhere. `hold` is called first in every transaction; it
    raises where somebody else has taken over.
    """
    with database.read() as session:
        compared = identities.identities(session, review_id)
        linked = groups.all_members(session, review_id, GroupState.LINKED)
        apart = groups.apart(session, review_id)
    found = clusters.find(compared, groups=linked, apart=apart)
    by_number = {identity.number: identity for identity in compared}
    _log.info(
        "duplicates",
        linked=len(found.linked),
        proposed=len(found.proposed),
        records=len(compared),
    )
    for some in _batches(found.linked):
        with database.write.begin() as session:
            review = reviews.lock(session, review_id)
            hold(session)
            _link(session, review, some, by_number)
        database.write.give_way()
    for proposals in _batches(found.proposed):
        with database.write.begin() as session:
            review = reviews.lock(session, review_id)
            hold(session)
            _propose(session, review, proposals)
        database.write.give_way()
    with database.write.begin() as session:
        review = reviews.lock(session, review_id)
        hold(session)
        related.relate(session, review_id, found.related)


def _link(
    session: Session,
    review: Review,
    found: Sequence[Sequence[RecordNumber]],
    compared: Mapping[RecordNumber, Identity],
) -> None:
    apart = groups.apart(session, review.id)
    numbers = {number for members in found for number in members}
    there = groups.touching(session, review.id, numbers, GroupState.LINKED)
    linked = groups.members_of(session, [group.id for group in there]).values()
    certain = []
    for members in found:
        together = set(members).union(
            *(some for some in linked if not set(some).isdisjoint(members))
        )
        if not any(frozenset(pair) in apart for pair in combinations(together, 2)):
            certain.append((members, _evidence([compared[number] for number in members])))
    merging.link_all(session, review, reviews.policies_in_force(session, review.id), certain)


def _evidence(members: Sequence[Identity]) -> Evidence:
    """Return the weakest of what speaks for the group: it is no surer than that."""
    matches = [match for a, b in combinations(members, 2) if (match := compare(a, b))]
    weakest = min(matches, key=lambda match: match.score)
    return Evidence(weakest.score, weakest.evidence)


def _propose(session: Session, review: Review, found: Sequence[Proposal]) -> None:
    """Store proposals, between the records that stand for the two, each pair once."""
    numbers = {number for pair in found for number in (pair.first, pair.second)}
    stand_for = {
        number: record.duplicate_of or number
        for number, record in groups.records_of(session, review.id, numbers).items()
    }
    known = {
        frozenset(members)
        for state in (GroupState.PROPOSED, GroupState.KEPT)
        for members in groups.members_of(
            session,
            [
                group.id
                for group in groups.touching(
                    session, review.id, numbers | set(stand_for.values()), state
                )
            ],
        ).values()
    }
    for proposal in found:
        pair = frozenset((stand_for[proposal.first], stand_for[proposal.second]))
        asked = frozenset((proposal.first, proposal.second))
        if len(pair) == 2 and not known & {pair, asked}:
            known.add(pair)
            groups.add(
                session,
                review.id,
                pair,
                state=GroupState.PROPOSED,
                score=proposal.score,
                evidence=proposal.evidence,
            )


def _batches(found: Sequence[T]) -> Iterator[Sequence[T]]:
    return (found[at : at + _BATCH] for at in range(0, len(found), _BATCH))
