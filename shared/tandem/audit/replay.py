"""Replay of a review's log: checks that the statuses of records follow from the decisions.

A log holds both what people did (votes, resolutions, policies, links) and the result (included,
excluded, in conflict). `State` keeps both, and `Replay` checks after every transaction that the
result follows by `screening.rules.outcome`.
"""

from tandem.audit.differences import At, Difference, Differs
from tandem.audit.entries import Step
from tandem.audit.state import ReplayedRecord, State
from tandem.screening.rules import Status

BEFORE = "before"
"""The transaction of all entries that were made before there was a trail."""


class Replay:
    """Reads a log and compares its statuses, after each transaction, with what follows."""

    def __init__(self) -> None:
        self.state = State()
        self._tx: str | None = None
        self._seq = 0

    def follow(self, step: Step) -> None:
        """Add the next entry; the first one of a transaction checks the transaction before.

        Raises:
            Differs: The transaction before ended with a status that does not follow.
        """
        tx = step.detail.get("tx") if step.detail is not None else None
        # A sealed entry names nobody, so nothing is derived where there is one.
        if tx is not None and tx != self._tx:
            self.end()
            self._tx = tx
        self._seq = step.seq
        self.state.apply(step)

    def end(self) -> None:
        """Check the records that the last transaction changed.

        Raises:
            Differs: It does not follow.
        """
        if self._tx == BEFORE:
            self.state.end_what_was_before()
            self.state.touched.update(self.state.places)
        for at in sorted(self.state.touched):
            self._compare(at, self.state.places[at])
        self.state.touched.clear()

    def _compare(self, at: At, place: ReplayedRecord) -> None:
        logged = place.settled or (Status.CONFLICT if place.is_open else None)
        if at.record in self.state.linked:
            if logged is not None:
                follows = f"it is linked to record {self.state.linked[at.record]}"
                raise Differs(Difference(f"that it is {_status(logged)}", follows, self._seq, at))
            return
        if place.has_seal:
            return
        if at.stage not in self.state.policies:
            raise Differs(Difference("how it was screened", "no policy holds", self._seq, at))
        made = place.outcome(self.state.policies[at.stage])
        due = made.status if made.status.is_settled or made.conflict else None
        if logged is not due or (place.settled is not None and place.is_open):
            follows = f"its votes make it {_status(due)}"
            raise Differs(Difference(f"that it is {_status(logged)}", follows, self._seq, at))


def _status(status: Status | None) -> str:
    if status is None:
        return "open"
    return "in conflict" if status is Status.CONFLICT else status.value
