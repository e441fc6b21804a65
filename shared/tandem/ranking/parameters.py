"""The numbers that a recipe is made of."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from pydantic import ConfigDict

# pydantic is left to those who need it: `tandem --help` must not wait for it.

_STRICT: "ConfigDict" = {"extra": "forbid"}


@dataclass(frozen=True)
class Words:
    """How texts become TF-IDF vectors. What `features.build` does follows from this alone.

    Attributes:
        ngram_range: Shortest and longest run of words that counts as a term.
        sublinear_tf: Whether a term found f times weighs 1 + ln f rather than f.
        min_df: A term must be in at least this many records.
        max_df: A term in more than this share of the records is dropped, in (0, 1].
        title: Weight of a second block of terms, made of the titles alone, beside that of
            title and abstract together; 0 for none.
        vectors: Which word vectors a mean is made of for each record, beside the terms; None
            for none. Where they are not installed there is none either.
        prior_model: Which table of what reviews usually include is looked up; None for none.
        double: Whether the terms' weights are kept as double floats, as ASReview's are. Single
            ones take half of the memory, and a training of them two thirds of the time.
    """

    __pydantic_config__: ClassVar["ConfigDict"] = _STRICT

    ngram_range: tuple[int, int]
    sublinear_tf: bool
    min_df: int
    max_df: float
    title: float
    vectors: str | None = None
    prior_model: str | None = None
    double: bool = True


@dataclass(frozen=True)
class Presumed:
    """Unread records that are taken for excludes, since nearly all of them are.

    A model that knows only what it put in front of people has never seen what an ordinary
    record looks like. The more includes a review has, the less true the presumption is: its
    strength s = max(0, 1 − includes / (until · N)) fades, and with it their weight and `ratio`.

    Attributes:
        most: At most so many records.
        share: And at most this share of all, in (0, 1].
        weight: At s = 1 they weigh together so many times what the excludes weigh.
        until: The share of includes among all records at which s is 0, in (0, 1].
        ratio: At s = 1 this takes the place of the preset's `ratio`; in between, in between.
    """

    __pydantic_config__: ClassVar["ConfigDict"] = _STRICT

    most: int
    share: float
    weight: float
    until: float
    ratio: float


@dataclass(frozen=True)
class EnsembleMember:
    """A second classifier of the same kind, on vectors of what the records are about.

    Its standardised scores are added to those on words, and the more so the more includes it
    has seen: with n of them `weight` · n / (n + `settling`) times. Records that share exact
    words are found by words; those that say the same otherwise are found by this.

    Attributes:
        model: Which encoder made the vectors.
        C: As of the preset.
        weight: How much it counts at the most, ≥ 0.
        settling: After how many includes it counts half of that, ≥ 0.
        beside: What is left of it, in [0, 1], for a record that has a sentence vector too.
        unfamiliar_weight: Takes the place of `weight` in a review unlike all those that the prior
            model was learnt from; None for no difference. See `estimator.familiarity`.
    """

    __pydantic_config__: ClassVar["ConfigDict"] = _STRICT

    model: str
    C: float
    weight: float
    settling: float
    beside: float = 1.0
    unfamiliar_weight: float | None = None


@dataclass(frozen=True)
class PriorModel:
    """What reviews usually include, added to the scores until this one speaks for itself.

    With n includes it counts `weight` · `fading` / (n + `fading`) times. With `trust` that is
    less where this review's includes do not follow it, and nothing where they contradict it.

    Attributes:
        weight: How much it counts at the most, ≥ 0; see `Words.prior_model`.
        fading: After how many includes it counts half of that, > 0.
        trust: Against how many includes its usual success is weighed, > 0; None to trust it
            whatever is included.
    """

    __pydantic_config__: ClassVar["ConfigDict"] = _STRICT

    weight: float
    fading: float
    trust: float | None = None


@dataclass(frozen=True)
class Parameters:
    """The numbers of one recipe: linear support vector machines on the records' texts.

    Attributes:
        name: What people and the database call it.
        words: How the texts are read.
        C: Inverse strength of the regularisation, > 0.
        ratio: How many times all includes together outweigh all excludes together, > 0.
        tolerance: At which change LIBLINEAR stops, > 0; None for our own solver (`newton`),
            which has a bound of its own.
        presumed: Which unread records are learnt as excludes.
        word_vectors: What is made of means of word vectors.
        sentences: What is made of sentence vectors.
        prior_model: What is made of what reviews usually include.
    """

    __pydantic_config__: ClassVar["ConfigDict"] = _STRICT

    name: str
    words: Words
    C: float
    ratio: float
    tolerance: float | None
    presumed: Presumed | None = None
    word_vectors: EnsembleMember | None = None
    sentences: EnsembleMember | None = None
    prior_model: PriorModel | None = None
