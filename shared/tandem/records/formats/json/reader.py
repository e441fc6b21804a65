"""JSON as a row of records, read one at a time: a list, a list within an answer, or lines.

A record that is not JSON costs itself only. Nothing is nested deeper than Python can go, and no
more than one record is held as objects at a time.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any

from tandem.records.formats.assembly import LONGEST_RECORD, Parts, assemble
from tandem.records.formats.entry import Entry, Rejection
from tandem.records.formats.fields import FieldMap
from tandem.records.formats.json.values import texts
from tandem.records.formats.pieces import FILLER, RECORD, Make, Piece

_LISTS = frozenset(
    {
        *("items", "docs", "results", "records", "data", "result", "works", "publications"),
        *("articles", "documents", "entries", "hits", "bibliography", "library", "response"),
        *("studies", "FullStudies", "StudyFields", "References", "references"),
    }
)
_ANSWERS = frozenset(
    {
        *("response", "message", "resultList", "hits", "results", "data", "result"),
        *("FullStudiesResponse", "StudyFieldsResponse"),
    }
)
_DEEPEST = 3
_MOST_TRIES = 1_000
"""Places looked at, in one file, for where records go on after one that is not JSON."""

_SPACE = re.compile(r"[\s\x1e\ufeff]*")
_BETWEEN = re.compile(r"[\s\x1e,}]*")
_NEXT_LIST = re.compile(r"\](?:[\s,]*\[)?")
"""The end of a list, and the beginning of the next: files are joined."""
_GOES_ON = re.compile(r"\](?=[\s,]*\{)")
"""The end of a list in an answer, if more than the answer's other parts follows."""
_CLOSES = re.compile(r"[\s\x1e,\]}]*")
_PART = re.compile(r"\s*\"((?:[^\"\\\n]|\\.){1,100})\"\s*:\s*")
_COLON = re.compile(r"\s*:")
_KEY = re.compile(r'\s*\{\s*"((?:[^"\\\n]|\\.){1,100})"\s*:')
_OPENING = re.compile(r'\{\s{0,200}"((?:[^"\\\n]|\\.){1,100})"\s{0,20}:')

# Numbers stay as they are written; Python reads no integer of more than some 4,000 digits.
_DECODER = json.JSONDecoder(strict=False, parse_int=str, parse_float=str, parse_constant=str)


def opening(text: str) -> int | None:
    """Return where the first bracket stands if nothing stands before it, else None."""
    at = _after(_SPACE, text, 0)
    return at if text[at : at + 1] in {"{", "["} and text[at : at + 2] != "{\\" else None


class JsonReader:
    """Reads records out of JSON.

    Args:
        tells: Whether the first records, as objects, are of the format; given the text as well.
        parts: Makes sense of one record.
    """

    def __init__(
        self,
        tells: Callable[[str, list[dict[str, Any]]], bool],
        parts: Callable[[Mapping[str, Any]], Parts],
    ) -> None:
        self._tells = tells
        self._parts = parts

    def begins(self, data: str) -> int | None:
        """Return where the JSON begins if its first records are of the format, or None."""
        at = opening(data)
        return at if at is not None and self._tells(data, sample(data)) else None

    def pieces(self, data: str) -> Iterator[Piece]:
        """Yield the records, what is none in their list, and the answer around it."""
        at = opening(data)
        if at is None:
            return
        yield at, FILLER
        decoder = _Decoder(data)
        within = _list_within(decoder, at, 0) if data[at] == "{" else None
        if within is None:
            at += data[at] == "["
        first, n_open = within or (at, 0)
        end = at
        for start, end, kind in _sequence(decoder, first, _GOES_ON if within else _NEXT_LIST):
            yield start, FILLER
            yield end, kind
        yield _end_of_answer(decoder, end, n_open), FILLER

    def maker(self, data: str) -> Make[str]:
        """Return what makes a record of an object's text."""
        return self._record

    def _record(self, position: int, raw: str) -> Entry | Rejection:
        return assemble(position, raw, self._parts(_DECODER.decode(raw)))


def by_keys(
    fields: FieldMap, refined: Callable[[Mapping[str, Any], Parts], Parts]
) -> Callable[[Mapping[str, Any]], Parts]:
    """Return what makes sense of an object: by its keys, and by what `refined` adds."""

    def parts(item: Mapping[str, Any]) -> Parts:
        return refined(item, fields.parts(lambda key: list(texts(item.get(key)))))

    return parts


def sample(text: str, most: int = 20) -> list[dict[str, Any]]:
    """Return the first records, those that are JSON."""
    at = opening(text)
    if at is None:
        return []
    decoder = _Decoder(text)
    within = _list_within(decoder, at, 0) if text[at] == "{" else None
    first = within[0] if within else at + (text[at] == "[")
    spans = islice(_sequence(decoder, first, _NEXT_LIST), most)
    return [_DECODER.decode(text[start:end]) for start, end, kind in spans if kind == RECORD]


class _Decoder:
    """Decodes values out of a long text, none of them longer than a record may be."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._start = 0
        self._window = text[: LONGEST_RECORD + 1]

    def decode(self, at: int) -> tuple[Any, int]:
        """Return the value that begins at `at`, and where it ends.

        Raises:
            ValueError: It is not JSON, or too long, or nested too deep.
        """
        inside = self._start <= at < self._start + len(self._window)
        try:
            if not inside:
                raise ValueError
            return self._try(at)
        except ValueError:
            reaches_end = self._start + len(self._window) >= len(self.text)
            if inside and (self._start == at or reaches_end):
                raise
        self._start, self._window = at, self.text[at : at + LONGEST_RECORD + 1]
        return self._try(at)

    def _try(self, at: int) -> tuple[Any, int]:
        try:
            value, end = _DECODER.raw_decode(self._window, at - self._start)
        except RecursionError:
            raise ValueError("nested too deep") from None
        return value, end + self._start


def _list_within(decoder: _Decoder, at: int, depth: int) -> tuple[int, int] | None:
    """Return where the list of records begins in the answer that begins at `at`, if it is one.

    Beside it, how many objects it is within.

    Records have titles, answers have none.
    """
    text = decoder.text
    at += 1
    while True:
        at = _after(_BETWEEN, text, at)
        try:
            key, at = decoder.decode(at)
            at = _after(_SPACE, text, at)
            if text[at : at + 1] != ":" or key == "title" or not isinstance(key, str):
                return None
            at = _after(_SPACE, text, at + 1)
            sign = text[at : at + 1]
            if key in _LISTS and sign == "[":
                first = _after(_SPACE, text, at + 1)
                if text[first : first + 1] in {"{", "]"}:
                    return first, depth + 1
            if key in _ANSWERS and sign == "{" and depth < _DEEPEST:
                found = _list_within(decoder, at, depth + 1)
                if found is not None or key == "message":
                    return found if found is not None else (at, depth + 1)
            _, at = decoder.decode(at)
        except ValueError:
            return None


_OF_RECORD = re.compile(r"title|abstract", re.I)


def _end_of_answer(decoder: _Decoder, at: int, n_open: int) -> int:
    """Return where the answer ends whose list of records ends at `at`, with its other parts.

    It has parts while one of the `n_open` objects around the list is open.
    A part with a title in its name is what is left of a record, as is an abstract; and a part that
    holds objects with titles holds records.
    """
    at, n_open = _closed(decoder.text, at, n_open)
    while n_open > 0 and (part := _PART.match(decoder.text, at)) and not _OF_RECORD.search(part[1]):
        try:
            value, end = decoder.decode(part.end())
        except ValueError:
            break
        values = value if isinstance(value, list) else [value]
        if any(isinstance(one, dict) and any(map(_OF_RECORD.search, one)) for one in values):
            break
        at, n_open = _closed(decoder.text, end, n_open)
    return at


def _closed(text: str, at: int, n_open: int) -> tuple[int, int]:
    """Return where what closes lists and objects ends, and how many objects are open then."""
    end = _after(_CLOSES, text, at)
    return end, n_open - text.count("}", at, end)


def _sequence(
    decoder: _Decoder, at: int, onward: re.Pattern[str]
) -> Iterator[tuple[int, int, str]]:
    """Yield where each value from `at` begins and ends, and what it is.

    After a closing bracket there are more only where `onward` matches.
    """
    text, tries = decoder.text, _MOST_TRIES
    known: dict[str, Any] = {}
    while (at := _after(_BETWEEN, text, at)) < len(text):
        if text[at] == "]":
            if (again := onward.match(text, at)) is None:
                return
            at = again.end()
            continue
        problem = ""
        try:
            value, end = decoder.decode(at)
        except ValueError as error:
            value = None
            problem = f"not readable as JSON: {getattr(error, 'msg', error)}"
        else:
            # What a colon follows was a key: the record's beginning is missing.
            if not isinstance(value, dict):
                problem = "not a record"
        if isinstance(value, dict):
            known = value or known
            yield at, end, RECORD
        else:
            if value is None or _COLON.match(text, end):
                end, tries = _next_start(decoder, at, known, tries)
            yield at, end, problem
        at = end


def _next_start(decoder: _Decoder, at: int, known: dict[str, Any], tries: int) -> tuple[int, int]:
    """Return where the next record after `at` begins, and how many tries are left.

    It is a place that begins as the record at `at` or the one before it, and is JSON.
    """
    text = decoder.text
    own = _KEY.match(text, at)
    keys = {own[1] if own else "", next(iter(known), "")}
    found = _OPENING.search(text, at + 1)
    while found and tries:
        if found[1] in keys:
            tries -= 1
            start = found.start()
            try:
                value, _ = decoder.decode(start)
            except ValueError:
                value = None
            if isinstance(value, dict) and _is_alike(value, known):
                return start, tries
        found = _OPENING.search(text, found.end() - 1)
    return len(text), tries


def _is_alike(value: dict[str, Any], known: dict[str, Any]) -> bool:
    common = value.keys() & known.keys()
    return len(common) >= min(3, len(known)) if known else len(value) > 1


def _after(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found else at
