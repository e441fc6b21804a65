"""How much is left for one person in many reviews: what `service.serve` says of each, all at once.

A few queries for all of the reviews, however many they are; one more for each in which the person
has an interest in records, or reads a pilot round. What was counted is remembered, so that the list
of reviews costs no more than those of them cost in which something happened.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial

from sqlalchemy import (
    BindParameter,
    CompoundSelect,
    Select,
    and_,
    bindparam,
    func,
    select,
    union_all,
)
from sqlalchemy.orm import Session

from tandem.ids import ReviewId, UserId
from tandem.records.models import Record
from tandem.records.shown import n_shown_of
from tandem.reviews.models import Member, Review, Role
from tandem.reviews.policy import Stage
from tandem.reviews.service import Viewer
from tandem.screening.models import PresentDecision, ScreenedRecord
from tandem.screening.people import interests, workload
from tandem.screening.queue import counting
from tandem.screening.queue.queue_filter import STAGE, USER, QueueFilter, Rules
from tandem.screening.queue.remembered import RememberedCounts

_REVIEWS: BindParameter[ReviewId] = bindparam("reviews", expanding=True)


@dataclass(frozen=True, slots=True)
class Share:
    """What one person has to do with a review's records.

    Attributes:
        n_records: It has, duplicates aside.
        n_decided: Of these the person has decided.
        remaining: They can still decide, as `service.Queue` has it; None for an observer.
    """

    n_records: int
    n_decided: int
    remaining: int | None


def of_reviews(
    session: Session,
    among: Sequence[tuple[Review, Viewer]],
    *,
    user_id: UserId,
    stage: Stage = Stage.TITLE_ABSTRACT,
) -> dict[ReviewId, Share]:
    """Return this person's share of each of the reviews.

    What is withheld from them is what is known when it is asked: `service.serve` goes on comparing
    their name with the authors of records that came in since.
    """
    ids = [review.id for review, _ in among]
    totals = n_shown_of(session, ids)
    decided = _COUNTS.of(
        {review.id: ("decided", _end(review), user_id, stage) for review, _ in among},
        lambda missing: _decided(session, missing, user_id, stage),
    )
    screening = [(review, viewer) for review, viewer in among if viewer.has(Role.REVIEWER)]
    left = _left(session, screening, user_id, stage, totals, decided)
    return {
        review.id: Share(totals[review.id], decided.get(review.id, 0), left.get(review.id))
        for review, _ in among
    }


def _left(
    session: Session,
    screening: Sequence[tuple[Review, Viewer]],
    user_id: UserId,
    stage: Stage,
    totals: dict[ReviewId, int],
    decided: dict[ReviewId, int],
) -> dict[ReviewId, int]:
    filters = [
        (review, QueueFilter.of(session, review, stage, viewer)) for review, viewer in screening
    ]
    ids = [review.id for review, _ in filters]
    withheld = interests.withheld_in(session, ids, user_id)
    shares = _shares(session, [viewer for _, viewer in screening], user_id)
    over = _not_to_decide(session, filters)
    left: dict[ReviewId, int] = {}
    for review, queue_filter in filters:
        own = withheld.get(review.id, frozenset())
        if queue_filter.pilot is not None:  # everybody's, whatever their share
            left[review.id] = counting.count(session, queue_filter, lambda: own).remaining  # noqa: B023  # asked at once
            continue
        not_served = counting.still_to_decide(session, queue_filter, own) if own else 0
        total = totals[review.id]
        remaining = total - over.get(review.id, 0) - not_served
        target = workload.target(shares.get(review.id), total=total, quota=queue_filter.quota)
        if target is not None:
            remaining = min(remaining, max(0, target - decided.get(review.id, 0)))
        left[review.id] = remaining
    return left


def _decided(
    session: Session, ids: Collection[ReviewId], user_id: UserId, stage: Stage
) -> dict[ReviewId, int]:
    theirs = and_(PresentDecision.stage == stage, PresentDecision.reviewer_id == user_id)
    present = (
        select(PresentDecision.review_id, func.count())
        .where(PresentDecision.review_id.in_(ids), theirs)
        .group_by(PresentDecision.review_id)
    )
    # Taken off, as those are few: looked at one by one, all that was decided would be.
    left_out = (
        select(Record.review_id, -func.count())
        .join(
            PresentDecision,
            and_(
                PresentDecision.review_id == Record.review_id,
                PresentDecision.record_number == Record.number,
                theirs,
            ),
        )
        .where(Record.review_id.in_(ids), Record.not_screened_because.is_not(None))
        .group_by(Record.review_id)
    )
    found: dict[ReviewId, int] = {}
    for review_id, n in session.execute(union_all(present, left_out)):
        found[review_id] = found.get(review_id, 0) + n
    return found


def _shares(
    session: Session, viewers: Sequence[Viewer], user_id: UserId
) -> dict[ReviewId, float | None]:
    found = {one.review_id: one.member.share for one in viewers if one.member is not None}
    missing = [one.review_id for one in viewers if one.member is None]
    if missing:
        query = select(Member.review_id, Member.share).where(
            Member.user_id == user_id, Member.review_id.in_(missing)
        )
        found |= dict(session.execute(query).all())
    return found


def _not_to_decide(
    session: Session, filters: Sequence[tuple[Review, QueueFilter]]
) -> dict[ReviewId, int]:
    """Count in each review what is full, or decided by the person."""
    alike: dict[tuple[Rules, int], list[tuple[Review, QueueFilter]]] = defaultdict(list)
    for review, queue_filter in filters:
        if queue_filter.pilot is None:
            alike[queue_filter.rules, queue_filter.quota].append((review, queue_filter))
    found: dict[ReviewId, int] = {}
    for (rules, quota), some in alike.items():
        asked = {"stage": some[0][1].stage, "user_id": some[0][1].user_id, "quota": quota}
        found |= _COUNTS.of(
            {review.id: ("over", _end(review), rules, *asked.values()) for review, _ in some},
            partial(_over, session, rules, asked),
        )
    return found


def _over(
    session: Session, rules: Rules, asked: Mapping[str, object], ids: Collection[ReviewId]
) -> dict[ReviewId, int]:
    found: dict[ReviewId, int] = {}
    for query in (_full_and_left_out(rules), _begun_and_mine(rules)):
        for review_id, n in session.execute(query, {**asked, "reviews": list(ids)}):
            found[review_id] = found.get(review_id, 0) + n
    return found


_COUNTS = RememberedCounts()


def _end(review: Review) -> tuple[ReviewId, str]:
    return review.id, review.last_hash


@cache
def _full_and_left_out(rules: Rules) -> CompoundSelect[ReviewId, int]:
    """Count what is full; and below zero what is counted of records that are left out now."""
    full = (
        select(ScreenedRecord.review_id, func.count())
        .where(
            ScreenedRecord.review_id.in_(_REVIEWS),
            ScreenedRecord.stage == STAGE,
            ~rules.lacks_decisions(),
        )
        .group_by(ScreenedRecord.review_id)
    )
    n = counting.closed_and_left_out(rules, Review.id).correlate(Review).scalar_subquery()
    return union_all(full, select(Review.id, -n).where(Review.id.in_(_REVIEWS)))


@cache
def _begun_and_mine(rules: Rules) -> Select[ReviewId, int]:
    return (
        select(ScreenedRecord.review_id, func.count())
        .join(
            PresentDecision,
            and_(
                PresentDecision.review_id == ScreenedRecord.review_id,
                PresentDecision.stage == ScreenedRecord.stage,
                PresentDecision.record_number == ScreenedRecord.record_number,
                PresentDecision.reviewer_id == USER,
            ),
        )
        .where(
            ScreenedRecord.review_id.in_(_REVIEWS),
            ScreenedRecord.stage == STAGE,
            rules.lacks_decisions(),
        )
        .group_by(ScreenedRecord.review_id)
    )
