"""The review's event log, as a list to replay or a stream to follow."""

from typing import Annotated

from fastapi import Header, Query, Request, Response
from fastapi.sse import EventSourceResponse
from sqlalchemy.orm import Session

from tandem.reviews import service as reviews
from tandem.reviews.service import Viewer
from tandem.screening.visibility import sees_every_event
from tandem_api.deps import Here, InReview, Limit, Me, secret_of
from tandem_api.errors import InvalidHeader
from tandem_api.feeds import Follower, events_after
from tandem_api.paging import Page, invalid_cursor
from tandem_api.routing import Router
from tandem_api.schemas.base import PlainText
from tandem_api.schemas.events import EventOut

router = Router(prefix="/reviews/{review_id}/events", tags=["events"])

_LARGEST = 2**31 - 1
After = Annotated[
    int | None, Query(ge=0, le=_LARGEST, description="`sequence` of the last event you have.")
]


@router.get(
    "",
    response_model=Page[EventOut],
    responses={
        200: {
            "description": "Events in order; as a stream with `Accept: text/event-stream`.",
            "content": {"text/event-stream": {"schema": {"type": "string"}}},
        }
    },
)
def read_events(
    request: Request,
    me: Me,
    review_id: InReview,
    here: Here,
    after: After = None,
    cursor: Annotated[PlainText | None, Query(description="The same as `after`.")] = None,
    limit: Limit = 100,
    accept: Annotated[str, Header(include_in_schema=False)] = "*/*",
    last_event_id: Annotated[
        PlainText | None,
        Header(alias="Last-Event-ID", description="Of a stream that broke off: it goes on there."),
    ] = None,
) -> Response | Page[EventOut]:
    """Read the log from any position on. Numbers have no gaps, and ids stay the same."""
    wants_stream = _prefers_stream(accept)
    start = _start(after, cursor, last_event_id if wants_stream else None)
    if not wants_stream:
        with here.database.read() as session:
            viewer = reviews.viewer(session, review_id=review_id, user_id=me.id)
            items = _events(session, viewer, after=start, limit=limit + 1)
        following = str(items[limit - 1].sequence) if len(items) > limit else None
        return Page(items=list(items[:limit]), next_cursor=following)

    with here.database.read() as session:
        reviews.viewer(session, review_id=review_id, user_id=me.id)
    events = here.bells.stream(review_id, Follower(secret_of(request), start))
    return EventSourceResponse(
        events, headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    )


def _prefers_stream(accept: str) -> bool:
    """Whether a stream is named (RFC 9110, section 12.5.1) and no less wanted than JSON."""
    wanted: dict[str, float] = {}
    for part in accept.lower().split(","):
        kind, *said = (piece.strip() for piece in part.split(";"))
        weights = [piece.removeprefix("q=") for piece in said if piece.startswith("q=")]
        try:
            wanted[kind] = float(weights[0]) if weights else 1.0
        except ValueError:
            wanted[kind] = 0.0
    stream = wanted.get("text/event-stream", 0.0)
    return stream > 0 and stream >= wanted.get("application/json", 0.0)


def _start(after: int | None, cursor: str | None, last_event_id: str | None) -> int:
    if last_event_id:
        if not _is_number(last_event_id):
            raise InvalidHeader("This is not the id of an event here.", field="Last-Event-ID")
        return int(last_event_id)
    if cursor:
        if not _is_number(cursor):
            raise invalid_cursor()
        return int(cursor)
    return after or 0


def _is_number(text: str) -> bool:
    # The length first: Python refuses to read thousands of digits.
    return len(text) <= 10 and text.isascii() and text.isdigit() and int(text) <= _LARGEST


def _events(session: Session, viewer: Viewer, *, after: int, limit: int) -> list[EventOut]:
    return events_after(
        session,
        review_id=viewer.review_id,
        after=after,
        limit=limit,
        only_open=not sees_every_event(viewer),
    )
