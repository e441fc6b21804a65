"""What follows from a record's votes: its status, its conflict, and what is published of both."""

from typing import Any

from sqlalchemy.orm import Session

from tandem.db.base import now
from tandem.events.fact import Fact
from tandem.events.screening_types import (
    ConflictOpened,
    ConflictReopened,
    ConflictResolved,
    RecordExcluded,
    RecordIncluded,
    RecordReopened,
    ResolutionChanged,
)
from tandem.ids import ConflictId, new_id
from tandem.reviews.models import Review
from tandem.reviews.policy import Policy, Stage
from tandem.screening.ledger.entries import (
    resolution_detail,
)
from tandem.screening.ledger.state import RecordKey, RecordState
from tandem.screening.models import (
    Conflict,
    ConflictState,
    Resolution,
    ResolvedBy,
    ScreenedRecord,
)
from tandem.screening.rules import Outcome, Status, advances


def apply_outcome(
    session: Session,
    review: Review,
    policy: Policy,
    state: RecordState,
    *,
    because: ResolvedBy,
    revoked: Resolution | None = None,
) -> tuple[RecordState, list[Fact]]:
    """Bring a record's rows in line with its votes.

    Reads nothing, so that one record and a whole stage are treated alike.

    Returns:
        The state that follows, and what is to be published of it, in order.
    """
    row, result = state.row or _screened(session, state.key), state.outcome(policy)
    before, resolved = row.status, row.resolution_id
    resolution = state.resolution
    row.status, row.n_decisions = result.status, len(state.votes)
    row.resolution_id = resolution.id if resolution else None
    row.classification = result.classification
    if state.key.stage is Stage.TITLE_ABSTRACT and advances(policy, row.status, row.n_decisions):
        row.has_advanced = True
    conflict, conflict_facts = _apply_to_conflict(session, review, state, result, because)
    facts: list[Fact] = []
    has_event = resolution is not None and any(
        isinstance(fact, ConflictResolved) for fact in conflict_facts
    )
    if resolved != row.resolution_id and not has_event:
        facts.append(_resolution_changed(state, revoked))
    if _has_left(before, result.status):
        facts.append(_moved(RecordReopened, row, before))
    facts += conflict_facts
    if _has_left(result.status, before):
        facts.append(_moved(_SETTLED[result.status], row, before))
    if revoked is not None and conflict is not None and conflict.state is ConflictState.RESOLVED:
        # What ended it is not the resolution any more.
        is_settled = result.status.is_settled
        conflict.resolved_by = ResolvedBy.AGREEMENT if is_settled else ResolvedBy.WITHDRAWAL
    return RecordState.of(state.key, state.votes, resolution, conflict, row), facts


def _screened(session: Session, key: RecordKey) -> ScreenedRecord:
    row = ScreenedRecord(
        review_id=key.review_id,
        stage=key.stage,
        record_number=key.record_number,
        status=Status.UNSCREENED,
        n_decisions=0,
        has_advanced=False,
    )
    session.add(row)
    return row


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
    detail = {"from": before, "to": row.status}
    return fact(record_id=str(row.record_number), stage=row.stage, detail=detail)


def _resolution_changed(state: RecordState, revoked: Resolution | None) -> Fact:
    detail = resolution_detail(state.resolution)
    if revoked is not None:
        detail["taken_back"] = {
            "id": str(revoked.id),
            "by": str(revoked.taken_back_by),
            "note": revoked.taken_back_note,
        }
    record_id = str(state.key.record_number)
    return ResolutionChanged(record_id=record_id, stage=state.key.stage, detail=detail)


def _apply_to_conflict(
    session: Session, review: Review, state: RecordState, result: Outcome, because: ResolvedBy
) -> tuple[Conflict | None, list[Fact]]:
    conflict = state.conflict
    is_open = conflict is not None and conflict.state is ConflictState.OPEN
    if conflict is not None and is_open:
        if result.conflict is None:
            detail = resolution_detail(state.resolution)
            return conflict, [close_conflict(conflict, because, detail)]
        conflict.kind = result.conflict
        return conflict, []
    if result.conflict is None:
        return conflict, []
    kind_of_event = ConflictOpened if conflict is None else ConflictReopened
    conflict = conflict or new_conflict(session, review, state.key)
    conflict.state, conflict.kind = ConflictState.OPEN, result.conflict
    conflict.opened_at, conflict.opened_seq = now(), review.labels_seq
    conflict.resolved_at, conflict.resolved_by = None, None
    fact = kind_of_event(
        conflict_id=str(conflict.id),
        record_id=str(conflict.record_number),
        stage=conflict.stage,
        kind=result.conflict,
        detail={"opened_seq": conflict.opened_seq},
    )
    return conflict, [fact]


def new_conflict(session: Session, review: Review, key: RecordKey) -> Conflict:
    conflict = Conflict(
        id=ConflictId(new_id()),
        review_id=key.review_id,
        record_number=key.record_number,
        stage=key.stage,
        opened_seq=review.labels_seq,
    )
    session.add(conflict)
    return conflict


def close_conflict(
    conflict: Conflict, because: ResolvedBy, detail: dict[str, Any] | None = None
) -> ConflictResolved:
    """End an open conflict; return what is to be published of it."""
    conflict.state, conflict.resolved_at = ConflictState.RESOLVED, now()
    conflict.resolved_by = because
    return ConflictResolved(
        conflict_id=str(conflict.id),
        record_id=str(conflict.record_number),
        stage=conflict.stage,
        by=because,
        detail=detail or {},
    )
