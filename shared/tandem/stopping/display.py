"""What a team may look at while it thinks about stopping. It promises nothing; see `heuristics`."""

import math
from collections import Counter
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, and_, bindparam, func, select
from sqlalchemy.orm import Session

from tandem.ids import ReviewId
from tandem.recent import Recent
from tandem.records.shown import n_shown
from tandem.reviews.models import Review
from tandem.reviews.policy import Stage
from tandem.screening.agreement.intervals import exact_share
from tandem.screening.full_text.population import ALL_REPORTS, Gate, is_there, population
from tandem.screening.hidden_records import no_longer_shown, statuses_of
from tandem.screening.models import Decision, ScreenedRecord
from tandem.screening.rules import Status, Verdict
from tandem.stopping.costs import cost
from tandem.stopping.heuristics import Reading
from tandem.stopping.settling import included_at
from tandem.stopping.two_reviewers import TeamSensitivity, sensitivity

ASSUMES = (
    "These assume that what is left is no harder to find than what was found. With one include in "
    "ten that is hard to find, stopping by the hypergeometric test missed a recall of .95 in 62 to "
    "95 % of trials. Only an audit gives a guarantee."
)
ALL_IS_READ = (
    "Every full text is read, so there are no audits at this stage, and none of these figures is a "
    "reason to stop. The order is that of title and abstract."
)
TEAM_NOTE = (
    "From how far the first decisions of two reviewers overlap, on records that are included in "
    "the end, where neither knew of the other's. Too high where errors go together."
)
FEWEST_IN_BOTH = 7
"""Includes of both reviewers from which on Chapman's estimate is shown."""

_RUN, _RUN_SHARE = 50, 20
_OFFERED = tuple((t, c) for t in ("0.8", "0.9", "0.95") for c in ("0.9", "0.95"))


@dataclass(frozen=True, slots=True)
class Projected:
    """Includes among the records left, if they are as frequent as in the last ones settled."""

    includes_left: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Offer:
    """What a certificate would cost from here on; see `costs.Cost`."""

    target_recall: float
    confidence: float
    draws_if_none_found: int
    draws_if_one_left: float
    share_of_pool: float


@dataclass(frozen=True, slots=True)
class Team:
    """Two reviewers' includes among the records that are included in the end.

    Only where neither knew what the other had decided: else their overlap says nothing.
    """

    both: int
    only_1: int
    only_2: int
    found: TeamSensitivity


@dataclass(frozen=True, slots=True)
class Display:
    """How far a stage is, and what the usual heuristics say.

    Attributes:
        stage: Which.
        n_records: Shown in the stage.
        n_settled: Included or excluded.
        n_pending: Begun and not settled.
        n_included: Of those settled.
        n_pool: Records that nobody has decided.
        reading: The settled records, in the order in which they came to be settled.
        projected: None before enough is settled.
        team: None where no record was decided by two.
    """

    stage: Stage
    n_records: int
    n_settled: int
    n_pending: int
    n_included: int
    n_pool: int
    reading: Reading
    projected: Projected | None
    team: Team | None

    @property
    def run_bars(self) -> tuple[int, int]:
        """Runs without an include that many teams stop at."""
        return _RUN, math.ceil(self.n_records / _RUN_SHARE)

    @property
    def assumption(self) -> str:
        return ALL_IS_READ if self.stage is Stage.FULL_TEXT else ASSUMES

    def offers(self) -> list[Offer]:
        """Return what certificates would cost, if an audit were opened now.

        None at full text, where all is read: a certificate is about what is left unread.
        """
        if not self.n_included or self.stage is Stage.FULL_TEXT:
            return []
        return [self.offer(Fraction(target), Fraction(sure)) for target, sure in _OFFERED]

    def offer(self, target: Fraction, confidence: Fraction) -> Offer:
        """Return what a certificate of this recall would cost."""
        made = cost(pool=self.n_pool, found=self.n_included, target=target, confidence=confidence)
        return Offer(
            float(target),
            float(confidence),
            made.if_none_found,
            round(made.if_one_left, 1),
            made.share_of_pool,
        )


_RECENT = Recent[Display](100)


def display(
    session: Session, review_id: ReviewId, stage: Stage, through: Gate = ALL_REPORTS
) -> Display:
    """Return what a stage shows now. `through`: what it takes to get to full text.

    Kept while the review's log ends where it did, as whatever changes a decision or a status
    appends to it; an import that is under way adds records before it does.
    """
    end = session.scalars(select(Review.last_hash).where(Review.id == review_id)).one()
    n_records = n_shown(session, review_id)
    key = review_id, stage, through, end, n_records
    found = _RECENT.get(key)
    if found is None:
        found = _display(session, review_id, stage, through, n_records)
        _RECENT.keep(key, found)
    return found


def _display(
    session: Session, review_id: ReviewId, stage: Stage, through: Gate, n_records: int
) -> Display:
    within = None
    if stage is Stage.FULL_TEXT:
        within = np.array(sorted(population(session, review_id, through)), dtype=np.int64)
        n_records = len(within)
    n_settled, n_included, begun = _counts(session, review_id, stage, within)
    reading = Reading(n_records, n_settled, included_at(session, review_id, stage, through))
    return Display(
        stage,
        n_records,
        n_settled=reading.n_read,
        n_pending=begun,
        n_included=n_included,
        n_pool=n_records - n_settled - begun,
        reading=reading,
        projected=_projected(reading),
        team=_team(session, review_id, stage, through),
    )


def n_included(session: Session, review_id: ReviewId, stage: Stage) -> int:
    """Return how many records of the stage are included, but for those that left it."""
    query = select(func.count()).where(*_is_included(stage, ALL_REPORTS))
    return session.scalar(query, {"review_id": review_id}) or 0


def _is_included(stage: Stage, through: Gate) -> tuple[ColumnElement[bool], ...]:
    """Whether a ScreenedRecord is included; the query has the parameter `review_id`."""
    return (
        ScreenedRecord.review_id == bindparam("review_id"),
        ScreenedRecord.stage == stage,
        ScreenedRecord.status == Status.INCLUDED,
        is_there(stage, through, ScreenedRecord.record_number),
    )


def _counts(
    session: Session, review_id: ReviewId, stage: Stage, within: NDArray[np.int64] | None
) -> tuple[int, int, int]:
    """Return how many records are settled, included, and begun but not settled.

    `within`: the records at full text; None in the first stage, where all records are.
    """
    if within is None:
        query = (
            select(ScreenedRecord.status, func.count())
            .where(ScreenedRecord.review_id == review_id, ScreenedRecord.stage == stage)
            .group_by(ScreenedRecord.status)
        )
        counts = Counter(dict(session.execute(query).all()))
        counts.subtract(no_longer_shown(session, review_id, stage).values())
    else:
        counts = Counter(statuses_of(session, review_id, stage, within).values())
    settled = sum(n for status, n in counts.items() if status.is_settled)
    return settled, counts[Status.INCLUDED], counts.total() - settled


def _projected(reading: Reading) -> Projected | None:
    """Project the rate of the last records: as many as the run that people look at."""
    window = max(_RUN, math.ceil(reading.n_records / _RUN_SHARE))
    if reading.n_read < window:
        return None
    hits = sum(place > reading.n_read - window for place in reading.found_at)
    left = reading.n_records - reading.n_read
    low, high = exact_share(hits, window)
    return Projected(hits / window * left, low * left, high * left)


def _team(session: Session, review_id: ReviewId, stage: Stage, through: Gate) -> Team | None:
    """Compare the first decisions of the two who decided an included record first.

    The first reviewer of a record is the one with the smaller id, so that it is the same person
    throughout where two people screen.
    """
    included = select(ScreenedRecord.record_number).where(*_is_included(stage, through))
    first = (
        select(
            Decision.record_number,
            Decision.reviewer_id,
            func.min(Decision.labels_seq).label("seq"),
        )
        .where(
            Decision.review_id == review_id,
            Decision.stage == stage,
            Decision.verdict.is_not(None),
            Decision.carried_from.is_(None),
            Decision.second_in.is_(None),
            Decision.record_number.in_(included),
        )
        .group_by(Decision.record_number, Decision.reviewer_id)
        .subquery()
    )
    query = (
        select(first.c.record_number, first.c.reviewer_id, Decision.verdict, Decision.informed)
        .join(Decision, and_(Decision.review_id == review_id, Decision.labels_seq == first.c.seq))
        .order_by(first.c.record_number, first.c.seq)
    )
    by_record: dict[int, list[tuple[str, bool]]] = {}
    for number, reviewer, verdict, informed in session.execute(query, {"review_id": review_id}):
        kept = by_record.setdefault(number, [])
        if len(kept) < 2 and not informed:
            kept.append((str(reviewer), verdict is not Verdict.EXCLUDE))
    pairs = Counter(
        tuple(kept_in for _, kept_in in sorted(votes))
        for votes in by_record.values()
        if len(votes) == 2
    )
    if not pairs:
        return None
    both, only_1, only_2 = pairs[True, True], pairs[True, False], pairs[False, True]
    found = sensitivity(first=both + only_1, second=both + only_2, both=both)
    return Team(both, only_1, only_2, found)
