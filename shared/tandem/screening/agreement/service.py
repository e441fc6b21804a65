"""How far a review's reviewers agree: overall, by month and per pair, for those who may know."""

from collections.abc import Sequence, Set
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from tandem.accounts import service as accounts
from tandem.errors import Forbidden
from tandem.ids import RecordNumber, UserId
from tandem.reviews import service as reviews
from tandem.reviews.models import Review
from tandem.reviews.policy import Stage
from tandem.reviews.service import Viewer
from tandem.screening.agreement import rated, statistics
from tandem.screening.agreement.rated import MONTHS, Rated
from tandem.screening.agreement.statistics import Figures
from tandem.screening.blinding.sql import hidden_records
from tandem.screening.blinding.view import is_unblinded
from tandem.screening.people import interests, pilot


class AgreementOn(StrEnum):
    """Which records: all; those that came to a reader from the random stream; the pilot round's."""

    ALL = "all"
    RANDOM = "random"
    PILOT = "pilot"


@dataclass(frozen=True, slots=True)
class Compared:
    """Figures of all first decisions, and of those alone that were made unaware.

    `n_informed`: pairs in which one was made knowing another's verdict; `n_maybe`: pairs in
    which one was a `maybe`.
    """

    figures: Figures
    independent: Figures
    n_informed: int
    n_maybe: int


@dataclass(frozen=True, slots=True)
class Month:
    """Records whose last first decision was made in this month, in UTC."""

    year: int
    month: int
    compared: Compared


@dataclass(frozen=True, slots=True)
class Reader:
    user_id: UserId
    name: str


@dataclass(frozen=True, slots=True)
class Pair:
    first: Reader
    second: Reader
    compared: Compared


@dataclass(frozen=True, slots=True)
class Agreement:
    """`n_readers` have a first decision among these records; pairs share at least one record.

    `n_hidden` records that people have decided are left out: the votes on them are not open yet
    to the one who asks.
    """

    stage: Stage
    on: AgreementOn
    n_readers: int
    n_hidden: int
    overall: Compared
    by_month: Sequence[Month]
    pairs: Sequence[Pair]


def agreement(session: Session, *, viewer: Viewer, stage: Stage, on: AgreementOn) -> Agreement:
    """Return how far first decisions agree.

    Raises:
        Forbidden: They are blinded, and it is not the pilot round that they have done.
    """
    review = reviews.get_review(session, viewer.review_id)
    closed = _require_sight(session, review, viewer, stage, on)
    found = rated.rate(rated.entries(session, viewer.review_id, stage))
    if on is AgreementOn.PILOT:
        numbers = pilot.record_numbers(session, review) if stage is pilot.STAGE else []
        found = found.among([number for number in numbers if number not in closed])
    elif on is AgreementOn.RANDOM:
        by_chance = rated.served_by_chance(session, viewer.review_id, stage, found)
        by_chance &= found.verdicts != rated.NONE
        found = found.among(found.numbers[np.any(by_chance, axis=0)].tolist())
    hidden = np.isin(found.numbers, hidden_records(session, viewer, stage))
    found = found.among(found.numbers[~hidden].tolist())
    users = accounts.users_by_id(session, set(found.reviewers))
    readers = [Reader(user_id, users[user_id].name) for user_id in found.reviewers]
    overall, by_month = _overall(found)
    n_readers = int(np.sum(np.any(found.verdicts != rated.NONE, axis=1)))
    n_hidden = int(np.sum(hidden))
    return Agreement(stage, on, n_readers, n_hidden, overall, by_month, _pairs(found, readers))


def _require_sight(
    session: Session, review: Review, viewer: Viewer, stage: Stage, on: AgreementOn
) -> Set[RecordNumber]:
    """Return the records that stay closed to them: papers of their own that they did not decide."""
    if is_unblinded(viewer, stage):
        return frozenset()
    if (
        on is AgreementOn.PILOT
        and stage is pilot.STAGE
        and pilot.state(review) is pilot.PilotState.ENDED
    ):
        read = pilot.read_by(session, review, viewer.user_id)
        # Only records that they cannot decide any more: the others stay hidden.
        unread = frozenset(pilot.record_numbers(session, review)) - read
        if read and unread <= interests.withheld(session, review.id, viewer.user_id):
            return unread
        raise Forbidden("Decide all records of the pilot round to see how far you agreed.")
    raise Forbidden(
        "Agreement tells how others voted: while you screen blind, owners and adjudicators see "
        "it, and you that of a pilot round that has been ended."
    )


def _overall(found: Rated) -> tuple[Compared, Sequence[Month]]:
    all_kinds, kind = statistics.kinds_of_records(found.verdicts)
    unaware_kinds, unaware_kind = statistics.kinds_of_records(found.unaware())
    n_informed, n_maybe = _pairs_with(found, found.informed), _pairs_with(found, found.is_maybe)

    def compared(here: NDArray[np.bool_]) -> Compared:
        counts = np.bincount(kind[here], minlength=len(all_kinds.readers))
        unaware = np.bincount(unaware_kind[here], minlength=len(unaware_kinds.readers))
        return Compared(
            statistics.figures(all_kinds, counts),
            statistics.figures(unaware_kinds, unaware),
            int(n_informed[here].sum()),
            int(n_maybe[here].sum()),
        )

    is_compared = np.sum(found.verdicts != rated.NONE, axis=0) >= 2
    months = [
        Month((number - 1) // MONTHS, (number - 1) % MONTHS + 1, compared(found.months == number))
        for number in np.unique(found.months[is_compared]).tolist()
    ]
    return compared(np.ones(len(found.numbers), np.bool_)), months


def _pairs_with(found: Rated, marked: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return of each record how many pairs of its decisions hold a marked one."""
    is_there = found.verdicts != rated.NONE
    n = is_there.sum(axis=0)
    plain = (is_there & ~marked).sum(axis=0)
    pairs: NDArray[np.int64] = n * (n - 1) // 2 - plain * (plain - 1) // 2
    return pairs


def _pairs(found: Rated, readers: Sequence[Reader]) -> Sequence[Pair]:
    unaware, pairs = found.unaware(), []
    for i, j in combinations(range(len(readers)), 2):
        cells = statistics.cells_of_pair(found.verdicts[i], found.verdicts[j])
        both = cells >= 0
        if not np.any(both):
            continue
        compared = Compared(
            _figures(cells),
            _figures(statistics.cells_of_pair(unaware[i], unaware[j])),
            int(np.sum(both & (found.informed[i] | found.informed[j]))),
            int(np.sum(both & (found.is_maybe[i] | found.is_maybe[j]))),
        )
        pairs.append(Pair(readers[i], readers[j], compared))
    return pairs


def _figures(cells: NDArray[np.int8]) -> Figures:
    a, b, c, d = np.bincount(cells[cells >= 0], minlength=4).tolist()
    return statistics.figures_of_table(a, b, c, d)
