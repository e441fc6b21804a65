"""The words that a review's people use: reasons for excluding, and labels."""

from tandem.db.keyset import sliced
from tandem.errors import Forbidden
from tandem.reviews import service as reviews
from tandem.reviews.policy import Stage
from tandem.screening import visible_votes
from tandem.screening.blinding.view import is_unblinded
from tandem.screening.criteria import reasons
from tandem_api.deps import AsViewer, Limit, PageFrom, Read
from tandem_api.paging import Page
from tandem_api.problems import errors
from tandem_api.routing import Router
from tandem_api.schemas.criteria import LabelOut, ReasonsPage
from tandem_api.schemas.decisions import ScreeningStage

router = Router(prefix="/reviews/{review_id}", tags=["records"])


@router.get("/exclusion-reasons", responses=errors(403))
def count_reasons(
    session: Read,
    viewer: AsViewer,
    page: PageFrom,
    stage: ScreeningStage = Stage.TITLE_ABSTRACT,
    limit: Limit = 100,
) -> ReasonsPage:
    """Count the excluded records for each final reason; not for the blinded."""
    if not is_unblinded(viewer, stage):
        raise Forbidden("How others excluded is hidden while this stage is blind.")
    review = reviews.get_review(session, viewer.review_id)
    counts, n_without = reasons.count(session, review, stage, viewer)
    found = reasons.page(review, counts, cursor=page, limit=limit)
    return ReasonsPage(
        items=[ReasonsPage.item(review, reason, n) for reason, n in found.items],
        next_cursor=found.next_cursor,
        stage=stage,
        n_without_reason=n_without,
    )


@router.get("/labels")
def list_labels(
    session: Read,
    viewer: AsViewer,
    page: PageFrom,
    stage: ScreeningStage = Stage.TITLE_ABSTRACT,
    limit: Limit = 100,
) -> Page[LabelOut]:
    """List the labels in use, your own and those of decisions that are open to you."""
    labels = visible_votes.labels_in_use(session, viewer=viewer, stage=stage)
    found = sliced(labels, lambda one: (-one.n_records, one.label), (float, str), page, limit)
    return Page.of(found.map(LabelOut.of))
