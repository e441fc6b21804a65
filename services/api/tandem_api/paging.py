"""Opaque cursors, and pages of a list."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from tandem.ids import RankingId, RecordNumber
from tandem_api.errors import InvalidQuery
from tandem_api.schemas.base import Out

Item = TypeVar("Item")


class Page(Out, Generic[Item]):
    """One page of a list; `next_cursor` is null on the last."""

    items: list[Item]
    next_cursor: str | None = None

    @classmethod
    def model_parametrized_name(cls, params: tuple[Any, ...]) -> str:
        """Name a page after what is on it: `RecordPage`, as clients made from the document do."""
        return str(params[0].__name__).removesuffix("Out") + "Page"


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page begins: behind so many items, or behind a named one."""

    after: str = ""

    @classmethod
    def parse(cls, text: str | None) -> "Cursor":
        if text is None:
            return cls()
        try:
            after = base64.b64decode(text.encode("ascii"), altchars=b"-_", validate=True).decode()
        except (binascii.Error, UnicodeError):
            raise invalid_cursor() from None
        if "\x00" in after:  # which PostgreSQL does not take as text
            raise invalid_cursor()
        return cls(after)

    @property
    def id(self) -> UUID:
        try:
            return UUID(self.after)
        except ValueError:
            raise invalid_cursor() from None

    @property
    def moment(self) -> tuple[datetime, UUID] | None:
        """When the item before was, and its id; None on the first page."""
        if not self.after:
            return None
        at, _, id = self.after.partition(" ")
        try:
            moment = datetime.fromisoformat(at)
            return moment.astimezone(UTC), UUID(id)
        except (ValueError, OverflowError):
            raise invalid_cursor() from None

    @property
    def record(self) -> tuple[RecordNumber, RankingId | None] | None:
        """The number of the record before, and the ranking whose order it stands in, if any."""
        if not self.after:
            return None
        number, _, ranking = self.after.partition(" ")
        at = RecordNumber(_number(number))
        return at, RankingId(Cursor(ranking).id) if ranking else None

    @property
    def offset(self) -> int:
        return _number(self.after) if self.after else 0


def _number(digits: str) -> int:
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 9:
        raise invalid_cursor()
    return int(digits)


def encode(after: object) -> str:
    return base64.urlsafe_b64encode(str(after).encode()).decode("ascii")


def cut(found: Sequence[Item], *, offset: int, limit: int) -> tuple[Sequence[Item], str | None]:
    """Split what was asked for with `limit + 1` into a page and the cursor behind it."""
    more = len(found) > limit
    return found[:limit], encode(offset + limit) if more else None


def invalid_cursor() -> InvalidQuery:
    return InvalidQuery("This cursor is not one that a list gave.", field="cursor")
