"""Where rules for stopping would have ended the replay of a labelled file."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from tandem.stopping.certificate import RunningEvidence
from tandem.stopping.heuristics import Reading
from tandem.stopping.rules import CERTIFICATE, rule

STREAM_EVERY = 20
"""While ranked reading goes on, one in so many records is a draw."""

_OPENS_AFTER, _OPENS_AFTER_SHARE = 50, 0.025
"""The audit opens after a run without an include of so many records, or of that share of all."""

_STREAM = 0x5EED
"""Sets the order of the draws apart from all else that a seed drives."""

Ranked = Callable[[NDArray[np.int64]], Iterable[int]]
"""Asked with the rows read by now, tells which to read next, the best first."""


@dataclass(frozen=True)
class Stops:
    """Which rules are followed, for which target recall and confidence, both in (0, 1)."""

    rules: tuple[str, ...]
    target: Fraction
    confidence: Fraction


@dataclass(frozen=True)
class Stop:
    """Where one rule stopped.

    Attributes:
        rule: Its name.
        target: The recall that it was asked for.
        confidence: And how sure.
        read: Records read by then, those known at the start among them; all, if it never stopped.
        found: Relevant ones among them.
        recall: Share of all relevant records.
    """

    rule: str
    target: float
    confidence: float
    read: int
    found: int
    recall: float


def stops(
    wanted: Stops,
    labels: NDArray[np.int8],
    known: NDArray[np.int64],
    seed: int,
    *,
    ranked: Ranked,
    ranked_for_certificate: Ranked,
) -> list[Stop]:
    """Read until each rule has stopped, and return where each did, in the order asked for.

    The heuristics follow one and the same ranked reading. The certificate has one of its own: one
    record in STREAM_EVERY is drawn at random, and all are once the audit is open.

    Args:
        wanted: What is followed.
        labels: Of all records, 1 and 0.
        known: Rows known at the start, which count as read.
        seed: Drives the order of the draws.
        ranked: The ranking that the heuristics follow.
        ranked_for_certificate: The one beside the draws.
    """
    heuristics = [name for name in dict.fromkeys(wanted.rules) if name != CERTIFICATE]
    read = dict(_follow(wanted, heuristics, labels, known, ranked))
    if CERTIFICATE in wanted.rules:
        read[CERTIFICATE] = _certificate(wanted, labels, known, ranked_for_certificate, seed)
    n_relevant = int(np.sum(labels == 1))
    return [
        Stop(
            name,
            float(wanted.target),
            float(wanted.confidence),
            read[name].n_read,
            read[name].n_found,
            read[name].n_found / n_relevant,
        )
        for name in wanted.rules
    ]


def _follow(
    wanted: Stops,
    names: Sequence[str],
    labels: NDArray[np.int8],
    known: NDArray[np.int64],
    ranked: Ranked,
) -> Iterator[tuple[str, Reading]]:
    n_records = labels.size
    going = {
        name: rule(name, n_records=n_records, target=wanted.target, confidence=wanted.confidence)
        for name in names
    }
    reading = Reading.of(labels[known] == 1, n_records=n_records)
    rows = known.tolist()
    while going and len(rows) < n_records:
        for row in ranked(np.array(rows)):
            rows.append(row)
            reading = reading.and_then(bool(labels[row]))
            for name in [name for name, is_met in going.items() if is_met(reading)]:
                del going[name]
                yield name, reading
            if not going:
                return
    yield from ((name, reading) for name in going)


def _certificate(
    wanted: Stops,
    labels: NDArray[np.int8],
    known: NDArray[np.int64],
    ranked: Ranked,
    seed: int,
) -> Reading:
    n_records = labels.size
    evidence = RunningEvidence(wanted.target, wanted.confidence)
    reading = Reading.of(labels[known] == 1, n_records=n_records)
    unread = np.ones(n_records, dtype=np.bool_)
    unread[known] = False
    rows = known.tolist()
    stream = iter(np.random.default_rng((_STREAM, seed)).permutation(n_records).tolist())
    opens_after = max(_OPENS_AFTER, _OPENS_AFTER_SHARE * n_records)
    is_open = False
    best: Iterator[int] = iter(())
    while len(rows) < n_records:
        is_open = is_open or reading.run_since_include >= opens_after
        is_draw = is_open or (reading.n_read + 1) % STREAM_EVERY == 0
        if is_draw:
            row = next(row for row in stream if unread[row])
        else:
            row = next((row for row in best if unread[row]), -1)
            if row < 0:
                best = iter(ranked(np.array(rows)))
                continue
        is_include = bool(labels[row])
        if is_draw:
            evidence.draw(pool=n_records - len(rows), found=reading.n_found, is_include=is_include)
        unread[row] = False
        rows.append(row)
        reading = reading.and_then(is_include)
        if evidence.is_certified(found=reading.n_found, pool=n_records - len(rows)):
            break
    return reading
