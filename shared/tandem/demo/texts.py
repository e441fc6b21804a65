"""Titles and abstracts, put together from the phrases of `vocabulary`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tandem.demo.chance import Dice
from tandem.demo.vocabulary import LISTS, SLOT, Design, Study, Vocabulary, in_role, list_slot

NOTICE = "This is a synthetic record made for demonstration; no such study took place."

SECTIONS = ("background", "aim", "methods", "results", "conclusion")
_LEAST_WORDS, _MOST_WORDS = 135, 235
_COUNT = ("two", "three", "four", "five", "six", "seven", "eight", "nine")


@dataclass(frozen=True, slots=True)
class Text:
    """What a record says; `sections` are (label, text), one with an empty label if unlabelled."""

    title: str
    sections: tuple[tuple[str, str], ...]
    keywords: tuple[str, ...]


class Filler:
    """Fills slots for one record: a phrase or a sample size stays the same throughout it."""

    def __init__(
        self, dice: Dice, lists: Mapping[str, Sequence[str]], sizes: tuple[int, int], year: int
    ) -> None:
        self.lists = {name: dice.shuffled(phrases) for name, phrases in lists.items()}
        self._dice = dice
        n = dice.between(*sizes)
        start = year - dice.between(3, 5)
        self._fixed = {
            "n": f"{n:,}",
            "half": f"{n // 2:,}",
            "rest": f"{n - n // 2:,}",
            "months": str(dice.pick((3, 6, 9, 12, 18, 24))),
            "sites": dice.pick(_COUNT[1:]),
            "k": str(dice.between(11, 64)),
            "hits": f"{dice.between(820, 7400):,}",
            "year0": str(start),
            "year1": str(start + dice.between(1, 2)),
        }

    def fill(self, template: str) -> str:
        def replaced(slot: str) -> str:
            name = slot.lower()
            if (value := self._fixed.get(name)) is None:
                value = self._phrase(name) if list_slot(name)[0] in LISTS else self._figure(name)
            return _capital(value) if slot[0].isupper() else value

        return SLOT.sub(lambda match: replaced(match[1]), template)

    def sentences(self, name: str, most: int) -> list[str]:
        return [self.fill(s) for s in self.lists.get(name, [])[:most]]

    def _phrase(self, slot: str) -> str:
        name, place = list_slot(slot)
        return self.lists[name][place]

    def _figure(self, name: str) -> str:
        dice = self._dice
        middle = dice.between(128, 290)
        figures = {
            "pct": str(dice.between(21, 79)),
            "lowpct": str(dice.between(4, 19)),
            "p": dice.pick(("p < 0.001", f"p = 0.0{dice.between(11, 49)}")),
            "ns": f"p = 0.{dice.between(11, 89)}",
            "smalld": f"0.0{dice.between(1, 9)}",
            "d": f"0.{dice.between(18, 61)}",
            "beta": f"0.{dice.between(14, 48)}",
            "alpha": f"0.{dice.between(74, 94)}",
            "diff": f"{dice.between(21, 84) / 10:.1f} points",
            "cost": f"{dice.between(24, 390) * 10:,}",
            "minutes": str(dice.between(6, 17) * 5),
            "or": f"odds ratio {middle / 100:.2f}, 95% CI {middle * 0.0068:.2f} to "
            f"{middle * 0.0151:.2f}",
        }
        return figures[name]


def from_templates(
    words: Vocabulary,
    dice: Dice,
    *,
    phrases: Mapping[str, Sequence[str]],
    design: Design,
    year: int,
) -> Text:
    """Write one of the many records that do not answer the question of the review."""
    filler = Filler(dice, phrases, design.sizes, year)
    base = {
        "background": filler.sentences("background", 1),
        "aim": [filler.fill(dice.pick(design.aim))],
        "methods": [filler.fill(dice.pick(group)) for group in design.methods],
        "results": [filler.fill(dice.pick(group)) for group in design.results],
        "conclusion": [filler.fill(dice.pick(design.closing))],
    }
    more = [("background", s) for s in filler.sentences("background", 3)[1:]]
    more += [(design.extra_in, filler.fill(s)) for s in dice.shuffled(design.extra)[:3]]
    if design.result_slot:  # a protocol has nothing to tell yet, and nothing to conclude
        found = filler.sentences(design.result_slot, 5)
        implied = filler.sentences("implication", 2)
        base["results"] += found[:2]
        more += [("results", s) for s in found[2:]]
        more += [("conclusion", s) for s in (*implied[1:], *base["conclusion"])]
        base["conclusion"] = implied[:1]

    sections = _abstract(dice, base, more, words.headings if design.methods else ())
    title = _capital(filler.fill(dice.pick(design.titles)))
    text = f"{title} {sections}".casefold()
    fitting = [k for k in filler.lists["keywords"] if _mentioned(k, text)]
    return Text(title, sections, tuple(fitting[: dice.between(3, 5)]))


def _mentioned(keyword: str, text: str) -> bool:
    """Tell whether a text is about a keyword of its topic: asthma is not heart failure."""
    return all(word in text for word in keyword.casefold().split())


def by_hand(words: Vocabulary, dice: Dice, *, study: Study) -> Text:
    """Write a record that has a title, a sample and findings of its own."""
    pools = {
        name: [in_role(phrase, study.role) for phrase in dice.shuffled(pool)]
        for name, pool in words.pools.items()
    }
    if study.background:  # written entirely by hand
        pools = {"background": list(study.background), "implication": list(study.implication)}
    found = [*study.found, *pools.get("finding", [])[:4]]
    aim = dice.pick(("We explored {}.", "This study set out to understand {}.", "To explore {}."))
    base = {
        "background": pools["background"][:1],
        "aim": [aim.format(study.about)],
        "methods": [study.how],
        "results": found[:3],
        "conclusion": pools["implication"][:1],
    }
    more = [("background", pools["background"][1]), ("conclusion", pools["implication"][1])]
    more += [("results", s) for s in found[3:]]
    sections = _abstract(dice, base, more, words.headings)
    return Text(study.title, sections, study.keywords)


def _abstract(
    dice: Dice,
    base: Mapping[str, list[str]],
    more: Sequence[tuple[str, str]],
    headings: Sequence[Sequence[str]],
) -> tuple[tuple[str, str], ...]:
    """Lengthen `base` by sentences of `more` and label it, or not."""
    parts = {name: list(base[name]) for name in SECTIONS}
    target = dice.between(_LEAST_WORDS, _MOST_WORDS)
    words = len(" ".join(s for part in parts.values() for s in part).split())
    words += len(NOTICE.split())
    for section, sentence in dice.shuffled(more):
        length = len(sentence.split())
        if words < target and words + length <= _MOST_WORDS + 10:
            parts[section].append(sentence)
            words += length
    parts["conclusion"].append(NOTICE)

    labelled = bool(headings) and dice.chance(0.55)
    scheme = dice.pick(headings) if labelled else [""] * len(SECTIONS)
    result: list[tuple[str, str]] = []
    for label, name in zip(scheme, SECTIONS, strict=True):
        text = " ".join(parts[name])
        if not text:
            continue
        if label or not result:
            result.append((label, text))
        else:
            result[-1] = (result[-1][0], f"{result[-1][1]} {text}")
    return tuple(result)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
