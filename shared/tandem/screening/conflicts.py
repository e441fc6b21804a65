"""Conflicts: who may see them, and how somebody settles one."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from tandem.accounts import service as accounts
from tandem.db.base import now
from tandem.errors import Conflict as Contradiction
from tandem.errors import Forbidden, NotFound
from tandem.ids import ConflictId, DecisionId, UserId, new_id
from tandem.records.models import Record
from tandem.reviews.models import Review, Role
from tandem.reviews.policy import Stage
from tandem.reviews.service import Viewer
from tandem.screening import ledger
from tandem.screening.ledger import Place
from tandem.screening.models import (
    Cause,
    Conflict,
    ConflictState,
    Decision,
    PresentDecision,
    Resolution,
    ResolvedBy,
    ScreenedRecord,
)
from tandem.screening.rules import Status, Verdict
from tandem.screening.visibility import conflict_is_open_to_voters


class OwnConflict(Forbidden):
    """The policy bars those whose votes differ from settling the difference."""

    code = "own_conflict"


class AlreadyResolved(Contradiction):
    """The conflict is settled; nothing was changed."""

    code = "already_resolved"


@dataclass(frozen=True, slots=True)
class ShownDecision:
    """A vote in a conflict as somebody may see it: by name, or as A, B, C."""

    reviewer: str
    reviewer_id: UserId | None
    verdict: Verdict
    reasons: list[str]
    note: str | None


@dataclass(frozen=True, slots=True)
class ShownConflict:
    """A conflict with what of its decisions is open to the one who asks."""

    conflict: Conflict
    record: Record
    decisions: list[ShownDecision]
    resolution: Resolution | None


def list_conflicts(
    session: Session,
    *,
    viewer: Viewer,
    stage: Stage | None,
    state: ConflictState | None,
    offset: int,
    limit: int,
) -> list[ShownConflict]:
    """Return the conflicts this person may know of, in the order they were opened."""
    query = (
        select(Conflict)
        .where(Conflict.review_id == viewer.review_id, _may_see(viewer))
        .order_by(Conflict.opened_at, Conflict.id)
        .offset(offset)
        .limit(limit)
    )
    if stage is not None:
        query = query.where(Conflict.stage == stage)
    if state is not None:
        query = query.where(Conflict.state == state)
    return [_show(session, viewer, conflict) for conflict in session.scalars(query)]


def get_conflict(session: Session, *, viewer: Viewer, conflict_id: ConflictId) -> ShownConflict:
    """Return one conflict, or raise NotFound: this person cannot tell whether it exists."""
    query = select(Conflict).where(
        Conflict.id == conflict_id, Conflict.review_id == viewer.review_id, _may_see(viewer)
    )
    if (conflict := session.scalars(query).one_or_none()) is None:
        raise NotFound("There is no such conflict in this review.")
    return _show(session, viewer, conflict)


def resolve_conflict(
    session: Session,
    *,
    review: Review,
    viewer: Viewer,
    conflict_id: ConflictId,
    verdict: Verdict,
    reasons: Sequence[str],
    note: str | None,
    cause: Cause | None,
) -> ShownConflict:
    """Settle a conflict. The votes stay as they are. The caller has locked the review.

    Raises:
        NotFound: There is no such conflict.
        OwnConflict: This person's vote is part of it, and the policy bars voters.
        Forbidden: They are neither adjudicator nor owner, nor a voter whom the policy lets.
        AlreadyResolved: It is settled.
    """
    conflict = _find(session, viewer, conflict_id)
    place = _place(conflict)
    policy = viewer.policies[conflict.stage]
    viewer.require(Role.REVIEWER, "settle conflicts")
    if viewer.user_id in ledger.present_decisions(session, place):
        if not policy.voter_may_adjudicate:
            raise OwnConflict(
                "You have decided this record yourself, so somebody else settles its conflict."
            )
    else:
        viewer.require(Role.ADJUDICATOR, "settle conflicts")
    if conflict.state is ConflictState.RESOLVED:
        raise AlreadyResolved("This conflict is settled already.")
    review.labels_seq += 1
    session.add(
        Resolution(
            id=DecisionId(new_id()),
            conflict_id=conflict.id,
            review_id=review.id,
            record_number=conflict.record_number,
            stage=conflict.stage,
            labels_seq=review.labels_seq,
            verdict=verdict,
            reasons=list(reasons),
            note=note,
            cause=cause,
            resolver_id=viewer.user_id,
            created_at=now(),
        )
    )
    ledger.settle(session, review, policy, place, because=ResolvedBy.RESOLUTION)
    return _show(session, viewer, conflict)


def _find(session: Session, viewer: Viewer, conflict_id: ConflictId) -> Conflict:
    conflict = session.get(Conflict, conflict_id)
    if conflict is None or conflict.review_id != viewer.review_id:
        raise NotFound("There is no such conflict in this review.")
    return conflict


def _place(conflict: Conflict) -> Place:
    return Place(conflict.review_id, conflict.stage, conflict.record_number)


def _may_see(viewer: Viewer) -> ColumnElement[bool]:
    """Return which conflicts this person may know of.

    Those who see all: every one. A blinded reviewer: those their own vote is in, once the
    record is settled, or at once where the policy opens conflicts to their voters.
    """
    at_this_record = (
        PresentDecision.review_id == Conflict.review_id,
        PresentDecision.stage == Conflict.stage,
        PresentDecision.record_number == Conflict.record_number,
    )
    voted = (
        select(PresentDecision.decision_id)
        .where(*at_this_record, PresentDecision.reviewer_id == viewer.user_id)
        .exists()
    )
    settled = (
        select(ScreenedRecord.status)
        .where(
            ScreenedRecord.review_id == Conflict.review_id,
            ScreenedRecord.stage == Conflict.stage,
            ScreenedRecord.record_number == Conflict.record_number,
            ScreenedRecord.status.in_([Status.INCLUDED, Status.EXCLUDED]),
        )
        .exists()
    )
    open_to_voters = [
        stage for stage in Stage if conflict_is_open_to_voters(viewer.policies[stage])
    ]
    open_now = and_(Conflict.state == ConflictState.OPEN, Conflict.stage.in_(open_to_voters))
    return or_(
        Conflict.stage.in_([stage for stage in Stage if viewer.sees_all(stage)]),
        and_(voted, or_(settled, open_now)),
    )


def _show(session: Session, viewer: Viewer, conflict: Conflict) -> ShownConflict:
    place = _place(conflict)
    decisions = list(ledger.present_decisions(session, place).values())
    return ShownConflict(
        conflict,
        session.get_one(Record, (conflict.review_id, conflict.record_number)),
        _shown_decisions(session, viewer, conflict, decisions),
        ledger.standing_resolution(session, place),
    )


def _shown_decisions(
    session: Session, viewer: Viewer, conflict: Conflict, decisions: Sequence[Decision]
) -> list[ShownDecision]:
    policy = viewer.policies[conflict.stage]
    sees = policy.adjudicator_sees if viewer.has(Role.ADJUDICATOR) else "anonymous"
    # A conflict that a withdrawal ended may be reopened, so being over does not open it.
    if not policy.blind or ledger.status(session, _place(conflict)).is_settled:
        sees = "all"
    if sees == "nothing":
        return []
    names = {
        user.id: user.name
        for user in accounts.users_by_id(session, {d.reviewer_id for d in decisions}).values()
    }
    shown = []
    # By verdict, not by time: who voted first would tell A from B.
    for letter, decision in zip("ABCDEFGH", sorted(decisions, key=_anonymous_order), strict=False):
        if decision.verdict is None:
            continue
        known = sees == "all"
        shown.append(
            ShownDecision(
                reviewer=names[decision.reviewer_id] if known else letter,
                reviewer_id=decision.reviewer_id if known else None,
                verdict=decision.verdict,
                reasons=decision.reasons,
                note=decision.note,
            )
        )
    return shown


def _anonymous_order(decision: Decision) -> tuple[str, str]:
    return (str(decision.verdict), str(decision.id))
