"""Whether another person's verdict on a record was ever open to somebody.

A moment is the end of a transaction: nobody sees what is between. While verdicts are open, the
record's state and the viewer's role and policy say so. When that ends it is noted, in the same
transaction: `exposure_notes` for a record's voters, `reviews.sight` for those who lose a role or a
policy that showed them everything. So no history is ever replayed.

It may say `informed` of somebody to whom nothing was open: of those who settle conflicts without
seeing the votes, and of those who joined after a record had all its decisions, if one of these was
withdrawn or more are asked for. It never says the opposite of anybody to whom a verdict was open.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from math import inf
from typing import Any

from sqlalchemy import (
    Row,
    select,
)
from sqlalchemy.orm import Session

from tandem.db.pieces import pieces
from tandem.db.rows import fetch
from tandem.events.log import Event
from tandem.events.screening_types import (
    ConflictOpened,
    ConflictReopened,
    RecordExcluded,
    RecordIncluded,
)
from tandem.ids import RecordNumber, UserId
from tandem.records.models import Record
from tandem.reviews.models import Member, PolicyVersion
from tandem.reviews.policy import Stage, stored
from tandem.reviews.service import Viewer
from tandem.reviews.sight import NOTHING, Sight, sight
from tandem.screening.blinding.exposure_notes import shown_in_conflict, state_at_start
from tandem.screening.blinding.exposure_query import KNOWN
from tandem.screening.blinding.view import (
    hides_votes,
    status_is_visible,
)
from tandem.screening.ledger.state import RecordKey, RecordState
from tandem.screening.models import (
    Conflict,
    Decision,
)

_ALL = 2**31 - 1
"""Up to this number: everything there is."""


def is_informed(session: Session, viewer: Viewer, state: RecordState) -> bool:
    """Whether what this person decides on a record now is decided knowing another's verdict.

    So it is if one was open to them at any moment before this transaction, or an earlier entry
    of theirs is informed: to withdraw and decide again makes nobody unknowing.

    Args:
        session: Of the transaction that has locked the review.
        viewer: Who decides. Who is no member sees nothing.
        state: The record's, as it was loaded in this transaction.
    """
    return bool(informed_among(session, viewer, [state]))


def informed_among(
    session: Session, viewer: Viewer, states: Sequence[RecordState]
) -> set[RecordNumber]:
    """Return the records of one stage of which `is_informed` is true for this person."""
    return {
        state.key.record_number
        for piece in pieces(states)
        for state in _informed(session, viewer, piece)
    }


def _informed(
    session: Session, viewer: Viewer, states: Sequence[RecordState]
) -> Iterator[RecordState]:
    """Yield the states for which `is_informed` is true. All are of one stage."""
    stage = states[0].key.stage
    sees, asked, is_open = sight(viewer.role, viewer.policies[stage]), [], set[RecordNumber]()
    for state in states:
        start, number = state_at_start(session, state), state.key.record_number
        shown = status_is_visible(
            viewer, stage, start.status, has_decided=viewer.user_id in start.votes
        )
        # Imported reviewers decide without being members. Asked only where it matters.
        if (shown or any(sees)) and not _is_member(session, viewer):
            sees, shown = NOTHING, False
        if shown and _shows_vote(session, viewer, start):
            yield state
            continue
        asked.append((state, start))
        if shown:
            is_open.add(number)
    if not asked:
        return
    known = fetch(
        session,
        KNOWN,
        {
            "review_id": viewer.review_id,
            "stage": stage,
            "numbers": [state.key.record_number for state, _ in asked],
            "user_id": viewer.user_id,
            "names_now": _ALL if sees.names else None,
            "open": list(is_open),
        },
    )
    found = {row.number: row for row in known}
    for state, start in asked:
        if _was_informed(session, viewer, start, found[state.key.record_number], sees):
            yield state


def _was_informed(
    session: Session, viewer: Viewer, start: RecordState, found: Row[Any], sees: Sight
) -> bool:
    """Whether somebody to whom no vote is open now knew one, by their row of `KNOWN`."""
    if found.is_known or _was_shown_at_full_text(session, viewer, start, found):
        return True
    settled = _ALL if sees.settled else found.settled_seq
    conflicts = _ALL if sees.conflicts else found.conflicts_seq
    if settled is None and conflicts is None:
        return False
    return found.is_judged and _was_open(session, start.key, settled or 0, conflicts or 0)


def _is_member(session: Session, viewer: Viewer) -> bool:
    return session.get(Member, (viewer.review_id, viewer.user_id)) is not None


def _was_shown_at_full_text(
    session: Session, viewer: Viewer, state: RecordState, found: Row[Any]
) -> bool:
    """Whether the full-text stage has shown them how others decided a record before it.

    That a record is there tells that it was included; that it is not there although it has all
    its decisions, that it was not. Their own vote tells them nothing.
    """
    if state.key.stage is not Stage.TITLE_ABSTRACT:
        return False
    quota, me = viewer.policies[state.key.stage].reviewers_per_record, viewer.user_id
    was_there = state.has_advanced and found.is_judged and me not in state.votes
    is_complete = len(state.votes.keys() - {me}) >= quota
    if not (was_there or is_complete):
        fewest = min(quota, found.least_quota or quota)
        if found.n_judges < fewest or not _was_complete(session, state.key, me):
            return False
    return _is_member(session, viewer)


def _was_complete(session: Session, key: RecordKey, me: UserId) -> bool:
    """Whether the record, or one linked to it, ever had all its decisions from others.

    Some of them may have withdrawn since, and more of them may be asked for now. It is true of
    somebody who joined after that, too.
    """
    numbers = _with_linked(session, key)
    entries = (
        select(Decision)
        .where(
            Decision.review_id == key.review_id,
            Decision.stage == key.stage,
            Decision.record_number.in_(numbers),
            Decision.reviewer_id != me,
        )
        .order_by(Decision.labels_seq)
    )
    versions = (
        select(PolicyVersion)
        .where(PolicyVersion.review_id == key.review_id, PolicyVersion.stage == key.stage)
        .order_by(PolicyVersion.version)
    )
    # The numbers of votes and of policies have no common order; both are made under one lock.
    in_order = sorted(
        [*session.scalars(versions), *session.scalars(entries)], key=lambda one: one.created_at
    )
    votes: defaultdict[RecordNumber, set[UserId]] = defaultdict(set)
    quota = inf
    for one in in_order:
        if isinstance(one, PolicyVersion):
            quota = stored(one.value).reviewers_per_record
        elif one.verdict is None:
            votes[one.record_number].discard(one.reviewer_id)
        else:
            votes[one.record_number].add(one.reviewer_id)
        if any(len(of_record) >= quota for of_record in votes.values()):
            return True
    return False


def _with_linked(session: Session, key: RecordKey) -> list[RecordNumber]:
    """Return the record's number and those of the records that are linked to it."""
    linked = select(Record.number).where(
        Record.review_id == key.review_id, Record.duplicate_of == key.record_number
    )
    return [key.record_number, *session.scalars(linked)]


def _shows_vote(session: Session, viewer: Viewer, state: RecordState) -> bool:
    """Whether a record whose status is open to somebody shows them a vote of another person."""
    others = state.votes.keys() - {viewer.user_id}
    if not others or not hides_votes(viewer, state.key.stage, state.status):
        return bool(others)
    return viewer.user_id in shown_in_conflict(session, [viewer], state)


def _was_open(session: Session, key: RecordKey, settled: int, conflicts: int) -> bool:
    """Whether the record was ever settled, or in conflict, up to these numbers of the log."""
    numbers = _with_linked(session, key)
    ids = select(Conflict.id).where(
        Conflict.review_id == key.review_id,
        Conflict.stage == key.stage,
        Conflict.record_number.in_(numbers),
    )
    query = select(Event.type, Event.seq, Event.data).where(
        Event.review_id == key.review_id,
        Event.subject.in_([*map(str, numbers), *map(str, session.scalars(ids))]),
        Event.type.in_([*_SETTLED, *_DIFFERS]),
    )
    return any(
        data["stage"] == key.stage and seq <= (settled if kind in _SETTLED else conflicts)
        for kind, seq, data in session.execute(query)
    )


_SETTLED = (RecordIncluded.type, RecordExcluded.type)
_DIFFERS = (ConflictOpened.type, ConflictReopened.type)
