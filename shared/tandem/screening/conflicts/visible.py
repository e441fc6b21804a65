"""A conflict as somebody may see it: its votes by name, as A and B, or not at all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy.orm import Session

from tandem.accounts import service as accounts
from tandem.ids import UserId
from tandem.records.models import Record
from tandem.reviews.models import Role
from tandem.reviews.service import Viewer
from tandem.screening.blinding.view import (
    Visibility,
    conflict_visibility,
    visible_second_votes,
    visible_votes,
)
from tandem.screening.ledger.conflict_history import ConflictHistory
from tandem.screening.models import Conflict, ConflictState, Resolution
from tandem.screening.rules import Classification, Verdict

Needs = Literal["voters", "adjudicator"]


@dataclass(frozen=True, slots=True)
class ShownDecision:
    """A vote in a conflict as somebody may see it. `letter` is the voter's in this conflict."""

    letter: str
    reviewer: str
    reviewer_id: UserId | None
    is_mine: bool
    verdict: Verdict
    reasons: list[str]
    classification: Classification | None
    note: str | None


@dataclass(frozen=True, slots=True)
class ShownResolution:
    """A resolution, and where it is open who gave it and who took it back, their names."""

    resolution: Resolution
    names: Mapping[UserId, str] | None


@dataclass(frozen=True, slots=True)
class ShownConflict:
    """A conflict with what of it is open to the one who asks.

    `second_votes` are the letters of those who have voted once more since it was opened;
    `needs` says whose turn it is, None where it is settled; `history` are the resolutions that
    were taken back, the oldest first.
    """

    conflict: Conflict
    record: Record
    decisions: list[ShownDecision]
    second_votes: list[str]
    needs: Needs | None
    resolution: ShownResolution | None
    history: list[ShownResolution]


def show(session: Session, viewer: Viewer, found: Sequence[ConflictHistory]) -> list[ShownConflict]:
    """Return these conflicts with what of them is open to the viewer, who may know of each."""
    people = [decision.reviewer_id for history in found for decision in history.entries]
    settled = [one for history in found for one in history.resolutions]
    people += [one.resolver_id for one in settled]
    people += [one.taken_back_by for one in settled if one.taken_back_by is not None]
    names = accounts.names_of(session, people)
    return [_show(viewer, history, names) for history in found]


def _show(viewer: Viewer, history: ConflictHistory, names: Mapping[UserId, str]) -> ShownConflict:
    sees, letters = conflict_visibility(viewer, history), history.letters()
    open_names = names if sees == "all" or viewer.has(Role.ADJUDICATOR) else None
    active = history.state.resolution
    revoked = [one for one in history.resolutions if one.taken_back_at is not None]
    return ShownConflict(
        conflict=history.conflict,
        record=history.record,
        decisions=[] if sees == "nothing" else _decisions(viewer, history, names, sees, letters),
        second_votes=[letters[one] for one in visible_second_votes(viewer, history, sees)],
        needs=_needs(viewer, history),
        resolution=None if active is None else ShownResolution(active, open_names),
        history=[ShownResolution(one, open_names) for one in revoked],
    )


def _decisions(
    viewer: Viewer,
    history: ConflictHistory,
    names: Mapping[UserId, str],
    sees: Visibility,
    letters: Mapping[UserId, str],
) -> list[ShownDecision]:
    shown = [
        ShownDecision(
            letter=letters[decision.reviewer_id],
            reviewer=names[decision.reviewer_id]
            if sees == "all"
            else letters[decision.reviewer_id],
            reviewer_id=decision.reviewer_id if sees == "all" else None,
            is_mine=decision.reviewer_id == viewer.user_id,
            verdict=decision.verdict,
            reasons=decision.reasons,
            classification=decision.classification,
            note=decision.note,
        )
        for decision in visible_votes(viewer, history).values()
        if decision.verdict is not None
    ]
    return sorted(shown, key=lambda vote: (len(vote.letter), vote.letter))


def _needs(viewer: Viewer, history: ConflictHistory) -> Needs | None:
    if history.conflict.state is ConflictState.RESOLVED:
        return None
    if viewer.policies[history.conflict.stage].resolution != "consensus":
        return "adjudicator"
    # Not for those who left: theirs will never come.
    waiting = (history.voters & history.can_vote) - history.voted_again
    return "voters" if waiting else "adjudicator"
