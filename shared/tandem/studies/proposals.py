"""Which reports may be of one study. Proposed only: nothing is grouped unasked."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from rapidfuzz import fuzz
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from tandem.db.pieces import pieces
from tandem.ids import RecordNumber
from tandem.records.duplicates.models import RecordRelation
from tandem.records.duplicates.names import read_names
from tandem.records.duplicates.titles import plain_title
from tandem.records.models import Record
from tandem.reports.facts import visible_reports
from tandem.reports.membership import studies_of
from tandem.reports.rules import Standing, standing
from tandem.reviews import service as reviews
from tandem.reviews.service import Viewer
from tandem.studies.separate import pairs as separated

LIKE = 70
"""Of 100: titles by the same first author that share so much are asked about."""

_MOST = 2000
"""Reports whose titles are compared with each other."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """Reports that may be of one study, and why: in the order of their numbers."""

    reports: Sequence[RecordNumber]
    evidence: Sequence[str]


Pairs = dict[tuple[RecordNumber, RecordNumber], list[str]]


def proposals(session: Session, viewer: Viewer) -> list[Proposal]:
    """Return groups of reports that may be one study and are not grouped, by their first number.

    Two that somebody separated are together only where others tie them to one another.

    Nothing of it depends on how anybody voted, but that the reports are at full text.
    """
    review = reviews.get_review(session, viewer.review_id)
    reports = visible_reports(session, viewer, review)
    asleep = (None, Standing.NOT_SOUGHT)
    numbers = [n for n, one in sorted(reports.items()) if standing(one.facts) not in asleep]
    occurrences = _occurrences(session, viewer, numbers)
    records = {number: record for number, record in occurrences.items() if record.is_shown}
    pairs: Pairs = defaultdict(list)
    _related(session, viewer, occurrences, pairs)
    _registered(occurrences, pairs)
    _alike(records, pairs)
    grouped = studies_of(session, viewer.review_id)
    separate = frozenset(separated(session, viewer.review_id))
    apart = {
        pair: why
        for pair, why in pairs.items()
        if pair not in separate
        and not grouped.get(pair[0], frozenset()) & grouped.get(pair[1], frozenset())
    }
    return sorted(_joined(apart), key=lambda one: one.reports[0])


def _occurrences(
    session: Session, viewer: Viewer, numbers: Sequence[RecordNumber]
) -> dict[RecordNumber, Record]:
    """Return these records and those that are linked to them: what is said of one is of all."""
    found = dict[RecordNumber, Record]()
    for some in pieces(numbers):
        # One column at a time: for either at once SQLite reads the whole review.
        for column in (Record.number, Record.duplicate_of):
            query = select(Record).where(Record.review_id == viewer.review_id, column.in_(some))
            found |= {record.number: record for record in session.scalars(query)}
    return found


def _related(
    session: Session, viewer: Viewer, occurrences: Mapping[RecordNumber, Record], pairs: Pairs
) -> None:
    for some in pieces(sorted(occurrences)):
        query = select(RecordRelation).where(
            RecordRelation.review_id == viewer.review_id,
            or_(RecordRelation.first.in_(some), RecordRelation.second.in_(some)),
        )
        for row in session.scalars(query):
            if not (row.first in occurrences and row.second in occurrences):
                continue
            one, other = (occurrences[number].shown_as for number in (row.first, row.second))
            why = row.relation.value.replace("_", " ")
            pair = (min(one, other), max(one, other))
            if one != other and why not in pairs.get(pair, ()):
                pairs[pair].append(why)


def _registered(occurrences: Mapping[RecordNumber, Record], pairs: Pairs) -> None:
    by_id = defaultdict[str, set[RecordNumber]](set)
    for record in occurrences.values():
        for registered in record.registry_ids:
            by_id[registered].add(record.shown_as)
    for registered, numbers in sorted(by_id.items()):
        for first, second in combinations(sorted(numbers), 2):
            pairs[first, second].append(f"both name {registered}")


def _alike(records: Mapping[RecordNumber, Record], pairs: Pairs) -> None:
    by_author = defaultdict[str, list[tuple[RecordNumber, str]]](list)
    for number, record in sorted(records.items())[:_MOST]:
        if names := read_names(record.authors):
            by_author[names[0].family].append((number, plain_title(record.title)))
    for titled in by_author.values():
        for (first, one), (second, other) in combinations(titled, 2):
            if fuzz.token_set_ratio(one, other) >= LIKE:
                pairs[first, second].append("same first author, like titles")


def _joined(pairs: Mapping[tuple[RecordNumber, RecordNumber], list[str]]) -> Iterator[Proposal]:
    """Yield what hangs together."""
    group_of: dict[RecordNumber, set[RecordNumber]] = {}
    for pair in pairs:
        joined = set(pair).union(*(group_of.get(number, ()) for number in pair))
        for number in joined:
            group_of[number] = joined
    for group in {id(group): group for group in group_of.values()}.values():
        why = [
            relation
            for pair, some in sorted(pairs.items())
            if pair[0] in group
            for relation in some
        ]
        yield Proposal(sorted(group), [*dict.fromkeys(why)])
