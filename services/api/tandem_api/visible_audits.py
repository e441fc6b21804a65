"""Audits as somebody may see them, brought up to date first."""

from sqlalchemy.orm import Session

from tandem.accounts import service as accounts
from tandem.ids import AuditId, ReviewId, parse_uuid
from tandem.reviews.models import Review, Role
from tandem.reviews.policy import Stage
from tandem.reviews.service import Viewer
from tandem.stopping import audit_queries, states
from tandem.stopping.models import Audit
from tandem.stopping.states import AuditState, Shown
from tandem_api.runtime import Runtime
from tandem_api.schemas.audits import AuditOut


def parse_audit_id(text: str) -> AuditId:
    return AuditId(parse_uuid(text, kind="audit"))


def stored_out(session: Session, review: Review, audit: Audit) -> AuditOut:
    session.flush()
    return shown_out(session, review, states.shown(session, audit))


def shown_out(session: Session, review: Review, found: Shown) -> AuditOut:
    by = found.audit.registered_by
    name = accounts.names_of(session, [by])[by]
    return AuditOut.of(found, by_name=name, as_of_seq=review.labels_seq)


def _is_finished(found: Shown | None) -> bool:
    return found is not None and found.state in (AuditState.CERTIFIED, AuditState.ABANDONED)


def may_see(viewer: Viewer, found: Shown | None) -> bool:
    """Whether somebody sees the progress of the team; a reviewer alone never does."""
    if viewer.has(Role.ADJUDICATOR):
        return True
    return viewer.role is Role.OBSERVER and _is_finished(found)


def visible_audit(here: Runtime, session: Session, viewer: Viewer, audit_id: str) -> Shown:
    if viewer.role is Role.REVIEWER:
        viewer.require(Role.ADJUDICATOR, "see an audit")
    audit = audit_queries.get(session, viewer.review_id, parse_audit_id(audit_id))
    found = _up_to_date(here, session, audit)
    if not may_see(viewer, found):
        viewer.require(Role.ADJUDICATOR, "see an audit that is not over")
    return found


def newest_audit(here: Runtime, session: Session, viewer: Viewer, stage: Stage) -> Shown | None:
    audit = audit_queries.in_force(session, viewer.review_id, stage)
    return None if audit is None else _up_to_date(here, session, audit)


def _up_to_date(here: Runtime, session: Session, audit: Audit) -> Shown:
    """Return an audit; a certificate that has come to hold, or to fail, is stored first."""
    review_id, audit_id = audit.review_id, audit.id
    bring_up_to_date(here, session, review_id)
    return states.shown(session, audit_queries.get(session, review_id, audit_id))


def bring_up_to_date(here: Runtime, session: Session, review_id: ReviewId) -> None:
    """Have a session that reads see certificates as the labels leave them.

    Decisions, resolutions and merges change audits without knowing of them.
    """
    while states.is_any_due(session, review_id):
        session.rollback()
        states.follow_all(here.database, review_id)
        session.expire_all()
