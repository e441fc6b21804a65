"""How many records are full, how many half done, and how many of these each reviewer has decided.

Every decision answers how much is left: counted each time, that costs the more the more is done.
So the numbers of title and abstract are kept, and change with each entry. At full text there are
few records, and they are counted. `queue.counting.recount` puts right what is ever wrong.
"""

from collections import Counter
from collections.abc import Iterable

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from tandem.ids import UserId
from tandem.reviews.models import Review
from tandem.reviews.policy import Policy, Stage
from tandem.screening.ledger.state import RecordState
from tandem.screening.models import ReviewerCount
from tandem.screening.rules import lacks_decisions

STAGE = Stage.TITLE_ABSTRACT

_COUNTS: Table = ReviewerCount.__table__  # type: ignore[assignment]  # a class with a table of its own


class Tally:
    """Adds up what became of some records, and changes the numbers by that.

    `policy` is in force. `until_now` is the one by which the records were counted, where that was
    another: then every record of the stage is to be added.
    """

    def __init__(self, policy: Policy, until_now: Policy | None = None) -> None:
        self._policy, self._until_now = policy, until_now or policy
        self._n_full = self._n_half_done = 0
        self._decided, self._half_done = Counter[UserId](), Counter[UserId]()

    def add(self, before: RecordState | None, after: RecordState | None) -> None:
        """Count what a record was and what it is now; None where it had, or has, no status."""
        for state, policy, n in ((before, self._until_now, -1), (after, self._policy, +1)):
            if state is None or state.key.stage is not STAGE:
                continue
            self._decided.update(dict.fromkeys(state.votes, n))
            if not lacks_decisions(policy, state.status, len(state.votes)):
                self._n_full += n
            elif state.votes:
                self._n_half_done += n
                self._half_done.update(dict.fromkeys(state.votes, n))

    def store(self, session: Session, review: Review) -> None:
        """Change the numbers; the review is locked, and is written with what else changes in it."""
        review.n_full += self._n_full
        review.n_half_done += self._n_half_done
        rows = [
            {
                "review_id": review.id,
                "reviewer_id": by,
                "n_decided": self._decided[by],
                "n_half_done": self._half_done[by],
            }
            for by in self._decided
            if self._decided[by] or self._half_done[by]
        ]
        if rows:
            session.connection().execute(_add(session), rows)


def note(
    session: Session,
    review: Review,
    policy: Policy,
    changes: Iterable[tuple[RecordState, RecordState | None]],
) -> None:
    """Count what some records were and what they are now; see `Tally`."""
    tally = Tally(policy)
    for before, after in changes:
        tally.add(before, after)
    tally.store(session, review)


def _add(session: Session) -> sqlite.Insert | postgresql.Insert:
    return _ADD_ON[session.get_bind().dialect.name]


def _adding(made: sqlite.Insert | postgresql.Insert) -> sqlite.Insert | postgresql.Insert:
    return made.on_conflict_do_update(
        index_elements=[_COUNTS.c.review_id, _COUNTS.c.reviewer_id],
        set_={
            "n_decided": _COUNTS.c.n_decided + made.excluded.n_decided,
            "n_half_done": _COUNTS.c.n_half_done + made.excluded.n_half_done,
        },
    )


_ADD_ON = {
    "sqlite": _adding(sqlite.insert(_COUNTS)),
    "postgresql": _adding(postgresql.insert(_COUNTS)),
}
