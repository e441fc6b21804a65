"""What of others' verdicts on a record somebody is shown, event by event. Pure."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from tandem.ids import UserId
from tandem.reviews.models import Role
from tandem.reviews.policy import Policy, Stage
from tandem.reviews.service import Viewer
from tandem.screening.blinding.view import (
    conflict_is_open_to_voters,
    hides_votes,
    status_is_visible,
)
from tandem.screening.ledger.state import RecordKey
from tandem.screening.rules import Status

Voices = dict[str, frozenset[str]]
"""Who said something, each with the records that they said it of."""


@dataclass(slots=True)
class _Shown:
    """One record of the review as it is shown to those who see all.

    `votes` are the present ones, `said` the latest that its ledger has of each person: while it
    is linked to another record, and when it is parted again, these are not the same. A resolution
    that was taken back stays to be read.
    """

    votes: Voices = field(default_factory=dict)
    said: Voices = field(default_factory=dict)
    resolutions: Voices = field(default_factory=dict)
    settled: Status | None = None
    is_in_conflict: bool = False

    @property
    def status(self) -> Status:
        if self.settled is not None:
            return self.settled
        return Status.CONFLICT if self.is_in_conflict else Status.AWAITING


class Glimpses:
    """What a person is shown of others' verdicts on some records that are one.

    Args:
        key: In which stage of which review.
        user_id: The person.
        about: The records. Verdicts that were given on others are of no matter.
    """

    def __init__(self, key: RecordKey, user_id: UserId, about: Collection[str]) -> None:
        self._place, self._user_id = key, user_id
        self._me, self._about = str(user_id), frozenset(about)
        self._role: Role | None = None
        self._policy: Policy | None = None
        self._records: defaultdict[str, _Shown] = defaultdict(_Shown)
        self._linked: dict[str, str] = {}

    def apply(self, kind: str, data: Mapping[str, Any], detail: Mapping[str, Any]) -> None:
        """Take the review's next event in; of records, only those that matter are needed."""
        if data.get("stage", self._place.stage) != self._place.stage:
            return
        match kind:
            case "review.created" | "review.changed":
                if (policy := detail.get("policy", {}).get(self._place.stage)) is not None:
                    self._policy = Policy.model_validate(policy)
            case "member.added" if data["user_id"] == self._me:
                self._role = Role(data["role"])
            case "member.removed" if data["user_id"] == self._me:
                self._role = None
            case "duplicates.merged":
                self._linked[data["duplicate_id"]] = data["record_id"]
                if self._linked.pop(data["record_id"], None) is not None:
                    self._records[data["record_id"]].votes = {}  # those that count come to it
            case "duplicates.split":
                self._linked.pop(data["duplicate_id"], None)
                for number in (data["duplicate_id"], data["record_id"]):
                    self._records[number].votes = dict(self._records[number].said)
            case "decision.recorded":
                self._vote(data["record_id"], data["reviewer_id"], data.get("carried_from"))
            case "decision.withdrawn":
                shown = self._records[data["record_id"]]
                shown.votes.pop(data["reviewer_id"], None)
                shown.said.pop(data["reviewer_id"], None)
            case "record.included" | "record.excluded" | "record.reopened":
                kept = kind.removeprefix("record.")
                settled = None if kept == "reopened" else Status(kept)
                self._records[data["record_id"]].settled = settled
            case "conflict.opened" | "conflict.reopened" | "conflict.resolved":
                shown = self._records[data["record_id"]]
                shown.is_in_conflict = kind != "conflict.resolved"
                self._resolve(data["record_id"], detail.get("resolution"))
            case "resolution.changed":
                self._resolve(data["record_id"], detail.get("resolution"))

    def show_a_verdict(self) -> bool:
        """Whether somebody else's verdict on the records is open to the person now."""
        if self._role is None or self._policy is None:
            return False
        stage = self._place.stage
        viewer = Viewer(self._place.review_id, self._user_id, self._role, {stage: self._policy})
        return any(
            self._is_open(viewer, shown)
            for number, shown in self._records.items()
            if number not in self._linked
        )

    def _is_open(self, viewer: Viewer, shown: _Shown) -> bool:
        stage, decided = self._place.stage, self._me in shown.votes
        if not status_is_visible(viewer, stage, shown.status, has_decided=decided):
            return False
        if self._are_there(shown.resolutions):
            return True
        return self._are_there(shown.votes) and (
            not hides_votes(viewer, stage, shown.status)
            or (shown.status is Status.CONFLICT and _is_shown_nameless(viewer, stage, decided))
        )

    def _are_there(self, voices: Voices) -> bool:
        return any(
            who != self._me and not origins.isdisjoint(self._about)
            for who, origins in voices.items()
        )

    def _vote(self, record: str, who: str, carried_from: str | None) -> None:
        shown = self._records[record]
        there = self._records[carried_from or record].said.get(who)
        origins = self._origins(record, shown.said.get(who), carried_from, there)
        shown.votes[who] = shown.said[who] = origins

    def _resolve(self, record: str, resolution: Mapping[str, Any] | None) -> None:
        if resolution is None:
            return
        who, source = resolution["resolver_id"], resolution.get("carried_from")
        carried_from = None if source is None else str(source)
        given = self._records[record].resolutions
        there = self._records[carried_from or record].resolutions.get(who)
        # Not taken away by the next one: they have said both.
        given[who] = given.get(who, frozenset()) | self._origins(record, None, carried_from, there)

    def _origins(
        self,
        record: str,
        own: frozenset[str] | None,
        carried_from: str | None,
        there: frozenset[str] | None,
    ) -> frozenset[str]:
        """Return which records somebody spoke of in an entry at `record`.

        Of two votes that meet there the stronger one counts. Which one that is must not matter,
        so they are taken to have been said of both; of what is parted again, no more.
        """
        if carried_from is None or carried_from == record:
            return frozenset({record})
        came = there or frozenset({carried_from})
        return frozenset(
            one for one in came | (own or frozenset()) if self._linked.get(one, one) == record
        )


def _is_shown_nameless(viewer: Viewer, stage: Stage, has_decided: bool) -> bool:
    """Whether a conflict whose voters are hidden shows their votes, as A and B."""
    policy = viewer.policies[stage]
    takes_part = has_decided and conflict_is_open_to_voters(policy)
    return takes_part or policy.adjudicator_sees == "anonymous"
