"""Lists in pages. A cursor names the item that a page ends with, by what the list is sorted by.

Unlike a page that begins behind so many items, the next one then skips nothing and repeats nothing
when items of the pages before go away meanwhile, or come in.
"""

import base64
import binascii
import json
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar, TypeVarTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, UnaryExpression, and_, or_
from sqlalchemy.orm import InstrumentedAttribute, Session
from sqlalchemy.sql.operators import desc_op

from tandem.errors import Invalid

T = TypeVar("T")
U = TypeVar("U")
Ts = TypeVarTuple("Ts")

_LARGEST = 2**31 - 1


class InvalidCursor(Invalid):
    """A cursor is not one that this list gave."""

    def __init__(self) -> None:
        super().__init__("This cursor is not one that a list gave.", field="cursor")


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page begins: behind the item of this key, or at the head of the list."""

    parts: tuple[object, ...] = ()

    @classmethod
    def parse(cls, text: str | None) -> "Cursor":
        """Read what `encode` made. An empty text, as None, is the head of the list."""
        if not text:
            return cls()
        try:
            plain = base64.b64decode(text.encode("ascii"), altchars=b"-_", validate=True).decode()
            parts = json.loads(f"[{plain}]")
        except (binascii.Error, ValueError, RecursionError):
            raise InvalidCursor() from None
        if not parts:
            raise InvalidCursor()
        return cls(tuple(parts))

    def key(self, *kinds: object) -> tuple[Any, ...] | None:
        """Return the key, of these types; None at the head of the list."""
        if not self.parts:
            return None
        if len(self.parts) != len(kinds):
            raise InvalidCursor()
        try:
            return tuple(_READ[kind](part) for kind, part in zip(kinds, self.parts, strict=True))
        except (ValueError, OverflowError):
            raise InvalidCursor() from None

    def id(self) -> UUID | None:
        """Return the id that the cursor consists of; None at the head of the list."""
        key = self.key(UUID)
        return None if key is None else key[0]


START = Cursor()
"""The head of a list."""


def encode(*key: object) -> str:
    """Return the cursor behind the item of this key."""
    plain = json.dumps([_written(part) for part in key], separators=(",", ":"))[1:-1]
    return base64.urlsafe_b64encode(plain.encode()).decode("ascii")


@dataclass(frozen=True, slots=True)
class Slice(Generic[T]):
    """The items of one page; `next_cursor` is None on the last."""

    items: Sequence[T]
    next_cursor: str | None

    def map(self, made: Callable[[T], U]) -> "Slice[U]":
        return Slice([made(item) for item in self.items], self.next_cursor)


Column = InstrumentedAttribute[Any] | UnaryExpression[Any]


def keyset(
    session: Session,
    query: Select[*Ts],
    columns: Sequence[Column],
    cursor: Cursor,
    limit: int | None,
) -> Slice[tuple[*Ts]]:
    """Return at most `limit` rows, or all, behind the cursor, in the order of the columns.

    The columns, each ascending or `.desc()`, tell every row from every other, and none of them is
    ever null.
    """
    names = [column.element if _descends(column) else column for column in columns]
    ordered = query.add_columns(*names).order_by(*columns)
    after = cursor.key(*(name.type.python_type for name in names))
    if after is not None:
        ordered = ordered.where(_behind(list(zip(columns, names, after, strict=True))))
    found = session.execute(ordered.limit(None if limit is None else limit + 1)).all()
    n = len(names)
    page: list[Any] = [row[:-n] for row in found[:limit]]
    return Slice(page, encode(*found[len(page) - 1][-n:]) if len(found) > len(page) else None)


def keyset_of_one(
    session: Session, query: Select[T], columns: Sequence[Column], cursor: Cursor, limit: int | None
) -> Slice[T]:
    """Return `keyset` of a query that selects one thing."""
    return keyset(session, query, columns, cursor, limit).map(lambda row: row[0])


def sliced(
    found: Iterable[T],
    key: Callable[[T], tuple[Any, ...]],
    kinds: Sequence[object],
    cursor: Cursor,
    limit: int,
) -> Slice[T]:
    """Return at most `limit` of the items behind the cursor, in the order of their keys.

    The key, of values of these kinds, tells every item from every other.
    """
    after = cursor.key(*kinds)
    behind = sorted((item for item in found if after is None or key(item) > after), key=key)
    following = encode(*key(behind[limit - 1])) if len(behind) > limit else None
    return Slice(behind[:limit], following)


def sliced_by_id(
    found: Sequence[T], id_of: Callable[[T], UUID], cursor: Cursor, limit: int
) -> Slice[T]:
    """Return at most `limit` of the items behind the one with the cursor's id.

    For lists to which items are only ever appended.
    """
    after = cursor.id()
    places = [place for place, item in enumerate(found, start=1) if id_of(item) == after]
    if after is not None and not places:
        raise InvalidCursor()
    behind = found[places[0] if places else 0 :]
    following = encode(id_of(behind[limit - 1])) if len(behind) > limit else None
    return Slice(behind[:limit], following)


def _descends(column: Any) -> bool:
    return isinstance(column, UnaryExpression) and column.modifier is desc_op


def _behind(terms: Sequence[tuple[Any, Any, Any]]) -> ColumnElement[bool]:
    (column, name, value), *rest = terms
    beyond: ColumnElement[bool] = name < value if _descends(column) else name > value
    return or_(beyond, and_(name == value, _behind(rest))) if rest else beyond


def _written(part: object) -> object:
    if isinstance(part, datetime):
        return part.astimezone(UTC).isoformat()
    return str(part) if isinstance(part, UUID) else part


def _number(part: object) -> int:
    # Of a key that may be negative, as one that sorts the most frequent first, the kind is float.
    if isinstance(part, bool) or not isinstance(part, int) or not 0 <= part <= _LARGEST:
        raise ValueError
    return part


def _float(part: object) -> float:
    if isinstance(part, bool) or not isinstance(part, int | float) or not math.isfinite(part):
        raise ValueError
    return float(part)


def _text(part: object) -> str:
    if not isinstance(part, str) or "\x00" in part:  # which PostgreSQL does not take as text
        raise ValueError
    return part.encode().decode()  # which refuses halves of surrogate pairs


def _moment(part: object) -> datetime:
    moment = datetime.fromisoformat(_text(part))
    if moment.tzinfo is None:
        raise ValueError
    return moment.astimezone(UTC)


def _id(part: object) -> UUID:
    return UUID(_text(part))


_READ: dict[object, Callable[[object], object]] = {
    int: _number,
    float: _float,
    str: _text,
    datetime: _moment,
    UUID: _id,
    UUID | None: lambda part: None if part is None else _id(part),
}
