"""Whether another person's verdict on a record was ever open to somebody.

A moment is the end of a transaction: nobody sees what is between. While verdicts are open, the
record's state and the viewer's role and policy say so. When that ends it is noted, in the same
transaction: `remember` notes it for a record's voters, `reviews.sight` for those who lose a role
or a policy that showed them everything. So no history is ever replayed.

It may say `informed` of somebody to whom nothing was open, of those who settle conflicts without
seeing the votes; it never says the opposite of anybody to whom a verdict was open.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from sqlalchemy import (
    BindParameter,
    Boolean,
    ColumnElement,
    CompoundSelect,
    Integer,
    bindparam,
    cast,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import Session, aliased

from tandem.events.log import Event
from tandem.events.types import ConflictOpened, ConflictReopened, RecordExcluded, RecordIncluded
from tandem.ids import RecordNumber, ReviewId, UserId
from tandem.records.models import Record
from tandem.reviews.models import Member, MemberSight
from tandem.reviews.policy import Policy, Stage
from tandem.reviews.service import Viewer
from tandem.reviews.sight import NOTHING, sight
from tandem.screening.blinding.view import (
    conflict_is_open_to_voters,
    hides_votes,
    status_is_visible,
    visible_votes,
)
from tandem.screening.ledger.conflict_history import histories
from tandem.screening.ledger.origins import given_on
from tandem.screening.ledger.state import RecordKey, RecordState
from tandem.screening.models import (
    Conflict,
    Decision,
    Exposure,
    PresentDecision,
    Resolution,
    ScreenedRecord,
)
from tandem.screening.rules import Status

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
    start, key = _at_start(session, state), state.key
    policy = viewer.policies[key.stage]
    sees = sight(viewer.role, policy)
    is_open = status_is_visible(
        viewer, key.stage, start.status, has_decided=viewer.user_id in start.votes
    )
    # Imported reviewers decide without being members. Asked only where it matters.
    if (is_open or any(sees)) and session.get(Member, (key.review_id, viewer.user_id)) is None:
        sees, is_open = NOTHING, False
    if is_open and _shows_vote(session, viewer, start):
        return True
    found = session.execute(
        _KNOWN,
        {
            "review_id": key.review_id,
            "stage": key.stage,
            "number": key.record_number,
            "user_id": viewer.user_id,
            "names_now": _ALL if sees.names else None,
            "is_open": is_open,
        },
    ).one()
    if found.is_known:
        return True
    settled = _ALL if sees.settled else found.settled_seq
    conflicts = _ALL if sees.conflicts else found.conflicts_seq
    if settled is None and conflicts is None:
        return False
    return found.is_judged and _was_open(session, key, settled or 0, conflicts or 0)


def _at_start(session: Session, state: RecordState) -> RecordState:
    """Return the record's state when this transaction first touched it."""
    start: RecordState = session.info.setdefault(("state", state.key), state)
    return start


def _shows_vote(session: Session, viewer: Viewer, state: RecordState) -> bool:
    """Whether a record whose status is open to somebody shows them a vote of another person."""
    others = state.votes.keys() - {viewer.user_id}
    if not others or not hides_votes(viewer, state.key.stage, state.status):
        return bool(others)
    return viewer.user_id in _shown_in_conflict(session, [viewer], state)


def _shown_in_conflict(
    session: Session, viewers: Collection[Viewer], state: RecordState
) -> set[UserId]:
    """Return which of those from whom votes are hidden see others' in a conflict, as A and B."""
    if state.conflict is None or state.status is not Status.CONFLICT:
        return set()
    (history,) = histories(session, [state.conflict])
    return {
        viewer.user_id
        for viewer in viewers
        if (
            viewer.policies[state.key.stage].adjudicator_sees == "anonymous"
            or (
                viewer.user_id in state.votes
                and conflict_is_open_to_voters(viewer.policies[state.key.stage])
            )
        )
        and visible_votes(viewer, history).keys() - {viewer.user_id}
    }


def _numbers() -> CompoundSelect[Any]:
    """Return the record and those that are linked to it."""
    linked = select(Record.number).where(
        Record.review_id == bindparam("review_id"), Record.duplicate_of == bindparam("number")
    )
    return union_all(select(cast(bindparam("number"), Integer)), linked)


def _of(table: Any, number: Any) -> tuple[ColumnElement[bool], ...]:
    return (
        table.review_id == bindparam("review_id"),
        table.stage == bindparam("stage"),
        number,
    )


def _lost(column: Any) -> ColumnElement[Any]:
    return (
        select(column)
        .where(
            MemberSight.review_id == bindparam("review_id"),
            MemberSight.stage == bindparam("stage"),
            MemberSight.user_id == bindparam("user_id"),
        )
        .scalar_subquery()
    )


def _known() -> Any:
    own, given, settled = aliased(Decision), aliased(Decision), aliased(Resolution)
    me: BindParameter[Any] = bindparam("user_id")
    seen = func.coalesce(
        cast(bindparam("names_now"), Integer), _lost(MemberSight.names_labels_seq), -1
    )
    is_given = (
        *_of(given, given.record_number.in_(_numbers())),
        given.reviewer_id != me,
        given.verdict.is_not(None),
        given.carried_from.is_(None),
    )
    is_settled = (
        *_of(settled, settled.record_number.in_(_numbers())),
        settled.resolver_id != me,
    )
    here = bindparam("is_open", type_=Boolean) & (settled.record_number == bindparam("number"))
    is_known = or_(
        exists().where(
            *_of(Exposure, Exposure.record_number.in_(_numbers())), Exposure.user_id == me
        ),
        exists().where(
            *_of(own, own.record_number == bindparam("number")),
            own.reviewer_id == me,
            own.informed,
        ),
        exists().where(*is_given, given.labels_seq <= seen),
        exists().where(*is_settled, or_(here, settled.labels_seq <= seen)),
    )
    return select(
        is_known.label("is_known"),
        or_(exists().where(*is_given), exists().where(*is_settled)).label("is_judged"),
        _lost(MemberSight.settled_seq).label("settled_seq"),
        _lost(MemberSight.conflicts_seq).label("conflicts_seq"),
    )


_KNOWN = _known()
"""Made once: every decision asks it."""


def _was_open(session: Session, key: RecordKey, settled: int, conflicts: int) -> bool:
    """Whether the record was ever settled, or in conflict, up to these numbers of the log."""
    linked = select(Record.number).where(
        Record.review_id == key.review_id, Record.duplicate_of == key.record_number
    )
    numbers = [key.record_number, *session.scalars(linked)]
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


def remember(session: Session, policy: Policy, state: RecordState) -> None:
    """Note to whom others' verdicts on a record are open, before that may end.

    Called before each change of its ledger, of what it is linked to, and of a policy that closes
    it. Of the people who see it, only its voters are noted: see `reviews.sight` for the others.

    Args:
        session: Of the transaction that has locked the review.
        policy: Of the stage, as it is until this change.
        state: The record's, as it was loaded in this transaction.
    """
    start = _at_start(session, state)
    is_shown = start.status.is_settled or (
        start.is_in_conflict and conflict_is_open_to_voters(policy)
    )
    if not is_shown or not start.votes:
        return
    voters = set(start.votes)
    for number, by in _verdicts(session, start):
        _note(session, start.key, number, _shown_to(session, policy, start, voters - {by}))


def closes_conflicts(before: Policy, after: Policy) -> bool:
    """Whether open conflicts are no longer open to their voters under another policy."""
    return conflict_is_open_to_voters(before) and not conflict_is_open_to_voters(after)


def _verdicts(session: Session, state: RecordState) -> Iterator[tuple[RecordNumber, UserId]]:
    """Yield on which records the verdicts that a record shows were given, and by whom."""
    key, linked = state.key, list[RecordNumber]()
    if any(vote.carried_from is not None for vote in state.votes.values()):
        query = select(Record.number).where(
            Record.review_id == key.review_id, Record.duplicate_of == key.record_number
        )
        linked.extend(session.scalars(query))
    for by, vote in state.votes.items():
        if vote.carried_from is None:
            yield key.record_number, by
        else:
            for given in given_on(session, key, by, linked) or [vote]:
                yield given.record_number, by
    if state.conflict is None:
        return
    settled = select(Resolution.resolver_id, Resolution.carried_from).where(
        Resolution.review_id == key.review_id,
        Resolution.stage == key.stage,
        Resolution.record_number == key.record_number,
    )
    for by, source in session.execute(settled):
        yield source or key.record_number, by


def _shown_to(
    session: Session, policy: Policy, state: RecordState, voters: set[UserId]
) -> set[UserId]:
    if state.status is not Status.CONFLICT or not policy.blind or policy.adjudicator_sees == "all":
        return voters
    key = state.key
    query = select(Member).where(Member.review_id == key.review_id, Member.user_id.in_(voters))
    hidden = [
        viewer
        for member in session.scalars(query)
        if hides_votes(
            viewer := Viewer(key.review_id, member.user_id, member.role, {key.stage: policy}),
            key.stage,
            state.status,
        )
    ]
    if not hidden:
        return voters
    return voters - {viewer.user_id for viewer in hidden} | _shown_in_conflict(
        session, hidden, state
    )


def _note(session: Session, key: RecordKey, number: RecordNumber, people: set[UserId]) -> None:
    """Note for those of these people who are members now that they have seen a verdict."""
    if not people:
        return
    noted = exists().where(
        Exposure.review_id == key.review_id,
        Exposure.stage == key.stage,
        Exposure.record_number == number,
        Exposure.user_id == Member.user_id,
    )
    members = select(
        literal(key.review_id, Exposure.review_id.type),
        literal(key.stage, Exposure.stage.type),
        literal(number, Exposure.record_number.type),
        Member.user_id,
    ).where(Member.review_id == key.review_id, Member.user_id.in_(people), ~noted)
    columns = ["review_id", "stage", "record_number", "user_id"]
    session.execute(insert(Exposure).from_select(columns, members))


def remember_all_of(
    session: Session, review_id: ReviewId, policies: Mapping[Stage, Policy], user_id: UserId
) -> None:
    """Do what `remember` does for everything that one person has decided: they leave the review."""
    session.flush()
    for stage, policy in policies.items():
        shown = [Status.INCLUDED, Status.EXCLUDED]
        if conflict_is_open_to_voters(policy):
            shown.append(Status.CONFLICT)
        own, other, record = aliased(PresentDecision), aliased(PresentDecision), aliased(Record)
        another = exists().where(
            other.review_id == own.review_id,
            other.stage == own.stage,
            other.record_number == own.record_number,
            other.reviewer_id != user_id,
        )
        settled = exists().where(
            Resolution.review_id == own.review_id,
            Resolution.stage == own.stage,
            Resolution.record_number == own.record_number,
            Resolution.resolver_id != user_id,
        )
        noted = exists().where(
            Exposure.review_id == review_id,
            Exposure.stage == stage,
            Exposure.record_number == record.number,
            Exposure.user_id == user_id,
        )
        found = (
            select(
                literal(review_id, Exposure.review_id.type),
                literal(stage, Exposure.stage.type),
                record.number,
                literal(user_id, Exposure.user_id.type),
            )
            .select_from(own)
            .join(
                ScreenedRecord,
                (ScreenedRecord.review_id == own.review_id)
                & (ScreenedRecord.stage == own.stage)
                & (ScreenedRecord.record_number == own.record_number),
            )
            .join(
                record,
                (record.review_id == own.review_id)
                & or_(
                    record.number == own.record_number,
                    record.duplicate_of == own.record_number,
                ),
            )
            .where(
                own.review_id == review_id,
                own.stage == stage,
                own.reviewer_id == user_id,
                ScreenedRecord.status.in_(shown),
                or_(another, settled),
                ~noted,
            )
        )
        columns = ["review_id", "stage", "record_number", "user_id"]
        session.execute(insert(Exposure).from_select(columns, found))
