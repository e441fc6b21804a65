"""Looking at a decision again, and standing by it."""

from sqlalchemy.orm import Session

from tandem.ids import RecordNumber
from tandem.reviews.models import Review, Role
from tandem.reviews.policy import Stage
from tandem.reviews.service import Viewer
from tandem.screening import decisions, ledger
from tandem.screening.decisions import Judgement, NoDecision, Recorded
from tandem.screening.ledger import Place
from tandem.screening.models import Decision, PresentDecision


def confirm_decision(
    session: Session, *, review: Review, viewer: Viewer, record_number: RecordNumber, stage: Stage
) -> Recorded:
    """Enter this person's present decision once more, under the present criteria.

    One that was made under them stays as it is. The caller has locked the review.

    Raises:
        NotFound: The review has no such record.
        IsDuplicate: Another record is screened in its place.
        NoDecision: They have no decision on it.
    """
    viewer.require(Role.REVIEWER, "decide records")
    place = Place(review.id, stage, record_number)
    ledger.screenable(session, place)
    present = session.get(PresentDecision, (*place.key, viewer.user_id))
    mine = session.get(Decision, present.decision_id) if present else None
    if mine is None or mine.verdict is None:
        raise NoDecision("You have no decision on this record.")
    return decisions.record_decision(
        session,
        review=review,
        viewer=viewer,
        record_number=record_number,
        stage=stage,
        judgement=Judgement(mine.verdict, mine.reasons, mine.labels, mine.note),
        again=True,
    )
