"""Reviewers' decisions: an append-only ledger, with everything that follows from an entry."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, delete
from sqlalchemy.orm import Session

from tandem.errors import NotFound
from tandem.ids import ConflictId, RankingId, RecordNumber
from tandem.reviews.models import LockedReview, Role
from tandem.reviews.policy import Stage
from tandem.reviews.service import Viewer
from tandem.screening import client_state
from tandem.screening.blinding import exposure
from tandem.screening.blinding.numbers import visible_numbers
from tandem.screening.blinding.view import visible_status
from tandem.screening.client_state import Basis
from tandem.screening.full_text import population
from tandem.screening.full_text.gate import require_complete, require_reached
from tandem.screening.ledger.append import append
from tandem.screening.ledger.entries import DecisionInput, NewDecision
from tandem.screening.ledger.state import RecordKey, load_screenable
from tandem.screening.models import Decision, Lease, ResolvedBy
from tandem.screening.queue.order import NO_ORDER, Order
from tandem.screening.rules import Status


class NoDecision(NotFound):
    """There is nothing to withdraw."""

    code = "no_decision"


@dataclass(frozen=True, slots=True)
class Recorded:
    """The reviewer's present decision, and the record's status as they may see it.

    `labels_seq` is the decision's, as they are told it. `counted` is False where the record is
    not at full text now: the decision is kept, and counts when it is there again.
    """

    decision: Decision | None
    labels_seq: int | None
    status: str
    changed: bool
    counted: bool = True


def record_decision(
    session: Session,
    *,
    review: LockedReview,
    viewer: Viewer,
    record_number: RecordNumber,
    stage: Stage,
    given: DecisionInput,
    basis: Basis | None = None,
    again: bool = False,
    in_any_case: bool = False,
    newest: Callable[[], Order] = lambda: NO_ORDER,
) -> Recorded:
    """Record or replace this person's decision. Repeating the same one changes nothing.

    Always accepted, also when the record has its full number of decisions already: a vote
    that was given is never lost. `again`: the same one is
    an entry of its own where the criteria have changed since; `in_any_case`: always. `newest` is
    asked for the newest ranking, where the record was not served from one. With a `basis` it is
    recorded only if that is their present decision; to repeat the present one is harmless.

    Raises:
        NotFound: The review has no such record.
        IsDuplicate: Another record is screened in its place.
        Forbidden: An observer does not decide.
        NewerDecision: `basis` is not their present decision.
        Invalid: `made_at` is in the future, or a classification goes with the wrong verdict.
        ReasonRequired: It excludes a full text without a reason.
        NotAtThisStage: The record never came to full text.
    """
    viewer.require(Role.REVIEWER, "decide records")
    client_state.require_possible(given.made_at)
    require_complete(stage, given.verdict, given.reasons, given.classification)
    key = RecordKey(review.id, stage, record_number)
    state = load_screenable(session, key)
    require_reached(session, key)
    mine = state.votes.get(viewer.user_id)
    is_outdated = mine is not None and mine.criteria_version < review.criteria_version
    is_entered = in_any_case or (again and is_outdated)
    # What came along with a linked record was not said of this one: their own word is entered.
    is_entered = is_entered or (mine is not None and mine.carried_from is not None)
    if mine is not None and _same(mine, given) and not is_entered:
        return _recorded(session, viewer, mine, state.status, changed=False)
    client_state.require_newest(session, viewer, mine, basis)
    rank, ranking_id = _end_lease(session, key, viewer) or _rank_in(newest(), key)
    informed = exposure.is_informed(session, viewer, state)
    new = NewDecision(viewer.user_id, given, informed, rank=rank, ranking_id=ranking_id)
    after = append(
        session, review, viewer.policies[stage], state, new, because=ResolvedBy.AGREEMENT
    )
    decision = after.votes[viewer.user_id]
    return _recorded(session, viewer, decision, after.status, changed=True)


def _recorded(
    session: Session, viewer: Viewer, decision: Decision, status: Status, *, changed: bool
) -> Recorded:
    told = visible_numbers(session, viewer, [decision.labels_seq])
    shown = visible_status(viewer, decision.stage, status, has_decided=True)
    key = RecordKey(decision.review_id, decision.stage, decision.record_number)
    counted = population.counts(session, viewer.policies, key)
    return Recorded(decision, told[decision.labels_seq], shown, changed, counted)


def record_second_vote(
    session: Session,
    *,
    review: LockedReview,
    viewer: Viewer,
    key: RecordKey,
    given: DecisionInput,
    conflict_id: ConflictId,
) -> Decision:
    """Append a voter's second vote in a conflict, also where it says the same as before.

    `second_votes.vote_again` says who may give it.
    """
    require_complete(key.stage, given.verdict, given.reasons, given.classification)
    state = load_screenable(session, key)
    informed = exposure.is_informed(session, viewer, state)
    new = NewDecision(viewer.user_id, given, informed, second_in=conflict_id)
    policy = viewer.policies[key.stage]
    after = append(session, review, policy, state, new, because=ResolvedBy.AGREEMENT)
    return after.votes[viewer.user_id]


def withdraw_decision(
    session: Session,
    *,
    review: LockedReview,
    viewer: Viewer,
    record_number: RecordNumber,
    stage: Stage,
    basis: Basis | None = None,
    made_at: datetime | None = None,
) -> Recorded:
    """Take this person's decision back. The ledger keeps both; nobody else's vote is touched.

    With a `basis` it is withdrawn only if that is their present decision; if that one is
    withdrawn already, nothing changes. `made_at` is when they did so by their own clock.

    Raises:
        NotFound: The review has no such record.
        NoDecision: They have no decision on it.
        NewerDecision: `basis` is not their present decision.
        Invalid: `made_at` is in the future.
    """
    viewer.require(Role.REVIEWER, "withdraw decisions")
    client_state.require_possible(made_at)
    key = RecordKey(review.id, stage, record_number)
    state = load_screenable(session, key)
    mine = state.votes.get(viewer.user_id)
    if mine is None:
        if not client_state.is_of(session, basis, key, viewer):
            raise NoDecision("You have no decision on this record.")
        shown = visible_status(viewer, stage, state.status, has_decided=False)
        return Recorded(None, None, shown, changed=False)
    client_state.require_newest(session, viewer, mine, basis)
    informed = exposure.is_informed(session, viewer, state)
    new = NewDecision(viewer.user_id, None, informed, made_at=made_at)
    after = append(
        session, review, viewer.policies[stage], state, new, because=ResolvedBy.WITHDRAWAL
    )
    shown = visible_status(viewer, stage, after.status, has_decided=False)
    return Recorded(None, None, shown, changed=True)


def _same(mine: Decision, given: DecisionInput) -> bool:
    said = (given.verdict, given.reasons, given.labels, given.note, given.classification)
    return (mine.verdict, mine.reasons, mine.labels, mine.note, mine.classification) == said


def _rank_in(newest: Order, key: RecordKey) -> tuple[int | None, RankingId | None]:
    """Return where a record stands that nobody was served."""
    rank = newest.rank_of(key.record_number)
    return rank, None if rank is None else newest.ranking_id


def _end_lease(
    session: Session, key: RecordKey, viewer: Viewer
) -> tuple[int | None, RankingId | None] | None:
    """Let go of the record; return where it stood in the ranking it was served from, if it was."""
    at = {
        "review_id": key.review_id,
        "stage": key.stage,
        "record_number": key.record_number,
        "user_id": viewer.user_id,
    }
    held = session.execute(_END_LEASE, at).one_or_none()
    return None if held is None else (held.rank, held.ranking_id)


_END_LEASE = (
    delete(Lease)
    .where(
        Lease.review_id == bindparam("review_id"),
        Lease.stage == bindparam("stage"),
        Lease.record_number == bindparam("record_number"),
        Lease.user_id == bindparam("user_id"),
    )
    .returning(Lease.rank, Lease.ranking_id)
    .execution_options(synchronize_session=False)
)
