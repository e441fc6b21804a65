"""What a worker does after every import: links the records that are certainly one, asks of others.

The comparing happens outside any transaction, on a snapshot. What people have linked or parted
meanwhile is looked at again under the review's lock, so theirs is always the last word.
"""

from collections.abc import Callable, Sequence
from itertools import combinations, islice
from typing import TypeVar

from sqlalchemy.orm import Session

from tandem.db.session import Database
from tandem.ids import ImportId, RecordNumber, ReviewId
from tandem.log import logger
from tandem.progress import OnProgress, counted, no_progress, stretch
from tandem.records.duplicates import clusters, groups, identities, related
from tandem.records.duplicates.clusters import Proposal
from tandem.records.duplicates.groups import Evidence
from tandem.records.duplicates.matching import Identity, features, match
from tandem.records.duplicates.models import GroupState
from tandem.reviews import policy_versions
from tandem.reviews import service as reviews
from tandem.reviews.models import LockedReview, Review
from tandem.screening.duplicates import merging

T = TypeVar("T")

_BATCH = 8
"""Groups per transaction: decisions of the same review wait at most for one of them."""

_READ, _FOUND, _LINKED, _LOOKED_THROUGH, _CHOSEN = 0.125, 0.25, 0.7, 0.75, 0.9
"""The share of the work that is done after each step. About as it was with 30,000 made-up
references, most of whose time went into transactions."""

_MOST_COMPARED = 200
"""Pairs of one group in whose evidence the weakest is looked for."""

_log = logger(__name__)


def run(
    database: Database,
    review_id: ReviewId,
    import_id: ImportId,
    hold: Callable[[Session], None],
    on_progress: OnProgress = no_progress,
) -> None:
    """Compare all records of the review with each other, link and propose.

    Safe to run twice and to be killed anywhere. `hold` is called first in every transaction; it
    raises where somebody else has taken over. `on_progress` is called where nothing is locked, and
    may write.
    """
    with database.read() as session:
        stored = identities.Stored(session, review_id)
        compared = clusters.read(stored, stretch(on_progress, 0.0, _READ))
        linked = groups.all_members(session, review_id, GroupState.LINKED)
        apart = groups.apart(session, review_id)
    n_compared = len(compared.numbers)
    found = clusters.find_among(
        compared, groups=linked, apart=apart, on_progress=stretch(on_progress, _READ, _FOUND)
    )
    del compared
    _log.info(
        "duplicates",
        linked=len(found.linked),
        proposed=len(found.proposed),
        records=n_compared,
    )
    for some in counted(_batches(found.linked), stretch(on_progress, _FOUND, _LINKED)):
        certain = _with_evidence(database, review_id, some)
        database.write.give_way()
        with database.write.begin() as session:
            review = reviews.lock(session, review_id)
            hold(session)
            _link(session, review, certain)
    poorly = _poorly_shown(
        database, review_id, import_id, stretch(on_progress, _LINKED, _LOOKED_THROUGH)
    )
    for some in counted(_batches(poorly), stretch(on_progress, _LOOKED_THROUGH, _CHOSEN)):
        database.write.give_way()
        with database.write.begin() as session:
            review = reviews.lock(session, review_id)
            hold(session)
            policies = policy_versions.policies_in_force(session, review_id)
            merging.choose_again(session, review, policies, some)
    for proposals in counted(_batches(found.proposed), stretch(on_progress, _CHOSEN, 1.0)):
        database.write.give_way()
        with database.write.begin() as session:
            review = reviews.lock(session, review_id)
            hold(session)
            _propose(session, review, proposals)
    with database.write.begin() as session:
        review = reviews.lock(session, review_id)
        hold(session)
        related.relate(session, review_id, found.related)


def _with_evidence(
    database: Database, review_id: ReviewId, found: Sequence[Sequence[RecordNumber]]
) -> list[tuple[Sequence[RecordNumber], Evidence]]:
    """Return the groups with what speaks for each.

    Without those that have lost a record since they were compared, or whose records were corrected
    so that nothing speaks for them any more.
    """
    with database.read() as session:
        of = identities.numbered(session, review_id, {n for members in found for n in members})
    return [
        (members, evidence)
        for members in found
        if of.keys() >= set(members)
        and (evidence := _evidence([of[number] for number in members])) is not None
    ]


def _link(
    session: Session,
    review: LockedReview,
    found: Sequence[tuple[Sequence[RecordNumber], Evidence]],
) -> None:
    apart = groups.apart(session, review.id)
    numbers = {number for members, _ in found for number in members}
    there = groups.touching(session, review.id, numbers, GroupState.LINKED)
    linked = groups.members_of(session, [group.id for group in there]).values()
    certain = []
    for members, evidence in found:
        joined = (some for some in linked if not set(some).isdisjoint(members))
        together = set(members).union(*joined)
        if not any(pair <= together for pair in apart):
            certain.append((members, evidence))
    merging.link_all(
        session, review, policy_versions.policies_in_force(session, review.id), certain
    )


def _poorly_shown(
    database: Database, review_id: ReviewId, import_id: ImportId, on_progress: OnProgress
) -> list[tuple[RecordNumber, ...]]:
    """Return the groups with records of the import in which the richest is not the one shown."""
    found: list[tuple[RecordNumber, ...]] = []
    with database.read() as session:
        grown = groups.grown_by(session, review_id, import_id)
        for some in counted(_batches(grown), on_progress):
            there = groups.members_of(session, some).values()
            records = groups.records_of(
                session, review_id, {n for members in there for n in members}
            )
            found += [
                tuple(members)
                for members in there
                if merging.is_poorly_shown({number: records[number] for number in members})
            ]
            session.expunge_all()
    return found


def _evidence(members: Sequence[Identity]) -> Evidence | None:
    """Return the weakest of what speaks for the group: it is no surer than that. None: nothing."""
    pairs = islice(combinations(map(features, members), 2), _MOST_COMPARED)
    matches = [found for a, b in pairs if (found := match(a, b))]
    if not matches:
        return None
    weakest = min(matches, key=lambda one: one.score)
    return Evidence(weakest.score, weakest.evidence)


def _propose(session: Session, review: Review, found: Sequence[Proposal]) -> None:
    """Store proposals, between the records that stand for the two, each pair once."""
    numbers = {number for pair in found for number in (pair.first, pair.second)}
    stand_for = {
        number: record.shown_as
        for number, record in groups.records_of(session, review.id, numbers).items()
    }
    both = numbers | set(stand_for.values())
    asked_already = groups.touching(session, review.id, both, GroupState.PROPOSED)
    known = groups.apart(session, review.id)
    known |= {
        frozenset(members)
        for members in groups.members_of(session, [group.id for group in asked_already]).values()
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


def _batches(found: Sequence[T]) -> list[Sequence[T]]:
    return [found[at : at + _BATCH] for at in range(0, len(found), _BATCH)]
