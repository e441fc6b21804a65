"""References that nobody wrote, and the ways in which databases write one differently."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TypeVar

from tandem.ids import RecordNumber
from tandem.records.duplicates.matching import Identity

T = TypeVar("T")

_WORDS = 20_000
_SURNAMES = 6_000
_JOURNALS = 1_500
_SMALL_WORDS = ("of", "in", "and", "the", "with", "for", "a", "after", "on")
_COMMON = ("Editorial", "Letter to the editor", "Reply", "Commentary", "Correspondence")
_COMMON_SHARE = 0.01
_COPIES = (0.80, 0.14, 0.04, 0.02)
"""How many works have been brought once, twice, …: a quarter of the records are duplicates."""
_SYLLABLES = (
    *("ka", "ro", "mi", "ten", "sol", "va", "ner", "du", "li", "pha", "gri", "sto", "me", "an"),
    *("bel", "cor", "dis", "el", "fi", "go", "hy", "in", "ju", "lam", "mor", "nu", "op", "per"),
    *("qui", "ras", "se", "tri", "um", "ver", "wo", "xa", "yl", "zo"),
)


@dataclass(frozen=True)
class Reference:
    identity: Identity
    work: str


def references(n: int, *, seed: int = 1) -> Iterator[Reference]:
    """Yield `n` references, the same for the same seed, duplicates anywhere among them."""
    dice = random.Random(f"{seed} references")
    world = _World(dice)
    made: list[tuple[dict[str, object], str]] = []
    while len(made) < n:
        work = world.work()
        copies = dice.choices(range(1, len(_COPIES) + 1), _COPIES)[0]
        name = f"work {len(made)}"
        made += [(world.copy(work) if copy else work, name) for copy in range(copies)]
    dice.shuffle(made)
    for number, (fields, name) in enumerate(made[:n], 1):
        yield Reference(Identity(number=RecordNumber(number), **fields), name)  # type: ignore[arg-type]


class _World:
    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self._works = 0
        self._words = [self._word(2, 5) for _ in range(_WORDS)]
        self._surnames = [self._word(1, 3).capitalize() for _ in range(_SURNAMES)]
        self._journals = [
            [self._word(2, 4).capitalize() for _ in range(dice.randint(1, 4))]
            for _ in range(_JOURNALS)
        ]
        # Words, names and journals fall as real ones do: few are everywhere, most are rare.
        self._word_heights = _heights(_WORDS)
        self._surname_heights = _heights(_SURNAMES)
        self._journal_heights = _heights(_JOURNALS)

    def work(self) -> dict[str, object]:
        dice = self._dice
        first = dice.randint(2, 1900)
        self._works += 1
        number = self._works
        journal = " ".join(self._pick(self._journals, self._journal_heights))
        return {
            "title": self._title(),
            "authors": tuple(self._author() for _ in range(dice.randint(1, 8))),
            "year": 2026 - min(40, int(dice.expovariate(0.12))),
            "journal": journal,
            "volume": str(dice.randint(1, 120)),
            "issue": str(dice.randint(1, 12)),
            "pages": f"{first}-{first + dice.randint(1, 14)}",
            "doi": f"10.{dice.randint(1000, 1400)}/{number}" if dice.random() < 0.8 else None,
            "pmid": str(number + 10**7) if dice.random() < 0.6 else None,
            "kind": None,
        }

    def copy(self, work: dict[str, object]) -> dict[str, object]:
        """Return `work` as another database has it: fields missing, cut short, misspelt."""
        dice, fields = self._dice, dict(work)
        title, pages = str(work["title"]), str(work["pages"])
        if dice.random() < 0.3:
            title = title.title()
        if dice.random() < 0.1:
            at = dice.randrange(len(title))
            title = title[:at] + title[at + 1 :]
        fields["title"] = title
        for field, share in (("doi", 0.4), ("pmid", 0.6), ("pages", 0.1), ("volume", 0.05)):
            if dice.random() < share:
                fields[field] = None
        if fields["pages"] and dice.random() < 0.3:
            fields["pages"] = pages.split("-")[0]
        if dice.random() < 0.5:
            fields["journal"] = " ".join(word[:4] for word in str(work["journal"]).split())
        if dice.random() < 0.05:
            fields["year"] = int(str(work["year"])) + 1
        return fields

    def _title(self) -> str:
        dice = self._dice
        if dice.random() < _COMMON_SHARE:
            return dice.choice(_COMMON)
        words = dice.choices(self._words, cum_weights=self._word_heights, k=dice.randint(6, 14))
        return " ".join(
            f"{word} {dice.choice(_SMALL_WORDS)}" if dice.random() < 0.4 else word for word in words
        ).capitalize()

    def _author(self) -> str:
        surname = self._pick(self._surnames, self._surname_heights)
        return f"{surname}, {self._dice.choice('ABCDEFGHJKLMNPRSTW')}."

    def _word(self, least: int, most: int) -> str:
        return "".join(self._dice.choices(_SYLLABLES, k=self._dice.randint(least, most)))

    def _pick(self, items: Sequence[T], heights: list[float]) -> T:
        return self._dice.choices(items, cum_weights=heights)[0]


def _heights(n: int) -> list[float]:
    return list(accumulate(1 / rank for rank in range(1, n + 1)))
