"""Titles and abstracts in a file, so that no database waits while they are worked on."""

from array import array
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

_ENCODING, _ERRORS = "utf-8", "surrogatepass"


class StoredTexts(Collection[tuple[str, str]]):
    """Pairs of texts that are read from a file each time, in the order they were given in.

    All of them in memory would be a third of what features take.
    """

    def __init__(self, pairs: Iterable[tuple[str, str]], file: Path) -> None:
        """Write them to the file, which has to stay as long as they are read."""
        self._file, self._sizes = file, array("q")
        with file.open("wb") as out:
            for pair in pairs:
                for text in pair:
                    raw = text.encode(_ENCODING, _ERRORS)
                    out.write(raw)
                    self._sizes.append(len(raw))

    def __len__(self) -> int:
        return len(self._sizes) // 2

    def __iter__(self) -> Iterator[tuple[str, str]]:
        with self._file.open("rb") as file:
            texts = (file.read(size).decode(_ENCODING, _ERRORS) for size in self._sizes)
            yield from zip(texts, texts, strict=True)

    def __contains__(self, pair: object) -> bool:
        return any(one == pair for one in self)
