"""The waves of a review's searches: the first one, and those that came later."""

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tandem.db.base import now
from tandem.errors import NotFound
from tandem.events import log
from tandem.events.types import WaveOpened
from tandem.ids import ReviewId, UserId
from tandem.records.models import Wave, WaveKind
from tandem.reviews.models import LockedReview

FIRST = 1


def newest(session: Session, review_id: ReviewId) -> int:
    """Return the number of the newest wave."""
    query = select(func.max(Wave.number)).where(Wave.review_id == review_id)
    return session.scalar(query) or FIRST


def require(session: Session, review_id: ReviewId, number: int | None) -> int:
    """Return the wave's number, that of the newest for None.

    Raises:
        NotFound: There is no such wave.
    """
    last = newest(session, review_id)
    if number is not None and not FIRST <= number <= last:
        raise NotFound(
            f"There is no wave {number} yet; the newest is {last}. "
            "POST /reviews/{review_id}/waves opens the next one."
        )
    return number or last


def open_next(
    session: Session, review: LockedReview, *, label: str, kind: WaveKind, by: UserId
) -> Wave:
    """Begin the next wave. Imports belong to it from now on."""
    wave = Wave(
        review_id=review.id,
        number=newest(session, review.id) + 1,
        label=label,
        kind=kind,
        opened_by=by,
        opened_at=now(),
    )
    session.add(wave)
    detail = {"by": str(by), "label": label, "kind": kind}
    log.append(session, review, WaveOpened(wave=wave.number, detail=detail))
    session.flush()
    return wave


def all_of(session: Session, review_id: ReviewId) -> Sequence[Wave]:
    """Return the waves after the first, in order."""
    query = select(Wave).where(Wave.review_id == review_id).order_by(Wave.number)
    return session.scalars(query).all()
