"""The one way into the ledger: an entry is stored, what follows is derived, both are published.

The caller has locked the review.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from sqlalchemy import Table, bindparam, delete, insert, update
from sqlalchemy.orm import Session

from tandem.db.base import now
from tandem.events import log
from tandem.events.fact import Fact
from tandem.events.screening_types import DecisionRecorded, DecisionWithdrawn
from tandem.reviews.models import LockedReview, Review
from tandem.reviews.policy import Policy
from tandem.screening.blinding import exposure_notes
from tandem.screening.blinding.numbers import note_closed
from tandem.screening.ledger import counts
from tandem.screening.ledger.entries import (
    Entry,
    NewDecision,
    NewResolution,
    Revocation,
    decision_detail,
)
from tandem.screening.ledger.outcome import apply_outcome, new_conflict
from tandem.screening.ledger.state import RecordKey, RecordState
from tandem.screening.models import (
    ConflictState,
    Decision,
    PresentDecision,
    ResolvedBy,
)
from tandem.screening.rules import ConflictKind


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
    review: LockedReview,
    policy: Policy,
    state: RecordState,
    *entries: Entry,
    because: ResolvedBy,
) -> RecordState:
    """Enter something in a record's ledger; return the state that follows.

    Args:
        session: Of the change.
        review: The review.
        policy: Of the record's stage, in force.
        state: The record's, as it is stored.
        entries: In their order. None: only the state is brought in line with the votes.
        because: What has ended the record's conflict, if this ends it.
    """
    return append_each(session, review, policy, [Change(state, entries)], because=because)[0]


def append_each(
    session: Session,
    review: Review,
    policy: Policy,
    changes: Sequence[Change],
    *,
    because: ResolvedBy,
) -> list[RecordState]:
    """Do what `append` does for one record after the other, each of them once.

    They are published in that order, and stored together.
    """
    exposure_notes.remember(session, policy, [state for state, _ in changes])
    facts, after = list[Fact](), list[RecordState]()
    for state, entries in changes:
        entered, of_entries = _enter(session, review, state, *entries)
        revoked = state.resolution if _revokes(entries) else None
        derived, of_outcome = apply_outcome(
            session, review, policy, entered, because=because, revoked=revoked
        )
        facts += of_entries + of_outcome
        after.append(derived)
    _store(session, review, policy, changes, after, facts)
    return after


def append_all(
    session: Session,
    review: Review,
    policy: Policy,
    changes: Sequence[Change],
    *,
    because: ResolvedBy,
) -> list[RecordState]:
    """Do what `append` does for many records of one stage; all entries are published first."""
    exposure_notes.remember(session, policy, [state for state, _ in changes])
    entered, facts, after = list[RecordState](), list[Fact](), list[RecordState]()
    for state, entries in changes:
        with_entries, of_entries = _enter(session, review, state, *entries)
        entered.append(with_entries)
        facts += of_entries
    for state, change in zip(entered, changes, strict=True):
        revoked = change.state.resolution if _revokes(change.entries) else None
        derived, of_outcome = apply_outcome(
            session, review, policy, state, because=because, revoked=revoked
        )
        facts += of_outcome
        after.append(derived)
    _store(session, review, policy, changes, after, facts)
    return after


def _store(
    session: Session,
    review: Review,
    policy: Policy,
    changes: Sequence[Change],
    after: Sequence[RecordState],
    facts: Sequence[Fact],
) -> None:
    log.append(session, review, *facts)
    before = (change.state for change in changes)
    counts.note(session, review, policy, zip(before, after, strict=True))
    session.flush()
    _activate_all(session, changes, after)


def _revokes(entries: Sequence[Entry]) -> bool:
    return any(isinstance(entry, Revocation) for entry in entries)


def enter(session: Session, review: Review, state: RecordState, *entries: Entry) -> RecordState:
    """Store entries and publish them; return the state with them, its status as it was.

    Alone, without `append`, for records that have no status: they are linked to another one.
    """
    after, facts = _enter(session, review, state, *entries)
    log.append(session, review, *facts)
    return after


def _enter(
    session: Session, review: Review, state: RecordState, *entries: Entry
) -> tuple[RecordState, list[Fact]]:
    """Store entries; return the state with them, and what is to be published of them, in order."""
    facts = list[Fact]()
    for entry in entries:
        review.count_change(state.key.stage)
        match entry:
            case NewDecision():
                row, fact = _decide(session, review, state.key, entry)
                state = state.with_entry(row)
                facts.append(fact)
            case NewResolution():
                state = _resolve(session, review, state, entry)
            case Revocation():
                state = _revoke(session, review, state, entry)
    return state, facts


def _decide(
    session: Session, review: Review, key: RecordKey, new: NewDecision
) -> tuple[Decision, Fact]:
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
    return row, fact


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
        conflict = new_conflict(session, review, state.key)
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


_Values = dict[str, object]
_COLUMNS, _OF = ("review_id", "stage", "record_number"), ("of_review", "of_stage", "of_record")

_ACTIVE: Table = PresentDecision.__table__  # type: ignore[assignment]  # a class with a table of its own
_THEIRS = (
    (_ACTIVE.c.review_id == bindparam("of_review"))
    & (_ACTIVE.c.stage == bindparam("of_stage"))
    & (_ACTIVE.c.record_number == bindparam("of_record"))
    & (_ACTIVE.c.reviewer_id == bindparam("of_reviewer"))
)
_ADD, _DROP = insert(_ACTIVE), delete(_ACTIVE).where(_THEIRS)
_REPLACE = update(_ACTIVE).where(_THEIRS).values(decision_id=bindparam("new"))


def _activate_all(
    session: Session, changes: Sequence[Change], after: Sequence[RecordState]
) -> None:
    """Store which entries are the reviewers' active votes."""
    dropped, added, replaced = list[_Values](), list[_Values](), list[_Values]()
    for change, derived in zip(changes, after, strict=True):
        before, votes = change.state.votes, derived.votes
        columns = dict(zip(_COLUMNS, derived.key.columns, strict=True))
        theirs = dict(zip(_OF, derived.key.columns, strict=True))
        dropped += [theirs | {"of_reviewer": by} for by in before.keys() - votes.keys()]
        for by, vote in votes.items():
            if by not in before:
                added.append(columns | {"reviewer_id": by, "decision_id": vote.id})
            elif vote is not before[by]:
                replaced.append(theirs | {"of_reviewer": by, "new": vote.id})
    connection = session.connection()
    for statement, values in ((_DROP, dropped), (_ADD, added), (_REPLACE, replaced)):
        if values:
            connection.execute(statement, values)


def activate(
    session: Session,
    review: Review,
    policy: Policy,
    state: RecordState,
    entries: Collection[Decision],
) -> RecordState:
    """Let entries that are in the ledger already be active votes again; store no new one."""
    after = state
    for entry in entries:
        after = after.with_entry(entry)
    counts.note(session, review, policy, [(state, after)])
    _activate_all(session, [Change(state, ())], [after])
    return after
