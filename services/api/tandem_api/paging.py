"""Pages of a list."""

from typing import Any, Generic, TypeVar

from tandem.db.keyset import Slice
from tandem_api.schemas.base import Out

Item = TypeVar("Item")


class Page(Out, Generic[Item]):
    """One page of a list; `next_cursor` is null on the last."""

    items: list[Item]
    next_cursor: str | None = None

    @classmethod
    def of(cls, found: Slice[Item]) -> "Page[Item]":
        return Page(items=list(found.items), next_cursor=found.next_cursor)

    @classmethod
    def model_parametrized_name(cls, params: tuple[Any, ...]) -> str:
        """Name a page after what is on it: `RecordPage`, as clients made from the document do."""
        return str(params[0].__name__).removesuffix("Out") + "Page"
