"""The lines of audits of recall, compared with the log: the evidence is computed again. Pure."""

import math
from collections import Counter
from collections.abc import Container, Mapping
from collections.abc import Set as AbstractSet
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np

from tandem.audit.checked import Checked
from tandem.audit.differences import Difference, Differs
from tandem.audit.logged_audits import LoggedAudit, LoggedAudits
from tandem.audit.logged_ledger import LoggedLedger
from tandem.audit.state import ReplayedRecord, State
from tandem.audit.stopping_lines import evidence
from tandem.ids import RecordNumber
from tandem.reviews.policy import Stage
from tandem.screening.rules import Status
from tandem.stopping import counting, random_order
from tandem.stopping.counting import Ledger, Outside
from tandem.stopping.drawn import DrawnRecords, StoredDraws

SINCE = 3
"""The version of the trail that has the first lines of audits."""

_CORRECTED_SINCE = 7
"""From this version on evidence that was carried over follows later corrections."""

_FRAMES_SINCE = 9
"""From this version on nothing outside of an audit's frame is left unread in the flow."""

_LATER = frozenset({"withdrawn_at", "withdrawn_because"})
"""What becomes known of a certificate after it was given."""


class Audits:
    """Compares the line of each audit with the log, which registers every audit."""

    def __init__(
        self,
        made: Checked,
        state: State,
        logged: LoggedAudits,
        ledger: LoggedLedger,
        n_records: int,
        not_screened: AbstractSet[int] = frozenset(),
    ) -> None:
        self._made, self._state, self._logged, self._ledger = made, state, logged, ledger
        self._not_screened = not_screened
        self._last_record = n_records + len(state.taken_back)
        self._to_carry: dict[str, float] = {}
        self._missing = set(logged.by_id) if made.version >= SINCE else set[str]()

    def take(self, found: Mapping[str, Any]) -> None:
        """Compare an audit's line.

        Raises:
            Differs: The line contradicts the log.
            KeyError, TypeError, ValueError: It is not a line about an audit.
        """
        audit_id = found["audit"]
        if audit_id not in self._missing:
            raise Differs(Difference(f"an audit {audit_id}", "the log registers none such"))
        self._missing.remove(audit_id)
        self._made.n_audits += 1
        logged = self._logged.by_id[audit_id]
        _registered(found, logged)
        came_back = self._logged.n_came_back - logged.n_before
        _drawn_in_order(found, 0 if logged.is_fixed else came_back)
        if logged.is_fixed:
            self._require_that_they_came_back(found, came_back)
        if self._made.version >= _FRAMES_SINCE:
            logged.missed = frozenset(found["came_later"])
        ledger = self._ledger_of(found, is_fixed=logged.is_fixed)
        carried = self._carried(found, logged)
        self._to_carry[audit_id] = counting.to_carry(ledger, log_carried=carried)
        shown = counting.evaluate(
            ledger,
            target=Fraction(found["target_recall"]),
            confidence=Fraction(found["confidence"]),
            log_carried=carried,
        )
        _same_evidence(found["evidence"], evidence(shown))
        _certified(found, logged, ledger, carried)

    def _carried(self, found: Mapping[str, Any], logged: LoggedAudit) -> float:
        """Return what the audit before it leaves to it, by the labels in force at the end."""
        if logged.follows is None or self._made.version < _CORRECTED_SINCE:
            return float(found["carried"])
        if logged.follows not in self._to_carry:
            says = f"audit {found['audit']} before audit {logged.follows}"
            raise Differs(Difference(says, "it replaced that one"))
        return self._to_carry[logged.follows]

    def end(self) -> None:
        """Check that no audit is missing.

        Raises:
            Differs: One is missing.
        """
        if self._missing:
            raise Differs(Difference(f"nothing of audit {min(self._missing)}", "the log does"))

    def _require_that_they_came_back(self, found: Mapping[str, Any], n_came_back: int) -> None:
        """Check that no more is outside of the frame than has come into the screening again.

        What a linked record's resolution has settled never left it, and may be outside all the
        same. Where entries are sealed, they may tell of such a resolution.
        """
        stage, last, later = Stage(found["stage"]), found["frame"]["last"], {*found["came_later"]}
        places = [self._state.place(stage, str(number)) for number in later if 0 < number <= last]
        n_there = sum(place.was_settled_by_another or place.has_seal for place in places)
        if len(later) - n_there > n_came_back:
            says = f"{len(later)} records outside of the frame of audit {found['audit']}"
            raise Differs(Difference(says, f"{n_came_back + n_there} can be"))

    def _ledger_of(self, found: Mapping[str, Any], *, is_fixed: bool) -> Ledger:
        """Return the ledger from the log; `stopping.loading.load` reads it from tables.

        Raises:
            Differs: A draw's pool is smaller than what the log has of it.
        """
        stage, last = Stage(found["stage"]), found["frame"]["last"]
        gone = {int(number) for number in {*self._state.linked, *self._state.taken_back}}
        gone |= self._not_screened
        places = {
            RecordNumber(int(at.record)): place
            for at, place in self._state.shown_places()
            if at.stage == stage and _is_begun(place) and int(at.record) not in gone
        }
        draws = _draws(found, gone, {number: place.status for number, place in places.items()})
        later = _came_later(found, gone)
        inside = last - sum(number <= last for number in gone) - len(later)
        after = self._last_record - last - sum(number > last for number in gone) + len(later)
        is_inside = {number: number <= last and number not in later for number in places}
        within = Counter(place.status for number, place in places.items() if is_inside[number])
        beyond = Counter(place.status for number, place in places.items() if not is_inside[number])
        first = {
            number: self._ledger.first_seq.get((stage, str(number)), _settled_at(place))
            for number, place in places.items()
            if is_inside[number]
        }
        if is_fixed:
            _drawn_from_all(found, draws, first, inside)
        undecided = draws.n_undecided
        settled = sum(n for status, n in beyond.items() if status.is_settled)
        return Ledger(
            draws,
            {
                number: at
                for number, at in first.items()
                if places[number].status is Status.INCLUDED
            },
            pool=inside - within.total() - undecided,
            waiting={
                "conflict": within[Status.CONFLICT],
                "awaiting": within[Status.AWAITING] + within[Status.UNSCREENED],
                "drawn_undecided": undecided,
            },
            outside=Outside(settled, beyond[Status.INCLUDED], after - settled),
        )


def _is_begun(place: ReplayedRecord) -> bool:
    """Whether it was decided, or settled by a resolution that came with another record."""
    return bool(place.latest) or place.status is not Status.UNSCREENED


def _settled_at(place: ReplayedRecord) -> int:
    return int(place.resolution["labels_seq"]) if place.resolution else 0


def _draws(
    found: Mapping[str, Any], gone: Container[int], statuses: Mapping[RecordNumber, Status]
) -> DrawnRecords:
    rows = [
        (place, RecordNumber(number), pool, seq, target)
        for place, (number, pool, seq, target) in enumerate(found["draws"], start=1)
        if number not in gone
    ]
    now = {number: statuses.get(number) for _, number, *_ in rows}
    return DrawnRecords.of(StoredDraws.of(rows), now)


def _came_later(found: Mapping[str, Any], gone: Container[int]) -> set[int]:
    """Return what came into the screening behind a draw, and is outside of the frame."""
    later = {*found.get("came_later", ())}
    if later.intersection(number for number, *_ in found["draws"]):
        says = f"a draw of audit {found['audit']} of a record that came later"
        raise Differs(Difference(says, "it is outside of the frame"))
    return {number for number in later if number not in gone}


def _drawn_from_all(
    found: Mapping[str, Any], draws: DrawnRecords, first: Mapping[RecordNumber, int], inside: int
) -> None:
    """Check that no pool is smaller than it was: the smaller it is, the more a draw counts.

    It held what is in the frame and had not been decided or drawn before; what has left the
    screening since may be more.
    """
    stored = draws.stored
    drawn = {*stored.numbers.tolist()}
    decided = np.sort([at for number, at in first.items() if number not in drawn])
    left = np.searchsorted(decided, stored.seqs, side="right") + np.arange(len(stored))
    for number, pool, least in zip(stored.numbers, stored.pools, inside - left, strict=True):
        if pool < least:
            says = f"a pool of {pool} for the draw of record {number} in audit {found['audit']}"
            raise Differs(Difference(says, f"it held {least} or more"))


def _registered(found: Mapping[str, Any], logged: LoggedAudit) -> None:
    due = dict(logged.registered) | {"target_recall": logged.target}
    for name in ("stage", "target_recall", "confidence", "frame", "carried"):
        if found[name] != due[name]:
            says = f"that the {name} of audit {found['audit']} is {found[name]}"
            raise Differs(Difference(says, f"it is {due[name]}"))
    if (found["seed"] is not None) != logged.is_over:
        says = f"that audit {found['audit']} is {'over' if found['seed'] else 'not over'}"
        raise Differs(Difference(says, "the log tells otherwise"))


def _drawn_in_order(found: Mapping[str, Any], n_came_back: int) -> None:
    """Check that draws follow the order that was sealed when the audit was registered.

    A pool shrinks with each draw; records that are parted or restored in between come back into it.
    """
    name, last, draws = f"audit {found['audit']}", found["frame"]["last"], found["draws"]
    numbers = [number for number, *_ in draws]
    if len({*numbers}) < len(numbers) or not all(0 < number <= last for number in numbers):
        raise Differs(
            Difference(f"draws of {name} twice, or none of its frame", "each is drawn once")
        )
    grown = sum(max(0, later - pool + 1) for (_, pool, *_), (_, later, *_) in pairwise(draws))
    if grown > n_came_back:
        follows = f"it shrinks, and {n_came_back} records have come back"
        raise Differs(Difference(f"draws of {name} from a pool that grows", follows))
    if any(later < seq for (_, _, seq, _), (_, _, later, _) in pairwise(draws)):
        raise Differs(Difference(f"draws of {name} out of order", "each is later than the last"))
    if found["seed"] is None:
        return
    seed, stage = bytes.fromhex(found["seed"]), Stage(found["stage"])
    if random_order.seal(seed, stage, last) != found["frame"]["sha256"]:
        raise Differs(Difference(f"a seed of {name}", "another one was sealed"))
    place_of = np.argsort(random_order.order(seed, stage, last))
    places = [int(place_of[number - 1]) for number in numbers]
    if places != sorted(places):
        raise Differs(Difference(f"an order of draws of {name}", "its seed gives another one"))


def _same_evidence(says: Mapping[str, Any], follows: Mapping[str, Any]) -> None:
    for name, due in follows.items():
        given = says[name]
        is_same = given == due
        if name == "log_e" and None not in (given, due):
            is_same = math.isclose(given, due, rel_tol=1e-9, abs_tol=1e-9)
        if not is_same:
            raise Differs(Difference(f"that the evidence's {name} is {given}", f"it is {due}"))


def _certified(
    found: Mapping[str, Any], logged: LoggedAudit, ledger: Ledger, carried: float
) -> None:
    given, name = found["certificates"], f"audit {found['audit']}"
    withdrawn = [one for one in given if one["withdrawn_at"] is not None]
    if (len(given), len(withdrawn)) != (logged.n_certified, logged.n_withdrawn):
        says = f"{len(given)} certificates of {name}, {len(withdrawn)} withdrawn"
        raise Differs(
            Difference(says, f"{logged.n_certified} and {logged.n_withdrawn} are in the log")
        )
    for one, sealed in zip(given, logged.certificates, strict=True):
        for key, value in (sealed or {}).items():
            if key not in _LATER and one[key] != value:
                says = f"that the {key} of a certificate of {name} is {one[key]}"
                raise Differs(Difference(says, f"{value} is in the log"))
    for one in given:
        if one["withdrawn_at"] is None:
            then = counting.when_certified(ledger, one, log_carried=carried)
            if not then.is_enough:
                raise Differs(Difference(f"that {name} is certified", f"e is {then.e:.4g}"))
