"""Whether a text contains a word, in upper or lower case, on both engines alike."""

from typing import Any

from sqlalchemy import ColumnElement, SQLColumnExpression, String, cast, func, select
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


class _Elements(FunctionElement[str]):
    """The texts of a JSON list as rows, in a column named `value`."""

    name = "json_each"
    type = String()
    inherit_cache = True


@compiles(_Elements)
def _elements(element: _Elements, compiler: SQLCompiler, **options: Any) -> str:
    return f"jsonb_array_elements_text({compiler.process(element.clauses, **options)})"


@compiles(_Elements, "sqlite")
def _elements_of_text(element: _Elements, compiler: SQLCompiler, **options: Any) -> str:
    return f"json_each({compiler.process(element.clauses, **options)})"


def contains(text: SQLColumnExpression[str], word: str) -> ColumnElement[bool]:
    """Whether `text` contains the word, in any case.

    To lower letters beyond ASCII takes two thirds of a search, on both engines: a word of ASCII
    letters is found without it. (So "k" does not find a Kelvin sign.)
    """
    word = word.lower()
    if word.isascii():
        return _AsciiLower(text).contains(word, autoescape=True)
    folded: SQLColumnExpression[str] = text
    if _DOTTED.lower() in word:  # by some rules of PostgreSQL it becomes an i without a dot
        folded = func.replace(folded, _DOTTED, _DOTTED.lower())
    folded = func.lower(folded)
    if not _SIGMAS.isdisjoint(word):  # which of them a capital becomes hangs on what follows it
        folded, word = func.replace(folded, "ς", "σ"), word.replace("ς", "σ")
    return folded.contains(word, autoescape=True)


_DOTTED, _SIGMAS = "İ", frozenset("σς")


_SYNTAX = frozenset('"[],\\')
"""What a list of texts has as JSON beside the texts, or writes in another way."""


def any_contains(texts: SQLColumnExpression[list[str]], word: str) -> ColumnElement[bool]:
    """Whether any text of a JSON list contains the word, in any case.

    The list is searched as it is stored, in one piece, unless the word has a character of JSON's
    own: to take each list apart takes several times as long.
    """
    if _SYNTAX.isdisjoint(word):
        return contains(cast(texts, String), word)
    each = _Elements(texts).table_valued("value")
    return select(1).select_from(each).where(contains(each.c.value, word)).exists()
