"""The ledger as the log tells it: for agreement, and a digest of each record's. Pure."""

from collections import Counter, defaultdict
from datetime import datetime
from typing import NamedTuple

from tandem.audit import digests
from tandem.audit.differences import At
from tandem.audit.entries import Step
from tandem.screening.agreement import rated
from tandem.screening.rules import Verdict

_CODES = {
    Verdict.EXCLUDE: rated.EXCLUDE,
    Verdict.INCLUDE: rated.INCLUDE,
    Verdict.MAYBE: rated.MAYBE,
}


class Timed(NamedTuple):
    """When an entry of the ledger was made. `sealed` is the server's time and the client's.

    None where the log does not seal them; `told_at`, when the log told of it, is close to it.
    """

    labels_seq: int
    told_at: datetime
    sealed: tuple[str, str | None] | None


class ToldLedger:
    """Grows with each entry of the log that is about a decision."""

    def __init__(self) -> None:
        self.rated: dict[str, list[rated.Entry]] = defaultdict(list)
        """By stage, without those that are sealed."""
        self.digests: dict[At, bytes] = defaultdict(lambda: digests.NOTHING)
        """By record and stage; good for those of which nothing is sealed."""
        self.n_entries: Counter[At] = Counter()
        self.first_seq: dict[tuple[str, str], int] = {}
        """By stage and record, the `labels_seq` of the first of its entries."""
        self.times: dict[At, list[Timed]] = defaultdict(list)
        """By record and stage, when each of its entries was made."""

    def follow(self, step: Step) -> None:
        """Take in the next decision or withdrawal.

        Raises:
            KeyError, TypeError, ValueError: It is none.
        """
        data, detail = step.data, step.detail
        at = At(data["stage"], data["record_id"])
        self.n_entries[at] += 1
        self.first_seq.setdefault(at, data["labels_seq"])
        if detail is None:
            return
        sealed = (detail["decided_at"], detail["made_at"]) if "decided_at" in detail else None
        self.times[at].append(Timed(data["labels_seq"], step.time, sealed))
        self.digests[at] = digests.add(self.digests[at], digests.ledger_entry(data, detail))
        verdict = detail["verdict"]
        self.rated[at.stage].append(
            rated.Entry(
                number=int(at.record),
                reviewer=data["reviewer_id"],
                seq=data["labels_seq"],
                verdict=rated.NONE if verdict is None else _CODES[Verdict(verdict)],
                informed=bool(detail["informed"]),
                is_carried=data.get("carried_from") is not None,
                is_second=detail["second_in"] is not None,
                is_entered=detail["entered_by"] is not None,
                month=step.time.year * rated.MONTHS + step.time.month,
            )
        )
