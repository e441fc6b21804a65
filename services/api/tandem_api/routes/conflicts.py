"""Conflicts between reviewers, and settling them."""

from fastapi import Response
from sqlalchemy.orm import Session

from tandem.ids import ConflictId, parse_uuid
from tandem.reviews import service as reviews
from tandem.screening import conflicts
from tandem.screening.models import ConflictState
from tandem.screening.rules import Verdict
from tandem_api.deps import AsViewer, InReview, Limit, Me, PageFrom, Read, Write
from tandem_api.paging import Page, cut
from tandem_api.routing import Router
from tandem_api.schemas.decisions import ScreeningStage
from tandem_api.schemas.screening import ConflictOut, ResolutionIn

router = Router(prefix="/reviews/{review_id}/conflicts", tags=["conflicts"])


@router.get("")
def list_conflicts(
    session: Read,
    viewer: AsViewer,
    page: PageFrom,
    state: ConflictState | None = None,
    stage: ScreeningStage | None = None,
    limit: Limit = 100,
) -> Page[ConflictOut]:
    """The conflicts that you may know of, in the order they were opened."""
    found = conflicts.list_conflicts(
        session, viewer=viewer, stage=stage, state=state, offset=page.offset, limit=limit + 1
    )
    items, following = cut(found, offset=page.offset, limit=limit)
    return Page(items=[ConflictOut.of(shown) for shown in items], next_cursor=following)


@router.get("/{conflict_id}")
def get_conflict(conflict_id: str, session: Read, viewer: AsViewer) -> ConflictOut:
    """One conflict, with the votes as far as the policy lets you see them."""
    found = ConflictId(parse_uuid(conflict_id, kind="conflict"))
    return ConflictOut.of(conflicts.get_conflict(session, viewer=viewer, conflict_id=found))


@router.post(
    "/{conflict_id}/resolution",
    response_model=ConflictOut,
)
def resolve_conflict(
    conflict_id: str, body: ResolutionIn, me: Me, review_id: InReview, write: Write
) -> Response:
    """Settle a conflict. The votes stay as they were given."""
    found = ConflictId(parse_uuid(conflict_id, kind="conflict"))

    def work(session: Session) -> ConflictOut:
        review, viewer = reviews.enter(session, review_id=review_id, user_id=me.id)
        shown = conflicts.resolve_conflict(
            session,
            review=review,
            viewer=viewer,
            conflict_id=found,
            verdict=Verdict(body.verdict),
            reasons=body.reasons,
            note=body.note,
            cause=body.cause,
        )
        return ConflictOut.of(shown)

    return write(work, changed=review_id)
