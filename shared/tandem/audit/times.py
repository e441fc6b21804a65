"""When the tables say that decisions were made, compared with what the log seals. Pure."""

import hashlib
from collections.abc import Sequence
from datetime import datetime

from tandem.audit.differences import At, Difference, Differs
from tandem.audit.told_ledger import Timed, ToldLedger
from tandem.audit.told_texts import SealedTimes


class Times:
    """Takes the times of one record in a stage after the other."""

    def __init__(self, ledger: ToldLedger, sealed: SealedTimes | None) -> None:
        self._ledger, self._sealed = ledger, sealed
        self._found: dict[int, tuple[str, str | None]] = {}
        self._unsealed: dict[int, tuple[At, datetime]] = {}

    def take(self, at: At, found: Sequence[Sequence[object]] | None) -> None:
        """Compare the times of a record's entries; None where the file gives none.

        Raises:
            Differs: One is another than the log seals, or is not there.
        """
        by_number = {line[0]: (line[1], line[2]) for line in found or ()}
        for told in self._ledger.times[at]:
            says = by_number.get(told.labels_seq)
            if told.sealed is not None and says != told.sealed:
                raise Differs(_difference(at, told, says))
            if self._sealed is not None and says is not None:
                self._keep(at, told, says)

    def _keep(self, at: At, told: Timed, says: tuple[object, object]) -> None:
        made = None if says[1] is None else str(says[1])
        self._found[told.labels_seq] = (str(says[0]), made)
        if told.sealed is None:
            self._unsealed[told.labels_seq] = (at, told.told_at)

    def end(self) -> None:
        """Check the times of before they were sealed one by one, if all of them are open.

        Raises:
            Differs: One of them is another. Named is that which is farthest from when the log
                told of it.
        """
        if (sealed := self._sealed) is None:
            return
        found = [(n, *self._found[n]) for n in sorted(self._found) if n <= sealed.upto]
        if len(found) != sealed.n or digest(found) == sealed.digest:
            return
        if not self._unsealed:
            raise Differs(Difference("other times of decisions", "they were sealed"))
        number = max(self._unsealed, key=self._distance)
        at, told_at = self._unsealed[number]
        says = f"that decision {number} was made at {self._found[number][0]}"
        follows = f"other times were sealed, and the log told of this one at {told_at.isoformat()}"
        raise Differs(Difference(says, follows, at=at))

    def _distance(self, number: int) -> float:
        said = datetime.fromisoformat(self._found[number][0])
        return abs((said - self._unsealed[number][1]).total_seconds())


def digest(entries: Sequence[tuple[int, str, str | None]]) -> str:
    """Return SHA-256 of a line for each entry, by number: `NUMBER DECIDED_AT MADE_AT`.

    Each line ends with a newline; where the client said no time, its last word is `-`.
    """
    found = hashlib.sha256()
    for number, decided_at, made_at in entries:
        found.update(f"{number} {decided_at} {made_at or '-'}\n".encode())
    return found.hexdigest()


def _difference(at: At, told: Timed, says: tuple[object, object] | None) -> Difference:
    if says is None:
        return Difference("nothing of when it was decided", "the log seals it", at=at)
    decided_at, made_at = told.sealed or ("", None)
    client = "" if says[1] == made_at else f" (by the client's clock {says[1]})"
    due = "" if says[1] == made_at else f" (by the client's clock {made_at})"
    return Difference(
        f"that decision {told.labels_seq} was made at {says[0]}{client}",
        f"the log seals {decided_at}{due}",
        at=at,
    )
