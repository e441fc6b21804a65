"""The audit trail as a file: the whole log with its chain, then what the tables say.

JSON Lines. Everything but the log is read at one moment, before the first line is sent. The log
never changes, so it is read page by page up to its end at that moment.
"""

import json
from collections.abc import Iterator, Sequence
from tempfile import SpooledTemporaryFile

from sqlalchemy import select
from sqlalchemy.orm import Session

from tandem.artifacts import Artifacts
from tandem.audit import tables
from tandem.audit.checked import VERSION
from tandem.audit.entries import Entry
from tandem.audit.record_lines import Line
from tandem.audit.seals import Seals
from tandem.db.base import now
from tandem.db.reading import OneMoment
from tandem.db.session import Database
from tandem.events import chain
from tandem.events.log import Event
from tandem.ids import ReviewId, UserId
from tandem.reviews import service as reviews
from tandem.reviews.models import Role
from tandem.reviews.service import Viewer
from tandem.stopping import states

PAGE = 1000
"""Rows in memory at a time."""

_IN_MEMORY = 1 << 22
"""Bytes of the tables' lines; the rest waits in a temporary file."""


def lines(
    database: Database | OneMoment,
    *,
    review_id: ReviewId,
    user_id: UserId,
    artifacts: Artifacts | None = None,
) -> Iterator[str]:
    """Yield the lines of a review's trail, each with its newline.

    Certificates of audits are brought up to date first: one that a correction has made untrue
    would contradict the log. `artifacts` is the store of full texts; each file is read for its
    digest.

    Raises:
        NotFound: There is no such review, or the viewer is not a member of it.
        Forbidden: The viewer is not an owner of it.
    """
    with SpooledTemporaryFile(_IN_MEMORY, "w+", encoding="utf-8") as rest:
        with database.read() as session:
            _owner(session, review_id, user_id)
        with states.up_to_date(database, review_id) as session:
            viewer = _owner(session, review_id, user_id)
            seals = Seals(session, viewer)
            header = _header(session, review_id)
            for line in tables.lines(session, review_id, seals, artifacts):
                rest.write(_text(line))
        rest.seek(0)
        yield _text(header)
        after = 0
        while after < header["last_seq"]:
            with database.read() as session:
                _owner(session, review_id, user_id)
                page = _events(session, review_id, after, header["last_seq"])
            if not page:
                break  # the log was cut short in the meantime; verification shows it
            yield from (_text(_entry(event, seals).as_json()) for event in page)
            after = page[-1].seq
        yield from rest


def _owner(session: Session, review_id: ReviewId, user_id: UserId) -> Viewer:
    viewer = reviews.viewer(session, review_id=review_id, user_id=user_id)
    viewer.require(Role.OWNER, "export its audit trail")
    return viewer


def _header(session: Session, review_id: ReviewId) -> Line:
    review = reviews.get_review(session, review_id)
    return {
        "trail": VERSION,
        "review": str(review.id),
        "title": review.title,
        "exported_at": now().isoformat(timespec="seconds"),
        "n_records": review.last_record_number - review.n_taken_back,
        "last_seq": review.last_seq,
        "last_hash": review.last_hash,
    }


def _events(session: Session, review_id: ReviewId, after: int, last: int) -> Sequence[Event]:
    query = (
        select(Event)
        .where(Event.review_id == review_id, Event.seq > after, Event.seq <= last)
        .order_by(Event.seq)
        .limit(PAGE)
    )
    return session.scalars(query).all()


def _entry(event: Event, seals: Seals) -> Entry:
    logged = chain.LoggedEvent(
        seq=event.seq,
        id=str(event.id),
        type=event.type,
        time=event.created_at,
        subject=event.subject,
        data=event.data,
    )
    seal, sealed = chain.seal(event.detail, event.salt), seals.cover(event.data)
    detail, salt = (None, None) if sealed else (event.detail, event.salt)
    return Entry(logged, detail, salt, seal, event.hash)


def _text(line: Line) -> str:
    return json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n"
