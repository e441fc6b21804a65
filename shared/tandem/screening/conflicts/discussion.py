"""The discussion of a conflict, by its voters and by the people who settle it.

Who may know of the conflict may read, and write unless they only observe, also once it is
settled. Authors are shown as the votes are: by name, or by the letter of their vote. Who is shown
no votes before they settle it is not shown what the voters say either, for that tells as much.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, or_, select, true
from sqlalchemy.orm import Session

from tandem.accounts import service as accounts
from tandem.db.base import now
from tandem.db.keyset import START, Cursor, Slice, keyset_of_one
from tandem.ids import ConflictId, MessageId, UserId, new_id
from tandem.reviews.models import Role
from tandem.reviews.service import Viewer
from tandem.screening.blinding.view import Visibility, conflict_visibility
from tandem.screening.conflicts import service as conflicts
from tandem.screening.ledger.conflict_history import histories
from tandem.screening.models import Message

ADJUDICATOR = "adjudicator"
"""Shown instead of a name for somebody without a vote, where names are hidden."""

Key = tuple[datetime, MessageId]
"""A message's place in the discussion: when it was sent, and its id."""


@dataclass(frozen=True, slots=True)
class ShownMessage:
    """A message, its author as the reader may know them."""

    message: Message
    author: str
    author_id: UserId | None
    is_mine: bool


@dataclass(frozen=True, slots=True)
class _Reader:
    """Somebody reading a discussion: how open the votes are to them, and who has which letter."""

    viewer: Viewer
    sees: Visibility
    letters: Mapping[UserId, str]

    def may_read(self) -> ColumnElement[bool]:
        if self.sees != "nothing":
            return true()
        own = Message.author_id == self.viewer.user_id
        return or_(own, Message.author_id.not_in(list(self.letters)))

    def author(self, message: Message, names: Mapping[UserId, str]) -> tuple[str, UserId | None]:
        author_id = message.author_id
        if self.sees == "all":
            return names[author_id], author_id
        return self.letters.get(author_id, ADJUDICATOR), None


def list_messages(
    session: Session,
    *,
    viewer: Viewer,
    conflict_id: ConflictId,
    limit: int,
    cursor: Cursor = START,
) -> Slice[ShownMessage]:
    """Return what this person may read of a conflict's discussion, the newest last.

    Raises:
        NotFound: There is no such conflict, or they may not know of it.
    """
    reader = _reader(session, viewer, conflict_id)
    query = select(Message).where(Message.conflict_id == conflict_id, reader.may_read())
    page = keyset_of_one(session, query, (Message.created_at, Message.id), cursor, limit)
    return Slice(_shown(session, reader, *page.items), page.next_cursor)


def send(session: Session, *, viewer: Viewer, conflict_id: ConflictId, text: str) -> ShownMessage:
    """Say something about a conflict. The caller has locked the review.

    Raises:
        NotFound: There is no such conflict, or this person may not know of it.
        Forbidden: They only observe.
    """
    reader = _reader(session, viewer, conflict_id)
    viewer.require(Role.REVIEWER, "discuss conflicts")
    newest = session.scalar(
        select(func.max(Message.created_at)).where(Message.conflict_id == conflict_id)
    )
    # After all others, also where the clock was set back: it is the order in the list.
    at = now() if newest is None else max(now(), newest + timedelta(microseconds=1))
    message = Message(
        id=MessageId(new_id()),
        conflict_id=conflict_id,
        author_id=viewer.user_id,
        text=text,
        created_at=at,
    )
    session.add(message)
    session.flush()
    return _shown(session, reader, message)[0]


def _reader(session: Session, viewer: Viewer, conflict_id: ConflictId) -> _Reader:
    (history,) = histories(session, [conflicts.visible(session, viewer, conflict_id)])
    return _Reader(viewer, conflict_visibility(viewer, history), history.letters())


def _shown(session: Session, reader: _Reader, *messages: Message) -> list[ShownMessage]:
    authors = {message.author_id for message in messages}
    names = {user.id: user.name for user in accounts.users_by_id(session, authors).values()}
    shown = []
    for message in messages:
        author, author_id = reader.author(message, names)
        is_mine = message.author_id == reader.viewer.user_id
        shown.append(ShownMessage(message, author, author_id, is_mine))
    return shown
