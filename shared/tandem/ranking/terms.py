"""What the columns of a matrix stand for."""

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Terms:
    """The term of each column, in one piece of memory that processes can share.

    Attributes:
        text: All terms one after the other in UTF-8, uint8.
        ends: Where each ends, int64, shape (n_terms,).
    """

    text: NDArray[np.uint8]
    ends: NDArray[np.int64]

    @classmethod
    def of(cls, terms: Iterable[str]) -> "Terms":
        text, ends = bytearray(), array("q")
        for term in terms:
            text += term.encode()
            ends.append(len(text))
        return cls(np.frombuffer(text, np.uint8), np.array(ends))

    @classmethod
    def joined(cls, parts: "Sequence[Terms]") -> "Terms":
        """Return the terms of the first part, then those of the next."""
        begins = np.cumsum([0, *(part.text.size for part in parts)])
        ends = [begin + part.ends for begin, part in zip(begins, parts, strict=False)]
        return cls(np.concatenate([part.text for part in parts]), np.concatenate(ends))

    def __len__(self) -> int:
        return self.ends.size

    def __getitem__(self, column: int) -> str:
        start = self.ends[column - 1] if column else 0
        return self.text[start : self.ends[column]].tobytes().decode()
