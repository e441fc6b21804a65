"""How far the review is."""

from fastapi import APIRouter

from tandem.reviews.policy import Stage
from tandem.screening.progress import progress
from tandem_api.deps import AsViewer, Read
from tandem_api.errors import documented
from tandem_api.schemas.screening import ProgressOut, StageProgressOut

router = APIRouter(prefix="/reviews/{review_id}/progress", tags=["progress"])


@router.get("", responses=documented(401, 404))
def get_progress(session: Read, viewer: AsViewer) -> ProgressOut:
    """Counts by status, per reviewer and by day; blinded reviewers see their own only."""
    found = progress(session, viewer=viewer, stage=Stage.TITLE_ABSTRACT)
    return ProgressOut(stages={found.stage: StageProgressOut.of(found)})
