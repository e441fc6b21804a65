"""How far the review is."""

from tandem.ranking import encoding
from tandem.reviews.policy import Stage
from tandem.screening.progress import progress
from tandem_api.deps import AsViewer, Read
from tandem_api.routing import Router
from tandem_api.schemas.screening import ProgressOut, SentencesOut, StageProgressOut

router = Router(prefix="/reviews/{review_id}/progress", tags=["progress"])


@router.get("")
def get_progress(session: Read, viewer: AsViewer) -> ProgressOut:
    """Counts by status, per reviewer and by day; blinded reviewers see their own only."""
    found = progress(session, viewer=viewer, stage=Stage.TITLE_ABSTRACT)
    encoded = encoding.progress(session, viewer.review_id)
    return ProgressOut(
        stages={found.stage: StageProgressOut.of(found)},
        sentences=SentencesOut.of_progress(encoded) if encoded else None,
    )
