"""Reports that nearly were included, with the reason: PRISMA 2020 asks for them (item 16b)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from tandem.db.base import now
from tandem.db.keyset import Cursor, Slice, sliced
from tandem.db.pieces import pieces
from tandem.ids import RecordNumber, ReviewId
from tandem.records.models import Record
from tandem.reporting.service import require_sight
from tandem.reports.facts import load_facts
from tandem.reports.listing import NoReport
from tandem.reports.models import NearMiss
from tandem.reports.rules import Standing, reason, standing
from tandem.reviews import service as reviews
from tandem.reviews.models import LockedReview, Review, Role
from tandem.reviews.policy import Stage
from tandem.reviews.service import Viewer
from tandem.reviews.wording import key
from tandem.screening.models import Decision, PresentDecision, ScreenedRecord
from tandem.screening.rules import Verdict

_TICK = timedelta(microseconds=1)


class Because(StrEnum):
    """Why a report is listed.

    `vote`: somebody would have kept it in. `resolution`: one left it out. `last_reason`: only the
    last of the review's reasons was given. `listed`: an owner listed it.
    """

    VOTE = "vote"
    RESOLUTION = "resolution"
    LAST_REASON = "last_reason"
    LISTED = "listed"


@dataclass(frozen=True, slots=True)
class ShownNearMiss:
    """`is_struck`: it would be listed, and an owner struck it."""

    number: RecordNumber
    reason: str | None
    because: tuple[Because, ...]
    is_struck: bool
    explanation: str | None


def near_misses(
    session: Session, *, viewer: Viewer, struck: bool, cursor: Cursor, limit: int
) -> Slice[ShownNearMiss]:
    """Return excluded reports that nearly were included, by number; or those that were struck.

    Raises:
        Forbidden: This person is blinded in one of the stages.
    """
    require_sight(viewer)
    review = reviews.get_review(session, viewer.review_id)
    excluded = _excluded(session, review)
    derived, marks = _derived(session, review, excluded), _marks(session, review.id)
    found = list[ShownNearMiss]()
    for number, why in sorted(excluded.items()):
        mark, because = marks.get(number), derived.get(number, ())
        if mark is not None and mark.listed:
            because = (*because, Because.LISTED)
        is_struck = mark is not None and not mark.listed
        if because and is_struck is struck:
            explanation = None if mark is None else mark.explanation
            found.append(ShownNearMiss(number, why, because, is_struck, explanation))
    return sliced(found, lambda one: (one.number,), (int,), cursor, limit)


def mark(
    session: Session,
    review: LockedReview,
    viewer: Viewer,
    *,
    number: RecordNumber,
    listed: bool,
    explanation: str | None,
) -> None:
    """List an excluded report as a near miss, or strike it.

    Raises:
        Forbidden: Only an owner may.
        NoReport: It is no excluded report.
    """
    viewer.require(Role.OWNER, "list near misses")
    if number not in _excluded(session, review, [number]):
        raise NoReport(number)
    newest = _marks(session, review.id).get(number)
    row = session.get(NearMiss, (review.id, number))
    if row is None:
        row = NearMiss(review_id=review.id, record_number=number)
        session.add(row)
    row.listed, row.explanation = listed, explanation
    row.marked_by = viewer.user_id
    # After all of its marks, also where the clock was set back: the newest counts.
    row.marked_at = now() if newest is None else max(now(), newest.marked_at + _TICK)
    session.flush()


def _excluded(
    session: Session, review: Review, numbers: Collection[RecordNumber] | None = None
) -> dict[RecordNumber, str | None]:
    found = load_facts(session, review, numbers)
    return {n: reason(of) for n, of in found.items() if standing(of) is Standing.EXCLUDED}


def _marks(session: Session, review_id: ReviewId) -> dict[RecordNumber, NearMiss]:
    """Return the newest mark of each report, which may be at a record that is linked to it now."""
    query = (
        select(Record.shown_as, NearMiss)
        .join(
            Record,
            (Record.review_id == NearMiss.review_id) & (Record.number == NearMiss.record_number),
        )
        .where(NearMiss.review_id == review_id)
        .order_by(NearMiss.marked_at, NearMiss.record_number)
    )
    return {RecordNumber(head): row for head, row in session.execute(query)}


def _derived(
    session: Session, review: Review, excluded: Mapping[RecordNumber, str | None]
) -> dict[RecordNumber, tuple[Because, ...]]:
    found: dict[RecordNumber, tuple[Because, ...]] = {}
    for some in pieces(sorted(excluded)):
        kept_in, resolved, named = _entries(session, review.id, some)
        for number in some:
            because = list[Because]()
            if number in kept_in:
                because.append(Because.VOTE)
            if number in resolved:
                because.append(Because.RESOLUTION)
            if _is_last(review, excluded[number], named.get(number, set())):
                because.append(Because.LAST_REASON)
            if because:
                found[number] = tuple(because)
    return found


def _is_last(review: Review, final: str | None, named: set[str]) -> bool:
    """Whether the last of several reasons in the review's order is the only one that was given."""
    order = [key(one) for one in review.exclusion_reasons]
    return len(order) > 1 and final is not None and named == {order[-1]} == {key(final)}


def _entries(
    session: Session, review_id: ReviewId, numbers: Collection[RecordNumber]
) -> tuple[set[RecordNumber], set[RecordNumber], dict[RecordNumber, set[str]]]:
    """Return who had a vote that keeps it in, who was settled, and the reasons that were given."""
    at = (PresentDecision.review_id == review_id, PresentDecision.stage == Stage.FULL_TEXT)
    votes = (
        select(PresentDecision.record_number, Decision.verdict, Decision.reasons)
        .join(Decision, Decision.id == PresentDecision.decision_id)
        .where(*at, PresentDecision.record_number.in_(numbers))
    )
    kept_in, named = set[RecordNumber](), dict[RecordNumber, set[str]]()
    for number, verdict, reasons in session.execute(votes):
        if verdict in (Verdict.INCLUDE, Verdict.MAYBE):
            kept_in.add(number)
        else:
            named.setdefault(number, set()).update(map(key, reasons))
    settled = select(ScreenedRecord.record_number).where(
        ScreenedRecord.review_id == review_id,
        ScreenedRecord.stage == Stage.FULL_TEXT,
        ScreenedRecord.record_number.in_(numbers),
        ScreenedRecord.resolution_id.is_not(None),
    )
    return kept_in, set(session.scalars(settled)), named
