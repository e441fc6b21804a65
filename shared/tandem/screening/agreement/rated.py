"""Which decision of whom counts when agreement is measured: the first one, as it was made."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Integer, String, case, cast, extract, select
from sqlalchemy.orm import Session

from tandem.ids import ReviewId, UserId
from tandem.records.models import Record
from tandem.reviews.policy import Stage
from tandem.screening.lease_models import Served
from tandem.screening.models import Decision
from tandem.screening.rules import Verdict
from tandem.screening.streams import Stream

NONE, EXCLUDE, INCLUDE, MAYBE = -1, 0, 1, 2
"""How an entry's verdict is written here; NONE is a withdrawal."""

_CODES = {Verdict.EXCLUDE: EXCLUDE, Verdict.INCLUDE: INCLUDE, Verdict.MAYBE: MAYBE}

MONTHS = 12


class Entry(NamedTuple):
    """One entry of the ledger in a stage, as far as agreement depends on it.

    `verdict`: see `NONE`. `is_carried`: it came with another record. `is_second`: a second vote
    in a conflict. `is_entered`: somebody else entered it. `month`: the year times 12 plus the
    month, 1 to 12, in UTC. The last five are truths and numbers as a database gives them.
    """

    number: int
    reviewer: str
    seq: int
    verdict: int
    informed: int
    is_carried: int
    is_second: int
    is_entered: int
    month: int


@dataclass(frozen=True, slots=True)
class Rated:
    """First decisions that count.

    Attributes:
        reviewers: Everybody who has one, ordered by id: names may change, and a person who has the
            exported ledger can find the same order.
        numbers: Records with at least one, shape (n_records,), ascending.
        verdicts: Shape (n_reviewers, n_records): 1 include or `maybe`, which keeps a record in
            as an include does; 0 exclude; -1 none.
        is_maybe: Same shape: whether it was a `maybe`.
        informed: Same shape: whether it was made knowing another's verdict.
        months: Shape (n_records,): when the record's last first decision was made; see `Entry`.
    """

    reviewers: Sequence[UserId]
    numbers: NDArray[np.int64]
    verdicts: NDArray[np.int8]
    is_maybe: NDArray[np.bool_]
    informed: NDArray[np.bool_]
    months: NDArray[np.int64]

    def among(self, numbers: Iterable[int]) -> "Rated":
        """Return the part that is about these records."""
        return self._kept(np.isin(self.numbers, np.fromiter(numbers, np.int64)))

    def _kept(self, kept: NDArray[np.bool_]) -> "Rated":
        return replace(
            self,
            numbers=self.numbers[kept],
            verdicts=self.verdicts[:, kept],
            is_maybe=self.is_maybe[:, kept],
            informed=self.informed[:, kept],
            months=self.months[kept],
        )

    def unaware(self) -> NDArray[np.int8]:
        """Return the verdicts without those that were made knowing another's."""
        return np.where(self.informed, NONE, self.verdicts).astype(np.int8)


def entries(session: Session, review_id: ReviewId, stage: Stage) -> Sequence[Entry]:
    """Return the stage's ledger, but for records that are linked to another one, in one query."""
    verdict = case(
        *((Decision.verdict == verdict, code) for verdict, code in _CODES.items()), else_=NONE
    )
    at = Decision.created_at
    query = (
        select(
            Decision.record_number,
            cast(Decision.reviewer_id, String),
            Decision.labels_seq,
            verdict,
            cast(Decision.informed, Integer),
            cast(Decision.carried_from.is_not(None), Integer),
            cast(Decision.second_in.is_not(None), Integer),
            cast(Decision.entered_by.is_not(None), Integer),
            cast(extract("year", at), Integer) * MONTHS + cast(extract("month", at), Integer),
        )
        .join(
            Record,
            (Record.review_id == Decision.review_id) & (Record.number == Decision.record_number),
        )
        .where(
            Decision.review_id == review_id,
            Decision.stage == stage,
            Record.is_shown,
        )
    )
    return [Entry(*row) for row in session.execute(query)]


def rate(ledger: Sequence[Entry]) -> Rated:
    """Find everybody's first decision on each record, as far as they have a present one.

    First is the earliest entry with a verdict, also one that was carried here with another
    record. Second votes and corrections are never first. Two withdrawals make a new beginning,
    because what was before them is not theirs any more: one that came with the parting of two
    records, and one that somebody else entered.

    Args:
        ledger: Of one stage, in any order.
    """
    if not ledger:
        return _nothing()
    columns = list(zip(*ledger, strict=True))
    numbers, record = np.unique(np.array(columns[0], np.int64), return_inverse=True)
    written = {name: UUID(name) for name in set(columns[1])}
    reviewers = sorted(set(written.values()))
    place = {name: reviewers.index(id) for name, id in written.items()}
    who = np.fromiter((place[name] for name in columns[1]), np.int64, len(ledger))
    order = np.lexsort((np.array(columns[2], np.int64), who, record))
    record, who = record[order], who[order]
    verdict = np.array(columns[3], np.int8)[order]
    carried, second, entered = (np.array(columns[n], np.bool_)[order] for n in (5, 6, 7))

    begins = np.flatnonzero(np.r_[True, (np.diff(record) != 0) | (np.diff(who) != 0)])
    ends = np.r_[begins[1:], len(ledger)] - 1
    places = np.arange(len(ledger))
    begins_anew = (verdict == NONE) & (carried | entered)
    before = np.maximum.accumulate(np.where(begins_anew, places, -1))[ends]
    before = np.repeat(before, ends - begins + 1)
    counts = (verdict != NONE) & ~second & (places > before)
    first = np.minimum.reduceat(np.where(counts, places, len(ledger)), begins)
    first = first[(verdict[ends] != NONE) & (first < len(ledger))]

    cells = (who[first], record[first])
    shape = (len(reviewers), len(numbers))
    verdicts = np.full(shape, NONE, np.int8)
    verdicts[cells] = verdict[first] != EXCLUDE
    is_maybe, informed = np.zeros(shape, np.bool_), np.zeros(shape, np.bool_)
    is_maybe[cells] = verdict[first] == MAYBE
    informed[cells] = np.array(columns[4], np.bool_)[order][first]
    months = np.zeros(len(numbers), np.int64)
    np.maximum.at(months, record[first], np.array(columns[8], np.int64)[order][first])
    ids = [UserId(id) for id in reviewers]
    made = Rated(ids, numbers, verdicts, is_maybe, informed, months)
    return made._kept(np.any(verdicts != NONE, axis=0))


def _nothing() -> Rated:
    none = np.zeros((0, 0), np.bool_)
    numbers = np.empty(0, np.int64)
    return Rated([], numbers, none.astype(np.int8), none, none, numbers)


def served_by_chance(
    session: Session, review_id: ReviewId, stage: Stage, rated: Rated
) -> NDArray[np.bool_]:
    """Return to whom which record was served from the random stream; shaped as the verdicts."""
    query = select(Served.record_number, Served.user_id).where(
        Served.review_id == review_id, Served.stage == stage, Served.stream == Stream.RANDOM
    )
    found = np.zeros(rated.verdicts.shape, np.bool_)
    row = {reviewer: n for n, reviewer in enumerate(rated.reviewers)}
    column = {number: n for n, number in enumerate(rated.numbers.tolist())}
    for number, user_id in session.execute(query):
        if number in column and user_id in row:
            found[row[user_id], column[number]] = True
    return found
