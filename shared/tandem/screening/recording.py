"""Recording what somebody decides, of one record or of many at once."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, delete
from sqlalchemy.orm import Session

from tandem.db.pieces import pieces
from tandem.db.rows import fetch
from tandem.errors import TandemError
from tandem.ids import RankingId, RecordNumber
from tandem.reviews.models import LockedReview, Role
from tandem.reviews.policy import Stage
from tandem.reviews.service import Viewer
from tandem.screening import client_state
from tandem.screening.blinding import exposure
from tandem.screening.blinding.numbers import visible_numbers
from tandem.screening.blinding.view import visible_status
from tandem.screening.client_state import Basis
from tandem.screening.complete import require_complete
from tandem.screening.full_text import population
from tandem.screening.full_text.population import require_reached
from tandem.screening.lease_models import Lease
from tandem.screening.ledger.append import Change, append_each
from tandem.screening.ledger.entries import DecisionInput, NewDecision
from tandem.screening.ledger.loading import Loaded, load_many_screenable
from tandem.screening.ledger.state import RecordKey, RecordState
from tandem.screening.models import Decision, ResolvedBy
from tandem.screening.queue.order import NO_ORDER, Order


@dataclass(frozen=True, slots=True)
class Recorded:
    """The reviewer's present decision, and the record's status as they may see it.

    `labels_seq` is the decision's, in their numbering. `counted` is False where the record is
    not at full text now: the decision is kept, and counts when it is there again.
    """

    decision: Decision | None
    labels_seq: int | None
    status: str
    changed: bool
    counted: bool = True


@dataclass(frozen=True, slots=True)
class NewVote:
    """What somebody decides on a record, and what they know of.

    `basis` is their own newest decision, `criteria_version` the criteria that were shown to them;
    None where the client does not say: then those in force.
    """

    record_number: RecordNumber
    given: DecisionInput
    basis: Basis | None = None
    criteria_version: int | None = None


def record_decisions(
    session: Session,
    *,
    review: LockedReview,
    viewer: Viewer,
    stage: Stage,
    asked: Sequence[NewVote],
    again: bool = False,
    in_any_case: bool = False,
    newest: Callable[[], Order] = lambda: NO_ORDER,
) -> list[Recorded | TandemError]:
    """Do what `record_decision` does for many records, in this order, each of them once.

    Each succeeds or fails alone: in place of one that is refused there is the error, and nothing
    was changed for it.

    Raises:
        Forbidden: An observer does not decide.
    """
    viewer.require(Role.REVIEWER, "decide records")
    loaded = load_many_screenable(session, review.id, stage, [new.record_number for new in asked])
    answers: dict[RecordNumber, Decision | TandemError] = {}
    states: dict[RecordNumber, RecordState] = {}
    for new in asked:
        number = new.record_number
        try:
            state = _require_recordable(session, review, viewer, loaded[number], new)
            mine = state.votes.get(viewer.user_id)
            is_entered = in_any_case or _says_more(review, mine, new, again=again)
            if mine is not None and not is_entered:
                answers[number] = mine
                continue
            client_state.require_newest(session, viewer, mine, new.basis)
            states[number] = state
        except TandemError as error:
            answers[number] = error
    entered = [new for new in asked if new.record_number in states]
    touched = [state for number, state in states.items() if loaded[number].is_touched]
    informed = exposure.informed_among(session, viewer, touched)
    after = _enter(session, review, viewer, stage, states, entered, informed, newest)
    return _answers(session, review, viewer, stage, asked, answers, loaded, after)


def _require_recordable(
    session: Session, review: LockedReview, viewer: Viewer, loaded: Loaded, new: NewVote
) -> RecordState:
    """Return the record's state; raise if this cannot be decided of it, whatever is there."""
    given, key = new.given, loaded.state.key
    client_state.require_possible(given.made_at)
    client_state.require_known_criteria(review, new.criteria_version)
    require_complete(key.stage, given)
    state = loaded.screenable()
    require_reached(session, key)
    return state


def _says_more(review: LockedReview, mine: Decision | None, new: NewVote, *, again: bool) -> bool:
    """Whether this is an entry of its own beside the reviewer's present one."""
    if mine is None or not _same(mine, new.given):
        return True
    under = new.criteria_version or (review.criteria_version if again else None)
    looked_again = under is not None and mine.criteria_version < under
    # A vote that came with a linked record was not made for this one: their own is entered.
    return looked_again or mine.carried_from is not None


def _enter(
    session: Session,
    review: LockedReview,
    viewer: Viewer,
    stage: Stage,
    states: Mapping[RecordNumber, RecordState],
    entered: Sequence[NewVote],
    informed: Collection[RecordNumber],
    newest: Callable[[], Order],
) -> dict[RecordNumber, RecordState]:
    """Enter these decisions; return the states that follow."""
    if not states:
        return {}
    held = _end_leases(session, viewer, stage, list(states))
    changes = []
    for new in entered:
        number, state = new.record_number, states[new.record_number]
        rank, ranking_id = held.get(number) or _rank_in(newest(), state.key)
        entry = NewDecision(
            viewer.user_id,
            new.given,
            number in informed,
            rank=rank,
            ranking_id=ranking_id,
            criteria_version=new.criteria_version,
        )
        changes.append(Change(state, [entry]))
    because = ResolvedBy.AGREEMENT
    after = append_each(session, review, viewer.policies[stage], changes, because=because)
    return dict(zip(states, after, strict=True))


def _answers(
    session: Session,
    review: LockedReview,
    viewer: Viewer,
    stage: Stage,
    asked: Sequence[NewVote],
    answers: Mapping[RecordNumber, Decision | TandemError],
    loaded: Mapping[RecordNumber, Loaded],
    after: Mapping[RecordNumber, RecordState],
) -> list[Recorded | TandemError]:
    """Return what became of each: what it was answered with, or its new decision."""
    made = {**answers} | {number: state.votes[viewer.user_id] for number, state in after.items()}
    known = [found.labels_seq for found in made.values() if isinstance(found, Decision)]
    numbers = visible_numbers(session, viewer, known, locked=review)
    results: list[Recorded | TandemError] = []
    for new in asked:
        number, found = new.record_number, made[new.record_number]
        if isinstance(found, TandemError):
            results.append(found)
            continue
        changed, state = number in after, after.get(number) or loaded[number].state
        status = visible_status(viewer, stage, state.status, has_decided=True)
        counted = population.counts(session, viewer.policies, state.key)
        results.append(Recorded(found, numbers[found.labels_seq], status, changed, counted))
    return results


def _same(mine: Decision, given: DecisionInput) -> bool:
    fields = (given.verdict, given.reasons, given.labels, given.note, given.classification)
    return (mine.verdict, mine.reasons, mine.labels, mine.note, mine.classification) == fields


def _rank_in(newest: Order, key: RecordKey) -> tuple[int | None, RankingId | None]:
    """Return where a record stands that nobody was served."""
    rank = newest.rank_of(key.record_number)
    return rank, None if rank is None else newest.ranking_id


def _end_leases(
    session: Session, viewer: Viewer, stage: Stage, numbers: Collection[RecordNumber]
) -> dict[RecordNumber, tuple[int | None, RankingId | None]]:
    """Let go of records; return where each stood in the ranking that it was served from."""
    held = dict[RecordNumber, tuple[int | None, RankingId | None]]()
    for piece in pieces(list(numbers)):
        at = {
            "review_id": viewer.review_id,
            "stage": stage,
            "numbers": piece,
            "user_id": viewer.user_id,
        }
        for row in fetch(session, _END_LEASES, at):
            held[row.record_number] = (row.rank, row.ranking_id)
    return held


_END_LEASES = (
    delete(Lease)
    .where(
        Lease.review_id == bindparam("review_id"),
        Lease.stage == bindparam("stage"),
        Lease.record_number.in_(bindparam("numbers", expanding=True)),
        Lease.user_id == bindparam("user_id"),
    )
    .returning(Lease.record_number, Lease.rank, Lease.ranking_id)
)
