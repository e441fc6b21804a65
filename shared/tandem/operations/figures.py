"""What monitoring asks: how much waits, how old it is, how long trainings take.

Everything is read from the database when it is asked for: a counter in a process forgets when
that dies, and knows nothing of the others.
"""

from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from tandem.db.base import now
from tandem.events.log import Event
from tandem.events.positions import EventPosition
from tandem.events.stream import CONSUMER as STREAM
from tandem.ids import ReviewId
from tandem.operations.jobs import unfinished
from tandem.ranking.models import Ranking, Training
from tandem.reviews.models import Review
from tandem.webhooks.models import DeliveryState, Webhook, WebhookDelivery
from tandem.work.jobs import JobKind, JobState


@dataclass(frozen=True, slots=True)
class OfReview:
    """One review whose ranking is behind, or was made at all.

    Attributes:
        review_id: Which.
        n_changes: So many changes its newest ranking does not count.
        stale_seconds: So long ago the first of these came; 0 where there is none.
        training_seconds: How long the newest ranking took; None before the first.
    """

    review_id: ReviewId
    n_changes: int
    stale_seconds: float
    training_seconds: float | None


@dataclass(frozen=True, slots=True)
class Figures:
    """The installation at one moment. Nothing in it hangs on anybody's verdicts.

    Attributes:
        reviews: Every review that is active.
        jobs: How many there are of each kind, in each state; without webhooks.
        oldest_due: By kind, since how many seconds the oldest job waits that nobody holds.
    """

    reviews: Sequence[OfReview]
    jobs: Mapping[tuple[JobKind, JobState], int]
    oldest_due: Mapping[JobKind, float]

    @property
    def n_stale(self) -> int:
        return sum(review.n_changes > 0 for review in self.reviews)

    @property
    def oldest_staleness(self) -> float:
        return max((review.stale_seconds for review in self.reviews), default=0.0)

    @property
    def largest_staleness(self) -> int:
        return max((review.n_changes for review in self.reviews), default=0)

    @property
    def training_seconds(self) -> Sequence[float]:
        """Return how long the newest ranking of each review took that has one."""
        taken = (review.training_seconds for review in self.reviews)
        return [seconds for seconds in taken if seconds is not None]

    def without(self, hidden: Set[ReviewId]) -> "Figures":
        """Return the same without what single reviews say of these; see `jobs.screens_in`."""
        return replace(self, reviews=[one for one in self.reviews if one.review_id not in hidden])


@dataclass(frozen=True, slots=True)
class Lag:
    """So many events a consumer has still to get, and how old the oldest of them is."""

    n_events: int
    seconds: float


@dataclass(frozen=True, slots=True)
class EventFigures:
    """What is known of events and their ways out. It hangs on verdicts.

    How many events a review has, and of which types, is different where reviewers differ.

    Attributes:
        lags: By the kind of consumer: `stream` and `webhook`.
        deliveries: Of those that webhooks remember, how many there are in each state.
        webhooks: How many there are of each kind of job, webhooks that are up to date left out.
    """

    lags: Mapping[str, Lag]
    deliveries: Mapping[DeliveryState, int]
    webhooks: Mapping[JobState, int]


def figures(session: Session) -> Figures:
    moment = now()
    jobs = unfinished(session, kinds=frozenset(JobKind) - {JobKind.WEBHOOK})
    oldest: dict[JobKind, float] = {}
    for job in jobs:
        if job.state is not JobState.RUNNING and not job.is_over:
            seconds = (moment - job.since).total_seconds()
            oldest[job.kind] = max(oldest.get(job.kind, 0.0), seconds)
    return Figures(
        reviews=_reviews(session, moment),
        jobs=Counter((job.kind, job.state) for job in jobs),
        oldest_due=oldest,
    )


def event_figures(
    session: Session, *, without_events_of: frozenset[ReviewId] = frozenset()
) -> EventFigures:
    """Return what hangs on verdicts, for an administrator.

    Args:
        session: Reads.
        without_events_of: Reviews that are left out; see `jobs.screens_in`.
    """
    hidden = list(without_events_of)
    waiting = unfinished(session, kinds={JobKind.WEBHOOK}, without_events_of=without_events_of)
    delivered = (
        select(WebhookDelivery.state, func.count())
        .join(Webhook, Webhook.id == WebhookDelivery.webhook_id)
        .where(Webhook.review_id.not_in(hidden))
        .group_by(WebhookDelivery.state)
    )
    counted = dict.fromkeys(DeliveryState, 0)
    counted.update((state, n) for state, n in session.execute(delivered))
    return EventFigures(
        lags=_lags(session, hidden),
        deliveries=counted,
        webhooks=Counter(job.state for job in waiting),
    )


def _reviews(session: Session, moment: datetime) -> list[OfReview]:
    trained = func.coalesce(Training.trained_seq, 0)
    query = (
        select(
            Review.id,
            Review.created_at,
            Review.stale_since,
            Review.taught_seq - trained,
            Ranking.seconds,
        )
        .outerjoin(Training, Training.review_id == Review.id)
        .outerjoin(
            Ranking,
            and_(
                Ranking.review_id == Training.review_id,
                Ranking.stage == Training.stage,
                Ranking.labels_seq == Training.trained_seq,
            ),
        )
        .where(Review.is_active())
        .order_by(Review.created_at, Review.id)
    )
    found = []
    for review_id, created_at, stale_since, n_changes, seconds in session.execute(query):
        waited = (moment - (stale_since or created_at)).total_seconds()
        stale_seconds = max(0.0, waited) if n_changes > 0 else 0.0
        found.append(OfReview(review_id, max(0, n_changes), stale_seconds, seconds))
    return found


def _lags(session: Session, hidden: list[ReviewId]) -> dict[str, Lag]:
    behind = Review.last_seq - func.coalesce(EventPosition.seq, 0)
    next_event = and_(
        Event.review_id == Review.id, Event.seq == func.coalesce(EventPosition.seq, 0) + 1
    )
    lagging = select(func.sum(behind), func.min(Event.created_at)).where(
        behind > 0, Review.id.not_in(hidden), Review.deleted_at.is_(None)
    )
    at_stream = and_(EventPosition.review_id == Review.id, EventPosition.consumer == STREAM)
    stream = lagging.select_from(Review).outerjoin(EventPosition, at_stream).join(Event, next_event)
    at_webhook = and_(
        EventPosition.review_id == Review.id, EventPosition.consumer == Webhook.consumer
    )
    webhook = (
        lagging.where(Webhook.disabled_at.is_(None))
        .select_from(Webhook)
        .join(Review, Review.id == Webhook.review_id)
        .join(EventPosition, at_webhook)
        .join(Event, next_event)
    )
    moment, lags = now(), {}
    for name, query in (("stream", stream), ("webhook", webhook)):
        n_events, oldest = session.execute(query).one()
        seconds = (moment - oldest).total_seconds() if oldest is not None else 0.0
        lags[name] = Lag(int(n_events or 0), max(0.0, seconds))
    return lags
