"""Where a passage of a coded project stands in the text that Tandem has. Pure.

Nothing is guessed: a passage whose words are not in the text is lost, and says so.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

_SURE = 12
"""Letters from which on a label that is as long as the passage is taken for its words."""

_HEAD = 40
"""Words of a passage that are looked for at once; the rest is compared where these stand."""


class PassageState(StrEnum):
    """What became of a passage on its way back.

    `kept`: its words are where the project says. `moved`: they stand elsewhere in the text, the
    nearest place counts. `lost`: they are not in the text, or the source is none of the review's.
    """

    KEPT = "kept"
    MOVED = "moved"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a passage is in the review's text; `quote` are its words there, or in the file."""

    state: PassageState
    start: int | None
    end: int | None
    quote: str


def normal(text: str) -> str:
    """Return a text as Tandem keeps it: with LF, and without a mark of its encoding."""
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def place(start: int, end: int, label: str, theirs: str | None, ours: str) -> Place:
    """Find a passage in the review's text.

    Args:
        start: Code points of `theirs` before the passage.
        end: The same for its end.
        label: The name of the selection, often its words.
        theirs: The text of the source as the project has it; None where it has none.
        ours: The text that the review has.
    """
    is_inside = start < end <= len(ours)
    if is_inside and _letters(label) and _letters(label) == _letters(ours[start:end]):
        # Also where a tool writes CRLF into the file and counts LF, as QualCoder does for MAXQDA.
        return _placed((start, end), start, end, label, ours)
    text = ours if theirs is None else theirs
    quote = text[start:end] if start < end <= len(text) else ""
    if _is_other(label, end - start, quote):
        # The positions were counted in another way, as with CRLF or UTF-16: the words count.
        found = _near(label, start, ours)
        if found is not None or theirs is None:
            return _placed(found, start, end, label, ours)
    if not _letters(quote):
        return Place(PassageState.LOST, None, None, quote or label)
    is_there = text == ours or ours[start:end] == quote
    return _placed((start, end) if is_there else _near(quote, start, ours), start, end, quote, ours)


def _placed(found: tuple[int, int] | None, start: int, end: int, quote: str, ours: str) -> Place:
    if found is None:
        return Place(PassageState.LOST, None, None, quote)
    at, to = found
    state = PassageState.KEPT if found == (start, end) else PassageState.MOVED
    return Place(state, at, to, ours[at:to])


def _is_other(label: str, n: int, quote: str) -> bool:
    """Whether a label has the length of a passage, and is not the text at its positions."""
    longest = len(label.encode("utf-16-le")) // 2 + sum(map(str.isspace, label))
    letters = _letters(label)
    return len(letters) >= _SURE and len(label) <= n <= longest and letters != _letters(quote)


def _letters(text: str) -> str:
    return "".join(text.split())


def _near(quote: str, start: int, text: str) -> tuple[int, int] | None:
    """Return the place of the words that is nearest to a position; blanks may be others."""
    before, after = text.rfind(quote, 0, start + len(quote)), text.find(quote, start)
    exact = [at for at in (before, after) if at >= 0]
    if exact:
        at = min(exact, key=lambda one: abs(one - start))
        return at, at + len(quote)
    words = quote.split()
    head, whole = _pattern(words[:_HEAD]), _pattern(words)
    starts = sorted((one.start() for one in head.finditer(text)), key=lambda at: abs(at - start))
    spans = (one.span() for at in starts if (one := whole.match(text, at)))
    return next(spans, None)


def _pattern(words: Sequence[str]) -> re.Pattern[str]:
    return re.compile(r"\s+".join(map(re.escape, words)))
