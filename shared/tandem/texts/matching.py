"""Whose text a file is: what speaks for which record, and whether that is enough. Pure.

A file is linked only by what two works do not share by chance: the map that came with the files,
a record's number in the name, its DOI, its title. If two of these disagree, or something speaks
against it, a person is asked. A mere likeness is never enough.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import PurePosixPath

from rapidfuzz import fuzz, process

from tandem.ids import RecordNumber
from tandem.records.duplicates.titles import LONG_TITLE, plain_title
from tandem.texts.file_facts import FileFacts, dois_of, metadata_dois

LIKENESS = 90
"""Of 100, from which on a record is proposed. With 3 % wrong letters 1 of 118 was a wrong one."""

HEAD = 2000
"""Folded letters of the first page in which its own title stands; references come later."""

_SHORT_TITLE = 15
_REFERENCES = re.compile(
    r"^\s{0,9}(?:\d{1,2}\.?\s)?"
    r"(?:references|bibliography|literature(?: cited)?|works cited)\s?:?\s?$",
    re.I | re.M,
)
"""What comes after this line speaks of other works."""

_MOST_CANDIDATES = 5
_NOTICE = re.compile(
    "erratum|corrigendum|correctionto|correction:|authorcorrection|publishercorrection|retraction"
    "|retracted|expressionofconcern|commenton|commentaryon|responseto|replyto|letterto"
)
_NOTICE_WITHIN = 300
_NUMBERED = re.compile(
    r"(?:^|.*[\s_-])(?:record|rec|tandem)[\s_#-]*0*([1-9][0-9]{0,8})(?![0-9])"
    r"|(?:#|0(?=[0-9]{3,}_))0*([1-9][0-9]{0,8})_|([1-9][0-9]{3,8})_(?=[^\W\d])",
    re.I,
)
"""`record 17`, or as our own exports name files: `0017_Okafor_2012.pdf`."""

_UNSURE_NUMBER = re.compile(r"(?:(?:.*[\s_-])?report[\s_#-]*)?0*([1-9][0-9]{0,8})(?![0-9])", re.I)
"""`17`, or `report 17`: others number theirs, too."""

_YEARS = range(1900, 2101)


class Evidence(StrEnum):
    """What speaks for a record, the strongest first; see `docs/full-text.md`."""

    MAP = "map"
    NUMBER = "number"
    DOI = "doi"
    TITLE = "title"
    FILENAME = "filename"
    METADATA = "metadata"
    LIKENESS = "likeness"


@dataclass(frozen=True, slots=True)
class Target:
    """A record that a file may belong to. `is_report`: it may have a text."""

    number: RecordNumber
    title: str
    doi: str | None = None
    is_report: bool = True


@dataclass(frozen=True, slots=True)
class Candidate:
    """A record that something speaks for; `score` up to 100."""

    record: RecordNumber
    evidence: Evidence
    score: int


@dataclass(frozen=True, slots=True)
class Match:
    """`record` where the file is linked without asking; else somebody chooses."""

    record: RecordNumber | None
    candidates: Sequence[Candidate]


@dataclass
class _Found:
    """Which records each piece of evidence names, and whether a person has to look."""

    strong: dict[Evidence, set[RecordNumber]] = field(default_factory=dict)
    weak: list[Candidate] = field(default_factory=list)
    is_doubtful: bool = False
    first_doi: Collection[RecordNumber] | None = None
    """Where the page has DOIs of several records: those of the first, which may be its own."""

    def add(self, evidence: Evidence, records: Iterable[RecordNumber]) -> None:
        if named := set(records):
            self.strong.setdefault(evidence, set()).update(named)


class Matcher:
    """Finds the record of one file after the other among the same targets."""

    def __init__(self, targets: Iterable[Target]) -> None:
        self._targets = {target.number: target for target in targets}
        self._by_doi: Mapping[str, set[RecordNumber]] = defaultdict(set)
        self._by_title: Mapping[str, set[RecordNumber]] = defaultdict(set)
        for target in self._targets.values():
            if target.doi:
                self._by_doi[target.doi].add(target.number)
            self._by_title[_folded(target.title)].add(target.number)
        self._likely = {
            target.number: title
            for target in self._targets.values()
            if target.is_report and len(title := _folded(target.title)) >= LONG_TITLE
        }

    def match(self, file: FileFacts) -> Match:
        """Return the one record that everything speaks for, else who may be asked about."""
        found = _Found()
        file = replace(file, first_page=_REFERENCES.split(file.first_page, maxsplit=1)[0])
        head = _folded(file.first_page[: 4 * HEAD])[:HEAD]
        found.add(Evidence.MAP, (n for n in file.mapped if n in self._targets))
        self._by_name(file, head, found)
        self._by_dois(file, head, found)
        self._by_titles(head, found)
        return self._weighed(file, head, found)

    def _weighed(self, file: FileFacts, head: str, found: _Found) -> Match:
        agreed = set.intersection(*found.strong.values()) if found.strong else set()
        if len(agreed) == 1 and not found.is_doubtful:
            (record,) = agreed
            is_first = found.first_doi is None or record in found.first_doi
            if is_first and not self._is_another_work(record, file):
                return Match(record, self._strong(found, {record}))
        named = set.union(*found.strong.values()) if found.strong else set()
        candidates = [*self._strong(found, named), *found.weak]
        if not candidates:
            candidates = self._like(file, head)
        return Match(None, _best(candidates))

    def _strong(self, found: _Found, records: Collection[RecordNumber]) -> list[Candidate]:
        """Return one candidate for each record, by the strongest that speaks for it."""
        return [
            Candidate(record, next(e for e in Evidence if record in found.strong.get(e, ())), 100)
            for record in sorted(
                records, key=lambda one: (-sum(one in s for s in found.strong.values()), one)
            )
        ]

    def _by_name(self, file: FileFacts, head: str, found: _Found) -> None:
        stem = PurePosixPath(file.name.replace("\\", "/")).stem
        numbered = _NUMBERED.match(stem)
        match = numbered or _UNSURE_NUMBER.fullmatch(stem)
        if match is None or not self._knows(number := _number(match)):
            return
        # It may be the sender's own number, that of a series, or a year, as in 2019_Smith.pdf: only
        # the title makes it certain.
        title, may_be_year = _folded(self._targets[number].title), number in _YEARS
        if (numbered and not may_be_year) or (len(title) >= LONG_TITLE and title in head):
            found.add(Evidence.NUMBER, [number])
        elif numbered or not may_be_year:
            found.weak.append(Candidate(number, Evidence.NUMBER, 50))

    def _knows(self, number: RecordNumber) -> bool:
        return number in self._targets

    def _by_dois(self, file: FileFacts, head: str, found: _Found) -> None:
        own = [self._by_doi[doi] for doi in metadata_dois(file) if doi in self._by_doi]
        for records in own:
            found.add(Evidence.DOI, records)
        on_page = [
            {number for doi in readings for number in self._by_doi.get(doi, ())}
            for readings in dois_of(file.first_page)
        ]
        for place, records in enumerate(on_page):
            found.add(Evidence.DOI, records)
            if records and place and not own and not any(self._has_title(n, head) for n in records):
                found.is_doubtful = True  # perhaps one that the page only mentions
        if len([records for records in on_page if records]) > 1 and not own:
            found.first_doi = on_page[0]
        if self._is_notice(head, found):
            found.is_doubtful = True

    def _has_title(self, number: RecordNumber, head: str) -> bool:
        title = _folded(self._targets[number].title)
        return len(title) >= _SHORT_TITLE and title in head

    def _is_notice(self, head: str, found: _Found) -> bool:
        """Whether the file is an erratum or the like of what it names, and no such record."""
        if not (notice := _NOTICE.search(head[:_NOTICE_WITHIN])):
            return False
        named = found.strong.get(Evidence.MAP, set()) | found.strong.get(Evidence.NUMBER, set())
        titles = [
            _folded(self._targets[n].title) for n in self._having(self._titles_in(head)) | named
        ]
        return not any(notice[0] in title for title in titles)

    def _by_titles(self, head: str, found: _Found) -> None:
        titles = self._titles_in(head)
        found.add(Evidence.TITLE, self._having(titles))
        found.is_doubtful |= len(titles) > 1
        if not found.strong:
            found.weak += [
                Candidate(number, Evidence.TITLE, 60)
                for title, numbers in self._by_title.items()
                if _SHORT_TITLE <= len(title) < LONG_TITLE and title in head
                for number in sorted(numbers)
            ]

    def _titles_in(self, head: str) -> list[str]:
        """Return the titles that stand there; not one that is within another."""
        there = [title for title in self._by_title if len(title) >= LONG_TITLE and title in head]
        return [one for one in there if not any(one != it and one in it for it in there)]

    def _having(self, titles: Iterable[str]) -> set[RecordNumber]:
        return {number for title in titles for number in self._by_title[title]}

    def _is_another_work(self, record: RecordNumber, file: FileFacts) -> bool:
        """Whether the metadata has a DOI, and the record another one."""
        doi = self._targets[record].doi
        named = metadata_dois(file)
        return doi is not None and len(named) == 1 and doi not in named

    def _like(self, file: FileFacts, head: str) -> list[Candidate]:
        """Return records whose title is like what stands on the page, or in name or metadata."""
        name = _folded(PurePosixPath(file.name.replace("\\", "/")).stem)
        titles = {Evidence.FILENAME: name, Evidence.METADATA: _folded(file.title)}
        named = [
            Candidate(number, evidence, 100)
            for evidence, text in titles.items()
            for title, numbers in self._by_title.items()
            if len(title) >= LONG_TITLE and (title in text or (len(text) >= 40 and text in title))
            for number in sorted(numbers)
        ]
        likely = {key: title for key, title in self._likely.items() if len(title) <= len(head)}
        alike = process.extract(
            head, likely, scorer=fuzz.partial_ratio, score_cutoff=LIKENESS, limit=3
        )
        return named + [Candidate(key, Evidence.LIKENESS, int(score)) for _, score, key in alike]


def _number(match: re.Match[str]) -> RecordNumber:
    return RecordNumber(int(next(filter(None, match.groups()))))


def _folded(text: str) -> str:
    """Return letters and digits alone: lines, hyphens and ligatures differ from file to file."""
    return plain_title(text).replace(" ", "")


def _best(candidates: Iterable[Candidate]) -> list[Candidate]:
    first: dict[RecordNumber, Candidate] = {}
    for each in candidates:
        first.setdefault(each.record, each)
    return list(first.values())[:_MOST_CANDIDATES]
