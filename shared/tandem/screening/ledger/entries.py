"""What is entered in a record's ledger, and what the audit trail keeps of an entry."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tandem.db.base import now
from tandem.ids import ConflictId, DecisionId, RankingId, RecordNumber, UserId, new_id
from tandem.reviews.models import Review
from tandem.screening.ledger.state import RecordKey
from tandem.screening.models import Cause, Decision, Resolution
from tandem.screening.rules import Classification, Verdict


@dataclass(frozen=True, slots=True)
class DecisionInput:
    """A reviewer's verdict on a record, with what goes with it.

    `seconds` is how long they looked at it, `made_at` when they decided by their own clock.
    """

    verdict: Verdict
    reasons: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    note: str | None = None
    seconds: float | None = None
    made_at: datetime | None = None
    classification: Classification | None = None

    @classmethod
    def of(cls, decision: Decision) -> "DecisionInput | None":
        """Return what a decision says, to enter it once more; None for a withdrawal."""
        if decision.verdict is None:
            return None
        return cls(
            decision.verdict,
            decision.reasons,
            decision.labels,
            decision.note,
            classification=decision.classification,
        )


@dataclass(frozen=True, slots=True)
class NewDecision:
    """A decision to be entered, or without `given` the withdrawal of the one before.

    Attributes:
        reviewer_id: Whose decision it is.
        given: What they decided.
        informed: Whether another person's verdict on the record was open to them before.
        made_at: When a withdrawal was made, by the client's clock.
        rank: Where the record stood in the ranking.
        ranking_id: Which ranking that was.
        criteria_version: Under which criteria; None: under those in force.
        second_in: The conflict that it is the reviewer's second vote in.
        transferred_from: The linked record that it comes from; nobody decided again.
        entered_by: Who enters it in the reviewer's place.
        is_closed: Whether the blinded get no event of it.
    """

    reviewer_id: UserId
    given: DecisionInput | None
    informed: bool
    made_at: datetime | None = None
    rank: int | None = None
    ranking_id: RankingId | None = None
    criteria_version: int | None = None
    second_in: ConflictId | None = None
    transferred_from: RecordNumber | None = None
    entered_by: UserId | None = None
    is_closed: bool = False

    def row(self, review: Review, key: RecordKey) -> Decision:
        """Return the entry as it is stored, with the review's newest number."""
        given = self.given
        return Decision(
            id=DecisionId(new_id()),
            review_id=review.id,
            record_number=key.record_number,
            stage=key.stage,
            reviewer_id=self.reviewer_id,
            labels_seq=review.labels_seq,
            verdict=given.verdict if given else None,
            reasons=given.reasons if given else [],
            classification=given.classification if given else None,
            labels=given.labels if given else [],
            note=given.note if given else None,
            seconds=given.seconds if given else None,
            made_at=given.made_at if given else self.made_at,
            informed=self.informed,
            rank=self.rank,
            ranking_id=self.ranking_id,
            criteria_version=self.criteria_version or review.criteria_version,
            second_in=self.second_in,
            carried_from=self.transferred_from,
            entered_by=None if self.entered_by == self.reviewer_id else self.entered_by,
            created_at=now(),
        )


@dataclass(frozen=True, slots=True)
class ResolutionInput:
    """How somebody settles a conflict, and why its reviewers differed."""

    verdict: Verdict
    reasons: list[str] = field(default_factory=list)
    note: str | None = None
    cause: Cause | None = None
    criterion: str | None = None
    classification: Classification | None = None

    @classmethod
    def of(cls, row: Resolution) -> "ResolutionInput":
        """Return what a resolution says, to enter it at another record."""
        return cls(row.verdict, row.reasons, row.note, row.cause, row.criterion, row.classification)


@dataclass(frozen=True, slots=True)
class NewResolution:
    """A resolution to be entered. `transferred_from`: the linked record that it comes from."""

    resolver_id: UserId
    given: ResolutionInput
    transferred_from: RecordNumber | None = None

    def row(self, review: Review, key: RecordKey, conflict_id: ConflictId) -> Resolution:
        """Return the resolution as it is stored, with the review's newest number."""
        return Resolution(
            id=DecisionId(new_id()),
            conflict_id=conflict_id,
            review_id=review.id,
            record_number=key.record_number,
            stage=key.stage,
            labels_seq=review.labels_seq,
            verdict=self.given.verdict,
            reasons=self.given.reasons,
            classification=self.given.classification,
            note=self.given.note,
            cause=self.given.cause,
            criterion=self.given.criterion,
            resolver_id=self.resolver_id,
            is_set_aside=False,
            carried_from=self.transferred_from,
            created_at=now(),
        )


@dataclass(frozen=True, slots=True)
class Revocation:
    """That the active resolution of a record no longer counts: its votes do again."""

    revoked_by: UserId
    note: str | None


Entry = NewDecision | NewResolution | Revocation


def decision_detail(entry: Decision) -> dict[str, Any]:
    """Return what the audit trail keeps of an entry of the ledger, its verdict included."""
    classified = {} if entry.classification is None else {"classification": entry.classification}
    return classified | {
        "verdict": entry.verdict,
        "reasons": entry.reasons,
        "labels": entry.labels,
        "note": entry.note,
        # Plus 0.0: PostgreSQL's JSON knows no -0.0, and would give back another text to hash.
        "seconds": None if entry.seconds is None else entry.seconds + 0.0,
        "informed": entry.informed,
        "rank": entry.rank,
        "ranking_id": None if entry.ranking_id is None else str(entry.ranking_id),
        "criteria_version": entry.criteria_version,
        "second_in": None if entry.second_in is None else str(entry.second_in),
        "entered_by": None if entry.entered_by is None else str(entry.entered_by),
        "decided_at": sealed_time(entry.created_at),
        "made_at": None if entry.made_at is None else sealed_time(entry.made_at),
    }


def sealed_time(at: datetime) -> str:
    """Return a time as the audit trail has it: in UTC, with microseconds."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def resolution_detail(resolution: Resolution | None) -> dict[str, Any]:
    """Return what the audit trail keeps of the resolution that is active at a record now."""
    if resolution is None:
        return {"resolution": None}
    kind = resolution.classification
    return {
        "resolution": ({} if kind is None else {"classification": kind})
        | {
            "id": str(resolution.id),
            "resolver_id": str(resolution.resolver_id),
            "labels_seq": resolution.labels_seq,
            "verdict": resolution.verdict,
            "reasons": resolution.reasons,
            "note": resolution.note,
            "cause": resolution.cause,
            "criterion": resolution.criterion,
            "carried_from": resolution.carried_from,
        }
    }
