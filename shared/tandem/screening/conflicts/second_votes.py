"""Consensus: those who differ see each other's reasons, as A and B, and vote once more."""

from sqlalchemy.orm import Session

from tandem.errors import Conflict as Contradiction
from tandem.errors import Forbidden
from tandem.ids import ConflictId
from tandem.reviews.models import LockedReview, Role
from tandem.reviews.service import Viewer
from tandem.screening import decisions
from tandem.screening.conflicts import service as conflicts
from tandem.screening.conflicts.service import AlreadyResolved
from tandem.screening.ledger.conflict_history import histories
from tandem.screening.ledger.entries import DecisionInput
from tandem.screening.models import Conflict, ConflictState


class NotAVoter(Forbidden):
    """Only those whose votes differ vote once more."""

    code = "not_a_voter"


class NotConsensus(Contradiction):
    """The policy asks for no second vote."""

    code = "not_consensus"


class VotedAgain(Contradiction):
    """There is one second vote for each voter, until the conflict is opened again."""

    code = "voted_again"


def vote_again(
    session: Session,
    *,
    review: LockedReview,
    viewer: Viewer,
    conflict_id: ConflictId,
    given: DecisionInput,
    criteria_version: int | None = None,
) -> Conflict:
    """Give this voter's second vote, be it another one or the same: then they stand by it.

    Where all agree by it the conflict is over at once. The first votes stay in the ledger, for
    agreement between independent reviewers is theirs. `criteria_version` is that of the criteria
    which were shown to them; those in force, if None.

    Raises:
        NotFound: There is no such conflict, or this person may not know of it.
        Forbidden: They only observe.
        NotAVoter: Their vote is not in it.
        AlreadyResolved: It is settled.
        NotConsensus: The policy asks for no second vote.
        VotedAgain: They have given theirs since the conflict was opened.
        Invalid: The criteria have no such version, or a classification goes with the wrong verdict.
        ReasonRequired: It excludes a full text without a reason.
    """
    conflict = conflicts.visible(session, viewer, conflict_id)
    viewer.require(Role.REVIEWER, "vote in conflicts")
    (history,) = histories(session, [conflict])
    if viewer.user_id not in history.voters:
        raise NotAVoter("You have not decided this record, so you have no vote in its conflict.")
    if conflict.state is ConflictState.RESOLVED:
        raise AlreadyResolved("This conflict is settled already.")
    if viewer.policies[conflict.stage].resolution != "consensus":
        raise NotConsensus("The review's policy asks for no second vote: an adjudicator settles.")
    if viewer.user_id in history.voted_again:
        raise VotedAgain("You have voted once more already. Talk it over, or let somebody settle.")
    decisions.record_second_vote(
        session,
        review=review,
        viewer=viewer,
        key=conflicts.key_of(conflict),
        given=given,
        conflict_id=conflict.id,
        criteria_version=criteria_version,
    )
    return conflict
