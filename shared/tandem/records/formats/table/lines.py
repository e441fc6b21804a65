"""A text line by line, with the place kept."""

from collections.abc import Iterator


class Lines(Iterator[str]):
    """The lines of `text`, each with its line end, made one at a time.

    `at` is where the next line begins. It may be set back: iterating goes on from there,
    even after the end was reached.
    """

    def __init__(self, text: str, at: int = 0) -> None:
        self._text = text
        self.at = at

    def __next__(self) -> str:
        if self.at >= len(self._text):
            raise StopIteration
        start, self.at = self.at, (self._text.find("\n", self.at) + 1) or len(self._text)
        return self._text[start : self.at]

    def since(self, start: int) -> list[str]:
        """Return the lines between `start` and here, without their line ends."""
        return self._text[start : self.at].removesuffix("\n").split("\n")
