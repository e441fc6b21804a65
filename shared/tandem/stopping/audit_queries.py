"""Looks audits up."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from tandem.db.keyset import Cursor, Slice, keyset_of_one
from tandem.errors import NotFound
from tandem.ids import AuditId, ReviewId
from tandem.reviews.policy import Stage
from tandem.stopping.drawn import Frame, Frames
from tandem.stopping.frame import missed
from tandem.stopping.models import Audit
from tandem.stopping.states import certificate_in_force


def in_force(session: Session, review_id: ReviewId, stage: Stage) -> Audit | None:
    """Return the stage's audit that is not over."""
    query = select(Audit).where(
        Audit.review_id == review_id, Audit.stage == stage, Audit.ended_at.is_(None)
    )
    return session.scalars(query).first()


def frames_certified(session: Session, review_id: ReviewId, stage: Stage) -> Frames:
    """Return the frames of the stage's certificates that hold: what these allow to leave unread."""
    query = select(Audit).where(Audit.review_id == review_id, Audit.stage == stage)
    return [
        Frame(audit.last_number, frozenset(missed(audit).tolist()))
        for audit in session.scalars(query)
        if certificate_in_force(audit) is not None
    ]


def all_of(session: Session, review_id: ReviewId, cursor: Cursor, limit: int) -> Slice[Audit]:
    """Return the review's audits, the newest first."""
    query = select(Audit).where(Audit.review_id == review_id)
    columns = (Audit.registered_at.desc(), Audit.id)
    return keyset_of_one(session, query, columns, cursor, limit)


def get(session: Session, review_id: ReviewId, audit_id: AuditId) -> Audit:
    """Return an audit of the review.

    Raises:
        NotFound: It has none of this id.
    """
    audit = session.get(Audit, audit_id)
    if audit is None or audit.review_id != review_id:
        raise NotFound(f"There is no audit {str(audit_id)!r} in this review.")
    return audit
