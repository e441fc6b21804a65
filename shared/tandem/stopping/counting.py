"""What an audit has shown so far, with the labels in force now. Pure."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np

from tandem.ids import RecordNumber
from tandem.stopping.certificate import (
    Draw,
    Draws,
    Evidence,
    bad_total,
    exact_target,
    largest_total,
    log_factor,
    reaches,
)
from tandem.stopping.costs import draws_if_none_found
from tandem.stopping.drawn import Drawn, DrawnRecords
from tandem.stopping.models import Audit

_LARGEST_LOG = 700.0


@dataclass(frozen=True, slots=True)
class Outside:
    """Records that came after the frame: how many are settled, of these included, and are not."""

    settled: int = 0
    includes: int = 0
    unsettled: int = 0


@dataclass(frozen=True, slots=True)
class Ledger:
    """What an audit's evidence is made of.

    Attributes:
        draws: Those of records that are shown now, in the order of drawing.
        left_at: For each include of the team in the frame the `labels_seq` of its first decision,
            or of the resolution that settled it without one.
        pool: Records of the frame that nobody has decided and that were not drawn.
        waiting: Records that have left the pool and are not settled, by kind.
        outside: What came after the frame.
    """

    draws: DrawnRecords
    left_at: Mapping[RecordNumber, int]
    pool: int
    waiting: Mapping[str, int]
    outside: Outside

    def then(self, *, seq: int, last_place: int, pool: int, outside: Outside) -> "Ledger":
        """Return the ledger of an earlier moment, with the labels in force now.

        Args:
            seq: The review's `labels_seq` then.
            last_place: Of the draws by then.
            pool: As it was then.
            outside: As it was then: what came since is no matter of that moment.
        """
        draws = self.draws.until(last_place)
        drawn_then = set(draws.stored.numbers.tolist())
        left_at = {
            number: at for number, at in self.left_at.items() if at <= seq or number in drawn_then
        }
        return replace(self, draws=draws, left_at=left_at, pool=pool, outside=outside)


@dataclass(frozen=True, slots=True)
class Step:
    """A draw and the bet that it was.

    Attributes:
        drawn: The draw.
        bet: What e is made of.
        factor: What it multiplies e by, at the total that is looked at now.
        log_e: Natural logarithm of e after it.
    """

    drawn: Drawn
    bet: Draw
    factor: float
    log_e: float

    @property
    def e(self) -> float:
        return _exp(self.log_e)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What is shown now.

    Attributes:
        target: The recall aimed at.
        confidence: 1 − α.
        found: Includes of the team in the frame that are settled.
        n_draws: Draws that count.
        hits: Settled includes among them.
        pool: See `Ledger`.
        bad_total: The smallest total of includes in the frame that would make the recall too low.
        log_e: Natural logarithm of the evidence. While records wait it is the least that it can
            come to: a draw that waits counts as an include, any other record as an exclude.
        is_provisional: Whether records wait.
        can_certify: False where what came after the frame could hold too many includes.
        is_certain: Whether the pool is too small to hold what would make the recall too low.
        recall_low: The recall is at least that, with the same confidence.
        draws_to_go: If none of them is an include.
        log_carried: Natural logarithm of what an audit before this one had shown.
    """

    target: Fraction
    confidence: Fraction
    found: int
    n_draws: int
    hits: int
    pool: int
    bad_total: int
    log_e: float
    is_provisional: bool
    can_certify: bool
    is_certain: bool
    recall_low: float | None
    draws_to_go: int
    log_carried: float

    @property
    def carried(self) -> float | None:
        """The evidence that an audit before this one had; None where there was none."""
        return _exp(self.log_carried) if self.log_carried else None

    @property
    def e(self) -> float:
        return _exp(self.log_e)

    @property
    def needed(self) -> float:
        return float(1 / (1 - self.confidence))

    @property
    def is_enough(self) -> bool:
        """Whether the evidence suffices, also if what waits turns out badly."""
        return self.can_certify and (self.is_certain or reaches(self.log_e, self.confidence))

    @property
    def is_certified(self) -> bool:
        return self.is_enough and not self.is_provisional


def _exp(log: float) -> float:
    return math.exp(min(log, _LARGEST_LOG))


def evaluate(
    ledger: Ledger, *, target: Fraction, confidence: Fraction, log_carried: float
) -> Evaluation:
    """Return what a ledger shows of a target.

    Args:
        ledger: As it is now, or as it was at an earlier moment.
        target: The recall, in (0, 1).
        confidence: 1 − α, in (0, 1).
        log_carried: Natural logarithm of what an audit before had shown, ≤ 0.
    """
    bets, found = _bets(ledger), _found(ledger)
    total = _total(found, target, ledger.outside)
    log_e = log_carried + Evidence(bets).log_from(total, max(total, found + ledger.pool))
    low = None
    if found and not log_carried and ledger.outside == Outside():
        low = found / largest_total(
            bets, found=found, pool=ledger.pool, target=target, confidence=confidence
        )
    return Evaluation(
        target,
        confidence,
        found=len(ledger.left_at),
        n_draws=len(ledger.draws),
        hits=ledger.draws.n_included,
        pool=ledger.pool,
        bad_total=total,
        log_e=log_e,
        is_provisional=any(ledger.waiting.values()),
        can_certify=total >= bad_total(found, target),
        is_certain=ledger.pool < total - found,
        recall_low=low,
        draws_to_go=_draws_to_go(ledger.pool, total - found, -math.log(1 - confidence) - log_e),
        log_carried=log_carried,
    )


def when_certified(ledger: Ledger, given: Mapping[str, Any], *, log_carried: float) -> Evaluation:
    """Return what was shown when a certificate was given, with the labels in force now.

    Args:
        ledger: As it is now.
        given: The certificate; the evaluation is of the target and confidence that it is about.
        log_carried: Natural logarithm of what an audit before had shown, ≤ 0.
    """
    then = ledger.then(
        seq=given["seq"],
        last_place=given["last_place"],
        pool=given["pool"],
        outside=Outside(**given["outside_frame"]),
    )
    return evaluate(
        then,
        target=exact_target(given["target_recall"]),
        confidence=exact_target(given["confidence"]),
        log_carried=log_carried,
    )


def _draws_to_go(pool: int, k: int, bar: float) -> int:
    if pool < k or bar <= 0:
        return 0
    return min(pool, draws_if_none_found(pool=pool, k=max(k, 1), bar=bar))


def to_carry(ledger: Ledger, *, log_carried: float) -> float:
    """Return the natural logarithm of the evidence that goes on in another frame, ≤ 0.

    It is the least against any total that there may be. All that is included by now is at most
    the true total, so this is never more than the evidence against that.
    """
    found = _found(ledger)
    least = Evidence(_bets(ledger)).log_from(found, found + ledger.pool)
    return min(0.0, log_carried + least)


def steps(audit: Audit, ledger: Ledger, *, log_carried: float) -> list[Step]:
    """Return each draw with its bet, and e after it at the total that is looked at now."""
    bets, found = _bets(ledger), _found(ledger)
    total = _total(found, Fraction(audit.target), ledger.outside)
    log_e, made = log_carried, list[Step]()
    for drawn, found_before, hit in zip(
        ledger.draws, bets.found.tolist(), bets.hits.tolist(), strict=True
    ):
        bet = Draw(drawn.pool, found_before, hit, Fraction(drawn.target))
        log = log_factor(bet, total)
        log_e += log
        made.append(Step(drawn, bet, math.exp(log), log_e))
    return made


def _total(found: int, target: Fraction, outside: Outside) -> int:
    """Return the smallest total of includes in the frame that would make the recall too low.

    With c includes settled and u records unsettled outside of it, B(r + c) − c − u.
    """
    return bad_total(found + outside.includes, target) - outside.includes - outside.unsettled


def _found(ledger: Ledger) -> int:
    """Return the includes, a draw that waits among them."""
    return len(ledger.left_at) + ledger.draws.n_pending


def _bets(ledger: Ledger) -> Draws:
    """Return each draw with the includes that had left the pool before it.

    An include leaves it with its first decision, or when it is drawn, whichever is first.
    """
    draws, counts = ledger.draws.stored, ledger.draws.are_not_excluded
    left = np.array([*ledger.left_at.items()], dtype=np.int64).reshape(-1, 2)
    by_decision = np.sort(left[~np.isin(left[:, 0], draws.numbers), 1])
    found = np.searchsorted(by_decision, draws.seqs, side="right") + np.cumsum(counts) - counts
    bad = np.zeros_like(found)
    for target in np.unique(draws.targets).tolist():
        exact, at = Fraction(target), draws.targets == target
        bad[at] = found[at] * exact.denominator // exact.numerator + 1
    return Draws(draws.pools, found, counts, bad)
