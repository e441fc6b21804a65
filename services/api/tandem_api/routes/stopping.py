"""When to stop: what a stage shows, in figures and drawn."""

from fastapi import Response
from sqlalchemy.orm import Session

from tandem.reviews import service as reviews
from tandem.reviews.models import Review, Role
from tandem.reviews.policy import Stage
from tandem.reviews.service import Viewer
from tandem.screening.full_text.population import gate_of
from tandem.screening.queue import service as queue
from tandem.stopping.display import display
from tandem.stopping.models import Serving
from tandem.stopping.plot import stopping_plot
from tandem.stopping.states import AuditState, Shown
from tandem_api.deps import AsViewer, Here, Read
from tandem_api.problems import errors
from tandem_api.routes.agreement import SvgResponse, svg
from tandem_api.routing import Router
from tandem_api.schemas.decisions import ScreeningStage
from tandem_api.schemas.stopping import OwnStoppingOut, StoppingOut, stopping_out
from tandem_api.visible_audits import may_see, newest_audit, shown_out

router = Router(prefix="/reviews/{review_id}", tags=["stopping"])

_FRESH = {"Cache-Control": "no-store"}
_RANDOM_NOW = "Records now come in random order."
_CERTIFIED = "Certified: the team has shown the recall that it aimed at."


@router.get("/stopping")
def get_stopping(
    here: Here, session: Read, viewer: AsViewer, stage: ScreeningStage = Stage.TITLE_ABSTRACT
) -> StoppingOut | OwnStoppingOut:
    """Show what speaks for stopping (owners, adjudicators); others see what is left for them.

    At full text all is read: there are the same figures, and neither audits nor their cost.
    """
    found = newest_audit(here, session, viewer, stage)
    review = reviews.get_review(session, viewer.review_id)
    if not may_see(viewer, found):
        return _own(session, review, viewer, stage, found)
    shown = display(session, review.id, stage, gate_of(viewer))
    audit = shown_out(session, review, found) if found else None
    return stopping_out(shown, found, audit, stage=stage, as_of_seq=review.labels_seq)


@router.get(
    "/plots/stopping.svg",
    response_class=SvgResponse,
    responses=svg("Included so far: 100 of 2,612 settled") | errors(403),
)
def plot_stopping(
    here: Here, session: Read, viewer: AsViewer, stage: ScreeningStage = Stage.TITLE_ABSTRACT
) -> Response:
    """Draw what was found and the evidence of the stage's audit (owners, adjudicators)."""
    found = newest_audit(here, session, viewer, stage)
    if not may_see(viewer, found):
        viewer.require(Role.ADJUDICATOR, "see how far the team is")
    drawn = stopping_plot(display(session, viewer.review_id, stage, gate_of(viewer)), found)
    return SvgResponse(drawn, headers=_FRESH)


def _own(
    session: Session, review: Review, viewer: Viewer, stage: Stage, found: Shown | None
) -> OwnStoppingOut:
    note = None
    if found is not None and found.state is AuditState.CERTIFIED:
        note = _CERTIFIED
    elif found is not None and found.audit.serving is Serving.DRAWS_ONLY:
        note = _RANDOM_NOW
    remaining = 0
    if viewer.has(Role.REVIEWER):
        left = queue.what_is_left(session, review=review, viewer=viewer, stage=stage)
        remaining = left.remaining
    return OwnStoppingOut(stage=stage, remaining_for_you=remaining, note=note)
