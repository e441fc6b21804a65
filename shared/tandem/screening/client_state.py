"""What a client knew when a decision was made on it, and when that was by its clock.

Two tabs and a device that was offline may all send decisions of one person on one record. The
server's order is the only one; a client that sends what it knew gets an error if it knew too
little. What was decided under earlier criteria is taken, and offered for a second look.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from tandem.db.base import now
from tandem.errors import Conflict as Contradiction
from tandem.errors import Invalid
from tandem.ids import DecisionId
from tandem.reviews.models import Review
from tandem.reviews.service import Viewer
from tandem.screening.blinding.numbers import visible_numbers
from tandem.screening.ledger.state import RecordKey
from tandem.screening.models import Decision

CLOCK_SKEW = timedelta(minutes=5)
"""By so much a client's clock may be ahead of the server's."""

_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Basis:
    """The reviewer's newest decision on a record that their client knows of; None for none."""

    decision_id: DecisionId | None


class NewerDecision(Contradiction):
    """The same reviewer has decided, or withdrawn, after what their client knows of.

    `decision` is their present one, None if they withdrew it; `labels_seq` its number as they
    see it.
    """

    code = "newer_decision"

    def __init__(self, decision: Decision | None, labels_seq: int | None) -> None:
        verb = "have withdrawn your decision on" if decision is None else "have decided"
        super().__init__(
            f"You {verb} this record since, in another window or on another device. Nothing was "
            "changed. Look at it, and send yours again with that decision as `basis` if it holds."
        )
        self.decision, self.labels_seq = decision, labels_seq


def require_newest(
    session: Session, viewer: Viewer, mine: Decision | None, basis: Basis | None
) -> None:
    """Raise NewerDecision unless `mine`, their present decision, is what the client knows of.

    Without a basis nothing is checked. The caller has locked the review.
    """
    if basis is None or basis.decision_id == (None if mine is None else mine.id):
        return
    if mine is None:
        raise NewerDecision(None, None)
    numbers = visible_numbers(session, viewer, [mine.labels_seq])
    session.expunge(mine)  # so that its values outlive the rollback that follows
    raise NewerDecision(mine, numbers[mine.labels_seq])


def is_carried(session: Session, mine: Decision, basis: Basis | None) -> bool:
    """Whether `mine` is the basis itself, as it came from a linked record, and all they have there.

    A client that knows the decision on the record before it was linked knows this one.
    """
    if basis is None or basis.decision_id is None:
        return False
    made = session.get(Decision, basis.decision_id)
    if made is None or mine.carried_from != made.record_number:
        return False
    theirs = (mine.review_id, mine.stage, mine.reviewer_id)
    if (made.review_id, made.stage, made.reviewer_id) != theirs:
        return False
    numbers = (made.record_number, mine.record_number)
    entered = select(Decision.id).where(
        Decision.review_id == mine.review_id,
        Decision.stage == mine.stage,
        Decision.reviewer_id == mine.reviewer_id,
        Decision.record_number.in_(numbers),
    )
    return set(session.scalars(entered)) == {made.id, mine.id}


def is_of(session: Session, basis: Basis | None, key: RecordKey, viewer: Viewer) -> bool:
    """Whether a basis is a decision of this person's on this record."""
    if basis is None or basis.decision_id is None:
        return False
    made = session.get(Decision, basis.decision_id)
    return made is not None and (
        RecordKey(made.review_id, made.stage, made.record_number) == key
        and made.reviewer_id == viewer.user_id
    )


def require_known_criteria(review: Review, version: int | None) -> None:
    """Raise Invalid if a client says that a decision was made under criteria that never were."""
    newest = review.criteria_version
    if version is not None and not 1 <= version <= newest:
        raise Invalid(
            f"The review has no version {version} of its criteria; the newest is {newest}. "
            "Read the criteria again, or leave the version out.",
            field="criteria_version",
        )


def require_possible(made_at: datetime | None) -> None:
    """Raise Invalid if a client says that a decision was made in the future, or before 2000."""
    if made_at is None:
        return
    if made_at > now() + CLOCK_SKEW:
        raise Invalid(
            f"This time is ahead of the server's ({now().isoformat(timespec='seconds')}). "
            "Set the device's clock, or leave the time out.",
            field="made_at",
        )
    if made_at < _EARLIEST:
        raise Invalid("This time is before the year 2000.", field="made_at")
