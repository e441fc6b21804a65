"""The pilot round: everybody reads the same few records before anything else is served.

The records are the first of the review's random order, so they stand for the review. They are
chosen when the round begins and stay: what is imported meanwhile waits. When an owner ends the
round, its agreement tells whether the criteria are clear enough to go on; if they are not, another
round takes the next records of the random order that were in no round before. What is imported in
between takes its places in that order among the others, so it may be read in the next round.
"""

from collections.abc import Sequence
from enum import StrEnum
from itertools import chain

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from tandem.db.base import now
from tandem.db.pieces import pieces
from tandem.errors import Conflict
from tandem.events import log
from tandem.events.log import Event
from tandem.events.types import ReviewChanged
from tandem.ids import RecordNumber, ReviewId, UserId
from tandem.records.models import Record
from tandem.reviews.models import Review, Role
from tandem.reviews.policy import Stage
from tandem.reviews.service import Viewer
from tandem.screening import streams
from tandem.screening.models import PresentDecision

STAGE = Stage.TITLE_ABSTRACT
LARGEST = 500


class PilotRunning(Conflict):
    """One round at a time."""

    code = "pilot_running"


class NoPilot(Conflict):
    """There is no round to end."""

    code = "no_pilot"


class NothingToRead(Conflict):
    """Every record that the review has was in a round before, if it has any."""

    code = "no_records"


class PilotState(StrEnum):
    NONE = "none"
    RUNNING = "running"
    ENDED = "ended"


def state(review: Review) -> PilotState:
    if not review.pilot_size:
        return PilotState.NONE
    return PilotState.RUNNING if review.pilot_ended_at is None else PilotState.ENDED


def record_numbers(session: Session, review: Review) -> list[RecordNumber]:
    """Return the records of the newest round, in the order in which they are read.

    Empty without a round. A record that was linked to another one since is read as that one.
    """
    return _shown_for(session, review, review.pilot_records)


def begin(session: Session, review: Review, viewer: Viewer, size: int) -> None:
    """Begin a round with the next `size` records of the random order. The review is locked.

    Raises:
        Forbidden: Only an owner may.
        PilotRunning: The last round was not ended.
        NothingToRead: There is no record that was not in a round.
    """
    viewer.require(Role.OWNER, "begin a pilot round")
    if state(review) is PilotState.RUNNING:
        raise PilotRunning("A pilot round is running. End it before you begin another one.")
    earlier = _records_of_all_rounds(session, review)
    chosen = _next_of_random_order(session, review, size, earlier)
    if not chosen and earlier:
        raise NothingToRead("All records have been in a pilot round. Import more for another one.")
    if not chosen:
        raise NothingToRead("There are no records for a pilot round. Import some first.")
    before = review.pilot_size
    review.pilot_size, review.pilot_ended_at = size, None
    review.pilot_records = [int(number) for number in chosen]
    content = {"state": PilotState.RUNNING, "size": size, "records": review.pilot_records}
    detail = {"by": str(viewer.user_id), "from": {"size": before}, "pilot": content}
    log.append(session, review, ReviewChanged(changed=["pilot"], detail=detail))


def end(session: Session, review: Review, viewer: Viewer) -> None:
    """End the running round: from now on the queue serves everything. The review is locked.

    Raises:
        Forbidden: Only an owner may.
        NoPilot: None is running.
    """
    viewer.require(Role.OWNER, "end a pilot round")
    if state(review) is not PilotState.RUNNING:
        raise NoPilot("No pilot round is running.")
    review.pilot_ended_at = now()
    detail = {
        "by": str(viewer.user_id),
        "pilot": {"state": PilotState.ENDED, "size": review.pilot_size},
    }
    log.append(session, review, ReviewChanged(changed=["pilot"], detail=detail))


def done_by(session: Session, review: Review) -> dict[UserId, int]:
    """Return how many records of the newest round each person has decided."""
    done: dict[UserId, int] = {}
    for piece in pieces(record_numbers(session, review)):
        query = (
            select(PresentDecision.reviewer_id, func.count())
            .where(
                PresentDecision.review_id == review.id,
                PresentDecision.stage == STAGE,
                PresentDecision.record_number.in_(piece),
            )
            .group_by(PresentDecision.reviewer_id)
        )
        for person, n in session.execute(query):
            done[person] = done.get(person, 0) + n
    return done


def read_by(session: Session, review: Review, user_id: UserId) -> set[RecordNumber]:
    """Return which records of the newest round a person has decided."""
    read = set[RecordNumber]()
    for piece in pieces(record_numbers(session, review)):
        query = select(PresentDecision.record_number).where(
            PresentDecision.review_id == review.id,
            PresentDecision.stage == STAGE,
            PresentDecision.reviewer_id == user_id,
            PresentDecision.record_number.in_(piece),
        )
        read |= set(session.scalars(query))
    return read


def _shown_for(session: Session, review: Review, numbers: Sequence[int]) -> list[RecordNumber]:
    """Return the records that are read now in place of these, each once, in the same order."""
    shown: dict[int, RecordNumber] = {}
    head = aliased(Record)
    for piece in pieces(numbers):
        query = (
            select(Record.number, head.number)
            .join(
                head,
                (head.review_id == Record.review_id) & (head.number == Record.shown_as),
            )
            .where(
                Record.review_id == review.id,
                Record.number.in_(piece),
                ~head.is_left_out,
            )
        )
        shown |= dict(session.execute(query).all())
    # One that was taken back with its import, or removed before screening, is read no more.
    return list(dict.fromkeys(shown[number] for number in numbers if number in shown))


def _records_of_all_rounds(session: Session, review: Review) -> set[RecordNumber]:
    """Return what was read in any round so far; only the log knows all of them."""
    changes = select(Event.detail).where(
        Event.review_id == review.id, Event.type == ReviewChanged.type
    )
    rounds = (detail.get("pilot", {}).get("records", []) for detail in session.scalars(changes))
    return set(_shown_for(session, review, sorted(set(chain.from_iterable(rounds)))))


def _next_of_random_order(
    session: Session, review: Review, size: int, earlier: set[RecordNumber]
) -> Sequence[RecordNumber]:
    order = streams.random_stream(review.seed, STAGE, review.last_record_number).tolist()
    found: list[RecordNumber] = []
    for piece in pieces([number for number in order if number not in earlier]):
        shown = _shown(session, review.id, piece)
        found += [RecordNumber(number) for number in piece if number in shown]
        if len(found) >= size:
            break
    return found[:size]


def _shown(session: Session, review_id: ReviewId, numbers: Sequence[int]) -> set[int]:
    query = select(Record.number).where(
        Record.review_id == review_id, Record.number.in_(numbers), Record.is_in_screening
    )
    return set(session.scalars(query))
