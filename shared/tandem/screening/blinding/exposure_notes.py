"""What is noted when verdicts on a record stop being open to its voters. See `exposure`."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    Insert,
    Select,
    Table,
    bindparam,
    cast,
    exists,
    insert,
    literal,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from tandem.db.pieces import pieces
from tandem.ids import RecordNumber, ReviewId, UserId
from tandem.records.models import Record
from tandem.reviews.models import Member
from tandem.reviews.policy import Policy, Stage
from tandem.reviews.service import Viewer
from tandem.screening.blinding.view import (
    conflict_is_open_to_voters,
    hides_votes,
    visible_votes,
)
from tandem.screening.ledger.conflict_history import histories
from tandem.screening.ledger.origins import given_on
from tandem.screening.ledger.state import RecordKey, RecordState
from tandem.screening.models import Exposure, PresentDecision, Resolution, ScreenedRecord
from tandem.screening.rules import Status


def state_at_start(session: Session, state: RecordState) -> RecordState:
    """Return the record's state when this transaction first touched it."""
    start: RecordState = session.info.setdefault(("state", state.key), state)
    return start


def shown_in_conflict(
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


def remember(session: Session, policy: Policy, states: Iterable[RecordState]) -> None:
    """Note to whom others' verdicts on records are open, before that may end.

    Called before each change of their ledgers, of what they are linked to, and of a policy that
    closes them. Of the people who see it, only a record's voters are noted: see `reviews.sight`
    for the others.

    Args:
        session: Of the transaction that has locked the review.
        policy: Of the stage, as it is until this change.
        states: Of records of one stage, as they were loaded in this transaction.
    """
    to_voters = conflict_is_open_to_voters(policy)
    starts = [state_at_start(session, state) for state in states]
    shown = [
        start
        for start in starts
        if start.votes and (start.status.is_settled or (start.is_in_conflict and to_voters))
    ]
    if not shown:
        return
    resolvers = _resolvers(session, shown)
    noted: dict[frozenset[UserId], list[RecordNumber]] = defaultdict(list)
    for start in shown:
        people: dict[RecordNumber, set[UserId]] = defaultdict(set)
        voters = _shown_to(session, policy, start)
        for number, by in (*_votes(session, start), *resolvers[start.key.record_number]):
            people[number] |= voters - {by}
        for number, seeing in people.items():
            noted[frozenset(seeing)].append(number)
    for some, numbers in noted.items():
        _note(session, shown[0].key, numbers, some)


def closes_conflicts(before: Policy, after: Policy) -> bool:
    """Whether open conflicts are no longer open to their voters under another policy."""
    return conflict_is_open_to_voters(before) and not conflict_is_open_to_voters(after)


def _votes(session: Session, state: RecordState) -> Iterator[tuple[RecordNumber, UserId]]:
    """Yield on which records the votes that a record shows were given, and by whom."""
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


Resolvers = Mapping[RecordNumber, Sequence[tuple[RecordNumber, UserId]]]


def _resolvers(session: Session, states: Sequence[RecordState]) -> Resolvers:
    """Return who ever settled the conflicts of records, and on which record each of them did."""
    found: dict[RecordNumber, list[tuple[RecordNumber, UserId]]] = defaultdict(list)
    differing = [state.key for state in states if state.conflict is not None]
    for piece in pieces(differing):
        query = select(
            Resolution.record_number, Resolution.resolver_id, Resolution.carried_from
        ).where(
            Resolution.review_id == piece[0].review_id,
            Resolution.stage == piece[0].stage,
            Resolution.record_number.in_([key.record_number for key in piece]),
        )
        for number, by, source in session.execute(query):
            found[number].append((source or number, by))
    return found


def _shown_to(session: Session, policy: Policy, state: RecordState) -> set[UserId]:
    """Return which of a record's voters are shown others' votes."""
    key, voters = state.key, set(state.votes)
    if state.status is not Status.CONFLICT or not policy.blind or policy.adjudicator_sees == "all":
        return voters
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
    return voters - {one.user_id for one in hidden} | shown_in_conflict(session, hidden, state)


def _note(
    session: Session, key: RecordKey, numbers: Sequence[RecordNumber], people: Collection[UserId]
) -> None:
    """Note for those of these people who are members now that they have seen verdicts."""
    if not people:
        return
    session.flush()
    at = {"review_id": key.review_id, "stage": key.stage, "people": list(people)}
    for piece in pieces(numbers):
        session.connection().execute(_NOTE, at | {"numbers": piece})


_COLUMNS = ("review_id", "stage", "record_number", "user_id")


def _noted() -> Insert:
    """Return the statement of `_note`. Built for each decision, it would cost more than it does."""
    table: Table = Exposure.__table__  # type: ignore[assignment]  # a class with a table of its own
    stage = cast(bindparam("stage"), Exposure.stage.type)
    noted = exists().where(
        Exposure.review_id == Record.review_id,
        Exposure.stage == stage,
        Exposure.record_number == Record.number,
        Exposure.user_id == Member.user_id,
    )
    seen = (
        select(Record.review_id, stage, Record.number, Member.user_id)
        .join(Member, Member.review_id == Record.review_id)
        .where(
            Record.review_id == bindparam("review_id"),
            Record.number.in_(bindparam("numbers", expanding=True)),
            Member.user_id.in_(bindparam("people", expanding=True)),
            ~noted,
        )
    )
    return insert(table).from_select(_COLUMNS, seen)


_NOTE = _noted()


def remember_all_of(
    session: Session, review_id: ReviewId, policies: Mapping[Stage, Policy], user_id: UserId
) -> None:
    """Do what `remember` does for everything that one person has decided: they leave the review.

    Of linked records each counts as the one that a verdict was given on.
    """
    session.flush()
    for stage, policy in policies.items():
        own = _decided_by(user_id, review_id, stage, policy, PresentDecision.record_number)
        linked = _decided_by(user_id, review_id, stage, policy, Record.number).join(
            Record,
            (Record.review_id == PresentDecision.review_id)
            & (Record.duplicate_of == PresentDecision.record_number),
        )
        # A query for each: in one for both, SQLite would read the whole review for each record.
        # Both in one statement: PostgreSQL would read all notes of an earlier one for each record.
        session.execute(insert(Exposure).from_select(_COLUMNS, union_all(own, linked)))


def _decided_by(
    user_id: UserId,
    review_id: ReviewId,
    stage: Stage,
    policy: Policy,
    number: InstrumentedAttribute[RecordNumber],
) -> Select[*tuple[Any, ...]]:
    """Select what is to be noted of the records that show somebody others' verdicts."""
    shown = [Status.INCLUDED, Status.EXCLUDED]
    if conflict_is_open_to_voters(policy):
        shown.append(Status.CONFLICT)
    own, other = PresentDecision, aliased(PresentDecision)
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
        Exposure.record_number == number,
        Exposure.user_id == user_id,
    )
    return (
        select(
            literal(review_id, Exposure.review_id.type),
            literal(stage, Exposure.stage.type),
            number,
            literal(user_id, Exposure.user_id.type),
        )
        .select_from(own)
        .join(
            ScreenedRecord,
            (ScreenedRecord.review_id == own.review_id)
            & (ScreenedRecord.stage == own.stage)
            & (ScreenedRecord.record_number == own.record_number),
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
