"""A text as it is looked at: its file, its plain text, pictures of pages, passages on them."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from tandem.artifacts import Artifacts
from tandem.errors import Conflict, NotFound, Unavailable
from tandem.texts import finding, reading
from tandem.texts.finding import Passage
from tandem.texts.kinds import MediaType
from tandem.texts.local import local_file
from tandem.texts.models import TextFile, TextState
from tandem.texts.reading import Hung, Unreadable

AT_ONCE = 2
"""Children that one process lets draw at a time: each takes a processor."""

_PATIENCE_SECONDS = 10.0
_MOST_WAITING = 12
"""Requests that wait for their turn, each of which keeps a thread of the server from others."""

_drawing = threading.BoundedSemaphore(AT_ONCE)
_asking = threading.BoundedSemaphore(AT_ONCE + _MOST_WAITING)


class NotReadYet(Conflict):
    """The file waits to be scanned and read."""

    code = "text_not_read"

    def __init__(self) -> None:
        super().__init__(
            "This file is not read yet. It is in a moment: tandem.report.text_read tells it."
        )


class Quarantined(Conflict):
    """The installation's scanner has refused the file."""

    code = "quarantined"

    def __init__(self) -> None:
        super().__init__(
            "The virus scanner of this installation has refused this file, so nobody gets it. "
            "Remove it, and get the text from elsewhere."
        )


class NoText(Conflict):
    """Nothing can be read from the file, or nothing can be drawn of it."""

    code = "no_text"


@dataclass(frozen=True, slots=True)
class Placed:
    """A passage with the boxes it fills on its page; none where the file has no pages."""

    passage: Passage
    boxes: Sequence[Sequence[float]]


def require_served(file: TextFile) -> None:
    """Raise unless the file may be handed out.

    Raises:
        NotReadYet: It was not scanned yet.
        Quarantined: The scanner refused it.
    """
    if file.state is TextState.QUARANTINED:
        raise Quarantined
    if not file.is_served:
        raise NotReadYet


def plain(session: Session, file: TextFile) -> str:
    """Return the text of a file.

    Raises:
        NotReadYet, Quarantined: See `require_served`.
        NoText: There is none.
    """
    require_served(file)
    if file.state is not TextState.READY:
        why = f": {file.problem}" if file.problem is not None else ", as in a scan"
        raise NoText(f"There is no text in this file{why}. The file itself can be opened.")
    return session.scalar(select(TextFile.plain).where(TextFile.id == file.id)) or ""


def picture(artifacts: Artifacts, file: TextFile, *, page: int, width: int) -> bytes:
    """Return a page, counted from 1, as PNG.

    Raises:
        NotReadYet, Quarantined: See `require_served`.
        NotFound: There is no such page.
        NoText: It cannot be drawn within the limits.
        Unavailable: Too many are drawn just now.
    """
    require_served(file)
    if not file.n_pages or file.media_type is not MediaType.PDF:
        raise NoText("This file has no pages that can be drawn. The file itself can be opened.")
    if not 1 <= page <= file.n_pages:
        raise NotFound(f"There is no page {page} in this file; it has {file.n_pages}.")
    try:
        with _turn(), local_file(artifacts, file.artifact) as path:
            return reading.picture(path, page=page - 1, width=width)
    except Unreadable as error:
        raise NoText(f"Page {page} cannot be drawn: {error.problem}.") from None


def passages(artifacts: Artifacts, file: TextFile, text: str, terms: Sequence[str]) -> list[Placed]:
    """Return where terms stand in the text of a file, and on its pages.

    Raises:
        Unavailable: Too many are drawn just now.
    """
    found = finding.passages(text, file.page_starts, terms)
    if not found or file.media_type is not MediaType.PDF:
        return [Placed(passage, ()) for passage in found]
    starts = file.page_starts
    spans = [(one.page, one.start - starts[one.page], one.end - starts[one.page]) for one in found]
    try:
        with _turn(), local_file(artifacts, file.artifact) as path:
            boxes = reading.boxes(path, spans)
    except Unreadable:
        boxes = [[] for _ in found]
    return [Placed(passage, box) for passage, box in zip(found, boxes, strict=True)]


@contextmanager
def _turn() -> Iterator[None]:
    busy = Unavailable("Other pages are drawn just now. Try again in a moment.")
    if not _asking.acquire(blocking=False):
        raise busy
    try:
        if not _drawing.acquire(timeout=_PATIENCE_SECONDS):
            raise busy
        try:
            yield
        finally:
            _drawing.release()
    except Hung:
        raise busy from None
    finally:
        _asking.release()
