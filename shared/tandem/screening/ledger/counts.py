"""How many records are full, how many half done, and how many of these each reviewer has decided.

Every decision answers how much is left: counted each time, that costs the more the more is done.
So the numbers of title and abstract are kept, and change with each entry. At full text there are
few records, and they are counted.
"""

from collections import Counter
from collections.abc import Iterable

from sqlalchemy import Table, and_, delete, func, insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from tandem.ids import UserId
from tandem.reviews.models import Review
from tandem.reviews.policy import Policy, Stage
from tandem.screening.ledger.state import RecordState
from tandem.screening.models import PresentDecision, ReviewerCount, ScreenedRecord
from tandem.screening.rules import lacks_decisions

STAGE = Stage.TITLE_ABSTRACT

_COUNTS: Table = ReviewerCount.__table__  # type: ignore[assignment]  # a class with a table of its own


def note(
    session: Session,
    review: Review,
    policy: Policy,
    changes: Iterable[tuple[RecordState, RecordState | None]],
) -> None:
    """Count what became of some records under the policy that is in force.

    The review is locked, and is written with what else changes in it.

    Args:
        session: Of the change.
        review: The review.
        policy: Of the records' stage.
        changes: What each record was, and what it is now; None where it has no status any more.
    """
    decided, half_done = Counter[UserId](), Counter[UserId]()
    for before, after in changes:
        for state, n in ((before, -1), (after, +1)):
            if state is None or state.key.stage is not STAGE:
                continue
            decided.update(dict.fromkeys(state.votes, n))
            if not lacks_decisions(policy, state.status, len(state.votes)):
                review.n_full += n
            elif state.votes:
                review.n_half_done += n
                half_done.update(dict.fromkeys(state.votes, n))
    rows = [
        {
            "review_id": review.id,
            "reviewer_id": by,
            "n_decided": decided[by],
            "n_half_done": half_done[by],
        }
        for by in decided
        if decided[by] or half_done[by]
    ]
    if rows:
        session.connection().execute(_add(session), rows)


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


def recount(session: Session, review: Review, policy: Policy) -> None:
    """Count everything: what a record lacks goes by another policy now."""
    session.flush()
    lacks = ScreenedRecord.lacks_decisions(policy.reviewers_per_record, is_blind=policy.blind)
    n, n_half_done = func.count(), func.count().filter(lacks, ScreenedRecord.n_decisions > 0)
    of_records = select(func.count().filter(~lacks), n_half_done).where(
        ScreenedRecord.review_id == review.id, ScreenedRecord.stage == STAGE
    )
    review.n_full, review.n_half_done = session.execute(of_records).one()
    session.execute(delete(ReviewerCount).where(ReviewerCount.review_id == review.id))
    of_reviewers = (
        select(PresentDecision.review_id, PresentDecision.reviewer_id, n, n_half_done)
        .join(
            ScreenedRecord,
            and_(
                ScreenedRecord.review_id == PresentDecision.review_id,
                ScreenedRecord.stage == PresentDecision.stage,
                ScreenedRecord.record_number == PresentDecision.record_number,
            ),
        )
        .where(PresentDecision.review_id == review.id, PresentDecision.stage == STAGE)
        .group_by(PresentDecision.review_id, PresentDecision.reviewer_id)
    )
    columns = ["review_id", "reviewer_id", "n_decided", "n_half_done"]
    session.execute(insert(_COUNTS).from_select(columns, of_reviewers))
