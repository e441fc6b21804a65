"""How rich and how relevant a reviewer finds a report, for sampling in qualitative syntheses."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tandem.accounts import service as accounts
from tandem.db.base import now
from tandem.db.pieces import pieces
from tandem.ids import RecordNumber, ReviewId, UserId, new_id
from tandem.records.models import Record
from tandem.reports.models import Rating
from tandem.reviews.models import LockedReview, Role
from tandem.reviews.policy import Stage
from tandem.reviews.service import Viewer
from tandem.screening.blinding.view import is_unblinded
from tandem.screening.full_text.population import require_reached
from tandem.screening.ledger.loading import screenable
from tandem.screening.ledger.state import RecordKey


@dataclass(frozen=True, slots=True)
class ShownRating:
    """A reviewer's newest rating of a report."""

    by: UserId
    name: str
    richness: int | None
    relevance: int | None


def rate(
    session: Session,
    review: LockedReview,
    viewer: Viewer,
    *,
    number: RecordNumber,
    richness: int | None,
    relevance: int | None,
) -> None:
    """Rate a report from 1 to 5 each; None takes one back. Earlier ratings are kept.

    Raises:
        Forbidden: An observer rates nothing.
        NotFound, IsDuplicate, NotAtThisStage: It is no report.
    """
    viewer.require(Role.REVIEWER, "rate reports")
    key = RecordKey(review.id, Stage.FULL_TEXT, number)
    screenable(session, key)
    require_reached(session, key)
    mine = _newest(session, review.id, [number], viewer.user_id)[number]
    if [(one.richness, one.relevance) for one in mine] == [(richness, relevance)]:
        return
    newest = session.scalar(
        select(func.max(Rating.created_at)).where(
            Rating.review_id == review.id, Rating.reviewer_id == viewer.user_id
        )
    )
    session.add(
        Rating(
            id=new_id(),
            review_id=review.id,
            record_number=number,
            reviewer_id=viewer.user_id,
            richness=richness,
            relevance=relevance,
            # After all of theirs, also where the clock was set back: the newest counts.
            created_at=now() if newest is None else max(now(), newest + timedelta(microseconds=1)),
        )
    )
    session.flush()


def visible(
    session: Session, viewer: Viewer, numbers: Collection[RecordNumber]
) -> dict[RecordNumber, list[ShownRating]]:
    """Return the ratings of reports that this person may see: all, or while blinded their own."""
    only = None if is_unblinded(viewer, Stage.FULL_TEXT) else viewer.user_id
    found = _newest(session, viewer.review_id, numbers, only)
    names = accounts.names_of(session, (one.reviewer_id for some in found.values() for one in some))
    return {
        number: sorted(
            (
                ShownRating(one.reviewer_id, names[one.reviewer_id], one.richness, one.relevance)
                for one in some
            ),
            key=lambda shown: (shown.name, str(shown.by)),
        )
        for number, some in found.items()
    }


def _newest(
    session: Session,
    review_id: ReviewId,
    numbers: Collection[RecordNumber],
    only: UserId | None,
) -> defaultdict[RecordNumber, list[Rating]]:
    """Return each reviewer's newest rating of these records and of those linked to them."""
    newest: dict[tuple[RecordNumber, UserId], Rating] = {}
    for some in pieces(sorted(numbers)):
        query = (
            select(Rating, Record.duplicate_of)
            .join(
                Record,
                (Record.review_id == Rating.review_id) & (Record.number == Rating.record_number),
            )
            .where(
                Rating.review_id == review_id,
                Record.number.in_(some) | Record.duplicate_of.in_(some),
            )
        )
        if only is not None:
            query = query.where(Rating.reviewer_id == only)
        for row, head in session.execute(query.order_by(Rating.created_at, Rating.id)):
            newest[head or row.record_number, row.reviewer_id] = row
    found = defaultdict[RecordNumber, list[Rating]](list)
    for (number, _), row in newest.items():
        if row.richness is not None or row.relevance is not None:
            found[number].append(row)
    return found
