"""Whether a text contains a word, in upper or lower case, on both engines alike."""

from typing import Any

from sqlalchemy import ColumnElement, SQLColumnExpression, String, func
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class _LowerUnlessLikeDoes(FunctionElement[str]):
    """A text in lower case, or as it is where LIKE does not tell ASCII letters apart anyway."""

    name = "lower"
    type = String()
    inherit_cache = True


@compiles(_LowerUnlessLikeDoes)
def _lower(element: _LowerUnlessLikeDoes, compiler: SQLCompiler, **options: Any) -> str:
    return f"lower({compiler.process(element.clauses, **options)})"


@compiles(_LowerUnlessLikeDoes, "sqlite")
def _as_it_is(element: _LowerUnlessLikeDoes, compiler: SQLCompiler, **options: Any) -> str:
    return compiler.process(element.clauses, **options)


def contains(text: SQLColumnExpression[str], word: str) -> ColumnElement[bool]:
    """Whether `text` contains the word, in any case.

    SQLite is given our own `lower`, for letters beyond ASCII, which takes two thirds of a search:
    a word of ASCII letters is found without it. (So in SQLite "k" does not find a Kelvin sign.)
    """
    word = word.lower()
    folded = _LowerUnlessLikeDoes(text) if word.isascii() else func.lower(text)
    return folded.contains(word, autoescape=True)
