"""The review's records."""

from typing import Annotated

from fastapi import Body, Query, Response
from sqlalchemy.orm import Session

from tandem.audit import past
from tandem.ids import RecordNumber, parse_record_number
from tandem.ranking import serving
from tandem.records import corrections
from tandem.reviews import service as reviews
from tandem.reviews.models import Role
from tandem.reviews.policy import Stage
from tandem.reviews.service import Viewer
from tandem.screening import catalogue, shown_votes
from tandem.screening.catalogue import Filters, OrderBy
from tandem.screening.ledger import Place
from tandem_api.deps import AsViewer, InReview, Limit, Me, PageFrom, Read, Write
from tandem_api.paging import Page, encode
from tandem_api.routes.audit import AsOf
from tandem_api.routing import Router
from tandem_api.schemas.base import PlainText
from tandem_api.schemas.decisions import ScreeningStage
from tandem_api.schemas.records import RecordOut, RecordPatch, WholeRecordOut
from tandem_api.schemas.words import StatusFilter

router = Router(prefix="/reviews/{review_id}/records", tags=["records"])

Short = Annotated[PlainText, Query(max_length=500)]


@router.get("")
def list_records(
    session: Read,
    viewer: AsViewer,
    page: PageFrom,
    status: StatusFilter | None = None,
    stage: ScreeningStage = Stage.TITLE_ABSTRACT,
    q: Annotated[Short, Query(description="Words in title, abstract or authors.")] = "",
    source: Short | None = None,
    label: Annotated[
        Short | None, Query(description="Your own, or another's where their decision is open.")
    ] = None,
    order: OrderBy = OrderBy.ADDED,
    limit: Limit = 100,
) -> Page[RecordOut]:
    """List records with their status as you may see it. Duplicates stand with their record."""
    words = list(dict.fromkeys(q.split()))
    after, begun_with = page.record or (None, None)
    ranking = serving.order_for_pages(session, viewer.review_id, stage, begun_with)
    found = catalogue.list_records(
        session,
        viewer=viewer,
        stage=stage,
        filters=Filters(status=status, words=words, source=source, label=label),
        order_by=order,
        ranking=ranking,
        after=after,
        limit=limit + 1,
    )
    items = found[:limit]
    behind = f"{items[-1].record.number} {ranking.ranking_id or ''}" if items else ""
    following = encode(behind.rstrip()) if len(found) > limit else None
    return Page(items=[RecordOut.shown(item, stage) for item in items], next_cursor=following)


@router.get("/{record_id}")
def get_record(
    record_id: str,
    session: Read,
    viewer: AsViewer,
    stage: ScreeningStage = Stage.TITLE_ABSTRACT,
    as_of: AsOf = None,
) -> WholeRecordOut:
    """Show a record, also a linked one, with the decisions that you may see."""
    number = parse_record_number(record_id)
    if as_of is None:
        return _whole(session, viewer, stage, number)
    shown, votes = past.record(session, viewer=viewer, stage=stage, number=number, as_of=as_of)
    return WholeRecordOut.whole(RecordOut.shown(shown, stage), votes)


@router.patch("/{record_id}", response_model=WholeRecordOut)
def correct_record(
    record_id: str,
    body: Annotated[RecordPatch, Body(default_factory=RecordPatch)],
    me: Me,
    review_id: InReview,
    write: Write,
) -> Response:
    """Correct what a record says of its publication (owners). The text of its file stays."""
    number = parse_record_number(record_id)

    def work(session: Session) -> WholeRecordOut:
        review, viewer = reviews.enter(session, review_id=review_id, user_id=me.id)
        viewer.require(Role.OWNER, "correct its records")
        corrections.correct(session, review, number=number, changes=body.changes(), by=me.id)
        session.flush()
        return _whole(session, viewer, Stage.TITLE_ABSTRACT, number)

    return write(work, changed=review_id)


def _whole(session: Session, viewer: Viewer, stage: Stage, number: RecordNumber) -> WholeRecordOut:
    shown = catalogue.get_record(session, viewer=viewer, stage=stage, number=number)
    place = Place(viewer.review_id, stage, number)
    votes = shown_votes.shown_votes(session, viewer=viewer, place=place)
    return WholeRecordOut.whole(RecordOut.shown(shown, stage), votes)
