"""A review as its log tells it: what people did, and what became of it. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tandem.audit import digests
from tandem.audit.differences import At
from tandem.audit.entries import Step
from tandem.audit.settings import Settings
from tandem.reviews.policy import Policy, Stage, stored
from tandem.screening.rules import Classification, Outcome, Status, Verdict, Vote, outcome

BY_RESOLUTION = "resolution"
"""What ended a conflict that somebody settled."""


class Said(NamedTuple):
    """A reviewer's latest entry for a record. `vote` is None for a withdrawal, or if sealed."""

    vote: Vote | None
    withdrawn: bool
    labels_seq: int


@dataclass(slots=True)
class ReplayedRecord:
    """What the log has told of one record in one stage."""

    latest: dict[str, Said] = field(default_factory=dict)
    """By reviewer. They are kept while the record is linked: they count again when it is not."""
    resolution: Mapping[str, Any] | None = None
    """The one that stands, as it was told."""
    own: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    """By id, every resolution that was ever made here, and did not come with another record."""
    taken_back: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    """By the id of a resolution that was taken back: by whom, and why."""
    settled: Status | None = None
    conflict: str | None = None
    """Its id, once there ever was one here."""
    is_open: bool = False
    ended_by: str | None = None
    """What ended its conflict; None, too, where the log of the time did not tell of one."""
    has_seal: bool = False
    """Some entry about it is sealed, so that its status cannot be derived."""

    @property
    def present(self) -> dict[str, Said]:
        return {who: said for who, said in self.latest.items() if not said.withdrawn}

    @property
    def told_votes(self) -> dict[str, dict[str, Any]]:
        """Return the present votes as a trail's line about the record's status has them."""
        return {
            who: {"verdict": vote.verdict, "reasons": list(vote.reasons)}
            | ({} if vote.classification is None else {"classification": vote.classification})
            for who, said in self.present.items()
            if (vote := said.vote) is not None
        }

    @property
    def status(self) -> Status:
        """Return the status as it was told: what is neither settled nor in conflict is open."""
        if self.settled is not None:
            return self.settled
        if self.is_open:
            return Status.CONFLICT
        decided = any(not said.withdrawn for said in self.latest.values())
        return Status.AWAITING if decided else Status.UNSCREENED

    def outcome(self, policy: Policy) -> Outcome:
        votes = [said.vote for said in self.latest.values() if said.vote is not None]
        stands = self.resolution
        if not stands:
            return outcome(policy, votes)
        return outcome(policy, votes, Verdict(stands["verdict"]), _classification(stands))


class State:
    """A review as its log tells it, up to some entry."""

    def __init__(self) -> None:
        self.settings = Settings()
        self.policies: dict[str, Policy] = {}
        """Those in force, by stage."""
        self.places: defaultdict[At, ReplayedRecord] = defaultdict(ReplayedRecord)
        self.linked: dict[str, str] = {}
        """Each linked record, and the one that stands for it."""
        self.members: dict[str, str] = {}
        self.last_record = 0
        """So many came at least: each import tells of the last ones when it is done."""
        self.taken_back: set[str] = set()
        """Records that went with their import."""
        self.touched: set[At] = set()
        """Places that something was told of; whoever looks at them empties it."""
        self._standing: list[Mapping[str, Any]] | None = None

    def apply(self, step: Step) -> None:
        """Take the next entry in."""
        data, detail = step.data, step.detail
        if detail is not None:
            self.last_record = max(self.last_record, detail.get("records", 0))
        match step.type.removeprefix("tandem."):
            case "review.created":
                self.settings.created(detail or {})
                self._change_policies(detail or {})
            case "review.changed":
                self.settings.changed(data["changed"], detail or {})
                self._change_policies(detail or {})
            case "member.added":
                self.members[data["user_id"]] = data["role"]
            case "member.removed":
                self.members.pop(data["user_id"], None)
            case "import.taken_back":
                self._take_back((detail or {}).get("numbers", ()))
            case "duplicates.merged":
                self._link(data["duplicate_id"], data["record_id"])
            case "duplicates.split":
                self.linked.pop(data["duplicate_id"], None)
                self._touch(data["duplicate_id"], data["record_id"])
            case "decision.recorded" | "decision.withdrawn":
                self._decide(step)
            case "record.included" | "record.excluded" | "record.reopened":
                self._settle(step)
            case "conflict.opened" | "conflict.reopened" | "conflict.resolved":
                place = self._place(data)
                place.conflict = data["conflict_id"]
                place.is_open = not step.type.endswith(".resolved")
                place.ended_by = data.get("by")
                _resolve(place, detail)
            case "resolution.changed":
                self._change_resolution(self._place(data), self.policies.get(data["stage"]), detail)

    @property
    def n_records(self) -> int:
        """Return how many records there are at least, duplicates included."""
        return self.last_record - len(self.taken_back)

    def place(self, stage: str, record: str) -> ReplayedRecord:
        return self.places.get(At(stage, record)) or ReplayedRecord()

    def shown_places(self) -> Iterator[tuple[At, ReplayedRecord]]:
        """Yield the places of records that are not linked to another one."""
        return ((at, one) for at, one in self.places.items() if at.record not in self.linked)

    def end_what_was_before(self) -> None:
        """Put the resolutions in force that stood when the trail was begun.

        How they came and went before that the log of the time did not tell.
        """
        if self._standing is None:
            return
        for place in self.places.values():
            place.resolution = None
        for one in self._standing:
            at = At(one["stage"], one["record_id"])
            _stand(self.places[at], one)
            self.places[at].conflict = self.places[at].conflict or ""
        self._standing = None

    def _change_policies(self, detail: Mapping[str, Any]) -> None:
        if "standing" in detail:
            self._standing = detail["standing"]
        for stage, value in detail.get("policy", {}).items():
            self.policies[stage] = stored(value)
            self.touched.update(at for at in self.places if at.stage == stage)

    def _change_resolution(
        self, place: ReplayedRecord, policy: Policy | None, detail: Mapping[str, Any] | None
    ) -> None:
        if place.conflict is None:  # it came with another record, where there was no difference
            place.conflict, place.ended_by = "", BY_RESOLUTION
        _resolve(place, detail)
        if detail is None or (told := detail.get("taken_back")) is None:
            return
        place.taken_back[told["id"]] = {"by": told["by"], "note": told["note"]}
        if not place.is_open and not place.has_seal and policy is not None:
            is_settled = place.outcome(policy).status.is_settled
            place.ended_by = "agreement" if is_settled else "withdrawal"

    def _link(self, duplicate: str, shown: str) -> None:
        self.linked[duplicate] = shown
        self.linked.pop(shown, None)
        self.last_record = max(self.last_record, int(duplicate))
        self._touch(duplicate, shown)
        for stage in Stage:
            if (place := self.places.get(At(stage, duplicate))) is not None:
                place.resolution = None  # it is told of anew when the two are parted

    def _take_back(self, spans: Iterable[Sequence[int]]) -> None:
        for first, last in spans:
            for number in range(first, last + 1):
                self.taken_back.add(str(number))
                self.linked.pop(str(number), None)

    def _touch(self, *records: str) -> None:
        places = (At(stage, record) for stage in Stage for record in records)
        self.touched.update(at for at in places if at in self.places)

    def _place(self, data: Mapping[str, Any]) -> ReplayedRecord:
        at = At(data["stage"], data["record_id"])
        self.touched.add(at)
        return self.places[at]

    def _decide(self, step: Step) -> None:
        data, detail = step.data, step.detail
        place, who, number = self._place(data), data["reviewer_id"], data["labels_seq"]
        withdrawn = step.type.endswith(".withdrawn")
        if withdrawn or detail is None:
            place.latest[who] = Said(None, withdrawn, number)
            place.has_seal |= detail is None
            return
        verdict, reasons = Verdict(detail["verdict"]), tuple(detail["reasons"])
        vote = Vote(verdict, reasons, _classification(detail))
        place.latest[who] = Said(vote, withdrawn, number)

    def _settle(self, step: Step) -> None:
        place = self._place(step.data)
        kind = step.type.removeprefix("tandem.record.")
        place.settled = None if kind == "reopened" else Status(kind)
        # What is sealed may be of the transaction whose policy only comes behind it.
        place.has_seal |= step.detail is None
        detail = step.detail or {}
        if kind == "reopened" and detail.get("to", "") is None:  # it has no status of its own now
            place.resolution = None


def _classification(told: Mapping[str, Any]) -> Classification | None:
    found = told.get("classification")
    return None if found is None else Classification(found)


def _resolve(place: ReplayedRecord, detail: Mapping[str, Any] | None) -> None:
    if detail is None:
        place.has_seal = True
    elif "resolution" in detail:
        told = detail["resolution"]
        if told is None:
            place.resolution = None
        else:
            _stand(place, told)


def _stand(place: ReplayedRecord, told: Mapping[str, Any]) -> None:
    """Let a resolution stand; one that was made here is kept, whatever becomes of it."""
    place.resolution = digests.resolution(told)
    if told["carried_from"] is None:
        place.own[told["id"]] = place.resolution
