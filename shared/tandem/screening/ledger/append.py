"""The one way into the ledger: an entry is stored, what follows is derived, both are published.

The caller has locked the review.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from sqlalchemy import Table, bindparam, delete, insert, update
from sqlalchemy.orm import Session

from tandem.db.base import now
from tandem.events import log
from tandem.events.types import (
    ConflictOpened,
    ConflictReopened,
    ConflictResolved,
    DecisionRecorded,
    DecisionWithdrawn,
    Fact,
    RecordExcluded,
    RecordIncluded,
    RecordReopened,
    ResolutionChanged,
)
from tandem.ids import ConflictId, UserId, new_id
from tandem.reviews.models import Review
from tandem.reviews.policy import Policy
from tandem.screening.blinding import exposure
from tandem.screening.blinding.numbers import note_closed
from tandem.screening.ledger.entries import (
    Entry,
    NewDecision,
    NewResolution,
    Revocation,
    decision_detail,
    resolution_detail,
)
from tandem.screening.ledger.state import RecordKey, RecordState
from tandem.screening.models import (
    Conflict,
    ConflictState,
    Decision,
    PresentDecision,
    Resolution,
    ResolvedBy,
    ScreenedRecord,
)
from tandem.screening.rules import ConflictKind, Outcome, Status


class SecondVote(DecisionRecorded):
    """A vote in a conflict, or what takes its place: the blinded get no event of it."""

    open_to_blinded = False


class SecondVoteWithdrawn(DecisionWithdrawn):
    """The withdrawal of a vote of which the blinded got no event."""

    open_to_blinded = False


class Change(NamedTuple):
    """Entries to be made for one record, whose state is the one before."""

    state: RecordState
    entries: Sequence[Entry]


def append(
    session: Session,
    review: Review,
    policy: Policy,
    state: RecordState,
    *entries: Entry,
    because: ResolvedBy,
) -> RecordState:
    """Enter something in a record's ledger; return the state that follows.

    Args:
        session: Of the transaction that has locked the review.
        review: The review.
        policy: Of the record's stage, in force.
        state: The record's, as it is stored.
        entries: In their order. None: only the state is brought in line with the votes.
        because: What has ended the record's conflict, if this ends it.
    """
    return append_all(session, review, policy, [Change(state, entries)], because=because)[0]


def append_all(
    session: Session,
    review: Review,
    policy: Policy,
    changes: Sequence[Change],
    *,
    because: ResolvedBy,
) -> list[RecordState]:
    """Do what `append` does for many records of one stage."""
    for state, _ in changes:
        exposure.remember(session, policy, state)
    entered = [enter(session, review, state, *entries) for state, entries in changes]
    facts, after = list[Fact](), list[RecordState]()
    for state, change in zip(entered, changes, strict=True):
        revoked = change.state.resolution if _revokes(change.entries) else None
        derived, told = apply_outcome(
            session, review, policy, state, because=because, revoked=revoked
        )
        after.append(derived)
        facts += told
    log.append(session, review, *facts)
    session.flush()
    for change, derived in zip(changes, after, strict=True):
        _activate(session, derived.key, change.state.votes, derived.votes)
    return after


def _revokes(entries: Sequence[Entry]) -> bool:
    return any(isinstance(entry, Revocation) for entry in entries)


def enter(session: Session, review: Review, state: RecordState, *entries: Entry) -> RecordState:
    """Store entries and publish them; return the state with them, its status as it was.

    Alone, without `append`, for records that have no status: they are linked to another one.
    """
    for entry in entries:
        review.labels_seq += 1
        match entry:
            case NewDecision():
                state = state.with_entry(_decide(session, review, state.key, entry))
            case NewResolution():
                state = _resolve(session, review, state, entry)
            case Revocation():
                state = _revoke(session, review, state, entry)
    return state


def _decide(session: Session, review: Review, key: RecordKey, new: NewDecision) -> Decision:
    row = new.row(review, key)
    session.add(row)
    is_closed = new.is_closed or new.second_in is not None
    if is_closed:
        note_closed(session, review)
    by = {} if new.entered_by is None else {"by": str(new.entered_by)}
    transferred_from = new.transferred_from
    fact = _DECIDED[row.verdict is not None, is_closed](
        record_id=str(key.record_number),
        stage=key.stage,
        reviewer_id=str(row.reviewer_id),
        labels_seq=row.labels_seq,
        carried_from=None if transferred_from is None else str(transferred_from),
        detail=decision_detail(row) | by,
    )
    log.append(session, review, fact)
    return row


_DECIDED: Mapping[tuple[bool, bool], type[DecisionRecorded | DecisionWithdrawn]] = {
    (True, False): DecisionRecorded,
    (True, True): SecondVote,
    (False, False): DecisionWithdrawn,
    (False, True): SecondVoteWithdrawn,
}
"""By whether there is a verdict, and whether the blinded get no event."""


def _resolve(
    session: Session, review: Review, state: RecordState, new: NewResolution
) -> RecordState:
    conflict = state.conflict
    if new.transferred_from is None:
        note_closed(session, review)
    if conflict is None:  # it comes from another record, and here there was no difference
        conflict = _conflict(session, review, state.key)
        conflict.state, conflict.kind = ConflictState.RESOLVED, ConflictKind.VERDICT
        conflict.opened_at = conflict.resolved_at = now()
        conflict.resolved_by = ResolvedBy.RESOLUTION
        session.flush()
    row = new.row(review, state.key, conflict.id)
    session.add(row)
    return replace(state, resolution=row, conflict=conflict)


def _revoke(session: Session, review: Review, state: RecordState, new: Revocation) -> RecordState:
    if state.resolution is None:
        raise AssertionError("only an active resolution is revoked")
    note_closed(session, review)
    row = state.resolution
    row.taken_back_at, row.taken_back_by, row.taken_back_note = now(), new.revoked_by, new.note
    return replace(state, resolution=None)


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
    conflict, told = _apply_to_conflict(session, review, state, result, because)
    facts: list[Fact] = []
    is_told = resolution is not None and any(isinstance(fact, ConflictResolved) for fact in told)
    if resolved != row.resolution_id and not is_told:
        facts.append(_resolution_changed(state, revoked))
    if _has_left(before, result.status):
        facts.append(_moved(RecordReopened, row, before))
    facts += told
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
    told = ConflictOpened if conflict is None else ConflictReopened
    conflict = conflict or _conflict(session, review, state.key)
    conflict.state, conflict.kind = ConflictState.OPEN, result.conflict
    conflict.opened_at, conflict.opened_seq = now(), review.labels_seq
    conflict.resolved_at, conflict.resolved_by = None, None
    fact = told(
        conflict_id=str(conflict.id),
        record_id=str(conflict.record_number),
        stage=conflict.stage,
        kind=result.conflict,
        detail={"opened_seq": conflict.opened_seq},
    )
    return conflict, [fact]


def _conflict(session: Session, review: Review, key: RecordKey) -> Conflict:
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


_ACTIVE: Table = PresentDecision.__table__  # type: ignore[assignment]  # a class with a table of its own
_THEIRS = (
    (_ACTIVE.c.review_id == bindparam("of_review"))
    & (_ACTIVE.c.stage == bindparam("of_stage"))
    & (_ACTIVE.c.record_number == bindparam("of_record"))
    & (_ACTIVE.c.reviewer_id == bindparam("of_reviewer"))
)
_ADD, _DROP = insert(_ACTIVE), delete(_ACTIVE).where(_THEIRS)
_REPLACE = update(_ACTIVE).where(_THEIRS).values(decision_id=bindparam("new"))


def _activate(
    session: Session,
    key: RecordKey,
    before: Mapping[UserId, Decision],
    after: Mapping[UserId, Decision],
) -> None:
    """Store which entries are the reviewers' active votes."""
    connection = session.connection()
    theirs = {"of_review": key.review_id, "of_stage": key.stage, "of_record": key.record_number}
    for by in before.keys() - after.keys():
        connection.execute(_DROP, theirs | {"of_reviewer": by})
    for by, vote in after.items():
        if by not in before:
            columns = ("review_id", "stage", "record_number")
            values = dict(zip(columns, key.columns, strict=True))
            connection.execute(_ADD, values | {"reviewer_id": by, "decision_id": vote.id})
        elif vote is not before[by]:
            connection.execute(_REPLACE, theirs | {"of_reviewer": by, "new": vote.id})


def activate(session: Session, state: RecordState, entries: Collection[Decision]) -> RecordState:
    """Let entries that are in the ledger already be active votes again; store no new one."""
    after = state
    for entry in entries:
        after = after.with_entry(entry)
    _activate(session, state.key, state.votes, after.votes)
    return after
