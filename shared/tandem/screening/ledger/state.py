"""The state of one record in a stage: its active votes, its resolution, its conflict, its status.

`ledger.loading` and `ledger.of_stage` read states from the tables. Only `append` changes one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from tandem.ids import RecordNumber, ReviewId, UserId
from tandem.reviews.policy import Policy, Stage
from tandem.screening.models import Conflict, ConflictState, Decision, Resolution, ScreenedRecord
from tandem.screening.rules import Outcome, Status, Vote, outcome


@dataclass(frozen=True, slots=True)
class RecordKey:
    """A record in a stage of a review: what a decision, a status and a conflict belong to."""

    review_id: ReviewId
    stage: Stage
    record_number: RecordNumber

    @property
    def columns(self) -> tuple[ReviewId, Stage, RecordNumber]:
        """Return the values of the primary key of the tables that have one row for a record."""
        return (self.review_id, self.stage, self.record_number)


@dataclass(frozen=True, slots=True)
class RecordState:
    """A record in a stage, as it is or was at one moment.

    Attributes:
        key: Which record.
        votes: The active vote of each reviewer who has one, the earliest first.
        resolution: The active resolution, if there is one.
        status: What follows from them under the policy.
        conflict: The record's conflict, open or resolved. The row may change later;
            `conflict_state` does not.
        conflict_state: Whether it was open at this moment; None if there was no conflict.
        row: Where the status is stored; None for a record that nobody has decided.
    """

    key: RecordKey
    votes: Mapping[UserId, Decision]
    resolution: Resolution | None
    status: Status
    conflict: Conflict | None
    conflict_state: ConflictState | None
    row: ScreenedRecord | None = field(repr=False)
    has_advanced: bool = False
    """Of title and abstract: the record was at full text by then, which everybody could know."""

    @classmethod
    def of(
        cls,
        key: RecordKey,
        votes: Mapping[UserId, Decision],
        resolution: Resolution | None,
        conflict: Conflict | None,
        row: ScreenedRecord | None,
    ) -> "RecordState":
        """Return the state that these rows have now."""
        return cls(
            key,
            votes,
            resolution,
            Status.UNSCREENED if row is None else row.status,
            conflict,
            None if conflict is None else conflict.state,
            row,
            row is not None and row.has_advanced,
        )

    @property
    def is_in_conflict(self) -> bool:
        return self.conflict_state is ConflictState.OPEN

    def outcome(self, policy: Policy) -> Outcome:
        """Return what the votes and the resolution amount to under a policy."""
        votes = [
            Vote(vote.verdict, tuple(vote.reasons), vote.classification)
            for vote in self.votes.values()
            if vote.verdict is not None
        ]
        if self.resolution is None:
            return outcome(policy, votes)
        return outcome(policy, votes, self.resolution.verdict, self.resolution.classification)

    def with_entry(self, entry: Decision) -> "RecordState":
        """Return the state with an entry as its reviewer's vote; a withdrawal leaves none."""
        votes = {by: vote for by, vote in self.votes.items() if by != entry.reviewer_id}
        if entry.verdict is not None:
            votes[entry.reviewer_id] = entry  # the latest, so it comes last
        return replace(self, votes=votes)
