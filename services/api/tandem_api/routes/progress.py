"""How far the review is."""

from fastapi import Request

from tandem.audit import past
from tandem.ranking import encoding, training
from tandem.reviews.models import Role
from tandem.reviews.policy import Stage
from tandem.reviews.service import Viewer
from tandem.screening.blinding.view import is_unblinded
from tandem.screening.people.blocked_records import blocked_records
from tandem.screening.progress import progress_of_stages
from tandem.webhooks import endpoints
from tandem_api.deps import AsViewer, Read
from tandem_api.problems import errors
from tandem_api.routes.audit import AsOf
from tandem_api.routing import Router
from tandem_api.schemas.jobs import ParkedRankingOut
from tandem_api.schemas.screening import (
    BlockedRecordsOut,
    PlotsOut,
    ProgressOut,
    SentencesOut,
    StageProgressOut,
)
from tandem_api.schemas.webhooks import WebhookTroubleOut

router = Router(prefix="/reviews/{review_id}/progress", tags=["progress"])


@router.get("", responses=errors(403))
def get_progress(
    request: Request, session: Read, viewer: AsViewer, as_of: AsOf = None
) -> ProgressOut:
    """Count by status, per reviewer and by day; blinded reviewers see their own only."""
    stage = Stage.TITLE_ABSTRACT
    if as_of is None:
        found = progress_of_stages(session, viewer=viewer)
    else:
        found = [past.progress(session, viewer=viewer, stage=one, as_of=as_of) for one in Stage]
    encoded = encoding.progress(session, viewer.review_id)
    parked = training.parked(session, viewer.review_id) if viewer.has(Role.OWNER) else None
    waiting, troubled = None, None
    if viewer.has(Role.OWNER) and as_of is None:
        waiting = blocked_records(session, viewer.review_id, viewer.policies)
        troubled = endpoints.in_trouble(session, viewer.review_id)
    return ProgressOut(
        stages={one.stage: StageProgressOut.of(one) for one in found},
        plots=_plots(request, viewer, stage),
        sentences=SentencesOut.of_progress(encoded) if encoded else None,
        ranking=ParkedRankingOut.of(parked) if parked else None,
        stranded=BlockedRecordsOut.of(waiting) if waiting else None,
        webhooks=[WebhookTroubleOut.of(webhook) for webhook in troubled] if troubled else None,
    )


def _plots(request: Request, viewer: Viewer, stage: Stage) -> PlotsOut:
    def at(name: str) -> str:
        path = request.app.url_path_for(f"plot_{name}", review_id=str(viewer.review_id))
        return f"{path}?stage={stage}"

    agreement = at("agreement") if is_unblinded(viewer, stage) else None
    return PlotsOut(recall=at("recall"), progress=at("progress"), agreement=agreement)
