"""Named recipes. A ranking keeps the name and the numbers it was made with."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from tandem.errors import TandemError

DEFAULT_MODEL = "elas-u4"
"""What reviews are ranked with, and what `tandem simulate` replays."""


class UnknownModel(TandemError):
    """No recipe has this name."""

    code = "unknown_model"


@dataclass(frozen=True)
class Preset:
    """One recipe: TF-IDF of title and abstract, then a linear support vector machine.

    Attributes:
        name: What people and the database call it.
        ngram_range: Shortest and longest run of words that counts as a term.
        sublinear_tf: Whether a term found f times weighs 1 + ln f rather than f.
        min_df: A term must be in at least this many records.
        max_df: A term in more than this share of the records is dropped, in (0, 1].
        C: Inverse strength of the regularisation, > 0.
        ratio: How many times all includes together outweigh all excludes together, > 0.
    """

    name: str
    ngram_range: tuple[int, int]
    sublinear_tf: bool
    min_df: int
    max_df: float
    C: float
    ratio: float

    def to_json(self) -> dict[str, Any]:
        """Return what JSON can hold, so that `from_json` gives an equal preset."""
        return {**asdict(self), "ngram_range": list(self.ngram_range)}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote; a missing or a strange key is a TypeError or KeyError."""
        shortest, longest = document["ngram_range"]
        return cls(**{**document, "ngram_range": (shortest, longest)})


PRESETS: Mapping[str, Preset] = {
    known.name: known
    for known in (
        # ASReview 3.0.8, asreview/models/models.py, "elas_u4": tuned on SYNERGY.
        Preset(
            name="elas-u4",
            ngram_range=(1, 2),
            sublinear_tf=True,
            min_df=1,
            max_df=0.95,
            C=0.11,
            ratio=9.8,
        ),
    )
}


def preset(name: str) -> Preset:
    """Return the recipe of this name.

    Raises:
        UnknownModel: There is none; the message lists those there are.
    """
    try:
        return PRESETS[name]
    except KeyError:
        there_are = ", ".join(sorted(PRESETS))
        raise UnknownModel(f"There is no model {name!r}; there is: {there_are}.") from None
