"""What the queue serves at random while an audit runs, and what was drawn of it."""

from collections.abc import Sequence

import numpy as np
from sqlalchemy import ColumnElement, and_, exists, func, literal, select
from sqlalchemy.orm import Session

from tandem.db.among import is_one_of
from tandem.db.base import now
from tandem.db.pieces import pieces
from tandem.ids import RecordNumber
from tandem.records.models import Record
from tandem.reviews.models import Review
from tandem.reviews.policy import Stage
from tandem.screening.full_text.population import left_out
from tandem.screening.hidden_records import statuses_of
from tandem.screening.models import ScreenedRecord
from tandem.screening.queue.order import Sample
from tandem.stopping import frame, random_order
from tandem.stopping.audit_queries import in_force
from tandem.stopping.joins import in_screening, is_screened
from tandem.stopping.models import Audit, AuditDraw, Serving


def of_queue(session: Session, review: Review, stage: Stage) -> Audit | None:
    """Return the audit that the queue goes by. Asks nothing where the review has none."""
    return in_force(session, review.id, stage) if review.n_audits else None


def sample_of(audit: Audit | None) -> Sample | None:
    """Return what the queue serves at random while an audit is in force."""
    if audit is None:
        return None
    numbers = random_order.order(audit.seed, audit.stage, audit.last_number)
    return Sample(numbers, is_all=audit.serving is Serving.DRAWS_ONLY)


def draw(session: Session, review: Review, audit: Audit, served: Sequence[RecordNumber]) -> None:
    """Note as drawn what was served at random, and what was passed over on the way there.

    Records that somebody has decided are none of it: they had left the pool. Nor are those that a
    draw before has missed: they are outside of the frame. The review is locked.

    Args:
        session: Within the transaction that served them.
        review: Locked.
        audit: The stage's.
        served: What was served at random.
    """
    if not served:
        return
    order = random_order.order(audit.seed, audit.stage, audit.last_number)
    places = np.flatnonzero(np.isin(order, np.array(served)))
    if not places.size or places[-1] < audit.pointer:
        return
    passed, missed = order[audit.pointer : places[-1] + 1], frame.note_missed(session, audit)
    undecided = _undecided(session, audit, passed[~np.isin(passed, missed)].tolist())
    drawn = [number for number in passed.tolist() if number in undecided]
    first, n_in_pool = _n_draws(session, audit) + 1, _n_in_pool(session, audit)
    at = now()
    session.add_all(
        AuditDraw(
            audit_id=audit.id,
            place=first + n,
            record_number=RecordNumber(number),
            pool=n_in_pool - n,
            seq=review.labels_seq,
            target=audit.target,
            drawn_at=at,
        )
        for n, number in enumerate(drawn)
    )
    audit.pointer = int(places[-1]) + 1
    session.flush()


def _undecided(
    session: Session, audit: Audit, numbers: Sequence[RecordNumber]
) -> set[RecordNumber]:
    """Return those of the records that are screened and that nobody has ever decided."""
    found = set[RecordNumber]()
    for some in pieces(numbers):
        query = select(Record.number).where(
            in_screening(audit.review_id), Record.number.in_(some), ~_is_begun(audit)
        )
        found |= set(session.scalars(query))
    return found


def _n_in_pool(session: Session, audit: Audit) -> int:
    """Return how many records of the frame nobody has ever decided, nor drawn.

    Counted by what is not in the pool: that is by an index, and to name all that is in it would
    take a while in which the review is locked.
    """
    later = frame.came_later(session, audit)
    inside, _ = frame.n_shown_in_and_after(session, audit, later)
    begun = select(func.count()).where(
        ScreenedRecord.review_id == audit.review_id,
        ScreenedRecord.stage == audit.stage,
        ScreenedRecord.record_number <= audit.last_number,
    )
    gone = begun.where(is_one_of(ScreenedRecord.record_number, left_out(literal(audit.review_id))))
    waiting = (
        select(func.count())
        .select_from(AuditDraw)
        .join(Record, and_(in_screening(audit.review_id), Record.number == AuditDraw.record_number))
        .where(AuditDraw.audit_id == audit.id, ~_is_begun(audit))
    )
    n_begun, n_gone, n_waiting = (session.scalar(one) or 0 for one in (begun, gone, waiting))
    n_later = len(statuses_of(session, audit.review_id, audit.stage, later))
    return inside - (n_begun - n_gone - n_later) - n_waiting


def _is_begun(audit: Audit) -> ColumnElement[bool]:
    return exists().where(is_screened(audit.stage))


def _n_draws(session: Session, audit: Audit) -> int:
    last = select(AuditDraw.place).where(AuditDraw.audit_id == audit.id)
    return session.scalar(last.order_by(AuditDraw.place.desc()).limit(1)) or 0
