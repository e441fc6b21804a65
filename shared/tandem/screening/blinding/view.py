"""What somebody may see of other people's verdicts. Everything that is shown passes through here.

Until a reviewer has decided a record themselves, nothing they are shown depends on how others
voted on it. Afterwards it is `done`, until it is settled or the policy opens its conflict.

Those who settle conflicts see every status. Where the policy hides the votes from them, nothing
they are shown of an open record depends on more than that.

`view` answers for one record; `sql` answers the same for lists and counts. Both are pure: the
caller has loaded the state.
"""

from dataclasses import dataclass
from typing import Literal

from tandem.ids import UserId
from tandem.reviews.models import Review, Role
from tandem.reviews.policy import Policy, Stage
from tandem.reviews.service import Viewer
from tandem.screening.ledger.conflict_history import ConflictHistory
from tandem.screening.ledger.state import RecordState
from tandem.screening.models import Decision
from tandem.screening.rules import Status

Visibility = Literal["nothing", "anonymous", "all"]
"""How a vote is shown: not at all, as A or B, or by name."""

DONE = "done"
"""Shown instead of a status that would tell how others voted."""


def conflict_is_open_to_voters(policy: Policy) -> bool:
    """Whether the policy shows an open conflict to those whose votes are in it."""
    return policy.resolution == "consensus" or policy.voter_may_adjudicate


def is_unblinded(viewer: Viewer, stage: Stage) -> bool:
    """Whether every status of a stage is open to this person, whether or not they have decided."""
    return viewer.sees_statuses(stage)


def open_conflicts_known(viewer: Viewer, stage: Stage) -> Literal["all", "own", "none"]:
    """Return which open conflicts of a stage this person may know of: their own have their vote."""
    if is_unblinded(viewer, stage):
        return "all"
    return "own" if conflict_is_open_to_voters(viewer.policies[stage]) else "none"


def names_are_open(viewer: Viewer, stage: Stage) -> bool:
    """Whether this person is shown by name who voted how, also while a record is open."""
    policy = viewer.policies[stage]
    return not policy.blind or (is_unblinded(viewer, stage) and policy.adjudicator_sees == "all")


def hides_open_votes(viewer: Viewer, stage: Stage) -> bool:
    """Whether the policy hides something of the votes on open records from who may settle them."""
    policy = viewer.policies[stage]
    return viewer.has(Role.ADJUDICATOR) and policy.blind and policy.adjudicator_sees != "all"


def hides_votes(viewer: Viewer, stage: Stage, status: Status | None) -> bool:
    """Whether others' votes on a record of this status are hidden from one who sees statuses.

    None is a record that nobody has decided.
    """
    return hides_open_votes(viewer, stage) and not (status is not None and status.is_settled)


def status_is_visible(viewer: Viewer, stage: Stage, status: Status, *, has_decided: bool) -> bool:
    """Whether a record's status is shown to this person as it is."""
    if is_unblinded(viewer, stage):
        return True
    return has_decided and (
        status.is_settled
        or (status is Status.CONFLICT and conflict_is_open_to_voters(viewer.policies[stage]))
    )


def visible_status(viewer: Viewer, stage: Stage, status: Status, *, has_decided: bool) -> str:
    """Return a record's status as this person may see it."""
    if status_is_visible(viewer, stage, status, has_decided=has_decided):
        return status
    return DONE if has_decided else Status.UNSCREENED


@dataclass(frozen=True, slots=True)
class VisibleVote:
    """An active vote as somebody may see it: by name, or with a letter instead."""

    decision: Decision
    letter: str | None


@dataclass(frozen=True, slots=True)
class RecordView:
    """A record in a stage as somebody may see it.

    Attributes:
        status: Its status, or `done` or `unscreened` instead.
        is_status_open: Whether that is the status itself.
        knows_conflict: Whether they may know of its conflict, if there is one.
        votes: The active votes that are open to them, their own too; those without a name last.
        others_labels: Whether others' labels and notes count in lists and filters.
    """

    status: str
    is_status_open: bool
    knows_conflict: bool
    votes: tuple[VisibleVote, ...]
    others_labels: bool


def needs_history(viewer: Viewer, stage: Stage, status: Status) -> bool:
    """Whether what they see of the votes depends on how a record's conflict came about."""
    return status is Status.CONFLICT and hides_votes(viewer, stage, status)


def view(viewer: Viewer, state: RecordState, history: ConflictHistory | None = None) -> RecordView:
    """Return a record as this person may see it.

    Args:
        viewer: Who looks.
        state: The record's.
        history: Its conflict's, where `needs_history` says so.
    """
    stage, has_decided = state.key.stage, viewer.user_id in state.votes
    sees_all, is_settled = is_unblinded(viewer, stage), state.status.is_settled
    is_open = status_is_visible(viewer, stage, state.status, has_decided=has_decided)
    to_voters = state.is_in_conflict and conflict_is_open_to_voters(viewer.policies[stage])
    if sees_all:
        others_labels = is_settled or not hides_open_votes(viewer, stage)
    else:
        others_labels = is_settled and has_decided
    return RecordView(
        status=visible_status(viewer, stage, state.status, has_decided=has_decided),
        is_status_open=is_open,
        knows_conflict=sees_all or (has_decided and (is_settled or to_voters)),
        votes=_votes(viewer, state, history),
        others_labels=others_labels,
    )


def _votes(
    viewer: Viewer, state: RecordState, history: ConflictHistory | None
) -> tuple[VisibleVote, ...]:
    stage, me = state.key.stage, viewer.user_id
    votes, letters = state.votes, dict[UserId, str]()
    if not is_unblinded(viewer, stage) and not (me in votes and state.status.is_settled):
        votes = {by: vote for by, vote in votes.items() if by == me}
    elif needs_history(viewer, stage, state.status):
        if history is None:
            raise AssertionError("in a conflict whose votes are hidden its history decides")
        votes, letters = visible_votes(viewer, history), history.letters()
    shown = []
    for by, vote in votes.items():
        sees = vote_visibility(viewer, stage, state.status, by)
        if sees != "nothing":
            shown.append(VisibleVote(vote, letters[by] if sees == "anonymous" else None))
    # Those without a name by their letter, not by time: who voted first would tell A from B.
    return tuple(sorted(shown, key=lambda one: one.letter or ""))


def sees_all_votes(viewer: Viewer, stage: Stage) -> bool:
    """Whether every verdict of a stage is open to them, those on open records too.

    Then they may also see what was computed from all verdicts: scores, terms, counts.
    """
    return is_unblinded(viewer, stage) and not hides_open_votes(viewer, stage)


def preview_is_open(viewer: Viewer, before: RecordState, *, changes_own_vote: bool) -> bool:
    """Whether somebody may see what a change would do to a record, before it is made.

    Only if the record's status is open to them now. Else they could learn the others' verdicts by
    trying their own; so could those who see every status but not the votes.
    """
    stage, has_decided = before.key.stage, viewer.user_id in before.votes
    would_learn = changes_own_vote and hides_votes(viewer, stage, before.status)
    is_open = status_is_visible(viewer, stage, before.status, has_decided=has_decided)
    return is_open and not would_learn


def sees_every_event(viewer: Viewer) -> bool:
    """Whether the full log is open to them, or only what a blinded reviewer may know of.

    The log is of both stages: who is blinded in one of them must not learn its outcomes from it.
    """
    return all(is_unblinded(viewer, stage) for stage in Stage)


def newest_sequence(review: Review, viewer: Viewer) -> int:
    """Return the number of the newest event that this person may know of, in their numbering."""
    return review.last_seq if sees_every_event(viewer) else review.last_open_seq


def vote_visibility(viewer: Viewer, stage: Stage, status: str | None, by: UserId) -> Visibility:
    """Return how much of a vote is open to one who is not blinded: as a conflict shows it.

    Without names only in a conflict: where one vote stands alone the log tells whose it is.
    """
    policy = viewer.policies[stage]
    if by == viewer.user_id or not policy.blind or status in (Status.INCLUDED, Status.EXCLUDED):
        return "all"
    if policy.adjudicator_sees == "anonymous" and status != Status.CONFLICT:
        return "nothing"
    return policy.adjudicator_sees


def conflict_visibility(viewer: Viewer, history: ConflictHistory) -> Visibility:
    """Return how far the votes of a conflict that this person may know of are open to them."""
    policy = viewer.policies[history.conflict.stage]
    # A conflict that a withdrawal ended may be reopened, so being over does not open it.
    if not policy.blind or history.status.is_settled:
        return "all"
    if not viewer.has(Role.ADJUDICATOR):
        return "anonymous"
    takes_part = viewer.user_id in history.voters and conflict_is_open_to_voters(policy)
    if policy.adjudicator_sees == "all":
        return "all"
    # Of one vote that is left the log tells whose it is, so there is no letter to hide behind.
    if history.status is not Status.CONFLICT:
        return "nothing"
    return "anonymous" if takes_part else policy.adjudicator_sees


def visible_votes(viewer: Viewer, history: ConflictHistory) -> dict[UserId, Decision]:
    """Return the votes in a conflict from which this person cannot tell whose they are.

    The present ones where nobody's are hidden, and for one of two voters, who knows the other.
    Else their own beside those of the others as all had last voted.
    """
    present = dict(history.state.votes)
    me, is_hidden = viewer.user_id, hides_votes(viewer, history.conflict.stage, history.status)
    if not is_hidden or (me in present and len(present) == len(history.together()) == 2):
        return present
    others = {by: one for by, one in history.together().items() if by != me}
    return others | ({me: present[me]} if me in present else {})


def visible_second_votes(
    viewer: Viewer, history: ConflictHistory, sees: Visibility
) -> list[UserId]:
    """Return who is shown to have voted once more, by letter.

    The log tells of every decision whose it is. To somebody who settles and may know A and B by
    their letters only, one letter alone would tell which of them that was.
    """
    takes_part = viewer.user_id in history.voters
    some = history.voters - history.voted_again
    if sees == "nothing" or (sees == "anonymous" and some and not takes_part):
        return []
    letters = history.letters()
    return sorted(history.voted_again, key=lambda one: (len(letters[one]), letters[one]))
