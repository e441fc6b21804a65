"""What follows from a record's votes: its status, its conflict, and what is told of both.

Reads nothing from the database, so that one record and a whole stage are judged alike: the
caller brings what is stored, and appends to the log what comes back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from tandem.db.base import now
from tandem.events.types import (
    ConflictOpened,
    ConflictReopened,
    ConflictResolved,
    Fact,
    RecordExcluded,
    RecordIncluded,
    RecordReopened,
    ResolutionChanged,
)
from tandem.ids import ConflictId, new_id
from tandem.reviews.models import Review
from tandem.reviews.policy import Policy
from tandem.screening.models import (
    Conflict,
    ConflictState,
    Resolution,
    ResolvedBy,
    ScreenedRecord,
)
from tandem.screening.rules import Outcome, Status, Vote, outcome


@dataclass(frozen=True, slots=True)
class Case:
    """One record in a stage: the rows that are derived, and what they are derived from.

    `taken_back` is the resolution that stood until this change, where somebody took it back.
    """

    row: ScreenedRecord
    conflict: Conflict | None
    votes: Sequence[Vote]
    resolution: Resolution | None
    taken_back: Resolution | None = None

    def judged(self, policy: Policy) -> Outcome:
        return outcome(policy, self.votes, self.resolution.verdict if self.resolution else None)


def follow(
    session: Session, review: Review, policy: Policy, case: Case, *, because: ResolvedBy
) -> list[Fact]:
    """Bring a record's rows in line with its votes; return what is to be told, in order."""
    row, resolution, result = case.row, case.resolution, case.judged(policy)
    before, stood = row.status, row.resolution_id
    stands = resolution.id if resolution else None
    row.status, row.n_decisions, row.resolution_id = result.status, len(case.votes), stands
    told = _follow_conflict(session, review, case, result, because)
    facts: list[Fact] = []
    is_told = resolution is not None and any(isinstance(fact, ConflictResolved) for fact in told)
    if stood != stands and not is_told:
        facts.append(_resolution_changed(case))
    if _has_left(before, result.status):
        facts.append(_moved(RecordReopened, row, before))
    facts += told
    if _has_left(result.status, before):
        facts.append(_moved(_SETTLED[result.status], row, before))
    return facts


_SETTLED: dict[Status, type[RecordIncluded | RecordExcluded]] = {
    Status.INCLUDED: RecordIncluded,
    Status.EXCLUDED: RecordExcluded,
}


def _has_left(one: Status, other: Status) -> bool:
    """Whether a record that is settled in the one of two statuses is not so in the other."""
    return one.is_settled and one is not other


def _moved(
    fact: type[RecordIncluded | RecordExcluded | RecordReopened],
    row: ScreenedRecord,
    before: Status,
) -> Fact:
    return fact(
        record_id=str(row.record_number),
        stage=row.stage,
        detail={"from": before, "to": row.status},
    )


def _resolution_changed(case: Case) -> Fact:
    detail, taken_back = resolution_detail(case.resolution), case.taken_back
    if taken_back is not None:
        detail["taken_back"] = {
            "id": str(taken_back.id),
            "by": str(taken_back.taken_back_by),
            "note": taken_back.taken_back_note,
        }
    return ResolutionChanged(
        record_id=str(case.row.record_number), stage=case.row.stage, detail=detail
    )


def resolution_detail(resolution: Resolution | None) -> dict[str, Any]:
    """Return what the audit trail keeps of the resolution that stands at a record now."""
    if resolution is None:
        return {"resolution": None}
    return {
        "resolution": {
            "id": str(resolution.id),
            "resolver_id": str(resolution.resolver_id),
            "labels_seq": resolution.labels_seq,
            "verdict": resolution.verdict,
            "reasons": resolution.reasons,
            "note": resolution.note,
            "cause": resolution.cause,
            "criterion": resolution.criterion,
            "carried_from": resolution.carried_from,
        }
    }


def _follow_conflict(
    session: Session, review: Review, case: Case, result: Outcome, because: ResolvedBy
) -> list[Fact]:
    conflict = case.conflict
    is_open = conflict is not None and conflict.state is ConflictState.OPEN
    if result.conflict is None:
        if conflict is None or not is_open:
            return []
        conflict.state, conflict.resolved_at = ConflictState.RESOLVED, now()
        conflict.resolved_by = because
        resolved = ConflictResolved(
            conflict_id=str(conflict.id),
            record_id=str(conflict.record_number),
            stage=conflict.stage,
            by=because,
            detail=resolution_detail(case.resolution),
        )
        return [resolved]
    if conflict is not None and is_open:
        conflict.kind = result.conflict
        return []
    told = ConflictOpened if conflict is None else ConflictReopened
    if conflict is None:
        conflict = Conflict(
            id=ConflictId(new_id()),
            review_id=case.row.review_id,
            record_number=case.row.record_number,
            stage=case.row.stage,
        )
        session.add(conflict)
    conflict.state, conflict.kind = ConflictState.OPEN, result.conflict
    conflict.opened_at, conflict.opened_seq = now(), review.labels_seq
    conflict.resolved_at, conflict.resolved_by = None, None
    return [
        told(
            conflict_id=str(conflict.id),
            record_id=str(conflict.record_number),
            stage=conflict.stage,
            kind=result.conflict,
            detail={"opened_seq": conflict.opened_seq},
        )
    ]
