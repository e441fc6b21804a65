"""Whether a text contains a word, in upper or lower case, on both engines alike."""

from typing import Any

from sqlalchemy import ColumnElement, SQLColumnExpression, String, func
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class _AsciiLower(FunctionElement[str]):
    """A text in which LIKE finds ASCII letters by the lower ones."""

    name = "lower"
    type = String()
    inherit_cache = True


@compiles(_AsciiLower)
def _lower(element: _AsciiLower, compiler: SQLCompiler, **options: Any) -> str:
    # By the rules of the database's language each text would be taken apart letter by letter.
    return f'lower(({compiler.process(element.clauses, **options)}) COLLATE "C")'


@compiles(_AsciiLower, "sqlite")
def _as_it_is(element: _AsciiLower, compiler: SQLCompiler, **options: Any) -> str:
    return compiler.process(element.clauses, **options)  # its LIKE does not tell them apart


def contains(text: SQLColumnExpression[str], word: str) -> ColumnElement[bool]:
    """Whether `text` contains the word, in any case.

    To lower letters beyond ASCII takes two thirds of a search, on both engines: a word of ASCII
    letters is found without it. (So "k" does not find a Kelvin sign.)
    """
    word = word.lower()
    folded = _AsciiLower(text) if word.isascii() else func.lower(text)
    return folded.contains(word, autoescape=True)
