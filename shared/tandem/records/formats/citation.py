"""A citation in one line, as `Journal. 12(3):45-67, 2001 Jan.`, taken apart."""

import re
from dataclasses import dataclass

from tandem.records.formats import normalise

_LONGEST = 1_000
_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]{0,6}"
_AFTER_JOURNAL = re.compile(
    rf"[.,;]?\s{{1,3}}(?=Vol\b|\d{{1,5}}\s?[(:,;]|Conference:|{_MONTH}[/\s]|[12]\d{{3}}\b)"
)
_NUMBERED = re.compile(r"(?<![\d(])(\d{1,5})\s?\(([^()]{1,60})\)")
_VOLUME = re.compile(
    r"\bVol\.?\s?(\d{1,5})|;\s?(\d{1,5})\s?:|(?<![\d(])(?!(?:19|20)\d\d:)(\d{1,5}):\s?(?=[A-Za-z]?\d)"
)
_PAGES = re.compile(
    r"(?:\bpp?\.?\s|(?<=[\d)]):\s?)([A-Za-z]{0,2}\d{1,8}(?:\s?[-–]\s?[A-Za-z]{0,2}\d{1,8})?)\b"
)
_YEAR = re.compile(r"\b(1[89]\d{2}|20\d{2})\b(?!\s?[(:])")


@dataclass(frozen=True, slots=True)
class Citation:
    """The parts of a citation, each empty where it has none."""

    journal: str = ""
    volume: str = ""
    issue: str = ""
    pages: str = ""
    year: str = ""


def of(text: str) -> Citation:
    """Return what `text` cites. Never raises; what is not sure is left empty."""
    text = normalise.clean(text[:_LONGEST])
    end = _AFTER_JOURNAL.search(text)
    journal = text[: end.start()] if end else text.split(". ")[0]
    rest = text[end.end() :] if end else ""
    numbered = _NUMBERED.search(rest)
    volume = _VOLUME.search(rest)
    pages = _PAGES.search(rest)
    year = _YEAR.search(rest)
    return Citation(
        journal=journal.strip(" .,;"),
        volume=numbered[1]
        if numbered
        else next(filter(None, volume.groups()), "")
        if volume
        else "",
        issue=numbered[2].strip() if numbered else "",
        pages=pages[1].replace(" ", "") if pages else "",
        year=year[1] if year else "",
    )
