"""How far the review is, as pictures. What they show is in `progress` as data."""

from fastapi import Response

from tandem.reviews.policy import Stage
from tandem.screening import plots
from tandem.screening.full_text.population import gate_of, n_in_stage
from tandem.screening.progress import progress
from tandem.screening.recall import recall
from tandem_api.deps import AsViewer, Read
from tandem_api.routes.agreement import SvgResponse, svg
from tandem_api.routing import Router
from tandem_api.schemas.decisions import ScreeningStage

router = Router(prefix="/reviews/{review_id}/plots", tags=["progress"])

_FRESH = {"Cache-Control": "no-store"}


@router.get(
    "/recall.svg",
    response_class=SvgResponse,
    responses=svg("Included so far: 6 of 42 screened (1,180 records)"),
)
def plot_recall(
    session: Read, viewer: AsViewer, stage: ScreeningStage = Stage.TITLE_ABSTRACT
) -> Response:
    """Draw what was found so far against the records screened; for the blinded their own.

    In the order in which they were first decided, beside the same finds in random order. What is
    settled, and what may be found once it is, are distinguished where you may see the votes.
    """
    found = recall(session, viewer=viewer, stage=stage)
    n_records = n_in_stage(session, viewer.review_id, stage, gate_of(viewer))
    drawn = plots.recall_plot(found, n_records)
    return SvgResponse(drawn, headers=_FRESH)


@router.get(
    "/progress.svg",
    response_class=SvgResponse,
    responses=svg("1,159 of 1,180 records are not settled yet"),
)
def plot_progress(
    session: Read, viewer: AsViewer, stage: ScreeningStage = Stage.TITLE_ABSTRACT
) -> Response:
    """Draw decisions by day and reviewer, and what remains; for the blinded their own."""
    found = progress(session, viewer=viewer, stage=stage)
    return SvgResponse(plots.progress_plot(found), headers=_FRESH)
