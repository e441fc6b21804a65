"""What a change of criteria changed, in words. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

_WORD = re.compile(r"[^\W_]{3,}")

_SMALL = """
about above according after all also and another any are article articles been before being
below between both but can could criteria criterion did does done during each either else except
exclude excluded excludes excluding exclusion focus focused for from had has have how include
included includes including inclusion into investigate investigated its least less more most
must neither nor not only other others our out outcome outcomes over own paper papers present
published record records report reported reports research result results same shall should since
some studied studies study such than that the their them then there these they this those
through under until using very was were what when where whether which while who whose why will
with within without would you your
"""
"""Of English: the small words, and those that criteria and abstracts about anything have."""

_STOP = frozenset(_SMALL.split())


@dataclass(frozen=True, slots=True)
class Criteria:
    """What a record must have to be included, and what excludes it."""

    include: Sequence[str]
    exclude: Sequence[str]


@dataclass(frozen=True, slots=True)
class Change:
    """What is different between two versions of the criteria.

    Attributes:
        gone: Criteria that were there before, each by its `key`: removed or reworded.
        words: What was added or removed, from the `fold` of each word to how it was written.
    """

    gone: frozenset[str]
    words: Mapping[str, str]

    def __bool__(self) -> bool:
        return bool(self.gone or self.words)

    def words_in(self, text: str) -> tuple[str, ...]:
        """Return which of the words a text has, in singular or plural, by alphabet."""
        lowered = text.casefold()
        # Looked for as they stand first: to part a long text into its words takes far longer.
        if not any(word.removesuffix("y") in lowered for word in self.words):
            return ()
        found = {fold(word) for word in set(_WORD.findall(lowered))}
        return tuple(sorted(self.words[word] for word in self.words.keys() & found))


def key(text: str) -> str:
    """Return what two wordings share that differ in case, white space or a final stop only."""
    return " ".join(text.casefold().split()).rstrip(" .,;")


def distinct(texts: Iterable[str]) -> list[str]:
    """Return the texts, each once by its `key`, as it was written first."""
    first: dict[str, str] = {}
    for text in texts:
        first.setdefault(key(text), text)
    return list(first.values())


def fold(word: str) -> str:
    """Return a word in lower case, and in the singular where an English plural ends in s."""
    word = word.casefold()
    if len(word) > 4 and word.endswith("ies"):
        return f"{word[:-3]}y"
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def telling(text: str) -> dict[str, str]:
    """Return the words that say what a text is about, from the `fold` of each to itself."""
    lowered = text.casefold()
    return {fold(word): word for word in _WORD.findall(lowered) if word not in _STOP}


def change(before: Criteria, after: Criteria) -> Change:
    """Return what is different. A criterion that changed sides is gone from one of them."""
    include = _change(before.include, after.include)
    exclude = _change(before.exclude, after.exclude)
    return Change(include.gone | exclude.gone, {**include.words, **exclude.words})


def _change(before: Sequence[str], after: Sequence[str]) -> Change:
    old, new = ({key(text): text for text in texts} for texts in (before, after))
    gone = {name: text for name, text in old.items() if name not in new}
    come = {name: text for name, text in new.items() if name not in old}
    left, arrived = (telling("\n".join(texts.values())) for texts in (gone, come))
    either = left | arrived
    one_only = left.keys() ^ arrived.keys()
    # Where only small words changed, as from "with" to "without", all of the others tell.
    return Change(frozenset(gone), {name: either[name] for name in one_only or either})
