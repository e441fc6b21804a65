"""The values of one record by tag, put together from its lines."""


class Fields:
    """The values of one record by tag, in their order."""

    def __init__(self, lists: frozenset[str] = frozenset()) -> None:
        self._values: dict[str, list[list[str]]] = {}
        self._lists = lists
        self._last: list[str] = []
        self.tag = ""

    def add(self, tag: str, value: str) -> None:
        """Begin a value of `tag`."""
        # In pieces, as adding to a text again and again takes the square of its length.
        self._last = [value.strip()]
        self.tag = tag
        self._values.setdefault(tag, []).append(self._last)

    def go_on(self, line: str) -> None:
        """Continue the last value with `line`, by another value where its tag is a list."""
        if self.tag in self._lists:
            self.add(self.tag, line)
        else:
            self._last.append(line.strip())

    @property
    def tags(self) -> list[str]:
        """All tags, in the order in which they first came."""
        return list(self._values)

    def by_tag(self) -> dict[str, list[str]]:
        """Return all values of each tag."""
        return {tag: [" ".join(pieces) for pieces in found] for tag, found in self._values.items()}

    def get(self, tag: str) -> list[str]:
        """Return all values of `tag`."""
        found = self._values.get(tag)
        return [" ".join(pieces) for pieces in found] if found else []

    def values(self, *tags: str) -> list[str]:
        """Return all values of `tags`, in the order of `tags`."""
        return [value for tag in tags for value in self.get(tag)]

    def first(self, *tags: str) -> str:
        """Return the first value that is not empty, or an empty text."""
        return next(filter(None, self.values(*tags)), "")
