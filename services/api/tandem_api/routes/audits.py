"""Audits: registering, changing, their draws and certificates."""

from dataclasses import asdict
from typing import Annotated

from fastapi import Query, Response
from fastapi.responses import PlainTextResponse
from sqlalchemy.orm import Session

from tandem.db.keyset import sliced
from tandem.errors import NotFound
from tandem.ranking import serving
from tandem.reviews import service as reviews
from tandem.reviews.models import Role
from tandem.reviews.service import Viewer
from tandem.stopping import audit_queries, audits, counting, states
from tandem.stopping.display import FEWEST_IN_BOTH, display
from tandem.stopping.words import certificate_text, methods_text, team_text
from tandem_api.deps import AsViewer, Here, InReview, Limit, Me, PageFrom, Read
from tandem_api.paging import Page
from tandem_api.problems import errors
from tandem_api.routing import Router
from tandem_api.runtime import Runtime
from tandem_api.schemas.audits import (
    AuditChangeIn,
    AuditIn,
    AuditOut,
    CertificateOut,
    DrawOut,
    Outcome,
    outcome_of,
)
from tandem_api.schemas.stopping import AuditCostOut, CostOut
from tandem_api.visible_audits import (
    bring_up_to_date,
    may_see,
    parse_audit_id,
    shown_out,
    stored_out,
    visible_audit,
)
from tandem_api.writing import Write

router = Router(prefix="/reviews/{review_id}", tags=["stopping"])

_FRESH = {"Cache-Control": "no-store"}


class MarkdownResponse(PlainTextResponse):
    media_type = "text/markdown"


@router.post(
    "/audits",
    status_code=201,
    response_model=AuditOut,
    responses={200: {"model": AuditCostOut, "description": "With `dry_run`: what it would cost."}},
)
def register_audit(
    body: AuditIn,
    me: Me,
    review_id: InReview,
    write: Write,
    dry_run: Annotated[bool, Query(description="Only tell what it would cost.")] = False,
) -> Response:
    """Begin an audit: register a recall to show and a confidence (owners).

    Draws count from then on. The random order is fixed at this moment and its seal is shown, so
    nobody can choose it later.
    """

    def tell(session: Session) -> AuditCostOut:
        viewer = reviews.viewer(session, review_id=review_id, user_id=me.id)
        viewer.require(Role.OWNER, "register an audit")
        target = audits.share(body.target_recall, "target_recall")
        confidence = audits.share(body.confidence, "confidence")
        shown = display(session, review_id, body.stage)
        audits.require_an_include(session, review_id, body.stage)
        return AuditCostOut(cost=[CostOut(**asdict(shown.offer(target, confidence)))])

    def register(session: Session) -> AuditOut:
        review, viewer = reviews.enter(session, review_id=review_id, user_id=me.id)
        audit = audits.register(
            session,
            review,
            viewer,
            stage=body.stage,
            target=body.target_recall,
            confidence=body.confidence,
            note=body.note,
        )
        return stored_out(session, review, audit)

    if dry_run:
        return write(tell)
    return write(register, status=201, changed=review_id)


@router.get("/audits")
def list_audits(
    here: Here, session: Read, viewer: AsViewer, page: PageFrom, limit: Limit = 100
) -> Page[AuditOut]:
    """List the review's audits, the newest first: those that you may see."""
    if viewer.role is not Role.REVIEWER:
        bring_up_to_date(here, session, viewer.review_id)
    review = reviews.get_review(session, viewer.review_id)
    found = audit_queries.all_of(session, review.id, page, limit)
    shown = [states.shown(session, audit) for audit in found.items]
    items = [shown_out(session, review, one) for one in shown if may_see(viewer, one)]
    return Page(items=items, next_cursor=found.next_cursor)


@router.get("/audits/{audit_id}", responses=errors(403))
def get_audit(audit_id: str, here: Here, session: Read, viewer: AsViewer) -> AuditOut:
    """Show an audit by the labels in force now (adjudicators; observers: when it is over)."""
    found = visible_audit(here, session, viewer, audit_id)
    review = reviews.get_review(session, viewer.review_id)
    return shown_out(session, review, found)


@router.patch("/audits/{audit_id}", response_model=AuditOut)
def change_audit(
    audit_id: str, me: Me, review_id: InReview, write: Write, body: AuditChangeIn | None = None
) -> Response:
    """Change an audit: open or pause it, aim at another recall, or give it up (owners)."""
    asked = body or AuditChangeIn()

    def work(session: Session) -> AuditOut:
        review, viewer = reviews.enter(session, review_id=review_id, user_id=me.id)
        audit = audit_queries.get(session, review.id, parse_audit_id(audit_id))
        audits.change(
            session,
            review,
            viewer,
            audit,
            serving=asked.serving,
            target=asked.target_recall,
            abandon=asked.state is not None,
        )
        states.follow(session, review, audit)
        return stored_out(session, review, audit)

    return write(work, changed=review_id)


@router.post("/audits/{audit_id}/reframe", status_code=201, response_model=AuditOut)
def reframe_audit(audit_id: str, me: Me, review_id: InReview, write: Write) -> Response:
    """Begin an audit over all records that there are now, in place of this one (owners).

    What it has shown so far is kept as `carried`.
    """

    def work(session: Session) -> AuditOut:
        review, viewer = reviews.enter(session, review_id=review_id, user_id=me.id)
        audit = audit_queries.get(session, review.id, parse_audit_id(audit_id))
        return stored_out(session, review, audits.reframe(session, review, viewer, audit))

    return write(work, status=201, changed=review_id)


@router.get("/audits/{audit_id}/draws", responses=errors(403))
def list_draws(
    audit_id: str,
    here: Here,
    session: Read,
    viewer: AsViewer,
    page: PageFrom,
    outcome: Annotated[
        Outcome | None, Query(description="Only draws that have come to this.")
    ] = None,
    limit: Limit = 100,
) -> Page[DrawOut]:
    """List an audit's draws, in order, each with what it multiplies e by."""
    found = visible_audit(here, session, viewer, audit_id)
    steps = counting.steps(found.audit, found.ledger, log_carried=found.now.log_carried)
    wanted = [step for step in steps if outcome is None or outcome_of(step) == outcome]
    made = sliced(wanted, lambda step: (step.drawn.place,), (int,), page, limit)
    return Page.of(made.map(DrawOut.of))


@router.get("/audits/{audit_id}/certificate", responses=errors(403))
def get_certificate(audit_id: str, here: Here, session: Read, viewer: AsViewer) -> CertificateOut:
    """Show an audit's newest certificate that holds, with a paragraph for a methods section."""
    return _certificate(here, session, viewer, audit_id)


@router.get("/audits/{audit_id}/certificate.json", responses=errors(403))
def get_certificate_json(
    audit_id: str, here: Here, session: Read, viewer: AsViewer
) -> CertificateOut:
    """Show an audit's newest certificate, as the address without an ending does."""
    return _certificate(here, session, viewer, audit_id)


@router.get(
    "/audits/{audit_id}/certificate.md",
    response_class=MarkdownResponse,
    responses=errors(403)
    | {200: {"content": {"text/markdown": {"example": "# Certificate of recall\n"}}}},
)
def print_certificate(audit_id: str, here: Here, session: Read, viewer: AsViewer) -> Response:
    """Print an audit's newest certificate that holds as Markdown."""
    return MarkdownResponse(_certificate(here, session, viewer, audit_id).text, headers=_FRESH)


def _certificate(here: Runtime, session: Session, viewer: Viewer, audit_id: str) -> CertificateOut:
    found = visible_audit(here, session, viewer, audit_id)
    audit = found.audit
    if not audit.certificates:
        raise NotFound(
            "This audit has no certificate. GET …/stopping says what is missing for one."
        )
    given = states.certificate_in_force(audit) or audit.certificates[-1]
    shown = display(session, viewer.review_id, audit.stage)
    team = shown.team
    in_both = team.both if team else 0
    missed = float(team.found.missed) if team else None
    policy = viewer.policies[audit.stage]
    model = serving.newest_model(session, viewer.review_id, audit.stage)
    return CertificateOut(
        **{key: given[key] for key in CertificateOut.model_fields if key in given},
        audit_id=str(audit.id),
        text=certificate_text(given, people=team_text(missed, in_both, FEWEST_IN_BOTH)),
        methods=methods_text(
            given,
            registered=audit.registered_at,
            team=f"{policy.reviewers_per_record} decisions for each record",
            model=model or "none yet",
        ),
    )
