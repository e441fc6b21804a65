"""What a record's decisions amount to. Pure: the same inputs give the same outcome, always.

Every status in the database is a copy of what `outcome` says of the stored decisions, so it
can be recomputed, checked and replayed as of any time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from tandem.reviews.policy import Policy
from tandem.reviews.wording import key


class Verdict(StrEnum):
    INCLUDE = "include"
    EXCLUDE = "exclude"
    MAYBE = "maybe"


class Status(StrEnum):
    """Of a record in a stage. A blinded reviewer is shown `done` instead of what is open."""

    UNSCREENED = "unscreened"
    AWAITING = "awaiting"
    CONFLICT = "conflict"
    INCLUDED = "included"
    EXCLUDED = "excluded"

    @property
    def is_settled(self) -> bool:
        return self is Status.INCLUDED or self is Status.EXCLUDED


class ConflictKind(StrEnum):
    VERDICT = "verdict"
    REASON = "reason"
    MAYBE = "maybe"
    CLASSIFICATION = "classification"


class Classification(StrEnum):
    """Of an included report whose study cannot be used yet: it has no results, or too little."""

    ONGOING = "ongoing"
    AWAITING = "awaiting_classification"


@dataclass(frozen=True, slots=True)
class Vote:
    """One reviewer's present decision, as far as the outcome depends on it."""

    verdict: Verdict
    reasons: tuple[str, ...] = ()
    classification: Classification | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What votes amount to.

    `conflict` says what the votes differ in; set exactly when the status is `conflict`.
    `classification` is that of an included report.
    """

    status: Status
    conflict: ConflictKind | None = None
    classification: Classification | None = None


_ONE_INCLUDE, _MAYBE, _CONFLICT = 0.76, 0.5, 0.3
"""What a ranking learns from an include that nobody has confirmed; from `maybe` and nothing
else; from an include or a `maybe` against an exclude."""


def outcome(
    policy: Policy,
    votes: Sequence[Vote],
    resolution: Verdict | None = None,
    classification: Classification | None = None,
) -> Outcome:
    """Return what the present votes amount to under the policy.

    Args:
        policy: The stage's rules in force.
        votes: The present vote of each reviewer who has one; their order does not matter.
            There may be more than `reviewers_per_record`: a vote that comes late counts.
        resolution: The verdict that settled the record's conflict, if one stands. It
            overrides the votes until it is taken back.
        classification: Of the resolution.
    """
    if resolution is not None:
        return _settled(policy, resolution, [Vote(resolution, classification=classification)])
    verdicts = {_counted(policy, vote.verdict) for vote in votes}
    if policy.single_include_advances and Verdict.INCLUDE in verdicts:
        return _settled(policy, Verdict.INCLUDE, votes)
    if not votes:
        return Outcome(Status.UNSCREENED)
    if len(votes) < policy.reviewers_per_record:
        return Outcome(Status.AWAITING)
    if policy.resolution == "majority" and (carried := _majority(policy, votes)):
        verdicts = {carried}
    if Verdict.MAYBE in verdicts:
        return Outcome(Status.CONFLICT, ConflictKind.MAYBE)
    if len(verdicts) > 1:
        return Outcome(Status.CONFLICT, ConflictKind.VERDICT)
    if verdicts == {Verdict.EXCLUDE} and policy.reasons_must_match and _reasons_differ(votes):
        return Outcome(Status.CONFLICT, ConflictKind.REASON)
    return _settled(policy, verdicts.pop(), votes)


def _settled(policy: Policy, verdict: Verdict, votes: Sequence[Vote]) -> Outcome:
    """Return the outcome for a verdict; includes that are classified differently are a conflict."""
    if verdict is Verdict.EXCLUDE:
        return Outcome(Status.EXCLUDED)
    found = {vote.classification for vote in votes if _counted(policy, vote.verdict) is verdict}
    if len(found) > 1:
        return Outcome(Status.CONFLICT, ConflictKind.CLASSIFICATION)
    return Outcome(Status.INCLUDED, classification=found.pop() if found else None)


def advances(policy: Policy, status: Status, n_decisions: int) -> bool:
    """Whether a record goes on to full text, for everybody to know: title and abstract include it.

    Where the stage is blind it waits for its full number of decisions: else it would tell those
    who have not decided the record how the others did. With `single_include_advances` it does not.
    """
    is_open = not policy.blind or policy.single_include_advances
    is_complete = n_decisions >= policy.reviewers_per_record
    return status is Status.INCLUDED and (is_open or is_complete)


def lacks_decisions(policy: Policy, status: Status, n_decisions: int) -> bool:
    """Whether somebody has still to decide a record; queries have it in `queue_filter`.

    Where the stage is blind it goes by number alone: whether a record is settled early would tell
    how others voted.
    """
    is_open = policy.blind or status in (Status.UNSCREENED, Status.AWAITING)
    return is_open and n_decisions < policy.reviewers_per_record


def _majority(policy: Policy, votes: Sequence[Vote]) -> Verdict | None:
    """Return what more than half of the votes say; None where no side has so many.

    A `maybe` that is no include is on no side: where it holds the balance nobody has won.
    """
    counted = [_counted(policy, vote.verdict) for vote in votes]
    sides = (Verdict.INCLUDE, Verdict.EXCLUDE)
    return next((side for side in sides if 2 * counted.count(side) > len(counted)), None)


def _counted(policy: Policy, verdict: Verdict) -> Verdict:
    if verdict is Verdict.MAYBE and policy.maybe == "as_include":
        return Verdict.INCLUDE
    return verdict


def _reasons_differ(votes: Sequence[Vote]) -> bool:
    """Whether those who exclude give several first reasons; nobody is outvoted on a reason.

    In other letters or with another final stop it is the same one, as it is where the final
    reason is found.
    """
    firsts = (vote.reasons[:1] for vote in votes if vote.verdict is Verdict.EXCLUDE)
    reasons = {tuple(map(key, first)) for first in firsts}
    return len(reasons) > 1


def training_label(
    policy: Policy, votes: Sequence[Vote], resolution: Verdict | None
) -> float | None:
    """Return how probable these votes make it that the record is relevant; None without any.

    Where the ranking learns from `settled` records, a record counts from its last decision on,
    whatever the votes are: then neither the label nor its absence tells a hidden verdict.
    Otherwise it counts from its first decision on. A resolution is certain. Two includes are, too,
    or one where the policy asks for no second; a first include stands until its second look
    for less, so that one careless click cannot steer a review. Excludes are 0 outright: the
    includes together outweigh all excludes many times, so that thousands of small remainders
    of doubt would drown the few records that are relevant. Where the larger number settles a
    difference it is taken at its word: those whom it outvoted count no more than votes that a
    resolution overrides.

    Args:
        policy: The stage's rules in force. What a `maybe` counts as in the outcome is of no
            matter: it is doubt that somebody has to settle, and makes no majority.
        votes: The present vote of each reviewer who has one; their order does not matter.
        resolution: The verdict that settled the record's conflict, if one stands.
    """
    if policy.ranking_learns_from == "settled" and len(votes) < policy.reviewers_per_record:
        return None
    if resolution is not None:
        return float(resolution is Verdict.INCLUDE)
    verdicts = [vote.verdict for vote in votes]
    kinds = set(verdicts)
    if not kinds:
        return None
    if kinds == {Verdict.EXCLUDE}:
        return 0.0
    if Verdict.EXCLUDE in kinds:
        return _outvoted(verdicts) if policy.resolution == "majority" else _CONFLICT
    if kinds == {Verdict.MAYBE}:
        return _MAYBE
    confirmed = verdicts.count(Verdict.INCLUDE) >= min(2, policy.reviewers_per_record)
    return 1.0 if confirmed else _ONE_INCLUDE


def _outvoted(verdicts: Sequence[Verdict]) -> float:
    if 2 * verdicts.count(Verdict.INCLUDE) > len(verdicts):
        return 1.0
    return 0.0 if 2 * verdicts.count(Verdict.EXCLUDE) > len(verdicts) else _CONFLICT
