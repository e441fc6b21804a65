"""Looking at a decision again, and standing by it."""

from sqlalchemy.orm import Session

from tandem.ids import RecordNumber
from tandem.reviews.models import LockedReview, Role
from tandem.reviews.policy import Stage
from tandem.reviews.service import Viewer
from tandem.screening import decisions
from tandem.screening.decisions import NoDecision
from tandem.screening.ledger.entries import DecisionInput
from tandem.screening.ledger.loading import load_screenable
from tandem.screening.ledger.state import RecordKey
from tandem.screening.recording import Recorded


def confirm_decision(
    session: Session,
    *,
    review: LockedReview,
    viewer: Viewer,
    record_number: RecordNumber,
    stage: Stage,
    criteria_version: int | None = None,
) -> Recorded:
    """Enter this person's present decision once more, under the criteria that they have read.

    Those are the present ones where `criteria_version` does not say. A decision that was made
    under them stays as it is.

    Raises:
        NotFound: The review has no such record.
        IsDuplicate: Another record is screened in its key.
        NoDecision: They have no decision on it.
        Invalid: The criteria have no such version.
    """
    viewer.require(Role.REVIEWER, "decide records")
    key = RecordKey(review.id, stage, record_number)
    mine = load_screenable(session, key).votes.get(viewer.user_id)
    given = None if mine is None else DecisionInput.of(mine)
    if given is None:
        raise NoDecision("You have no decision on this record.")
    return decisions.record_decision(
        session,
        review=review,
        viewer=viewer,
        record_number=record_number,
        stage=stage,
        given=given,
        criteria_version=criteria_version,
        again=True,
    )
