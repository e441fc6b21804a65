"""Cursors of PostgreSQL that describe their columns only where somebody looks."""

from collections.abc import Iterator, Sequence
from typing import Any, overload

from psycopg import Column, Cursor


class BriefCursor(Cursor[Any]):
    """Makes no object for each column of each result.

    SQLAlchemy asks after each statement whether it has columns, and remembers by the statement
    which ones. They took a twelfth of the processor time of a decision.
    """

    @property
    def description(self) -> Any:
        """Describe the columns, or return None where the statement has none."""
        result = self.pgresult
        return _Columns(self) if result is not None and result.nfields else super().description

    def columns(self) -> list[Column]:
        """Return what describes the columns, each of them made."""
        return super().description or []


class _Columns(Sequence[Column]):
    """What describes the columns of a cursor's present result."""

    def __init__(self, cursor: BriefCursor) -> None:
        self._cursor = cursor

    def __len__(self) -> int:
        result = self._cursor.pgresult
        return 0 if result is None else result.nfields

    @overload
    def __getitem__(self, index: int) -> Column: ...
    @overload
    def __getitem__(self, index: slice) -> list[Column]: ...
    def __getitem__(self, index: int | slice) -> Column | list[Column]:
        return self._cursor.columns()[index]

    def __iter__(self) -> Iterator[Column]:
        return iter(self._cursor.columns())
