"""What somebody may see of other people's verdicts. Everything shown passes through here.

Until a reviewer has decided a record themselves, nothing they are shown depends on how others
voted on it. Afterwards it is `done`, until it is settled or the policy opens its conflict.

Those who settle conflicts see every status. Where the policy hides the votes from them, nothing
they are shown of an open record depends on more than that.
"""

from sqlalchemy import ColumnElement, String, case, cast, literal

from tandem.reviews.models import Review, Role
from tandem.reviews.policy import Policy, Stage
from tandem.reviews.service import Viewer
from tandem.screening.models import PresentDecision, ScreenedRecord
from tandem.screening.rules import Status

DONE = "done"
"""Shown instead of a status that would tell how others voted."""


def conflict_is_open_to_voters(policy: Policy) -> bool:
    """Whether the policy shows an open conflict to those whose votes are in it."""
    return policy.resolution == "consensus" or policy.voter_may_adjudicate


def names_are_open(viewer: Viewer, stage: Stage) -> bool:
    """Whether this person is shown by name who voted how, also while a record is open."""
    policy = viewer.policies[stage]
    return not policy.blind or (viewer.sees_all(stage) and policy.adjudicator_sees == "all")


def hides_open_votes(viewer: Viewer, stage: Stage) -> bool:
    """Whether the policy hides something of the votes on open records from who may settle them."""
    policy = viewer.policies[stage]
    return viewer.has(Role.ADJUDICATOR) and policy.blind and policy.adjudicator_sees != "all"


def hides_votes(viewer: Viewer, stage: Stage, status: Status | None) -> bool:
    """Whether others' votes on a record of this status are hidden from one who sees statuses.

    None is a record that nobody has decided.
    """
    return hides_open_votes(viewer, stage) and not (status is not None and status.is_settled)


def status_is_open(viewer: Viewer, stage: Stage, status: Status, *, has_decided: bool) -> bool:
    """Whether a record's status is shown to this person as it is."""
    if viewer.sees_all(stage):
        return True
    return has_decided and (
        status.is_settled
        or (status is Status.CONFLICT and conflict_is_open_to_voters(viewer.policies[stage]))
    )


def shown_status(viewer: Viewer, stage: Stage, status: Status, *, has_decided: bool) -> str:
    """Return a record's status as this person may see it."""
    if status_is_open(viewer, stage, status, has_decided=has_decided):
        return status
    return DONE if has_decided else Status.UNSCREENED


def shown_status_sql(viewer: Viewer, stage: Stage) -> ColumnElement[str]:
    """`shown_status` as a condition over rows joined with the viewer's present decision.

    The query has outer joins to ScreenedRecord and to PresentDecision of this viewer.
    """
    shows_conflicts = conflict_is_open_to_voters(viewer.policies[stage])
    return status_sql(sees_all=viewer.sees_all(stage), shows_conflicts=shows_conflicts)


def status_sql(*, sees_all: bool, shows_conflicts: bool) -> ColumnElement[str]:
    """`shown_status_sql` by what it depends on.

    Args:
        sees_all: Whether the viewer sees every status.
        shows_conflicts: Whether the policy shows a conflict to those whose votes are in it.
    """
    status = case(
        (ScreenedRecord.status.is_(None), literal(Status.UNSCREENED.value)),
        else_=cast(ScreenedRecord.status, String),
    )
    if sees_all:
        return status
    visible = [Status.INCLUDED, Status.EXCLUDED]
    if shows_conflicts:
        visible.append(Status.CONFLICT)
    return case(
        (PresentDecision.decision_id.is_(None), literal(Status.UNSCREENED.value)),
        (ScreenedRecord.status.in_(visible), status),
        else_=literal(DONE),
    )


def sees_every_event(viewer: Viewer) -> bool:
    """Whether the full log is open to them, or only what a blinded reviewer may know of."""
    return viewer.sees_all(Stage.TITLE_ABSTRACT)


def newest_sequence(review: Review, viewer: Viewer) -> int:
    """Return the number of the newest event that this person may know of, in their numbering."""
    return review.last_seq if sees_every_event(viewer) else review.last_open_seq
