"""The review's event log, as a list to replay or a stream to follow."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Header, Query, Response
from fastapi.sse import EventSourceResponse
from sqlalchemy.orm import Session

from tandem.errors import Invalid, NotFound
from tandem.events import log
from tandem.reviews import service as reviews
from tandem.reviews.service import Viewer
from tandem.screening.visibility import sees_every_event
from tandem_api.deps import Here, InReview, Limit, Me
from tandem_api.errors import documented
from tandem_api.paging import Page
from tandem_api.schemas.base import PlainText
from tandem_api.schemas.events import EventOut
from tandem_api.streams import stream

router = APIRouter(prefix="/reviews/{review_id}/events", tags=["events"])

_PAGE = 200
_LARGEST = 2**31 - 1
After = Annotated[
    int | None, Query(ge=0, le=_LARGEST, description="`sequence` of the last event you have.")
]

EXAMPLE = {
    "specversion": "1.0",
    "id": "0b9f3c7e-6f0e-4f52-9f3e-0f7a1f1a2b3c",
    "source": "/reviews/6f1c2d3e-0000-4000-8000-000000000000",
    "type": "tandem.decision.recorded",
    "time": "2026-11-23T12:00:00Z",
    "subject": "17",
    "datacontenttype": "application/json",
    "data": {
        "record_id": "17",
        "stage": "title_abstract",
        "reviewer_id": "0d1f…",
        "labels_seq": 3,
    },
    "sequence": 5,
}


@router.get(
    "",
    response_model=Page[EventOut],
    responses=documented(401, 404, 422)
    | {
        200: {
            "description": "Events in order; as a stream with `Accept: text/event-stream`.",
            "content": {
                "application/json": {"example": {"items": [EXAMPLE], "next_cursor": None}},
                "text/event-stream": {
                    "schema": {"type": "string"},
                    "example": "event: tandem.ranking.updated\ndata: {…}\nid: 6\n\n",
                },
            },
        }
    },
)
def read_events(
    me: Me,
    review_id: InReview,
    here: Here,
    after: After = None,
    cursor: Annotated[PlainText | None, Query(description="The same as `after`.")] = None,
    limit: Limit = 100,
    accept: Annotated[str, Header()] = "*/*",
    last_event_id: Annotated[PlainText | None, Header()] = None,
) -> Response | Page[EventOut]:
    """The log from any position on. Numbers have no gaps, and ids stay the same."""
    wants_stream = "text/event-stream" in accept
    start = _start(after, cursor, last_event_id if wants_stream else None)
    if not wants_stream:
        with here.database.read() as session:
            viewer = reviews.viewer(session, review_id=review_id, user_id=me.id)
            items = _events(session, viewer, after=start, limit=limit + 1)
        following = str(items[limit - 1].sequence) if len(items) > limit else None
        return Page(items=list(items[:limit]), next_cursor=following)

    def read(position: int) -> Sequence[EventOut] | None:
        # Asked anew each time: who is removed from the review sees nothing more.
        with here.database.read() as session:
            try:
                viewer = reviews.viewer(session, review_id=review_id, user_id=me.id)
            except NotFound:
                return None
            return _events(session, viewer, after=position, limit=_PAGE)

    if read(start) is None:
        raise NotFound(f"There is no review {review_id}.")
    events = stream(here.bells, review_id, after=start, read=read)
    return EventSourceResponse(
        events, headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    )


def _start(after: int | None, cursor: str | None, last_event_id: str | None) -> int:
    for text, field in ((last_event_id, "Last-Event-ID"), (cursor, "cursor")):
        if text:
            if not (text.isascii() and text.isdigit()) or int(text) > _LARGEST:
                raise Invalid("This is not the number of an event.", field=field)
            return int(text)
    return after or 0


def _events(session: Session, viewer: Viewer, *, after: int, limit: int) -> list[EventOut]:
    found = log.read_after(
        session,
        review_id=viewer.review_id,
        after=after,
        limit=limit,
        only_open=not sees_every_event(viewer),
    )
    return [EventOut.of(number, event) for number, event in found]
