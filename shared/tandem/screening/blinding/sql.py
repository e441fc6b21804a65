"""What `view` answers of one record, as conditions over many: held equal by a test."""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Select,
    SQLColumnExpression,
    String,
    and_,
    case,
    cast,
    literal,
    or_,
    select,
    true,
)
from sqlalchemy.orm import Session, aliased

from tandem.ids import RecordNumber, UserId
from tandem.records.models import Record
from tandem.reviews.policy import Stage
from tandem.reviews.service import Viewer
from tandem.screening.blinding.view import (
    DONE,
    conflict_is_open_to_voters,
    hides_open_votes,
    hides_votes,
    is_unblinded,
    status_is_visible,
)
from tandem.screening.models import (
    Conflict,
    ConflictState,
    Decision,
    PresentDecision,
    ScreenedRecord,
)
from tandem.screening.rules import Status

_SETTLED = [Status.INCLUDED, Status.EXCLUDED]


class StatusRule(NamedTuple):
    """What the status that somebody sees of a stage's records depends on."""

    sees_all: bool
    shows_conflicts: bool


def status_rule(viewer: Viewer, stage: Stage) -> StatusRule:
    shows_conflicts = conflict_is_open_to_voters(viewer.policies[stage])
    return StatusRule(is_unblinded(viewer, stage), shows_conflicts)


def visible_status_sql(viewer: Viewer, stage: Stage) -> ColumnElement[str]:
    """`visible_status` as a condition over rows joined with the viewer's active vote.

    The query has outer joins to ScreenedRecord and to PresentDecision of this viewer.
    """
    return status_sql(status_rule(viewer, stage))


def status_sql(rule: StatusRule) -> ColumnElement[str]:
    """`visible_status_sql` by what it depends on."""
    status = case(
        (ScreenedRecord.status.is_(None), literal(Status.UNSCREENED.value)),
        else_=cast(ScreenedRecord.status, String),
    )
    if rule.sees_all:
        return status
    visible = [Status.INCLUDED, Status.EXCLUDED]
    if rule.shows_conflicts:
        visible.append(Status.CONFLICT)
    return case(
        (PresentDecision.decision_id.is_(None), literal(Status.UNSCREENED.value)),
        (ScreenedRecord.status.in_(visible), status),
        else_=literal(DONE),
    )


def with_status(
    query: Select[*tuple[Any, ...]],
    viewer: Viewer,
    stage: Stage,
    review_id: SQLColumnExpression[Any],
    number: SQLColumnExpression[Any],
) -> Select[*tuple[Any, ...]]:
    """Add what `visible_status_sql` reads, and the status itself as `shown_status`."""
    return (
        query.add_columns(visible_status_sql(viewer, stage).label("shown_status"))
        .outerjoin(
            ScreenedRecord,
            and_(
                ScreenedRecord.review_id == review_id,
                ScreenedRecord.stage == stage,
                ScreenedRecord.record_number == number,
            ),
        )
        .outerjoin(
            PresentDecision,
            and_(
                PresentDecision.review_id == review_id,
                PresentDecision.stage == stage,
                PresentDecision.record_number == number,
                PresentDecision.reviewer_id == viewer.user_id,
            ),
        )
    )


def carries_visible_label(viewer: Viewer, stage: Stage, label: str) -> ColumnElement[bool]:
    """Return the condition that a record has this label, as far as the viewer may see it.

    The query has the outer joins of `visibility.visible_status_sql`.
    """
    present, decision = aliased(PresentDecision), aliased(Decision)
    stored = json.dumps(label, ensure_ascii=False)
    return (
        select(present.decision_id)
        .join(decision, decision.id == present.decision_id)
        .where(
            present.review_id == Record.review_id,
            present.stage == stage,
            present.record_number == Record.number,
            cast(decision.labels, String).contains(stored, autoescape=True),
            or_(present.reviewer_id == viewer.user_id, others_labels_are_visible(viewer, stage)),
        )
        .correlate(Record, ScreenedRecord, PresentDecision)
        .exists()
    )


def others_labels_are_visible(viewer: Viewer, stage: Stage) -> ColumnElement[bool]:
    """Return on which records others' labels are open: where their names are, too."""
    settled = ScreenedRecord.status.in_(_SETTLED)
    if not is_unblinded(viewer, stage):
        return and_(settled, PresentDecision.decision_id.is_not(None))
    # Not as A and B either: which labels are new would tell whose votes these are.
    return settled if hides_open_votes(viewer, stage) else true()


def has_vote_of(user_id: UserId) -> ColumnElement[bool]:
    return (
        select(PresentDecision.decision_id)
        .where(
            PresentDecision.review_id == Conflict.review_id,
            PresentDecision.stage == Conflict.stage,
            PresentDecision.record_number == Conflict.record_number,
            PresentDecision.reviewer_id == user_id,
        )
        .exists()
    )


def conflict_is_visible(viewer: Viewer) -> ColumnElement[bool]:
    """Return which conflicts this person may know of.

    Those who see all: every one. A blinded reviewer: those their own vote is in, once the
    record is settled, or at once where the policy opens conflicts to their voters.
    """
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
        Conflict.stage.in_([stage for stage in Stage if is_unblinded(viewer, stage)]),
        and_(has_vote_of(viewer.user_id), or_(settled, open_now)),
    )


def hidden_records(session: Session, viewer: Viewer, stage: Stage) -> Sequence[RecordNumber]:
    """Return the records of a stage on which others' votes are hidden from this person.

    Nothing of it depends on more than the statuses that they see. Of one who is blinded, as if
    they had decided all records: no others are shown to them. A record that nobody ever decided
    may be missing.
    """
    sees_statuses = is_unblinded(viewer, stage)
    if sees_statuses and not hides_open_votes(viewer, stage):
        return []
    query = select(ScreenedRecord.record_number, ScreenedRecord.status).where(
        ScreenedRecord.review_id == viewer.review_id, ScreenedRecord.stage == stage
    )
    return [
        number
        for number, status in session.execute(query)
        if hides_votes(viewer, stage, status)
        or not (sees_statuses or status_is_visible(viewer, stage, status, has_decided=True))
    ]
