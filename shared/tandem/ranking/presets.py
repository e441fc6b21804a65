"""Named recipes. A ranking keeps the name and the numbers it was made with."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from tandem.ranking.parameters import Parameters

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from pydantic import TypeAdapter

    from tandem.ranking.features import Features
    from tandem.ranking.learning import Case, Fitted, Labels

# numpy and pydantic are left to those who need them: `tandem --help` must not wait for them.


@dataclass(frozen=True)
class Preset(Parameters):
    """A recipe of ours: its numbers, and how it learns."""

    def to_json(self) -> dict[str, Any]:
        """Return what JSON can hold, so that `from_json` gives an equal preset."""
        plain: dict[str, Any] = _adapter().dump_python(self, mode="json")
        return plain

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Preset":
        """Read what `to_json` wrote, of releases that said `precedent` for `prior_model` too.

        Raises:
            pydantic.ValidationError: A key is missing, strange or of the wrong type.
        """
        return _adapter().validate_python(_renamed(document))

    def fit(
        self,
        features: "Features",
        *,
        labels: "Labels",
        draws: "NDArray[np.float64]",
        random_state: "np.random.RandomState",
    ) -> "Fitted | None":
        """Learn from the labels; see `estimator.fit_all`."""
        from tandem.ranking.learning import Case

        return next(self.fit_all(features, [Case(labels, draws, random_state)]))

    def fit_all(self, features: "Features", cases: "Sequence[Case]") -> "Iterator[Fitted | None]":
        """Do what `fit` does for each case, in less time than one by one."""
        from tandem.ranking import estimator  # loads scikit-learn

        return estimator.fit_all(features, preset=self, cases=cases)


def _renamed(document: "Mapping[str, Any]") -> dict[str, Any]:
    return {
        "prior_model" if key == "precedent" else key: (
            _renamed(value) if key == "words" and isinstance(value, dict) else value
        )
        for key, value in document.items()
    }


@cache
def _adapter() -> "TypeAdapter[Preset]":
    from pydantic import TypeAdapter

    return TypeAdapter(Preset)
