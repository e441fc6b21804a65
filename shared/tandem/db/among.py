"""Whether a value is among those that a query selects, each of which is found once.

PostgreSQL joins `x IN (SELECT …)`. Right after an import its statistics know none of the new rows:
it expects one, and asks the whole query again for each row of the other. Where no index leads to
the value, the selected ones are searched for each row: few are to be selected there.
"""

from typing import Any, TypeVar

from sqlalchemy import BinaryExpression, ColumnElement, Select, SQLColumnExpression
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

T = TypeVar("T")


class _Among(BinaryExpression[bool]):
    """`x IN (SELECT …)`, whose query PostgreSQL evaluates once, before it uses what it selects."""

    inherit_cache = True


@compiles(_Among)
def _in(element: _Among, compiler: SQLCompiler, **options: Any) -> str:
    said: str = compiler.visit_binary(element, **options)  # type: ignore[no-untyped-call]
    return said


@compiles(_Among, "postgresql")
def _any(element: _Among, compiler: SQLCompiler, **options: Any) -> str:
    value = compiler.process(element.left, **options)
    return f"{value} = ANY (ARRAY{compiler.process(element.right, **options)})"


def is_one_of(value: SQLColumnExpression[T], query: Select[T]) -> ColumnElement[bool]:
    """Whether `value` is one of those that `query` selects, of which none may be null.

    Its negation is a plain NOT IN: that is never joined.
    """
    plain = value.in_(query)
    return _Among(plain.left, plain.right, plain.operator, negate=plain.negate, type_=plain.type)
