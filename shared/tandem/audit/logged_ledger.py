"""The ledger, read from the log: for agreement, and as a digest for each record. Pure."""

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

    None where the log does not seal them; `logged_at`, the time of its event, is close to it.
    """

    labels_seq: int
    logged_at: datetime
    sealed: tuple[str, str | None] | None


class LoggedLedger:
    """Collects the entries of the log about decisions."""

    def __init__(self) -> None:
        self.rated: dict[str, list[rated.Entry]] = defaultdict(list)
        """By stage, without sealed entries."""
        self.digests: dict[At, bytes] = defaultdict(lambda: digests.NOTHING)
        """By record and stage; valid where no entry is sealed."""
        self.n_entries: Counter[At] = Counter()
        self.first_seq: dict[tuple[str, str], int] = {}
        """By stage and record, the `labels_seq` of the first of its entries."""
        self.times: dict[At, list[Timed]] = defaultdict(list)
        """By record and stage, when each of its entries was made."""

    def follow(self, step: Step) -> None:
        """Add the next decision or withdrawal.

        Raises:
            KeyError, TypeError, ValueError: The entry is about something else.
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
