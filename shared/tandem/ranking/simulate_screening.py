"""A review that is screened in memory: reviewers who err, the rules, and what each is served.

The queue goes by `tandem.screening.streams` and the ledger by `tandem.screening.rules`, as in
the service; only storage and leases are left out.
"""

from collections import deque
from dataclasses import dataclass
from itertools import product
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from tandem.ids import UserId
from tandem.ranking.learning import Labels, Rows
from tandem.reviews.policy import DEFAULT, Policy, Stage
from tandem.screening import streams
from tandem.screening.rules import Outcome, Status, Verdict, Vote, outcome, training_label
from tandem.screening.streams import Stream

REVIEWERS = (UserId(UUID(int=1)), UserId(UUID(int=2)))

_STAGE = Stage.TITLE_ABSTRACT

_OTHERWISE = (Stream.HALF_DONE, Stream.RANKING)
"""Where a pick is taken from when there is none left of its own kind; as in the real queue."""

_VERDICTS = 0x7E4D
"""Sets the draws of verdicts apart from all others that a seed drives."""

_VOTES = {True: Vote(Verdict.INCLUDE), False: Vote(Verdict.EXCLUDE)}

Mask = NDArray[np.bool_]
"""Something that each record is or is not, shape (n_records,)."""


@dataclass(frozen=True)
class Team:
    """Two reviewers who err alike but independently, and an adjudicator who knows the truth.

    Attributes:
        sensitivity: How probable it is that a reviewer includes a relevant record, in (0, 1].
        specificity: How probable it is that a reviewer excludes an irrelevant one, in (0, 1].
        adjudicated_after: Decisions that a conflict waits for the adjudicator, ≥ 0.
        policy: The rules they work by; two decide each record.
    """

    sensitivity: float = 1.0
    specificity: float = 1.0
    adjudicated_after: int = 0
    policy: Policy = DEFAULT[_STAGE]


@dataclass(frozen=True)
class Truth:
    """What the records are, and what the reviewers make of them whenever they read them.

    Attributes:
        relevant: Which records are.
        known: Which are settled, rightly, at the start.
        includes: Which records each reviewer includes, shape (2, n_records).
    """

    relevant: Mask
    known: Mask
    includes: Mask

    @property
    def to_find(self) -> Mask:
        """Return which relevant records were not known at the start."""
        return self.relevant & ~self.known


@dataclass(frozen=True)
class DoubleReading:
    """What comes of reading everything twice.

    Attributes:
        included: Which records the team includes, rightly or not.
        decisions: What it takes of both reviewers together.
        conflicts: How many there are.
    """

    included: Mask
    decisions: int
    conflicts: int


def truth_of(relevant: Mask, known: Rows, team: Team, seed: int) -> Truth:
    """Draw the reviewers' verdicts.

    They are fixed before anybody reads, by seed, reviewer and row alone. So it is defined what
    reading everything twice finds, and it is the same whatever is read first.
    """
    luck = np.stack(
        [
            np.random.RandomState([seed, _VERDICTS, reviewer]).random_sample(relevant.size)
            for reviewer in range(len(REVIEWERS))
        ]
    )
    includes = np.where(relevant, luck < team.sensitivity, luck >= team.specificity)
    return Truth(relevant, np.isin(np.arange(relevant.size), known), includes)


def read_everything_twice(truth: Truth, policy: Policy) -> DoubleReading:
    """Let both reviewers decide every record that is not known."""
    included = np.zeros_like(truth.relevant)
    conflicts = 0
    for *verdicts, relevant in product((True, False), repeat=len(REVIEWERS) + 1):
        alike = ~truth.known & (truth.relevant == relevant)
        for reviewer, verdict in enumerate(verdicts):
            alike &= truth.includes[reviewer] == verdict
        votes = [_VOTES[verdict] for verdict in verdicts]
        judged = outcome(policy, votes)
        if judged.status is Status.CONFLICT:
            conflicts += int(np.sum(alike))
            judged = outcome(policy, votes, _resolution(relevant))
        included |= alike & (judged.status is Status.INCLUDED)
    decisions = len(REVIEWERS) * int(np.sum(~truth.known))
    return DoubleReading(included, decisions, conflicts)


class Screening:
    """Who has decided what, and what the rules make of it.

    Attributes:
        decided: Which reviewer has decided which record, shape (2, n_records).
        included: What the team has included by now; priors are not in it.
        decisions: How many were made.
        conflicts: How many there were.
        last: The row that each reviewer has decided last.
    """

    def __init__(self, truth: Truth, team: Team) -> None:
        self._truth, self._team = truth, team
        self.decided = np.zeros_like(truth.includes)
        self.included = np.zeros_like(truth.relevant)
        self.decisions = self.conflicts = 0
        self.last: list[int | None] = [None] * len(REVIEWERS)
        self._in_conflict: deque[tuple[int, int]] = deque()
        self._labels = np.where(truth.known, truth.relevant.astype(np.float64), np.nan)

    def lacks_decisions(self) -> Mask:
        """Return which records somebody is still to decide: a blind queue counts, no more."""
        lacks: Mask = self._n_decisions() < self._team.policy.reviewers_per_record
        return lacks & ~self._truth.known

    def half_done(self) -> Mask:
        """Return which records have some of their decisions, but not all."""
        begun: Mask = self._n_decisions() > 0
        return begun & self.lacks_decisions()

    def labels(self) -> Labels:
        """Return what a ranking learns, in the order of rows as in the service."""
        rows = np.flatnonzero(~np.isnan(self._labels))
        return Labels(rows=rows, values=self._labels[rows])

    def decide(self, reviewer: int, row: int) -> None:
        self.decided[reviewer, row] = True
        self.last[reviewer] = row
        self.decisions += 1
        if self._judge(row).status is Status.CONFLICT:
            self.conflicts += 1
            self._in_conflict.append((self.decisions + self._team.adjudicated_after, row))
        self.adjudicate(until=self.decisions)

    def adjudicate(self, *, until: float) -> None:
        """Settle the conflicts that are due at this number of decisions."""
        while self._in_conflict and self._in_conflict[0][0] <= until:
            _, row = self._in_conflict.popleft()
            self._judge(row, _resolution(bool(self._truth.relevant[row])))

    def _n_decisions(self) -> NDArray[np.int64]:
        n: NDArray[np.int64] = np.sum(self.decided, axis=0)
        return n

    def _judge(self, row: int, resolution: Verdict | None = None) -> Outcome:
        cast = self._truth.includes[self.decided[:, row], row].tolist()
        votes = [_VOTES[include] for include in cast]
        label = training_label(self._team.policy, votes, resolution)
        self._labels[row] = np.nan if label is None else label
        judged = outcome(self._team.policy, votes, resolution)
        self.included[row] = judged.status is Status.INCLUDED
        return judged


class ReviewerQueue:
    """What each reviewer is served between one ranking and the next.

    Args:
        screening: What has been decided; asked again for every pick.
        order: The ranking: rows, the best first.
        seed: The review's.
    """

    def __init__(self, screening: Screening, order: Rows, seed: int) -> None:
        self._screening, self._order, self._seed = screening, order, seed

    def next_for(self, reviewer: int) -> int | None:
        """Return the row to read next; None where this reviewer has decided all there is."""
        pick = int(np.sum(self._screening.decided[reviewer])) + 1
        kind = streams.kind_of_pick(self._seed, _STAGE, REVIEWERS[reviewer], pick)
        if kind is Stream.RANKING and self._must_finish_first():
            kind = Stream.HALF_DONE
        candidates = (self._first_of(stream, reviewer) for stream in (kind, *_OTHERWISE))
        return next((row for row in candidates if row is not None), None)

    def _must_finish_first(self) -> bool:
        half_done = self._screening.half_done()
        return bool(np.sum(half_done) > streams.half_done_cap(half_done.size))

    def _first_of(self, stream: Stream, reviewer: int) -> int | None:
        free = self._screening.lacks_decisions() & ~self._screening.decided[reviewer]
        if stream is Stream.RANDOM:
            rows = streams.random_stream(self._seed, _STAGE, free.size) - 1
            return next(iter(rows[free[rows]].tolist()), None)
        half_done = self._screening.half_done()
        if stream is Stream.RANKING:
            return self._best(free & ~half_done, reviewer)
        just_finished = np.isin(np.arange(free.size), self._by_others_last(reviewer))
        best = self._best(free & half_done & ~just_finished, reviewer)
        return self._best(free & half_done, reviewer) if best is None else best

    def _by_others_last(self, reviewer: int) -> list[int]:
        last = [row for other, row in enumerate(self._screening.last) if other != reviewer]
        return [row for row in last if row is not None]

    def _best(self, which: Mask, reviewer: int) -> int | None:
        """Return the row that comes first in this reviewer's own order."""
        places = np.flatnonzero(which[self._order])
        if not places.size:
            return None
        near = places[places < places[0] + streams.SPREAD].tolist()
        return int(self._order[min(near, key=lambda place: self._own_place(place, reviewer))])

    def _own_place(self, place: int, reviewer: int) -> float:
        number = int(self._order[place]) + 1
        return streams.own_place(self._seed, _STAGE, REVIEWERS[reviewer], number, place)


def _resolution(relevant: bool) -> Verdict:
    return Verdict.INCLUDE if relevant else Verdict.EXCLUDE
