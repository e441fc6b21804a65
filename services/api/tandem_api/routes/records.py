"""The review's records."""

from typing import Annotated

from fastapi import Query

from tandem.ids import parse_record_number
from tandem.ranking import serving
from tandem.reviews.policy import Stage
from tandem.screening import catalogue
from tandem.screening.catalogue import Filters, OrderBy
from tandem_api.deps import AsViewer, Limit, PageFrom, Read
from tandem_api.paging import Page, cut
from tandem_api.routing import Router
from tandem_api.schemas.base import PlainText
from tandem_api.schemas.decisions import ScreeningStage
from tandem_api.schemas.records import RecordOut, ShownStatus

router = Router(prefix="/reviews/{review_id}/records", tags=["records"])

Short = Annotated[PlainText, Query(max_length=500)]


@router.get("")
def list_records(
    session: Read,
    viewer: AsViewer,
    page: PageFrom,
    status: ShownStatus | None = None,
    stage: ScreeningStage = Stage.TITLE_ABSTRACT,
    q: Annotated[Short, Query(description="Words in title, abstract or authors.")] = "",
    source: Short | None = None,
    label: Annotated[Short | None, Query(description="One of your own labels.")] = None,
    order: OrderBy = OrderBy.ADDED,
    limit: Limit = 100,
) -> Page[RecordOut]:
    """Records with their status as you may see it. Linked duplicates stand with their record."""
    words = list(dict.fromkeys(q.split()))
    found = catalogue.list_records(
        session,
        viewer=viewer,
        stage=stage,
        filters=Filters(status=status, words=words, source=source, label=label),
        order_by=order,
        ranking=serving.newest_order(session, viewer.review_id, stage),
        offset=page.offset,
        limit=limit + 1,
    )
    items, following = cut(found, offset=page.offset, limit=limit)
    return Page(items=[RecordOut.shown(item, stage) for item in items], next_cursor=following)


@router.get("/{record_id}")
def get_record(
    record_id: str,
    session: Read,
    viewer: AsViewer,
    stage: ScreeningStage = Stage.TITLE_ABSTRACT,
) -> RecordOut:
    """One record, also one that is linked to another."""
    number = parse_record_number(record_id)
    shown = catalogue.get_record(session, viewer=viewer, stage=stage, number=number)
    return RecordOut.shown(shown, stage)
