"""What is noted when verdicts on a record stop being open to its voters. See `exposure`."""

from collections.abc import Collection, Iterator, Mapping

from sqlalchemy import exists, insert, literal, or_, select
from sqlalchemy.orm import Session, aliased

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


def remember(session: Session, policy: Policy, state: RecordState) -> None:
    """Note to whom others' verdicts on a record are open, before that may end.

    Called before each change of its ledger, of what it is linked to, and of a policy that closes
    it. Of the people who see it, only its voters are noted: see `reviews.sight` for the others.

    Args:
        session: Of the transaction that has locked the review.
        policy: Of the stage, as it is until this change.
        state: The record's, as it was loaded in this transaction.
    """
    start = state_at_start(session, state)
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
    return voters - {viewer.user_id for viewer in hidden} | shown_in_conflict(
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
