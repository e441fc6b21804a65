"""From the comparison of two records to a verdict: one record, probably one, two, or unknown."""

from enum import Enum, auto

from tandem.records.duplicates.comparison import Comparison, Kinds
from tandem.records.duplicates.title_relation import TitleRelation
from tandem.records.duplicates.titles import TELLING_WEIGHT, VERY_LONG_TITLE
from tandem.records.formats.entry import Kind

_YEARS_APART = 1
"""Online first and print often carry neighbouring years."""

_YEARS_TO_ARTICLE = 5
"""From a preprint or an abstract."""

_TEAM = 3
"""Authors, all the same in one order, who do not publish twice under one title in one year."""

_VERY_LIKE = (TitleRelation.EQUAL, TitleRelation.MISSPELT)
_LIKE = (*_VERY_LIKE, TitleRelation.ALIKE, TitleRelation.SHORTENED, TitleRelation.REWORDED)


class Verdict(Enum):
    """What a comparison comes to. `DIFFERENT` is known, not merely unlikely."""

    SAME = auto()
    PROBABLY = auto()
    UNSAID = auto()
    DIFFERENT = auto()


def judge(pair: Comparison) -> Verdict:
    if _forbidden(pair):
        return Verdict.PROBABLY if _agrees_otherwise(pair) else Verdict.DIFFERENT
    if _same_number(pair) or _same_doi(pair) or _same_trial(pair):
        return Verdict.SAME
    if _same_place(pair) or _same_text(pair) or _same_whole_place(pair) or _same_work(pair):
        return Verdict.SAME
    if pair.pmid or (pair.doi and _plausible(pair)) or _same_pages(pair):
        return Verdict.PROBABLY
    if pair.names_number or _same_title(pair) or _probable(pair):
        return Verdict.PROBABLY
    if pair.titles is TitleRelation.DIFFERENT:
        return Verdict.DIFFERENT
    return Verdict.UNSAID


def contradict(pair: Comparison) -> bool:
    """Whether two records may not be in one group without people, however they came there."""
    return _forbidden(pair) or judge(pair) is Verdict.DIFFERENT


def _forbidden(pair: Comparison) -> bool:
    return (
        pair.doi is False
        or pair.pmid is False
        or pair.number is False
        or pair.titles is TitleRelation.OTHER_WORK
        or pair.kinds is Kinds.NOTICE
        or (pair.kinds is Kinds.EDITIONS and not pair.pmid)
    )


def _agrees_otherwise(pair: Comparison) -> bool:
    """Whether so much else agrees that people should look at what contradicts."""
    if pair.kinds is Kinds.NOTICE:  # the article itself may be marked as retracted
        same = pair.pmid or pair.doi or (_same_pages(pair) and pair.doi is not False)
        return pair.titles in _LIKE and bool(same)
    if pair.number is False:
        return bool(pair.pmid or pair.doi) and pair.titles in _VERY_LIKE
    if pair.titles is TitleRelation.OTHER_WORK:
        if pair.doi is False or pair.pmid is False:
            return False
        if pair.number:
            return True
        same_start = pair.doi and pair.author and pair.pages
        return bool(pair.pmid or same_start or _same_pages(pair))
    if pair.kinds is Kinds.EDITIONS:
        if pair.doi:
            return pair.titles in _LIKE
        near = (pair.gap or 0) <= _YEARS_TO_ARTICLE
        if near and pair.author and pair.telling and pair.titles is TitleRelation.EQUAL:
            return True
        # A preprint has another DOI than its article.
        contradicted = pair.doi is False or pair.pmid is False
        return _same_title(pair) and (not contradicted or Kind.PREPRINT in pair.kind_names)
    if pair.titles not in _VERY_LIKE or not pair.telling:
        return False
    if pair.pmid or pair.doi:  # the other identifiers differ
        return pair.author is not False
    return bool(pair.author and pair.gap == 0 and pair.pages and pair.volume)


def _same_number(pair: Comparison) -> bool:
    if not pair.pmid:
        return False
    near = pair.author or pair.pages or (pair.gap is not None and pair.gap <= _YEARS_APART)
    return pair.titles is not TitleRelation.DIFFERENT or (bool(near) and pair.author is not False)


def _same_doi(pair: Comparison) -> bool:
    if not pair.doi or pair.generic or (pair.gap or 0) > _YEARS_APART:
        return False
    if pair.titles is TitleRelation.EQUAL:
        return True
    if pair.titles not in _LIKE or pair.author is False or pair.pages is False:
        return False
    # One DOI may stand for a whole supplement, with the same laboratory's "in mice" and "in rats".
    return pair.titles is not TitleRelation.REWORDED or bool(pair.pages or pair.abstract)


def _same_trial(pair: Comparison) -> bool:
    """Whether both are one trial's records: registries word titles in their own ways."""
    return bool(pair.number or (pair.names_number and pair.telling and pair.titles in _LIKE))


def _same_text(pair: Comparison) -> bool:
    """Whether title, abstract, year and journal are one, and the place as far as it tells."""
    if pair.titles is not TitleRelation.EQUAL or pair.generic or not pair.abstract:
        return False
    if pair.gap != 0 or not pair.journal or pair.author is False or pair.pages is False:
        return False
    if not pair.telling:
        return bool(pair.author and pair.pages and pair.volume)
    if not pair.author:
        return bool(pair.volume)
    if pair.pages:  # of a supplement some sources give the number for the volume
        return True
    return pair.volume is not False and pair.issue is not False


def _same_work(pair: Comparison) -> bool:
    """Whether title, all authors, year and journal are one, and nothing of the place differs.

    Of what is not in print yet, and of Cochrane's reviews, one source has no volume or pages.
    """
    if pair.titles is not TitleRelation.EQUAL or not pair.telling or pair.team < _TEAM:
        return False
    place = (pair.volume, pair.issue, pair.pages, pair.abstract)
    return bool(pair.gap == 0 and pair.journal and False not in place)


def _same_whole_place(pair: Comparison) -> bool:
    """Whether all of the place is one, so that titles may differ a little, or be short."""
    if not pair.author or pair.gap != 0 or pair.generic or pair.abstract is False:
        return False
    # Journals are also called by other names, in other languages.
    journal = pair.journal or (pair.team >= _TEAM and pair.filled)
    if not (journal and pair.volume and pair.pages):
        return False
    if pair.length >= VERY_LONG_TITLE:
        return pair.titles is TitleRelation.MISSPELT or (pair.filled and pair.titles in _LIKE)
    likes = _LIKE if pair.team >= _TEAM and pair.journal else (TitleRelation.EQUAL,)
    return pair.filled and pair.length >= TELLING_WEIGHT and pair.titles in likes


def _same_place(pair: Comparison) -> bool:
    if pair.titles is not TitleRelation.EQUAL or not pair.telling:
        return False
    if not pair.author or pair.gap != 0 or pair.pages is False or pair.volume is False:
        return False
    if pair.journal is False:
        return bool(pair.pages and pair.volume)
    return bool(pair.pages or (pair.volume and pair.issue is not False))


def _same_title(pair: Comparison) -> bool:
    """Whether title, author and year are enough to ask, wherever the two say they appeared.

    Sources get pages wrong, and list articles as "in press" or under their conference.
    """
    if not pair.telling or (pair.gap or 0) > _YEARS_APART:
        return False
    if pair.titles is TitleRelation.EQUAL:
        return bool(pair.author or pair.unsigned)
    return bool(pair.titles is TitleRelation.MISSPELT and pair.author)


def _plausible(pair: Comparison) -> bool:
    """Whether what stands under one DOI may be one work, rather than a whole supplement."""
    if pair.titles in _LIKE:
        return pair.author is not False and pair.pages is not False
    if pair.titles is TitleRelation.UNKNOWN:
        return pair.author is not False and (pair.gap or 0) <= _YEARS_APART
    return False


def _same_pages(pair: Comparison) -> bool:
    """Whether both fill the same pages of one volume, where only one article can stand.

    The titles may then be translations of each other.
    """
    known = pair.journal is not False if pair.author else pair.journal
    return bool(
        pair.filled and pair.gap == 0 and pair.volume and known and pair.author is not False
    )


def _probable(pair: Comparison) -> bool:
    needed = _NEEDED.get(pair.titles)
    elsewhere = pair.volume is False or pair.journal is False
    if needed is None or pair.pages is False or (elsewhere and not pair.pages):
        return False  # an abstract is brought to several meetings, word for word
    if not pair.telling:
        needed += 2.0
    if pair.generic:
        needed += 2.0
    return weight(pair) >= needed


_NEEDED = {
    TitleRelation.EQUAL: 3.0,
    TitleRelation.MISSPELT: 4.0,
    TitleRelation.ALIKE: 5.0,
    TitleRelation.REWORDED: 6.0,
    TitleRelation.SHORTENED: 5.0,
}
"""Least `weight` of the other fields for a proposal. Equal long titles need the first author and
the year, or the pages; the less alike the titles, the more of the place must agree."""


def weight(pair: Comparison) -> float:
    """Return how much the fields besides the title speak for one record; below 0, against it.

    Round numbers for how seldom a field agrees by chance (pages and abstracts hardly ever, years
    often), and what contradicts counts for more than what agrees. Set by hand and checked, not
    fitted; `benchmarks/duplicates.py` shows what they come to.
    """
    gap = pair.gap
    year = 0.0 if gap is None else 1.0 if gap == 0 else -1.0 if gap == 1 else -4.0
    return (
        year
        + _points(pair.author, 2.0, -4.0)
        + _points(pair.pages, 3.0, -3.0)
        + _points(pair.volume, 1.0, -2.0)
        + _points(pair.journal, 1.0, -2.0)
        + _points(pair.abstract, 3.0, -1.0)
    )


def _points(sign: bool | None, fors: float, against: float) -> float:
    return 0.0 if sign is None else fors if sign else against
