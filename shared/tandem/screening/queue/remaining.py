"""How much is left for one person in many reviews: what `service.serve` says of each, all at once.

A few queries for all of the reviews, however many they are; one more for each in which the person
has an interest in records, or reads a pilot round.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache

from sqlalchemy import BindParameter, Select, and_, bindparam, func, select
from sqlalchemy.orm import Session

from tandem.ids import ReviewId, UserId
from tandem.records.models import Record
from tandem.records.shown import n_shown_of
from tandem.reviews.models import Member, Review, Role
from tandem.reviews.policy import Stage
from tandem.reviews.service import Viewer
from tandem.screening.full_text.population import Gate, gate, in_reviews
from tandem.screening.models import ReviewerCount, ScreenedRecord
from tandem.screening.people import interests, workload
from tandem.screening.queue import counting
from tandem.screening.queue.queue_filter import USER, QueueFilter, Rules, has_decided, screened

_STAGE = Stage.TITLE_ABSTRACT
_REVIEWS: BindParameter[ReviewId] = bindparam("reviews", expanding=True)


@dataclass(frozen=True, slots=True)
class Share:
    """What one person has to do with a review's records.

    Attributes:
        n_records: It has, duplicates aside.
        n_decided: How many of these the person has decided.
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
) -> dict[ReviewId, Share]:
    """Return this person's share of title and abstract in each of the reviews.

    What is withheld from them is what is known when it is asked: `service.serve` goes on comparing
    their name with the authors of records that came in since.
    """
    ids = [review.id for review, _ in among]
    totals = n_shown_of(session, ids)
    decided = _decided(session, ids, user_id)
    screening = [(review, viewer) for review, viewer in among if viewer.has(Role.REVIEWER)]
    left = _left(session, screening, user_id, totals, decided)
    return {
        review.id: Share(totals[review.id], decided.get(review.id, 0), left.get(review.id))
        for review, _ in among
    }


def at_full_text(
    session: Session, among: Sequence[tuple[Review, Viewer]], *, user_id: UserId
) -> dict[ReviewId, int]:
    """Return how many full texts this person can still decide, of each review that they screen.

    As `service.what_is_left` has it: less what is withheld from them, and within their share.
    """
    screening = [(review, viewer) for review, viewer in among if viewer.has(Role.REVIEWER)]
    counted = _texts(session, [viewer for _, viewer in screening], user_id)
    some = [(review, viewer) for review, viewer in screening if review.id in counted]
    left = {review.id: 0 for review, _ in screening}
    if not some:
        return left
    withheld = interests.withheld_in(session, list(counted), user_id)
    shares = _shares(session, [viewer for _, viewer in some], user_id)
    for review, viewer in some:
        total, remaining, decided = counted[review.id]
        if own := withheld.get(review.id):
            queue_filter = QueueFilter.of(session, review, Stage.FULL_TEXT, viewer)
            remaining -= counting.still_to_decide(session, queue_filter, own)
        quota = viewer.policies[Stage.FULL_TEXT].reviewers_per_record
        target = workload.target(shares.get(review.id), total=total, quota=quota)
        if target is not None:
            remaining = min(remaining, max(0, target - decided))
        left[review.id] = remaining
    return left


def _texts(
    session: Session, viewers: Sequence[Viewer], user_id: UserId
) -> dict[ReviewId, tuple[int, int, int]]:
    """Count the full texts of each review that has any: all, the open ones, what they decided."""
    alike: dict[tuple[Rules, Gate, int], list[ReviewId]] = defaultdict(list)
    for viewer in viewers:
        policy = viewer.policies[Stage.FULL_TEXT]
        alike[
            Rules(policy.blind, in_pilot=False), gate(viewer.policies), policy.reviewers_per_record
        ].append(viewer.review_id)
    found: dict[ReviewId, tuple[int, int, int]] = {}
    for (rules, through, quota), ids in alike.items():
        asked = {"reviews": ids, "stage": Stage.FULL_TEXT, "user_id": user_id, "quota": quota}
        for review_id, *numbers in session.execute(_n_texts(rules, through), asked):
            total, remaining, decided = numbers
            found[review_id] = (total, remaining, decided)
    return found


@cache
def _n_texts(rules: Rules, through: Gate) -> Select[ReviewId, int, int, int]:
    return (
        in_reviews(through, _REVIEWS)
        .outerjoin(ScreenedRecord, screened())
        .with_only_columns(
            Record.review_id,
            func.count(),
            func.count().filter(rules.is_open_if_there(), ~has_decided()),
            func.count().filter(has_decided()),
        )
        .group_by(Record.review_id)
    )


def _left(
    session: Session,
    screening: Sequence[tuple[Review, Viewer]],
    user_id: UserId,
    totals: dict[ReviewId, int],
    decided: dict[ReviewId, int],
) -> dict[ReviewId, int]:
    filters = [
        (review, QueueFilter.of(session, review, _STAGE, viewer)) for review, viewer in screening
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


def _decided(session: Session, ids: Collection[ReviewId], user_id: UserId) -> dict[ReviewId, int]:
    n_left_out = counting.decided_and_left_out(Review.id).correlate(Review).scalar_subquery()
    query = (
        select(Review.id, ReviewerCount.n_decided - n_left_out)
        .join(ReviewerCount, ReviewerCount.review_id == Review.id)
        .where(Review.id.in_(_REVIEWS), ReviewerCount.reviewer_id == USER)
    )
    asked = {"reviews": list(ids), "user_id": user_id, "stage": _STAGE}
    return dict(session.execute(query, asked).all())


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
        asked = {
            "reviews": [review.id for review, _ in some],
            "stage": _STAGE,
            "user_id": some[0][1].user_id,
            "quota": quota,
        }
        found |= dict(session.execute(_closed(rules), asked).all())
    return found


@cache
def _closed(rules: Rules) -> Select[ReviewId, int]:
    """Count what is full, or decided by the person, of the records that are screened."""
    n_left_out = counting.closed_and_left_out(rules, Review.id).correlate(Review).scalar_subquery()
    return (
        select(
            Review.id,
            Review.n_full + func.coalesce(ReviewerCount.n_half_done, 0) - n_left_out,
        )
        .outerjoin(
            ReviewerCount,
            and_(ReviewerCount.review_id == Review.id, ReviewerCount.reviewer_id == USER),
        )
        .where(Review.id.in_(_REVIEWS))
    )
