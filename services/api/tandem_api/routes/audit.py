"""What happened to a record: the audit trail, one record at a time."""

from typing import Annotated

from fastapi import Query

from tandem.audit.history import history
from tandem.ids import parse_record_number
from tandem_api.deps import AsViewer, Limit, PageFrom, Read
from tandem_api.paging import Page
from tandem_api.routing import Router
from tandem_api.schemas.audit import HappeningOut

router = Router(prefix="/reviews/{review_id}/records/{record_id}/history", tags=["records"])

AsOf = Annotated[
    int | None,
    Query(
        ge=1,
        le=2**31 - 1,
        description="`sequence` of an earlier event: how it was right after that. For those who "
        "see every event.",
    ),
]


@router.get("")
def get_history(
    record_id: str, session: Read, viewer: AsViewer, page: PageFrom, limit: Limit = 100
) -> Page[HappeningOut]:
    """List who did what to a record, and when. The blinded get their own decisions on it."""
    found = history(
        session,
        viewer=viewer,
        number=parse_record_number(record_id),
        cursor=page,
        limit=limit,
    )
    return Page.of(found.map(HappeningOut.of))
