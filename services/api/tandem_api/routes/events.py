"""The review's event log, as a list to replay or a stream to follow."""

from typing import Annotated, Literal

from fastapi import Header, Query, Request, Response
from fastapi.sse import EventSourceResponse
from pydantic import PlainValidator, WithJsonSchema
from sqlalchemy.orm import Session

from tandem.db.keyset import InvalidCursor
from tandem.reviews import service as reviews
from tandem.reviews.service import Viewer
from tandem.screening.blinding.view import newest_sequence, sees_every_event
from tandem_api.deps import Here, InReview, Limit, Me, secret_of
from tandem_api.errors import InvalidHeader
from tandem_api.feeds import Follower, events_after
from tandem_api.paging import Page
from tandem_api.routing import Router
from tandem_api.schemas.base import PlainText
from tandem_api.schemas.events import EventOut

router = Router(prefix="/reviews/{review_id}/events", tags=["events"])

_LARGEST = 2**31 - 1
_STREAM = (
    "event: tandem.ranking.updated\n"
    'data: {"specversion":"1.0","id":"…","source":"/reviews/6f1c2d3e-…",…}\n'
    "id: 6\n\n"
    ": ping\n\n"
)


def _place(value: object) -> int | Literal["latest"]:
    text = str(value)
    if text == "latest":
        return "latest"
    if not _is_number(text):
        raise ValueError(f"must be a whole number from 0 to {_LARGEST}, or `latest`")
    return int(text)


def _is_number(text: str) -> bool:
    # The length first: Python refuses to read thousands of digits.
    return len(text) <= 10 and text.isascii() and text.isdigit() and int(text) <= _LARGEST


Place = Annotated[
    int | Literal["latest"],
    PlainValidator(_place),
    WithJsonSchema(
        {"anyOf": [{"type": "integer", "minimum": 0, "maximum": _LARGEST}, {"const": "latest"}]}
    ),
]
After = Annotated[
    Place | None,
    Query(
        description="`sequence` of the last event you have; `latest`: only what happens from now "
        "on."
    ),
]


@router.get(
    "",
    response_model=Page[EventOut],
    responses={
        200: {
            "description": "Events in order; as a stream with `Accept: text/event-stream`.",
            "content": {
                "text/event-stream": {"schema": {"type": "string"}, "example": _STREAM},
            },
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
    resumes = wants_stream and bool(last_event_id)
    start = _start(after, cursor, last_event_id if resumes else None)
    with here.database.read() as session:
        viewer = reviews.viewer(session, review_id=review_id, user_id=me.id)
        if start == "latest" or resumes:
            newest = newest_sequence(reviews.get_review(session, review_id), viewer)
            start = newest if start == "latest" else _existing(start, newest)
        if not wants_stream:
            items = _events(session, viewer, after=start, limit=limit + 1)
            following = str(items[limit - 1].sequence) if len(items) > limit else None
            return Page(items=list(items[:limit]), next_cursor=following)

    numbering = not sees_every_event(viewer) if after == "latest" else None
    source = here.event_streams.limits.require(request)
    request.state.is_stream = True  # it counts as none of the requests that come and go
    follower = Follower(secret_of(request), start, numbering)
    events = here.event_streams.stream(review_id, follower, source)
    return EventSourceResponse(
        events, headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    )


def _prefers_stream(accept: str) -> bool:
    """Whether a stream is named (RFC 9110, section 12.5.1) and no less wanted than JSON."""
    wanted: dict[str, float] = {}
    for part in accept.lower().split(","):
        kind, *parameters = (piece.strip() for piece in part.split(";"))
        weights = [piece.removeprefix("q=") for piece in parameters if piece.startswith("q=")]
        try:
            wanted[kind] = float(weights[0]) if weights else 1.0
        except ValueError:
            wanted[kind] = 0.0
    stream = wanted.get("text/event-stream", 0.0)
    return stream > 0 and stream >= wanted.get("application/json", 0.0)


def _existing(number: int, newest: int) -> int:
    """Refuse to go on behind an event that there is not, as after a backup was restored.

    Else nothing would come until the log is that long, and what comes until then was missed.
    """
    if number > newest:
        raise InvalidHeader(
            f"Last-Event-ID: {number} is too large: the newest event that you may see is {newest}. "
            "Begin again without it, or with after=latest.",
            field="Last-Event-ID",
        )
    return number


def _start(
    after: int | Literal["latest"] | None, cursor: str | None, last_event_id: str | None
) -> int | Literal["latest"]:
    if last_event_id:
        if not _is_number(last_event_id):
            problem = "This is not the id of an event here: those are whole numbers from 1."
            if last_event_id.isascii() and last_event_id.isdigit():
                problem = f"This is too large: no event has a number above {_LARGEST}."
            raise InvalidHeader(f"Last-Event-ID: {problem}", field="Last-Event-ID")
        return int(last_event_id)
    if cursor:
        if not _is_number(cursor):
            raise InvalidCursor()
        return int(cursor)
    return after or 0


def _events(session: Session, viewer: Viewer, *, after: int, limit: int) -> list[EventOut]:
    return events_after(
        session,
        review_id=viewer.review_id,
        after=after,
        limit=limit,
        only_open=not sees_every_event(viewer),
    )
