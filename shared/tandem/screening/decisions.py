"""All that a reviewer does with their own decision: record it, withdraw it, vote once more.

`recording` enters decisions, one or many; here is each way to ask for it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sqlalchemy.orm import Session

from tandem.errors import NotFound, TandemError
from tandem.ids import ConflictId, RecordNumber
from tandem.reviews.models import LockedReview, Role
from tandem.reviews.policy import Stage
from tandem.reviews.service import Viewer
from tandem.screening import client_state
from tandem.screening.blinding import exposure
from tandem.screening.blinding.view import visible_status
from tandem.screening.client_state import Basis
from tandem.screening.complete import require_complete
from tandem.screening.ledger.append import append
from tandem.screening.ledger.entries import DecisionInput, NewDecision
from tandem.screening.ledger.loading import load, load_screenable, screenable
from tandem.screening.ledger.state import RecordKey
from tandem.screening.models import Decision, ResolvedBy
from tandem.screening.queue.order import NO_ORDER, Order
from tandem.screening.recording import NewVote, Recorded, record_decisions


class NoDecision(NotFound):
    """There is nothing to withdraw."""

    code = "no_decision"


def record_decision(
    session: Session,
    *,
    review: LockedReview,
    viewer: Viewer,
    record_number: RecordNumber,
    stage: Stage,
    given: DecisionInput,
    basis: Basis | None = None,
    criteria_version: int | None = None,
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
    `criteria_version` is that of the criteria which were shown to them; those in force, if None.

    Raises:
        NotFound: The review has no such record.
        IsDuplicate: Another record is screened in its place.
        Forbidden: An observer does not decide.
        NewerDecision: `basis` is not their present decision.
        Invalid: `made_at` is in the future, the criteria have no such version, or a
            classification goes with the wrong verdict.
        ReasonRequired: It excludes a full text without a reason.
        NotAtThisStage: The record never came to full text.
    """
    asked = [NewVote(record_number, given, basis, criteria_version)]
    done = record_decisions(
        session,
        review=review,
        viewer=viewer,
        stage=stage,
        asked=asked,
        again=again,
        in_any_case=in_any_case,
        newest=newest,
    )[0]
    if isinstance(done, TandemError):
        raise done
    return done


def record_second_vote(
    session: Session,
    *,
    review: LockedReview,
    viewer: Viewer,
    key: RecordKey,
    given: DecisionInput,
    conflict_id: ConflictId,
    criteria_version: int | None = None,
) -> Decision:
    """Append a voter's second vote in a conflict, also where it says the same as before.

    `second_votes.vote_again` says who may give it. `criteria_version` as in `record_decision`.

    Raises:
        Invalid: The criteria have no such version, or a classification goes with the wrong verdict.
        ReasonRequired: It excludes a full text without a reason.
    """
    client_state.require_known_criteria(review, criteria_version)
    require_complete(key.stage, given)
    state = load_screenable(session, key)
    informed = exposure.is_informed(session, viewer, state)
    new = NewDecision(
        viewer.user_id,
        given,
        informed,
        criteria_version=criteria_version,
        second_in=conflict_id,
    )
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

    That holds of a record that nobody screens any more, too. With a `basis` it is withdrawn only if
    that is their present decision; if that one is withdrawn already, nothing changes. `made_at` is
    when they did so by their own clock.

    Raises:
        NotFound: The review has no such record.
        IsDuplicate: Another record is screened in its place.
        RecordNotScreened: Nobody screens it, and they have no decision on it.
        NoDecision: They have no decision on it.
        NewerDecision: `basis` is not their present decision.
        Invalid: `made_at` is in the future.
    """
    viewer.require(Role.REVIEWER, "withdraw decisions")
    client_state.require_possible(made_at)
    key = RecordKey(review.id, stage, record_number)
    state = load(session, key)
    mine = state.votes.get(viewer.user_id)  # there is none on a record that is linked
    if mine is None:
        screenable(session, key)
        if not client_state.is_of(session, basis, key, viewer):
            raise NoDecision("You have no decision on this record.")
        shown = visible_status(viewer, stage, state.status, has_decided=False)
        return Recorded(None, None, shown, changed=False)
    if not client_state.is_carried(session, mine, basis):
        client_state.require_newest(session, viewer, mine, basis)
    informed = exposure.is_informed(session, viewer, state)
    new = NewDecision(viewer.user_id, None, informed, made_at=made_at)
    after = append(
        session, review, viewer.policies[stage], state, new, because=ResolvedBy.WITHDRAWAL
    )
    shown = visible_status(viewer, stage, after.status, has_decided=False)
    return Recorded(None, None, shown, changed=True)


@dataclass(frozen=True, slots=True)
class NewWithdrawal:
    """A record of which somebody takes their decision back; see `withdraw_decision`."""

    record_number: RecordNumber
    basis: Basis | None = None
    made_at: datetime | None = None


Asked = tuple[Stage, NewVote | NewWithdrawal]


def decide_many(
    session: Session,
    *,
    review: LockedReview,
    viewer: Viewer,
    asked: Sequence[Asked],
    newest: Callable[[Stage], Order],
) -> list[Recorded | TandemError]:
    """Do one after the other, each of which succeeds or fails alone.

    Where one is refused, nothing was changed for it, and the error is in its place.

    Raises:
        Forbidden: An observer does not decide.
    """
    answers = list[Recorded | TandemError]()
    for stage, run in _runs(asked):
        votes = [each for each in run if isinstance(each, NewVote)]
        if votes:
            answers += record_decisions(
                session,
                review=review,
                viewer=viewer,
                stage=stage,
                asked=votes,
                newest=partial(newest, stage),
            )
        answers += [
            _withdrawn(session, review, viewer, stage, each)
            for each in run
            if isinstance(each, NewWithdrawal)
        ]
    return answers


def _runs(asked: Sequence[Asked]) -> Iterator[tuple[Stage, list[NewVote | NewWithdrawal]]]:
    """Cut into stretches of votes of one stage that name no record twice, and withdrawals."""
    run, seen, of = list[NewVote | NewWithdrawal](), set[RecordNumber](), None
    for stage, each in asked:
        kind = (stage, type(each))
        if run and of is not None and (kind != of or each.record_number in seen):
            yield of[0], run
            run, seen = [], set()
        run.append(each)
        seen.add(each.record_number)
        of = kind
    if of is not None:
        yield of[0], run


def _withdrawn(
    session: Session, review: LockedReview, viewer: Viewer, stage: Stage, asked: NewWithdrawal
) -> Recorded | TandemError:
    before = review.labels_seq
    try:
        return withdraw_decision(
            session,
            review=review,
            viewer=viewer,
            record_number=asked.record_number,
            stage=stage,
            basis=asked.basis,
            made_at=asked.made_at,
        )
    except TandemError as error:
        if review.labels_seq != before:
            raise  # half done: nothing of the whole may be committed
        return error
