"""Reviewers' decisions: an append-only ledger, with everything that follows from an entry."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import bindparam, delete
from sqlalchemy.orm import Session

from tandem.db.base import now
from tandem.errors import NotFound
from tandem.events import log
from tandem.events.types import (
    DecisionRecorded,
    DecisionWithdrawn,
)
from tandem.ids import ConflictId, DecisionId, RankingId, RecordNumber, new_id
from tandem.reviews.models import Review, Role
from tandem.reviews.policy import Stage
from tandem.reviews.service import Viewer
from tandem.screening import client_state, ledger, sightings, told_numbers
from tandem.screening.client_state import Basis
from tandem.screening.ledger import Page, Place
from tandem.screening.models import Decision, Lease, ResolvedBy
from tandem.screening.queue.order import NO_ORDER, Order
from tandem.screening.rules import Status, Verdict
from tandem.screening.visibility import shown_status


class SecondVote(DecisionRecorded):
    """A vote in a conflict, or what takes its place: the blinded do not hear that there was one."""

    open_to_blinded = False


class NoDecision(NotFound):
    """There is nothing to withdraw."""

    code = "no_decision"


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a reviewer says of a record.

    `seconds` is how long they looked at it, `made_at` when they said so by their own clock.
    """

    verdict: Verdict
    reasons: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    note: str | None = None
    seconds: float | None = None
    made_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Recorded:
    """The reviewer's present decision, and the record's status as they may see it.

    `labels_seq` is the decision's, as they are told it.
    """

    decision: Decision | None
    labels_seq: int | None
    status: str
    changed: bool


def record_decision(
    session: Session,
    *,
    review: Review,
    viewer: Viewer,
    record_number: RecordNumber,
    stage: Stage,
    judgement: Judgement,
    basis: Basis | None = None,
    again: bool = False,
    in_any_case: bool = False,
    newest: Callable[[], Order] = lambda: NO_ORDER,
) -> Recorded:
    """Record or replace this person's decision. Repeating the same one changes nothing.

    Always accepted, also when the record has its full number of decisions already: a vote
    that was given is never lost. The caller has locked the review. `again`: the same one is
    an entry of its own where the criteria have changed since; `in_any_case`: always. `newest` is
    asked for the newest ranking, where the record was not served from one. With a `basis` it is
    recorded only if that is their present decision; to repeat the present one is harmless.

    Raises:
        NotFound: The review has no such record.
        IsDuplicate: Another record is screened in its place.
        Forbidden: An observer does not decide.
        NewerDecision: `basis` is not their present decision.
        Invalid: `made_at` is in the future.
    """
    viewer.require(Role.REVIEWER, "decide records")
    client_state.require_possible(judgement.made_at)
    place = Place(review.id, stage, record_number)
    page = ledger.open_page(session, place)
    mine = page.present.get(viewer.user_id)
    is_outdated = mine is not None and mine.criteria_version < review.criteria_version
    is_entered = in_any_case or (again and is_outdated)
    # What came along with a linked record was not said of this one: their own word is entered.
    is_entered = is_entered or (mine is not None and mine.carried_from is not None)
    if mine is not None and _same(mine, judgement) and not is_entered:
        return _recorded(session, viewer, mine, page.status, changed=False)
    client_state.require_newest(session, viewer, mine, basis)
    rank, ranking_id = _end_lease(session, place, viewer) or _standing(newest(), place)
    informed = sightings.is_informed(session, place, viewer.user_id)
    decision = _append(session, review, place, viewer, judgement)
    decision.informed, decision.rank, decision.ranking_id = informed, rank, ranking_id
    status = _put_in_force(session, review, viewer, place, page, decision)
    return _recorded(session, viewer, decision, status, changed=True)


def _recorded(
    session: Session, viewer: Viewer, decision: Decision, status: Status, *, changed: bool
) -> Recorded:
    told = told_numbers.as_told(session, viewer, [decision.labels_seq])
    shown = shown_status(viewer, decision.stage, status, has_decided=True)
    return Recorded(decision, told[decision.labels_seq], shown, changed)


def record_second_vote(
    session: Session,
    *,
    review: Review,
    viewer: Viewer,
    place: Place,
    judgement: Judgement,
    conflict_id: ConflictId,
) -> Decision:
    """Append a voter's second vote in a conflict, also where it says the same as before.

    `second_votes.vote_again` says who may give it.
    """
    page = ledger.open_page(session, place)
    informed = sightings.is_informed(session, place, viewer.user_id)
    decision = _append(session, review, place, viewer, judgement)
    told_numbers.keep_closed(session, review)
    decision.informed, decision.second_in = informed, conflict_id
    _put_in_force(session, review, viewer, place, page, decision)
    return decision


def _put_in_force(
    session: Session,
    review: Review,
    viewer: Viewer,
    place: Place,
    page: Page,
    decision: Decision,
) -> Status:
    """Make a new entry its reviewer's present decision, tell of it, and of what follows."""
    fact = DecisionRecorded if decision.second_in is None else SecondVote
    log.append(
        session,
        review,
        fact(
            record_id=str(place.record_number),
            stage=place.stage,
            reviewer_id=str(viewer.user_id),
            labels_seq=decision.labels_seq,
            detail=ledger.decision_detail(decision),
        ),
    )
    before = page.present.pop(viewer.user_id, None)
    page.present[viewer.user_id] = decision  # the latest, so it comes last
    policy = viewer.policies[place.stage]
    status = ledger.judge(session, review, policy, place, page, because=ResolvedBy.AGREEMENT)
    ledger.make_present(session, place, decision, is_first=before is None)
    return status


def withdraw_decision(
    session: Session,
    *,
    review: Review,
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
    place = Place(review.id, stage, record_number)
    page = ledger.open_page(session, place)
    mine = page.present.pop(viewer.user_id, None)
    if mine is None:
        if not client_state.is_of(session, basis, place, viewer):
            raise NoDecision("You have no decision on this record.")
        shown = shown_status(viewer, stage, page.status, has_decided=False)
        return Recorded(None, None, shown, changed=False)
    client_state.require_newest(session, viewer, mine, basis)
    informed = sightings.is_informed(session, place, viewer.user_id)
    withdrawal = _append(session, review, place, viewer, judgement=None)
    withdrawal.informed, withdrawal.made_at = informed, made_at
    log.append(
        session,
        review,
        DecisionWithdrawn(
            record_id=str(record_number),
            stage=stage,
            reviewer_id=str(viewer.user_id),
            labels_seq=withdrawal.labels_seq,
            detail=ledger.decision_detail(withdrawal),
        ),
    )
    status = ledger.judge(
        session, review, viewer.policies[stage], place, page, because=ResolvedBy.WITHDRAWAL
    )
    ledger.make_present(session, place, withdrawal)
    shown = shown_status(viewer, stage, status, has_decided=False)
    return Recorded(None, None, shown, changed=True)


def _same(mine: Decision, judgement: Judgement) -> bool:
    return (mine.verdict, mine.reasons, mine.labels, mine.note) == (
        judgement.verdict,
        judgement.reasons,
        judgement.labels,
        judgement.note,
    )


def _append(
    session: Session, review: Review, place: Place, viewer: Viewer, judgement: Judgement | None
) -> Decision:
    review.labels_seq += 1
    entry = Decision(
        id=DecisionId(new_id()),
        review_id=review.id,
        record_number=place.record_number,
        stage=place.stage,
        reviewer_id=viewer.user_id,
        labels_seq=review.labels_seq,
        verdict=judgement.verdict if judgement else None,
        reasons=judgement.reasons if judgement else [],
        labels=judgement.labels if judgement else [],
        note=judgement.note if judgement else None,
        seconds=judgement.seconds if judgement else None,
        made_at=judgement.made_at if judgement else None,
        informed=False,
        criteria_version=review.criteria_version,
        created_at=now(),
    )
    session.add(entry)
    return entry


def _standing(newest: Order, place: Place) -> tuple[int | None, RankingId | None]:
    """Return where a record stands that nobody was served."""
    rank = newest.rank_of(place.record_number)
    return rank, None if rank is None else newest.ranking_id


def _end_lease(
    session: Session, place: Place, viewer: Viewer
) -> tuple[int | None, RankingId | None] | None:
    """Let go of the record; return where it stood in the ranking it was served from, if it was."""
    at = {
        "review_id": place.review_id,
        "stage": place.stage,
        "record_number": place.record_number,
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
