"""What the columns of a matrix stand for."""

from array import array
from collections.abc import Iterable
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

    def __getitem__(self, column: int) -> str:
        start = self.ends[column - 1] if column else 0
        return self.text[start : self.ends[column]].tobytes().decode()
