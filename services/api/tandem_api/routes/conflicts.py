"""Conflicts between reviewers: reading, discussing and settling them."""

from collections.abc import Callable
from typing import Annotated

from fastapi import Query, Response
from sqlalchemy.orm import Session

from tandem.ids import ConflictId, UserId, parse_record_number, parse_uuid
from tandem.reviews import service as reviews
from tandem.reviews.service import Viewer
from tandem.screening.conflicts import discussion, second_votes
from tandem.screening.conflicts import service as conflicts
from tandem.screening.conflicts.disagreements import disagreements
from tandem.screening.models import Cause, Conflict, ConflictState, ResolvedBy
from tandem.screening.previews import preview
from tandem.screening.rules import ConflictKind
from tandem_api.deps import AsViewer, DryRun, InReview, Limit, Me, PageFrom, Read
from tandem_api.paging import Page
from tandem_api.problems import errors
from tandem_api.routing import Router
from tandem_api.schemas.base import PlainText
from tandem_api.schemas.conflicts import (
    ConflictOut,
    MessageIn,
    MessageOut,
    ReopeningIn,
    ResolutionIn,
    SecondVoteIn,
)
from tandem_api.schemas.decisions import PreviewedOut, PreviewOut, ScreeningStage
from tandem_api.schemas.disagreements import DisagreementsOut
from tandem_api.writing import Write

router = Router(prefix="/reviews/{review_id}", tags=["conflicts"])

Named = Annotated[PlainText | None, Query(max_length=50)]


@router.get("/conflicts", responses=errors(403))
def list_conflicts(
    session: Read,
    viewer: AsViewer,
    page: PageFrom,
    state: ConflictState | None = None,
    stage: ScreeningStage | None = None,
    kind: ConflictKind | None = None,
    cause: Annotated[
        Cause | None, Query(description="That the resolution which stands gives.")
    ] = None,
    settled_by: ResolvedBy | None = None,
    record_id: Named = None,
    reviewer_id: Annotated[
        PlainText | None,
        Query(max_length=50, description="Whose vote is in them; 403 where names are hidden."),
    ] = None,
    mine: Annotated[bool, Query(description="Only those that your own vote is in.")] = False,
    limit: Limit = 100,
) -> Page[ConflictOut]:
    """List the conflicts that you may know of, in the order they were opened."""
    selection = conflicts.Selection(
        stage=stage,
        state=state,
        kind=kind,
        cause=cause,
        settled_by=settled_by,
        record_number=None if record_id is None else parse_record_number(record_id),
        reviewer_id=None
        if reviewer_id is None
        else UserId(parse_uuid(reviewer_id, kind="reviewer")),
        mine=mine,
    )
    found = conflicts.list_conflicts(
        session, viewer=viewer, selection=selection, cursor=page, limit=limit
    )
    return Page.of(found.map(ConflictOut.of))


@router.get("/conflicts/{conflict_id}")
def get_conflict(conflict_id: str, session: Read, viewer: AsViewer) -> ConflictOut:
    """Show a conflict, with the votes as far as the policy lets you see them."""
    found = conflicts.get_conflict(session, viewer=viewer, conflict_id=_id(conflict_id))
    return ConflictOut.of(found)


@router.post("/conflicts/{conflict_id}/resolution", response_model=ConflictOut | PreviewedOut)
def resolve_conflict(
    conflict_id: str,
    body: ResolutionIn,
    me: Me,
    review_id: InReview,
    write: Write,
    dry_run: DryRun = False,
) -> Response:
    """Settle a conflict. The votes stay as they were given."""
    found = _id(conflict_id)

    def work(session: Session) -> ConflictOut | PreviewedOut:
        review, viewer = reviews.enter(session, review_id=review_id, user_id=me.id)

        def act() -> Conflict:
            return conflicts.resolve_conflict(
                session,
                review=review,
                viewer=viewer,
                conflict_id=found,
                given=body.settlement(),
            )

        if dry_run:
            return _previewed(session, viewer, found, act)
        return _shown(session, viewer, act())

    return write(work, changed=None if dry_run else review_id)


@router.post("/conflicts/{conflict_id}/reopen", response_model=ConflictOut | PreviewedOut)
def reopen_conflict(
    conflict_id: str,
    me: Me,
    review_id: InReview,
    write: Write,
    body: ReopeningIn | None = None,
    dry_run: DryRun = False,
) -> Response:
    """Take a conflict's resolution back. It stays in the history, and the votes speak again."""
    found, note = _id(conflict_id), body.note if body else None

    def work(session: Session) -> ConflictOut | PreviewedOut:
        review, viewer = reviews.enter(session, review_id=review_id, user_id=me.id)

        def act() -> Conflict:
            return conflicts.reopen_conflict(
                session, review=review, viewer=viewer, conflict_id=found, note=note
            )

        if dry_run:
            return _previewed(session, viewer, found, act)
        return _shown(session, viewer, act())

    return write(work, changed=None if dry_run else review_id)


@router.post("/conflicts/{conflict_id}/vote", response_model=ConflictOut)
def vote_again(
    conflict_id: str, body: SecondVoteIn, me: Me, review_id: InReview, write: Write
) -> Response:
    """Vote once more in a conflict of yours, where the policy seeks consensus."""
    found = _id(conflict_id)

    def work(session: Session) -> ConflictOut:
        review, viewer = reviews.enter(session, review_id=review_id, user_id=me.id)
        conflict = second_votes.vote_again(
            session,
            review=review,
            viewer=viewer,
            conflict_id=found,
            given=body.given(),
            criteria_version=body.criteria_version,
        )
        return _shown(session, viewer, conflict)

    return write(work, changed=review_id)


@router.get("/conflicts/{conflict_id}/messages")
def list_messages(
    conflict_id: str, session: Read, viewer: AsViewer, page: PageFrom, limit: Limit = 100
) -> Page[MessageOut]:
    """List the messages about a conflict that are open to you, the newest last."""
    found = discussion.list_messages(
        session, viewer=viewer, conflict_id=_id(conflict_id), cursor=page, limit=limit
    )
    return Page.of(found.map(MessageOut.of))


@router.post("/conflicts/{conflict_id}/messages", status_code=201, response_model=MessageOut)
def send_message(
    conflict_id: str, body: MessageIn, me: Me, review_id: InReview, write: Write
) -> Response:
    """Say something about a conflict, also once it is settled."""
    found = _id(conflict_id)

    def work(session: Session) -> MessageOut:
        _, viewer = reviews.enter(session, review_id=review_id, user_id=me.id)
        sent = discussion.send(session, viewer=viewer, conflict_id=found, text=body.text)
        return MessageOut.of(sent)

    return write(work, status=201)


@router.get("/disagreements", responses=errors(403))
def get_disagreements(session: Read, viewer: AsViewer) -> DisagreementsOut:
    """Count what reviewers differ in, and why: which criterion makes trouble."""
    return DisagreementsOut.of(disagreements(session, viewer=viewer))


def _id(conflict_id: str) -> ConflictId:
    return ConflictId(parse_uuid(conflict_id, kind="conflict"))


def _shown(session: Session, viewer: Viewer, conflict: Conflict) -> ConflictOut:
    session.flush()
    shown = conflicts.get_conflict(session, viewer=viewer, conflict_id=conflict.id)
    return ConflictOut.of(shown)


def _previewed(
    session: Session, viewer: Viewer, conflict_id: ConflictId, act: Callable[[], Conflict]
) -> PreviewedOut:
    key = conflicts.key_of(conflicts.find(session, viewer, conflict_id))
    return PreviewedOut(preview=PreviewOut.of(preview(session, viewer=viewer, key=key, act=act)))
