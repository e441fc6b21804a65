"""Where rules for stopping would have ended the replay of a labelled file."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tandem.ranking.learning import Rows
from tandem.stopping.certificate import RunningEvidence
from tandem.stopping.heuristics import Reading
from tandem.stopping.rules import CERTIFICATE, rule

STREAM_EVERY = 20
"""While ranked reading goes on, one in so many records is a draw."""

_OPENS_AFTER, _OPENS_AFTER_SHARE = 50, 0.025
"""The audit opens after a run without an include of so many records, or of that share of all."""

_STREAM = 0x5EED
"""Sets the order of the draws apart from all else that a seed drives."""

Ranked = Callable[[Rows], Iterable[int]]
"""Asked with the rows read by now, tells which to read next, the best first."""

_Asked = tuple[str, Fraction]
"""A rule's name and the recall that it aims at."""


@dataclass(frozen=True)
class Stops:
    """Which rules are followed, for which target recalls and confidence, all in (0, 1)."""

    rules: tuple[str, ...]
    targets: tuple[Fraction, ...]
    confidence: Fraction

    def each(self) -> list[_Asked]:
        """Return each rule with each target, rule by rule."""
        return [(name, target) for name in self.rules for target in self.targets]


@dataclass(frozen=True)
class Stop:
    """Where one rule stopped.

    Attributes:
        rule: Its name.
        target: The recall that it was asked for.
        confidence: And how sure.
        read: Records read by then, those known at the start among them; all, if it never stopped.
        found: Includes among them: the relevant records, or what two reviewers include.
        recall: Share of all includes.
        recall_truth: With two reviewers: the share of the relevant records that they had included.
    """

    rule: str
    target: float
    confidence: float
    read: int
    found: int
    recall: float
    recall_truth: float | None = None

    def to_json(self) -> dict[str, Any]:
        """Return what `tandem simulate --json` prints; None is left out."""
        return {name: value for name, value in asdict(self).items() if value is not None}


@dataclass(frozen=True, eq=False)
class Screened:
    """What there is to read.

    Attributes:
        labels: Of all records, 1 where the review includes it and 0 elsewhere.
        known: Rows known at the start, which count as read.
        relevant: With reviewers who err: which records are relevant in truth.
    """

    labels: NDArray[np.int8]
    known: Rows
    relevant: NDArray[np.bool_] | None = None

    def stop(self, asked: _Asked, confidence: Fraction, read: Rows) -> Stop:
        """Return what was found where a rule stopped, having read these rows."""
        name, target = asked
        is_include = self.labels == 1
        found = int(np.sum(is_include[read]))
        truth = None
        if self.relevant is not None:
            truth = float(np.sum((is_include & self.relevant)[read]) / np.sum(self.relevant))
        recall = found / int(np.sum(is_include))
        return Stop(name, float(target), float(confidence), read.size, found, recall, truth)


def stops(
    wanted: Stops,
    screened: Screened,
    seed: int,
    *,
    ranked: Ranked,
    ranked_for_certificate: Ranked,
) -> list[Stop]:
    """Read until each rule has stopped, and return where each did, in the order of `Stops.each`.

    The heuristics follow one and the same ranked reading. The certificate has one of its own: one
    record in STREAM_EVERY is drawn at random, and all are once the audit is open. What is read
    depends on no target, so all targets are followed at once.

    Args:
        wanted: What is followed.
        screened: What is read.
        seed: Drives the order of the draws.
        ranked: The ranking that the heuristics follow.
        ranked_for_certificate: The one beside the draws.
    """
    heuristics = [asked for asked in dict.fromkeys(wanted.each()) if asked[0] != CERTIFICATE]
    read = dict(_follow(wanted.confidence, heuristics, screened, ranked))
    if CERTIFICATE in wanted.rules:
        read |= _certificates(wanted, screened, ranked_for_certificate, seed)
    return [screened.stop(asked, wanted.confidence, read[asked]) for asked in wanted.each()]


def _follow(
    confidence: Fraction, asked: list[_Asked], screened: Screened, ranked: Ranked
) -> Iterator[tuple[_Asked, Rows]]:
    labels = screened.labels
    going = {
        one: rule(one[0], n_records=labels.size, target=one[1], confidence=confidence)
        for one in asked
    }
    reading = Reading.of(labels[screened.known] == 1, n_records=labels.size)
    rows = screened.known.tolist()
    while going and len(rows) < labels.size:
        for row in ranked(np.array(rows)):
            rows.append(row)
            reading = reading.and_then(bool(labels[row]))
            for one in [one for one, is_met in going.items() if is_met(reading)]:
                del going[one]
                yield one, np.array(rows)
            if not going:
                return
    yield from ((one, np.array(rows)) for one in going)


def _certificates(
    wanted: Stops, screened: Screened, ranked: Ranked, seed: int
) -> dict[_Asked, Rows]:
    """Return what was read when each target was certified."""
    going = {target: RunningEvidence(target, wanted.confidence) for target in wanted.targets}
    certified = dict[_Asked, Rows]()
    n_records, rows = screened.labels.size, screened.known.tolist()
    reading = Reading.of(screened.labels[screened.known] == 1, n_records=n_records)
    for row, is_draw in _with_draws(screened, rows, ranked, seed):
        pool, is_include = n_records - len(rows), bool(screened.labels[row])
        rows.append(row)
        for target, evidence in list(going.items()):
            if is_draw:
                evidence.draw(pool=pool, found=reading.n_found, is_include=is_include)
            found = reading.n_found + is_include
            if evidence.is_certified(found=found, pool=pool - 1):
                certified[CERTIFICATE, target] = np.array(rows)
                del going[target]
        if not going:
            break
        reading = reading.and_then(is_include)
    return certified | {(CERTIFICATE, target): np.array(rows) for target in going}


def _with_draws(
    screened: Screened, rows: list[int], ranked: Ranked, seed: int
) -> Iterator[tuple[int, bool]]:
    """Yield what is read next, and whether it is a draw. Who asks adds each row to `rows`."""
    labels = screened.labels
    unread = np.ones(labels.size, dtype=np.bool_)
    unread[screened.known] = False
    stream = iter(np.random.default_rng((_STREAM, seed)).permutation(labels.size).tolist())
    opens_after = max(_OPENS_AFTER, _OPENS_AFTER_SHARE * labels.size)
    run = Reading.of(labels[screened.known] == 1, n_records=labels.size).run_since_include
    best: Iterator[int] = iter(())
    is_open = False
    while len(rows) < labels.size:
        is_open = is_open or run >= opens_after
        is_draw = is_open or (len(rows) + 1) % STREAM_EVERY == 0
        row = next((row for row in (stream if is_draw else best) if unread[row]), -1)
        if row < 0:
            best = iter(ranked(np.array(rows)))
            continue
        unread[row] = False
        run = 0 if labels[row] else run + 1
        yield row, is_draw
