"""Which entry about a retrieval counts, where several records are one. Pure."""

from collections.abc import Iterable
from typing import Protocol, TypeVar

from tandem.screening.full_text.models import RetrievalState

_BEST_LAST = (
    RetrievalState.NOT_RETRIEVED,
    RetrievalState.SOUGHT,
    RetrievalState.REQUESTED,
    RetrievalState.AWAITING_TRANSLATION,
    RetrievalState.RETRIEVED,
)


class RetrievalEntry(Protocol):
    """An entry about a retrieval, under the number of its event."""

    @property
    def record_number(self) -> int: ...
    @property
    def seq(self) -> int: ...
    @property
    def state(self) -> RetrievalState: ...


Number = TypeVar("Number", bound=int)
Entry = TypeVar("Entry", bound=RetrievalEntry)


def best_of(newest: Iterable[tuple[Number, Entry]]) -> dict[Number, Entry]:
    """Return for each shown record the best of its own and its linked records' newest entries.

    Of those that got equally far the newest, of those of one event that of the first record.

    Args:
        newest: The newest entry of each record, with the record that it is shown as.
    """
    best: dict[Number, Entry] = {}
    for shown, entry in newest:
        known = best.get(shown)
        if known is None or _goodness(known) < _goodness(entry):
            best[shown] = entry
    return best


def _goodness(entry: RetrievalEntry) -> tuple[int, int, int]:
    return (_BEST_LAST.index(entry.state), entry.seq, -entry.record_number)
