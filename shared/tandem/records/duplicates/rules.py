"""From signs to a verdict: one record, probably one, two works, or nothing to say."""

from enum import Enum, auto

from tandem.records.duplicates.likeness import Likeness
from tandem.records.duplicates.signs import Kinds, Signs
from tandem.records.duplicates.titles import TELLING_WEIGHT, VERY_LONG_TITLE
from tandem.records.formats.entry import Kind

_YEARS_APART = 1
"""Online first and print often carry neighbouring years."""

_YEARS_TO_ARTICLE = 5
"""From a preprint or an abstract."""

_TEAM = 3
"""Authors, all the same in one order, who do not publish twice under one title in one year."""

_VERY_LIKE = (Likeness.EQUAL, Likeness.MISSPELT)
_LIKE = (*_VERY_LIKE, Likeness.ALIKE, Likeness.SHORTENED, Likeness.REWORDED)


class Verdict(Enum):
    """What the signs come to. `DIFFERENT` is known, not merely unlikely."""

    SAME = auto()
    PROBABLY = auto()
    UNSAID = auto()
    DIFFERENT = auto()


def judge(signs: Signs) -> Verdict:
    if _forbidden(signs):
        return Verdict.PROBABLY if _agrees_otherwise(signs) else Verdict.DIFFERENT
    if _same_number(signs) or _same_doi(signs) or _same_trial(signs):
        return Verdict.SAME
    if _same_place(signs) or _same_text(signs) or _same_whole_place(signs) or _same_work(signs):
        return Verdict.SAME
    if signs.pmid or (signs.doi and _plausible(signs)) or _same_pages(signs):
        return Verdict.PROBABLY
    if signs.names_number or _same_title(signs) or _probable(signs):
        return Verdict.PROBABLY
    if signs.likeness is Likeness.DIFFERENT:
        return Verdict.DIFFERENT
    return Verdict.UNSAID


def contradict(signs: Signs) -> bool:
    """Whether two records may not be in one group without people, however they came there."""
    return _forbidden(signs) or judge(signs) is Verdict.DIFFERENT


def _forbidden(signs: Signs) -> bool:
    return (
        signs.doi is False
        or signs.pmid is False
        or signs.number is False
        or signs.likeness is Likeness.OTHER_WORK
        or signs.kinds is Kinds.NOTICE
        or (signs.kinds is Kinds.EDITIONS and not signs.pmid)
    )


def _agrees_otherwise(signs: Signs) -> bool:
    """Whether so much else agrees that people should look at what contradicts."""
    if signs.kinds is Kinds.NOTICE:  # the article itself may be marked as retracted
        same = signs.pmid or signs.doi or (_same_pages(signs) and signs.doi is not False)
        return signs.likeness in _LIKE and bool(same)
    if signs.number is False:
        return bool(signs.pmid or signs.doi) and signs.likeness in _VERY_LIKE
    if signs.likeness is Likeness.OTHER_WORK:
        if signs.doi is False or signs.pmid is False:
            return False
        if signs.number:
            return True
        same_start = signs.doi and signs.author and signs.pages
        return bool(signs.pmid or same_start or _same_pages(signs))
    if signs.kinds is Kinds.EDITIONS:
        if signs.doi:
            return signs.likeness in _LIKE
        near = (signs.gap or 0) <= _YEARS_TO_ARTICLE
        if near and signs.author and signs.telling and signs.likeness is Likeness.EQUAL:
            return True
        # A preprint has another DOI than its article.
        contradicted = signs.doi is False or signs.pmid is False
        return _same_title(signs) and (not contradicted or Kind.PREPRINT in signs.kind_names)
    if signs.likeness not in _VERY_LIKE or not signs.telling:
        return False
    if signs.pmid or signs.doi:  # the other identifiers differ
        return signs.author is not False
    return bool(signs.author and signs.gap == 0 and signs.pages and signs.volume)


def _same_number(signs: Signs) -> bool:
    if not signs.pmid:
        return False
    near = signs.author or signs.pages or (signs.gap is not None and signs.gap <= _YEARS_APART)
    return signs.likeness is not Likeness.DIFFERENT or (bool(near) and signs.author is not False)


def _same_doi(signs: Signs) -> bool:
    if not signs.doi or signs.generic or (signs.gap or 0) > _YEARS_APART:
        return False
    if signs.likeness is Likeness.EQUAL:
        return True
    if signs.likeness not in _LIKE or signs.author is False or signs.pages is False:
        return False
    # One DOI may stand for a whole supplement, with the same laboratory's "in mice" and "in rats".
    return signs.likeness is not Likeness.REWORDED or bool(signs.pages or signs.abstract)


def _same_trial(signs: Signs) -> bool:
    """Whether both are one trial's records: registries word titles in their own ways."""
    return bool(signs.number or (signs.names_number and signs.telling and signs.likeness in _LIKE))


def _same_text(signs: Signs) -> bool:
    """Whether title, abstract, year and journal are one, and the place as far as it tells."""
    if signs.likeness is not Likeness.EQUAL or signs.generic or not signs.abstract:
        return False
    if signs.gap != 0 or not signs.journal or signs.author is False or signs.pages is False:
        return False
    if not signs.telling:
        return bool(signs.author and signs.pages and signs.volume)
    if not signs.author:
        return bool(signs.volume)
    if signs.pages:  # of a supplement some sources give the number for the volume
        return True
    return signs.volume is not False and signs.issue is not False


def _same_work(signs: Signs) -> bool:
    """Whether title, all authors, year and journal are one, and nothing of the place differs.

    Of what is not in print yet, and of Cochrane's reviews, one source has no volume or pages.
    """
    if signs.likeness is not Likeness.EQUAL or not signs.telling or signs.team < _TEAM:
        return False
    place = (signs.volume, signs.issue, signs.pages, signs.abstract)
    return bool(signs.gap == 0 and signs.journal and False not in place)


def _same_whole_place(signs: Signs) -> bool:
    """Whether all of the place is one, so that titles may differ a little, or be short."""
    if not signs.author or signs.gap != 0 or signs.generic or signs.abstract is False:
        return False
    # Journals are also called by other names, in other languages.
    journal = signs.journal or (signs.team >= _TEAM and signs.filled)
    if not (journal and signs.volume and signs.pages):
        return False
    if signs.length >= VERY_LONG_TITLE:
        return signs.likeness is Likeness.MISSPELT or (signs.filled and signs.likeness in _LIKE)
    likes = _LIKE if signs.team >= _TEAM and signs.journal else (Likeness.EQUAL,)
    return signs.filled and signs.length >= TELLING_WEIGHT and signs.likeness in likes


def _same_place(signs: Signs) -> bool:
    if signs.likeness is not Likeness.EQUAL or not signs.telling:
        return False
    if not signs.author or signs.gap != 0 or signs.pages is False or signs.volume is False:
        return False
    if signs.journal is False:
        return bool(signs.pages and signs.volume)
    return bool(signs.pages or (signs.volume and signs.issue is not False))


def _same_title(signs: Signs) -> bool:
    """Whether title, author and year are enough to ask, wherever the two say they appeared.

    Sources get pages wrong, and list articles as "in press" or under their conference.
    """
    if not signs.telling or (signs.gap or 0) > _YEARS_APART:
        return False
    if signs.likeness is Likeness.EQUAL:
        return bool(signs.author or signs.unsigned)
    return bool(signs.likeness is Likeness.MISSPELT and signs.author)


def _plausible(signs: Signs) -> bool:
    """Whether what stands under one DOI may be one work, rather than a whole supplement."""
    if signs.likeness in _LIKE:
        return signs.author is not False and signs.pages is not False
    if signs.likeness is Likeness.UNKNOWN:
        return signs.author is not False and (signs.gap or 0) <= _YEARS_APART
    return False


def _same_pages(signs: Signs) -> bool:
    """Whether both fill the same pages of one volume, where only one article can stand.

    The titles may then be translations of each other.
    """
    known = signs.journal is not False if signs.author else signs.journal
    return bool(
        signs.filled and signs.gap == 0 and signs.volume and known and signs.author is not False
    )


def _probable(signs: Signs) -> bool:
    needed = _NEEDED.get(signs.likeness)
    elsewhere = signs.volume is False or signs.journal is False
    if needed is None or signs.pages is False or (elsewhere and not signs.pages):
        return False  # an abstract is brought to several meetings, word for word
    if not signs.telling:
        needed += 2.0
    if signs.generic:
        needed += 2.0
    return weight(signs) >= needed


_NEEDED = {
    Likeness.EQUAL: 3.0,
    Likeness.MISSPELT: 4.0,
    Likeness.ALIKE: 5.0,
    Likeness.REWORDED: 6.0,
    Likeness.SHORTENED: 5.0,
}
"""Least `weight` of the other fields for a proposal. Equal long titles need the first author and
the year, or the pages; the less alike the titles, the more of the place must agree."""


def weight(signs: Signs) -> float:
    """Return how much the fields besides the title speak for one record; below 0, against it.

    Round numbers for how seldom a field agrees by chance (pages and abstracts hardly ever, years
    often), and what contradicts counts for more than what agrees. Set by hand and checked, not
    fitted; `benchmarks/duplicates.py` shows what they come to.
    """
    gap = signs.gap
    year = 0.0 if gap is None else 1.0 if gap == 0 else -1.0 if gap == 1 else -4.0
    return (
        year
        + _points(signs.author, 2.0, -4.0)
        + _points(signs.pages, 3.0, -3.0)
        + _points(signs.volume, 1.0, -2.0)
        + _points(signs.journal, 1.0, -2.0)
        + _points(signs.abstract, 3.0, -1.0)
    )


def _points(sign: bool | None, fors: float, against: float) -> float:
    return 0.0 if sign is None else fors if sign else against
