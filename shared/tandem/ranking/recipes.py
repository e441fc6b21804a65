"""What a way of ranking has to offer, and where the known ones are found by name.

A package of somebody else adds its own by an entry point of the group `tandem.rankers`:

    [project.entry-points."tandem.rankers"]
    bm25-1 = "their_package:bm25"

names an object with the attributes of `Recipe`. A changed recipe takes a new name: the name and
`to_json()` are stored with every ranking.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from tandem.errors import TandemError
from tandem.ranking.parameters import EnsembleMember, Presumed, PriorModel, Words
from tandem.ranking.presets import Preset

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tandem.ranking.features import Features
    from tandem.ranking.learning import Fitted, Labels

# numpy is left to those who compute: the command line asks for names alone.

GROUP = "tandem.rankers"

DEFAULT_MODEL = "tandem-4"
"""What reviews are ranked with unless the installation says otherwise, and what
`tandem simulate` replays."""


class UnknownModel(TandemError):
    """No recipe has this name."""

    code = "unknown_model"


class BrokenPlugin(TandemError):
    """A package offers a recipe that cannot be used, or that does not give what it should."""

    code = "broken_plugin"


@runtime_checkable
class Recipe(Protocol):
    """A way of ranking. It keeps no state: equal arguments give equal results.

    Attributes:
        name: What people and the database call it.
        words: How texts become the vectors that it is given.
        sentences: Which sentence vectors it can use, if any.
    """

    @property
    def name(self) -> str: ...
    @property
    def words(self) -> Words: ...
    @property
    def sentences(self) -> EnsembleMember | None: ...

    def to_json(self) -> dict[str, Any]:
        """Return all its numbers, as JSON can hold them."""

    def fit(
        self,
        features: "Features",
        *,
        labels: "Labels",
        draws: "NDArray[np.float64]",
        random_state: "np.random.RandomState",
    ) -> "Fitted | None":
        """Learn from labels and score every record.

        Args:
            features: Of all records.
            labels: What is known, perhaps nothing.
            draws: A number in [0, 1) for every record, drawn once for the review: for the one who
                needs a random choice that stays the same from one fit to the next. Infinite
                for records of which nothing may be presumed.
            random_state: To draw from.

        Returns:
            None where these labels are not enough to learn from.
        """


# ASReview 3.0.8, asreview/models/models.py, "elas_u4": tuned on SYNERGY.
_ELAS_U4 = Preset(
    name="elas-u4",
    words=Words(ngram_range=(1, 2), sublinear_tf=True, min_df=1, max_df=0.95, title=0.0),
    C=0.11,
    ratio=9.8,
    tolerance=1e-4,
)

# docs/ranking.md tells how these numbers were found.
_TANDEM_1 = replace(
    _ELAS_U4,
    name="tandem-1",
    tolerance=None,
    words=replace(_ELAS_U4.words, title=0.25, vectors="wordllama-l2-supercat-256"),
    presumed=Presumed(most=300, share=0.2, weight=1.0, until=0.05, ratio=20.0),
    word_vectors=EnsembleMember("wordllama-l2-supercat-256", C=0.11, weight=0.4, settling=4),
    sentences=EnsembleMember("all-MiniLM-L6-v2", C=0.11, weight=0.4, settling=4),
)

_TANDEM_2 = replace(
    _TANDEM_1,
    name="tandem-2",
    words=replace(_TANDEM_1.words, prior_model="usually-included-1", double=False),
    prior_model=PriorModel(weight=0.7, fading=20),
)

_TANDEM_3_WORDS = replace(
    _TANDEM_2,
    name="tandem-3-words",
    words=replace(_TANDEM_2.words, prior_model="usually-included-2"),
    prior_model=PriorModel(weight=0.7, fading=20, trust=1),
    sentences=None,
)

_TANDEM_3 = replace(
    _TANDEM_3_WORDS,
    name="tandem-3",
    word_vectors=EnsembleMember(
        "wordllama-l2-supercat-256", C=0.11, weight=0.4, settling=4, beside=0.5
    ),
    sentences=EnsembleMember("all-MiniLM-L6-v2", C=0.11, weight=0.8, settling=4),
)

_TANDEM_4 = replace(
    _TANDEM_3,
    name="tandem-4",
    sentences=EnsembleMember(
        "all-MiniLM-L6-v2", C=0.11, weight=0.8, settling=4, unfamiliar_weight=1.6
    ),
)

PRESETS: Mapping[str, Preset] = {
    preset.name: preset
    for preset in (
        _ELAS_U4,
        _TANDEM_1,
        replace(_TANDEM_1, name="tandem-1-words", sentences=None),
        _TANDEM_2,
        replace(_TANDEM_2, name="tandem-2-words", sentences=None),
        _TANDEM_3,
        _TANDEM_3_WORDS,
        _TANDEM_4,
    )
}


_SMALL = "-small"


def smaller(how: Recipe) -> Preset | None:
    """Return what stands in for a recipe of ours in very large reviews; None for any other."""
    return _small(how) if isinstance(how, Preset) and not how.name.endswith(_SMALL) else None


def _small(how: Preset) -> Preset:
    """Return it with single words that two records have, without pairs and word vectors."""
    words = replace(how.words, ngram_range=(1, 1), min_df=2, vectors=None)
    return replace(how, name=how.name + _SMALL, words=words, word_vectors=None)


def names() -> set[str]:
    """Return the names of all recipes there are."""
    return {*PRESETS, *_plugins()}


def recipe(name: str) -> Recipe:
    """Return the recipe of this name: one of ours, or of an installed package.

    Raises:
        UnknownModel: There is none; the message lists those there are.
        BrokenPlugin: Its package cannot be loaded, or offers something else.
    """
    if name in PRESETS:
        return PRESETS[name]
    if name.endswith(_SMALL) and (large := PRESETS.get(name.removesuffix(_SMALL))) is not None:
        return _small(large)
    if name in _plugins():
        return _load_plugin(name)
    there_are = ", ".join(sorted(names()))
    raise UnknownModel(f"There is no model {name!r}; there is: {there_are}.")


@cache
def _plugins() -> Mapping[str, Any]:
    return {point.name: point for point in entry_points(group=GROUP)}


@cache
def _load_plugin(name: str) -> Recipe:
    point = _plugins()[name]
    try:
        found = point.load()
    except Exception as error:
        raise BrokenPlugin(f"The model {name!r} ({point.value}) does not load: {error}.") from error
    if not isinstance(found, Recipe) or found.name != name:
        raise BrokenPlugin(f"{point.value} is no recipe of the name {name!r}.")
    return found
