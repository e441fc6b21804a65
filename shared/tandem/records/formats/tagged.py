"""What the formats of tagged lines share: values gathered by tag, and records read in turn."""

from collections.abc import Callable, Iterable, Iterator

from tandem.records.formats.assembly import LONGEST_RECORD, reject_overlong
from tandem.records.formats.entry import Entry, Rejection

Span = tuple[int, int]
"""Where a record starts in the text, and where it ends."""


class Fields:
    """The values of one record by tag, in their order, put together from lines."""

    def __init__(self) -> None:
        self._values: dict[str, list[list[str]]] = {}
        self._last: list[str] = []
        self._tag = ""

    def add(self, tag: str, value: str) -> None:
        """Begin a value of `tag`."""
        # In pieces, as adding to a text again and again takes the square of its length.
        self._last = [value.strip()]
        self._tag = tag
        self._values.setdefault(tag, []).append(self._last)

    def go_on(self, line: str, lists: frozenset[str] = frozenset()) -> None:
        """Continue the last value with `line`, by another value where its tag is in `lists`."""
        if self._tag in lists:
            self.add(self._tag, line)
        else:
            self._last.append(line.strip())

    def values(self, *tags: str) -> list[str]:
        """Return all values of `tags`, in the order of `tags`."""
        return [" ".join(pieces) for tag in tags for pieces in self._values.get(tag, ())]

    def first(self, *tags: str) -> str:
        """Return the first value that is not empty, or an empty text."""
        return next(filter(None, self.values(*tags)), "")

    def joined(self, tag: str) -> str:
        """Return all values of `tag` as one text."""
        return " ".join(self.values(tag))


def entries(
    text: str, spans: Iterable[Span], record: Callable[[int, str], Entry | Rejection]
) -> Iterator[Entry | Rejection]:
    """Yield what `record` makes of each of `spans`, given its position from 1 and its text."""
    for position, (start, end) in enumerate(spans, start=1):
        if end - start > LONGEST_RECORD:
            yield reject_overlong(position, text[start : start + LONGEST_RECORD])
        else:
            yield record(position, text[start:end])
