"""What the queue serves at random while an audit runs, and what was drawn of it."""

from collections.abc import Sequence

import numpy as np
from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from tandem.db.base import now
from tandem.ids import RecordNumber
from tandem.records.models import Record
from tandem.reviews.models import Review
from tandem.reviews.policy import Stage
from tandem.screening.queue.order import Sample
from tandem.stopping import frame, random_order
from tandem.stopping.audit_queries import in_force
from tandem.stopping.joins import is_screened, is_shown
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
    unpassed = order[audit.pointer :]
    missed = frame.note_missed(session, audit)
    in_pool = unpassed[np.isin(unpassed, _undecided(session, audit)) & ~np.isin(unpassed, missed)]
    passed = set(order[audit.pointer : places[-1] + 1].tolist())
    drawn = [number for number in in_pool.tolist() if number in passed]
    first = _n_draws(session, audit) + 1
    at = now()
    session.add_all(
        AuditDraw(
            audit_id=audit.id,
            place=first + n,
            record_number=RecordNumber(number),
            pool=len(in_pool) - n,
            seq=review.labels_seq,
            target=audit.target,
            drawn_at=at,
        )
        for n, number in enumerate(drawn)
    )
    audit.pointer = int(places[-1]) + 1
    session.flush()


def _undecided(session: Session, audit: Audit) -> "np.ndarray[tuple[int], np.dtype[np.int32]]":
    """Return the shown records of the frame that nobody has ever decided."""
    query = select(Record.number).where(
        is_shown(audit.review_id),
        Record.number <= audit.last_number,
        ~exists().where(is_screened(audit.stage)),
    )
    return np.fromiter(session.scalars(query), dtype=np.int32)


def _n_draws(session: Session, audit: Audit) -> int:
    last = select(AuditDraw.place).where(AuditDraw.audit_id == audit.id)
    return session.scalar(last.order_by(AuditDraw.place.desc()).limit(1)) or 0
