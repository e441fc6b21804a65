"""Decisions that a file carries from an earlier screening, by the words programs write them in.

Every function takes any text and never raises: what is no decision yields none.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Literal

from tandem.records.formats import normalise
from tandem.records.formats.entry import Prior

Verdict = Literal["include", "exclude", "maybe"]

_WORDS: dict[Verdict, tuple[str, ...]] = {
    "include": (
        *("1", "yes", "y", "true", "t", "include", "included", "inclusion", "in", "relevant"),
        *("eligible", "accept", "accepted", "select", "selected", "final selection", "keep"),
        *("asreview relevant", "positive", "pass", "passed"),
    ),
    "exclude": (
        *("0", "no", "n", "false", "f", "exclude", "excluded", "exclusion", "out", "irrelevant"),
        *("not relevant", "non relevant", "not eligible", "ineligible", "reject", "rejected"),
        *("not included", "not selected", "discard", "discarded", "asreview irrelevant"),
        *("negative", "fail", "failed"),
    ),
    "maybe": (
        *("maybe", "may be", "unsure", "uncertain", "unclear", "undecided", "doubt", "perhaps"),
        *("possibly", "possible", "probably", "borderline"),
    ),
}
_VERDICTS = {word: verdict for verdict, words in _WORDS.items() for word in words}
_LONGEST_WORD = 40
_NOT_LETTERS = re.compile(r"[\W_]+")

_ASREVIEW = re.compile(r"\bASReview_(relevant|irrelevant)\b", re.I)
_ASREVIEW_USER = re.compile(r"\basreview_user_name\s{0,3}[:=]\s{0,3}([^\n|;]{1,200})", re.I)

_SECTION = re.compile(r"(RAYYAN-(?:INCLUSION|LABELS|EXCLUSION-REASONS)|USER-NOTES)\s{0,3}:", re.I)
_VOTE = re.compile(
    r"[\"'“”]([^\"“”{}]{1,200}?)[\"'“”]\s{0,3}(?:=>|:)\s{0,3}[\"'“”]?([A-Za-z]{2,10})\b"
)
_TOOLS_MARK = re.compile(
    r"\W{0,3}(?:(?:asreview|rayyan|covidence|colandr|abstrackr|distillersr|sysrev|picoportal)[-_:]"
    r"|eppi(?:[- ]?reviewer)?[_:])[\s_:-]{0,5}([^;]{1,200})",
    re.I,
)
_COVIDENCE = re.compile(r"\bExclusion reason: {0,3}([^;\n]{1,200})", re.I)
_LONGEST_NOTE = 100_000
_MOST = 1_000
_LONGEST_ITEM = 500


def label(value: str) -> Verdict | None:
    """Return the verdict that `value`, a cell or field of labels, stands for, if it is one.

    `-1`, which ASReview writes for a record nobody has seen, is none.
    """
    if len(value) > _LONGEST_WORD:
        return None
    number = value.strip().removesuffix(".0")
    return _VERDICTS.get(number) or (
        None if "-1" in value else _VERDICTS.get(_NOT_LETTERS.sub(" ", value).strip().lower())
    )


def rayyan(text: str) -> tuple[Prior, ...]:
    """Return the decisions in Rayyan's note, one for each person who made one.

    The note is `RAYYAN-INCLUSION: {"Ann"=>"Included"} | RAYYAN-LABELS: a,b |
    RAYYAN-EXCLUSION-REASONS: c,d`. It does not say whose labels and reasons these are: all
    get the labels, all who excluded the record the reasons.
    """
    text = text[:_LONGEST_NOTE]
    if "rayyan" not in text.lower():
        return ()
    sections = list(_sections(normalise.clean(text)))  # several where records were merged
    labels, reasons = (
        _listed(part for name, part in sections if name == wanted)
        for wanted in ("RAYYAN-LABELS", "RAYYAN-EXCLUSION-REASONS")
    )
    inclusions = " ".join(part for name, part in sections if name == "RAYYAN-INCLUSION")
    votes = {
        (who, verdict): None
        for vote in islice(_VOTE.finditer(inclusions), _MOST)
        if (verdict := label(vote[2])) and (who := vote[1].strip())
    }
    return tuple(
        Prior(verdict, who, reasons if verdict == "exclude" else (), labels)
        for who, verdict in votes
    )


def asreview(text: str) -> tuple[Prior, ...]:
    """Return the decision in ASReview's notes, such as `ASReview_relevant`, if there is one.

    A label that somebody has yet to validate (`ASReview_validate_relevant`) is none, nor are
    two that contradict each other.
    """
    found = {sign.lower() for sign in _ASREVIEW.findall(text[:_LONGEST_NOTE])}
    if len(found) != 1:
        return ()
    user = _ASREVIEW_USER.search(text[:_LONGEST_NOTE])
    who = normalise.short(user[1], _LONGEST_ITEM) if user else None
    return (Prior("include" if found == {"relevant"} else "exclude", who),)


def noted(notes: Iterable[str], keywords: Iterable[str] = ()) -> tuple[Prior, ...]:
    """Return the decisions that other tools left in notes and keywords."""
    note, words = "\n".join(notes), list(keywords)
    text = "\n".join((note, *words))
    if found := (*rayyan(text), *asreview(text)):
        return found
    parts = (part for word in words for part in word.split(";"))
    verdicts = {
        verdict
        for part in parts
        if (mark := _TOOLS_MARK.match(part)) and (verdict := label(mark[1]))
    }
    if len(verdicts) == 1:
        return (Prior(verdicts.pop()),)
    if because := _COVIDENCE.search(note[:_LONGEST_NOTE]):
        return (Prior("exclude", reasons=(because[1].strip(),)),)
    return ()


def is_tools_mark(keyword: str) -> bool:
    """Whether a keyword was added by a screening tool, and is not the publication's."""
    return _TOOLS_MARK.match(keyword) is not None


def without_rayyan(text: str) -> str:
    """Return `text` up to where Rayyan's note begins in it."""
    found = _SECTION.search(text) if "-" in text else None
    return text[: found.start()] if found and found[1].upper() != "USER-NOTES" else text


def _sections(text: str) -> Iterator[tuple[str, str]]:
    """Yield each part of Rayyan's note under its name, in capitals."""
    signs = list(_SECTION.finditer(text))
    ends = [*(sign.start() for sign in signs[1:]), *[len(text)] * bool(signs)]
    for sign, end in zip(signs, ends, strict=True):
        yield sign[1].upper(), text[sign.end() : end].strip().rstrip("|").strip()


def _listed(texts: Iterable[str]) -> tuple[str, ...]:
    items = (
        item.strip()[:_LONGEST_ITEM] for text in texts for item in text.split("|")[0].split(",")
    )
    return tuple(dict.fromkeys(islice(filter(None, items), _MOST)))
