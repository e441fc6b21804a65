"""How many records a stage has for one reviewer."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cache

from sqlalchemy import Select, SQLColumnExpression, and_, exists, func, or_, select
from sqlalchemy.orm import Session

from tandem.db.among import is_one_of
from tandem.db.pieces import pieces
from tandem.db.rows import fetch
from tandem.ids import RecordNumber, ReviewId
from tandem.log import logger
from tandem.records.models import Record
from tandem.records.shown import n_shown, n_shown_sql
from tandem.reviews.models import LockedReview, Review
from tandem.screening.full_text.population import left_out
from tandem.screening.models import PresentDecision, ReviewerCount, ScreenedRecord
from tandem.screening.people.models import Interest
from tandem.screening.queue.queue_filter import (
    REVIEW,
    STAGE,
    USER,
    QueueFilter,
    Rules,
    begun,
    has_decided,
    is_among,
    screened,
)

_log = logger(__name__)


@dataclass(frozen=True, slots=True)
class Counts:
    """How many records there are for one reviewer to decide, leases aside.

    Attributes:
        total: In the stage: all of the review, duplicates aside, or those at full text.
        remaining: The reviewer can still decide.
        half_done: Have some of their decisions but lack others.
        half_done_by_others: Of these, the reviewer has not decided.
        decided: How many of `total` the reviewer has decided; None where that was not counted.
        has_interests: Whether the reviewer may have an interest in any record of the review.
    """

    total: int
    remaining: int
    half_done: int
    half_done_by_others: int
    decided: int | None = None
    has_interests: bool = True


def count(
    session: Session,
    queue_filter: QueueFilter,
    withheld: Callable[[], Collection[RecordNumber]],
) -> Counts:
    """Count for this reviewer.

    `withheld` returns what is withheld from them: that does not remain for them. It is not asked
    where they have no interest in any record, as nearly everybody.
    """
    if queue_filter.pilot is not None:
        open_to_them = set(queue_filter.pilot).difference(withheld())
        remaining = still_to_decide(session, queue_filter, open_to_them)
        total = n_shown(session, queue_filter.review_id)
        return Counts(total, remaining, half_done=0, half_done_by_others=0)
    if queue_filter.population is not None:
        if not queue_filter.population:
            return Counts(total=0, remaining=0, half_done=0, half_done_by_others=0)
        return _count_at_full_text(session, queue_filter, queue_filter.population, withheld())
    found = fetch(session, _counts(queue_filter.rules), queue_filter.parameters())
    total, out, full, half_done, mine, half_done_by_me, has_interests = found.one()
    not_served = still_to_decide(session, queue_filter, withheld()) if has_interests else 0
    remaining = total - (full + half_done_by_me - out) - not_served
    by_others = half_done - half_done_by_me
    return Counts(total, remaining, half_done, by_others, mine, has_interests)


def _count_at_full_text(
    session: Session,
    queue_filter: QueueFilter,
    population: frozenset[RecordNumber],
    withheld: Collection[RecordNumber],
) -> Counts:
    remaining = still_to_decide(session, queue_filter, population.difference(withheld))
    query, half_done, by_others = _half_done(queue_filter.rules), 0, 0
    for piece in pieces(sorted(population)):
        found = session.execute(query, queue_filter.parameters(piece)).one()
        half_done, by_others = half_done + found[0], by_others + found[1]
    return Counts(len(population), remaining, half_done, by_others)


@cache
def _half_done(rules: Rules) -> Select[int, int]:
    return (
        select(func.count(), func.count().filter(~has_decided()))
        .select_from(Record)
        .join(ScreenedRecord, screened())
        .where(Record.review_id == REVIEW, is_among(), rules.lacks_decisions(), begun())
    )


def closed_and_left_out(rules: Rules, review_id: SQLColumnExpression[ReviewId]) -> Select[int]:
    """Count what is full, or decided by the reviewer, of a review's records that are left out.

    They were screened before: one that a report of the previous version is linked to now, say. The
    numbers of full and half done records count them; these are taken off.
    """
    is_theirs = exists().where(
        PresentDecision.review_id == ScreenedRecord.review_id,
        PresentDecision.stage == ScreenedRecord.stage,
        PresentDecision.record_number == ScreenedRecord.record_number,
        PresentDecision.reviewer_id == USER,
    )
    # Which are left out is asked first, by an index that has no others: from the screened records
    # SQLite would look at each.
    return select(func.count()).where(
        ScreenedRecord.review_id == review_id,
        ScreenedRecord.stage == STAGE,
        is_one_of(ScreenedRecord.record_number, left_out(review_id).correlate(Review)),
        or_(~rules.lacks_decisions(), is_theirs.correlate(ScreenedRecord)),
    )


def decided_and_left_out(review_id: SQLColumnExpression[ReviewId]) -> Select[int]:
    """Count what the reviewer has decided of a review's records that are left out."""
    return select(func.count()).where(
        PresentDecision.review_id == review_id,
        PresentDecision.stage == STAGE,
        is_one_of(PresentDecision.record_number, left_out(review_id).correlate(Review)),
        PresentDecision.reviewer_id == USER,
    )


@cache
def _counts(rules: Rules) -> Select[int, int, int, int, int, int, bool]:
    has_interests = (
        exists().where(Interest.review_id == REVIEW, Interest.user_id == USER).correlate(None)
    )
    return (
        select(
            n_shown_sql(REVIEW),
            closed_and_left_out(rules, REVIEW).correlate(None).scalar_subquery(),
            Review.n_full,
            Review.n_half_done,
            func.coalesce(ReviewerCount.n_decided, 0)
            - decided_and_left_out(REVIEW).correlate(None).scalar_subquery(),
            func.coalesce(ReviewerCount.n_half_done, 0),
            has_interests,
        )
        .outerjoin(
            ReviewerCount,
            and_(ReviewerCount.review_id == Review.id, ReviewerCount.reviewer_id == USER),
        )
        .where(Review.id == REVIEW)
    )


def recount(session: Session, review: LockedReview, queue_filter: QueueFilter) -> bool:
    """Count what `ledger.counts` keeps, and put right what is not; return whether anything was.

    It takes the longer the more is decided. At full text, and in a pilot round, nothing is kept.
    """
    if queue_filter.pilot is not None or queue_filter.population is not None:
        return False
    session.flush()
    asked = queue_filter.parameters()
    found = session.execute(_kept_of_review(queue_filter.rules), asked).one()
    counted = session.execute(_kept_of_reviewer(queue_filter.rules), asked).one()
    kept = session.get(ReviewerCount, (review.id, queue_filter.user_id), populate_existing=True)
    stored = (0, 0) if kept is None else (kept.n_decided, kept.n_half_done)
    if (review.n_full, review.n_half_done) == (*found,) and stored == (*counted,):
        return False
    _log.warning("kept numbers were wrong", review_id=str(review.id))
    review.n_full, review.n_half_done = found
    if kept is None:
        kept = ReviewerCount(review_id=review.id, reviewer_id=queue_filter.user_id)
        session.add(kept)
    kept.n_decided, kept.n_half_done = counted
    session.flush()
    return True


@cache
def _kept_of_review(rules: Rules) -> Select[int, int]:
    lacks = rules.lacks_decisions()
    return select(func.count().filter(~lacks), func.count().filter(lacks, begun())).where(
        ScreenedRecord.review_id == REVIEW, ScreenedRecord.stage == STAGE
    )


@cache
def _kept_of_reviewer(rules: Rules) -> Select[int, int]:
    return (
        select(func.count(), func.count().filter(rules.lacks_decisions()))
        .select_from(PresentDecision)
        .join(
            ScreenedRecord,
            and_(
                ScreenedRecord.review_id == PresentDecision.review_id,
                ScreenedRecord.stage == PresentDecision.stage,
                ScreenedRecord.record_number == PresentDecision.record_number,
            ),
        )
        .where(
            PresentDecision.review_id == REVIEW,
            PresentDecision.stage == STAGE,
            PresentDecision.reviewer_id == USER,
        )
    )


def still_to_decide(
    session: Session, queue_filter: QueueFilter, some: Collection[RecordNumber]
) -> int:
    """Return how many of some records, none of them a duplicate, the reviewer could decide."""
    query = _n_open(queue_filter.rules)
    found = (
        session.scalar(query, queue_filter.parameters(piece)) for piece in pieces(sorted(some))
    )
    return sum(n or 0 for n in found)


@cache
def _n_open(rules: Rules) -> Select[int]:
    return (
        select(func.count())
        .select_from(Record)
        .outerjoin(ScreenedRecord, screened())
        .where(
            Record.review_id == REVIEW,
            is_among(),
            # Asked for what is no duplicate, SQLite would go through all that are none.
            rules.is_open_if_shown(),
            ~has_decided(),
        )
    )
