"""The times of decisions in the tables, compared with those that the log seals. Pure."""

import hashlib
from collections.abc import Sequence
from datetime import datetime

from tandem.audit.differences import At, Difference, Differs
from tandem.audit.logged_ledger import LoggedLedger, Timed
from tandem.audit.logged_texts import SealedTimes


class Times:
    """Compares the times of decisions, one record and stage after the other."""

    def __init__(self, ledger: LoggedLedger, sealed: SealedTimes | None) -> None:
        self._ledger, self._sealed = ledger, sealed
        self._found: dict[int, tuple[str, str | None]] = {}
        self._unsealed: dict[int, tuple[At, datetime]] = {}

    def take(self, at: At, found: Sequence[Sequence[object]] | None) -> None:
        """Compare the times of a record's entries; None where the file has no times.

        Raises:
            Differs: A time is missing, or is not the one that the log seals.
        """
        by_number = {line[0]: (line[1], line[2]) for line in found or ()}
        for logged in self._ledger.times[at]:
            says = by_number.get(logged.labels_seq)
            if logged.sealed is not None and says != logged.sealed:
                raise Differs(_difference(at, logged, says))
            if self._sealed is not None and says is not None:
                self._keep(at, logged, says)

    def _keep(self, at: At, logged: Timed, says: tuple[object, object]) -> None:
        made = None if says[1] is None else str(says[1])
        self._found[logged.labels_seq] = (str(says[0]), made)
        if logged.sealed is None:
            self._unsealed[logged.labels_seq] = (at, logged.logged_at)

    def end(self) -> None:
        """Check the times that were sealed together, if all of them are open.

        Raises:
            Differs: One of them is wrong. The error names the one that is farthest from the time of
            its entry.
        """
        if (sealed := self._sealed) is None:
            return
        found = [(n, *self._found[n]) for n in sorted(self._found) if n <= sealed.upto]
        if len(found) != sealed.n or digest(found) == sealed.digest:
            return
        if not self._unsealed:
            raise Differs(Difference("other times of decisions", "they were sealed"))
        number = max(self._unsealed, key=self._distance)
        at, logged_at = self._unsealed[number]
        says = f"that decision {number} was made at {self._found[number][0]}"
        follows = f"other times were sealed, and the log has this one at {logged_at.isoformat()}"
        raise Differs(Difference(says, follows, at=at))

    def _distance(self, number: int) -> float:
        decided_at = datetime.fromisoformat(self._found[number][0])
        return abs((decided_at - self._unsealed[number][1]).total_seconds())


def digest(entries: Sequence[tuple[int, str, str | None]]) -> str:
    """Return SHA-256 of a line for each entry, by number: `NUMBER DECIDED_AT MADE_AT`.

    Each line ends with a newline; where the client sent no time, the last word is `-`.
    """
    found = hashlib.sha256()
    for number, decided_at, made_at in entries:
        found.update(f"{number} {decided_at} {made_at or '-'}\n".encode())
    return found.hexdigest()


def _difference(at: At, logged: Timed, says: tuple[object, object] | None) -> Difference:
    if says is None:
        return Difference("nothing of when it was decided", "the log seals it", at=at)
    decided_at, made_at = logged.sealed or ("", None)
    client = "" if says[1] == made_at else f" (by the client's clock {says[1]})"
    due = "" if says[1] == made_at else f" (by the client's clock {made_at})"
    return Difference(
        f"that decision {logged.labels_seq} was made at {says[0]}{client}",
        f"the log seals {decided_at}{due}",
        at=at,
    )
