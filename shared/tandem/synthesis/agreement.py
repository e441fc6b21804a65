"""How far coders agree, where a team wants to know: interpretive schools have reasons not to."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from sqlalchemy import select
from sqlalchemy.orm import Session

from tandem.ids import CodeId, RecordNumber
from tandem.records.models import Record
from tandem.reporting.service import require_sight
from tandem.reviews.service import Viewer
from tandem.screening.agreement.statistics import Figures, figures_of_table
from tandem.synthesis import imports
from tandem.synthesis.models import CodedPassage
from tandem.synthesis.placing import PassageState

MEASURED = "used the code in the report or not"
"""What is compared, of each report that both have coded and each code that either has used."""

Used = Mapping[str, Mapping[RecordNumber, set[CodeId]]]
"""By coder: which codes they used in which report."""


@dataclass(frozen=True, slots=True)
class Coders:
    """Two coders. `n_one`: reports that only one of them has coded, which tell nothing."""

    first: str
    second: str
    n_reports: int
    n_codes: int
    n_one: int
    figures: Figures


def agreement(session: Session, *, viewer: Viewer) -> list[Coders]:
    """Return for each two coders who share reports how far they used the same codes there.

    Raises:
        Forbidden: They are blinded in one of the stages.
    """
    require_sight(viewer, "The synthesis")
    query = (
        select(
            CodedPassage.coder,
            Record.shown_as,
            CodedPassage.code_id,
        )
        .join(
            Record,
            (Record.review_id == CodedPassage.review_id)
            & (Record.number == CodedPassage.record_number),
        )
        .where(
            CodedPassage.import_id.in_(imports.counted(session, viewer.review_id)),
            CodedPassage.state != PassageState.LOST,
            CodedPassage.coder != "",
        )
        .distinct()
    )
    used: defaultdict[str, defaultdict[RecordNumber, set[CodeId]]]
    used = defaultdict(lambda: defaultdict(set))
    for coder, number, code in session.execute(query):
        used[coder][RecordNumber(number)].add(code)
    return compared(used)


def compared(used: Used) -> list[Coders]:
    """Return the comparison of each two coders who share a report. Pure."""
    found = list[Coders]()
    for first, second in combinations(sorted(used), 2):
        mine, theirs = used[first], used[second]
        shared = sorted(mine.keys() & theirs.keys())
        if shared:
            codes = sorted(set[CodeId]().union(*(mine[n] | theirs[n] for n in shared)), key=str)
            table = _table([(mine[n], theirs[n]) for n in shared], codes)
            n_one = len(mine.keys() ^ theirs.keys())
            figures = figures_of_table(*table)
            found.append(Coders(first, second, len(shared), len(codes), n_one, figures))
    return found


def _table(
    reports: Sequence[tuple[set[CodeId], set[CodeId]]], codes: Sequence[CodeId]
) -> tuple[int, int, int, int]:
    """Return how many (report, code) both used, only one of them, the other, neither."""
    n = [0, 0, 0, 0]
    for mine, theirs in reports:
        for code in codes:
            n[3 - 2 * (code in mine) - (code in theirs)] += 1
    return n[0], n[1], n[2], n[3]
