"""What each of many followers of one review's log gets next, read from the database together."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from fastapi.sse import format_sse_event
from sqlalchemy.orm import Session

from tandem.accounts.shown_secrets import Secret, users_of_secrets
from tandem.db.session import Database
from tandem.events import log
from tandem.ids import ReviewId
from tandem.reviews import service as reviews
from tandem.screening.blinding.numbers import numbers_for_the_blinded
from tandem.screening.blinding.view import sees_every_event
from tandem_api.schemas.events import EventOut

_LINE_ENDS = {code: f"\\u{code:04x}" for code in (0x85, 0x2028, 0x2029)}
"""No ends of lines in server-sent events, but many readers of lines take them for some, httpx's
among them; an import's error may quote them from its file. In JSON they may be written so."""

PAGE = 200
"""Events that one follower gets at a time."""

_AT_ONCE, _LEAST = 1000, 5
"""Events of one look, for all places together: who reads from far behind is not to hold up those
who wait for what happens now. So many each at least."""


@dataclass(frozen=True, slots=True)
class Follower:
    """Somebody who follows a log. `after`: the number of the last event they were given.

    `only_open` is the numbering it is in: that of the blinded, or the full one; None before it
    is known.
    """

    secret: Secret
    after: int
    only_open: bool | None = None


@dataclass(frozen=True, slots=True)
class Update:
    """What a follower gets, and where they are then. `is_behind`: there is more."""

    follower: Follower
    page: bytes
    is_behind: bool


def look(
    database: Database, review_id: ReviewId, followers: Sequence[Follower]
) -> list[Update | None]:
    """Return for each follower what the log has behind what they have, None without the right.

    Rights are checked again each time: a member or token that was removed gets
    nothing more. Costs some queries for each place in the log where followers are, however many
    they are.
    """
    with database.read() as session:
        people = users_of_secrets(session, {one.secret for one in followers})
        viewers = reviews.viewers(session, review_id=review_id, user_ids=set(people.values()))
        pages: dict[tuple[bool, int], tuple[bytes, int, bool]] = {}
        updates: list[Update | None] = []
        n_places = len({(one.only_open, one.after) for one in followers})
        limit = max(_LEAST, min(PAGE, _AT_ONCE // max(1, n_places)))
        for follower in followers:
            viewer = viewers.get(people[follower.secret]) if follower.secret in people else None
            if viewer is None:
                updates.append(None)
                continue
            only_open = not sees_every_event(viewer)
            after = _renumbered(session, review_id, follower, only_open=only_open)
            place = (only_open, after)
            if place not in pages:
                pages[place] = _page(session, review_id, after, limit, only_open=only_open)
            page, last, is_behind = pages[place]
            updates.append(
                Update(replace(follower, after=last, only_open=only_open), page, is_behind)
            )
        return updates


def _renumbered(
    session: Session, review_id: ReviewId, follower: Follower, *, only_open: bool
) -> int:
    """Keep the place when another role or policy changes what the client may see."""
    if follower.only_open in (None, only_open):
        return follower.after
    return log.renumbered(session, review_id=review_id, number=follower.after, to_open=only_open)


def _page(
    session: Session, review_id: ReviewId, after: int, limit: int, *, only_open: bool
) -> tuple[bytes, int, bool]:
    """Return events as they are sent, the number of the last one, and whether there may be more."""
    found = events_after(
        session, review_id=review_id, after=after, limit=limit, only_open=only_open
    )
    page = b"".join(
        format_sse_event(
            data_str=event.model_dump_json().translate(_LINE_ENDS),
            event=event.type,
            id=str(event.sequence),
        )
        for event in found
    )
    return page, found[-1].sequence if found else after, len(found) == limit


def events_after(
    session: Session, *, review_id: ReviewId, after: int, limit: int, only_open: bool
) -> list[EventOut]:
    """Return up to `limit` events after `after`; `only_open` for blinded readers."""
    found = log.read_after(
        session, review_id=review_id, after=after, limit=limit, only_open=only_open
    )
    if not only_open:
        return [EventOut.of(number, event) for number, event in found]
    counted = [event.data["labels_seq"] for _, event in found if "labels_seq" in event.data]
    numbers = numbers_for_the_blinded(session, review_id, counted)
    return [
        EventOut.of(number, event, labels_seq=numbers.get(event.data.get("labels_seq", 0)))
        for number, event in found
    ]
