"""The state of a review, built from its log: entries by people, and their results. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tandem.audit import digests
from tandem.audit.differences import At
from tandem.audit.entries import Step
from tandem.audit.settings import Settings
from tandem.reviews.policy import Policy, Stage, stored
from tandem.screening.rules import Classification, Outcome, Status, Verdict, Vote, outcome

BY_RESOLUTION = "resolution"
"""The value of `ended_by` for a conflict that a resolution settled."""


class LatestEntry(NamedTuple):
    """A reviewer's latest entry for a record. `vote` is None for a withdrawal, or if sealed."""

    vote: Vote | None
    withdrawn: bool
    labels_seq: int


@dataclass(slots=True)
class ReplayedRecord:
    """The state of one record in one stage, according to the log."""

    latest: dict[str, LatestEntry] = field(default_factory=dict)
    """By reviewer. They are kept while the record is linked, and count again after a split."""
    resolution: Mapping[str, Any] | None = None
    """The one in force, as it was logged."""
    own: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    """By id, every resolution that was ever made here, without those from linked records."""
    was_settled_by_another: bool = False
    """Whether a resolution ever stood here that came with a linked record."""
    revoked: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    """Resolutions that were revoked, by id: by whom, and why."""
    settled: Status | None = None
    conflict: str | None = None
    """The id of its conflict, if it ever had one."""
    is_open: bool = False
    ended_by: str | None = None
    """How its conflict ended; None, too, where the log is older than such entries."""
    has_seal: bool = False
    """An entry about it is sealed, so its status cannot be derived."""

    @property
    def present(self) -> dict[str, LatestEntry]:
        return {who: entry for who, entry in self.latest.items() if not entry.withdrawn}

    @property
    def votes(self) -> dict[str, dict[str, Any]]:
        """Return the votes in force in the form of a trail's line about the record's status."""
        return {
            who: {"verdict": vote.verdict, "reasons": list(vote.reasons)}
            | ({} if vote.classification is None else {"classification": vote.classification})
            for who, entry in self.present.items()
            if (vote := entry.vote) is not None
        }

    @property
    def status(self) -> Status:
        """Return the logged status: a record that is neither settled nor in conflict is open."""
        if self.settled is not None:
            return self.settled
        if self.is_open:
            return Status.CONFLICT
        decided = any(not entry.withdrawn for entry in self.latest.values())
        return Status.AWAITING if decided else Status.UNSCREENED

    def outcome(self, policy: Policy) -> Outcome:
        votes = [entry.vote for entry in self.latest.values() if entry.vote is not None]
        stands = self.resolution
        if not stands:
            return outcome(policy, votes)
        return outcome(policy, votes, Verdict(stands["verdict"]), _classification(stands))


class State:
    """The state of a review at some entry of its log."""

    def __init__(self) -> None:
        self.settings = Settings()
        self.policies: dict[str, Policy] = {}
        """The policies in force, by stage."""
        self.places: defaultdict[At, ReplayedRecord] = defaultdict(ReplayedRecord)
        self.linked: dict[str, str] = {}
        """Each linked record, and the record that it is linked to."""
        self.members: dict[str, str] = {}
        self.last_record = 0
        """The highest number of a record so far; an import adds its last records when it ends."""
        self.taken_back: set[str] = set()
        """Records whose import was taken back."""
        self.touched: set[At] = set()
        """Records that an entry was about. The caller reads and clears it."""
        self._in_force_at_first: list[Mapping[str, Any]] | None = None

    def apply(self, step: Step) -> None:
        """Apply the next entry."""
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
                self._take_back(step.taken_back)
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
        """Return the number of records so far, duplicates included."""
        return self.last_record - len(self.taken_back)

    def place(self, stage: str, record: str) -> ReplayedRecord:
        return self.places.get(At(stage, record)) or ReplayedRecord()

    def shown_places(self) -> Iterator[tuple[At, ReplayedRecord]]:
        """Yield the records that are not linked to another one."""
        return ((at, one) for at, one in self.places.items() if at.record not in self.linked)

    def end_what_was_before(self) -> None:
        """Set the resolutions that were in force when the trail began.

        The log before that does not hold resolutions.
        """
        if self._in_force_at_first is None:
            return
        for place in self.places.values():
            place.resolution = None
        for one in self._in_force_at_first:
            at = At(one["stage"], one["record_id"])
            _put_in_force(self.places[at], one)
            self.places[at].conflict = self.places[at].conflict or ""
        self._in_force_at_first = None

    def _change_policies(self, detail: Mapping[str, Any]) -> None:
        if "standing" in detail:
            self._in_force_at_first = detail["standing"]
        for stage, value in detail.get("policy", {}).items():
            self.policies[stage] = stored(value)
            self.touched.update(at for at in self.places if at.stage == stage)

    def _change_resolution(
        self, place: ReplayedRecord, policy: Policy | None, detail: Mapping[str, Any] | None
    ) -> None:
        if place.conflict is None:  # the resolution came from a linked record without a conflict
            place.conflict, place.ended_by = "", BY_RESOLUTION
        _resolve(place, detail)
        if detail is None or (logged := detail.get("taken_back")) is None:
            return
        place.revoked[logged["id"]] = {"by": logged["by"], "note": logged["note"]}
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
                place.resolution = None  # it is logged again when the two are split

    def _take_back(self, numbers: Iterable[int]) -> None:
        for number in numbers:
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
            place.latest[who] = LatestEntry(None, withdrawn, number)
            place.has_seal |= detail is None
            return
        verdict, reasons = Verdict(detail["verdict"]), tuple(detail["reasons"])
        vote = Vote(verdict, reasons, _classification(detail))
        place.latest[who] = LatestEntry(vote, withdrawn, number)

    def _settle(self, step: Step) -> None:
        place = self._place(step.data)
        kind = step.type.removeprefix("tandem.record.")
        place.settled = None if kind == "reopened" else Status(kind)
        # A sealed entry may belong to a transaction whose policy comes later in the log.
        place.has_seal |= step.detail is None
        detail = step.detail or {}
        if (
            kind == "reopened" and detail.get("to", "") is None
        ):  # a linked record has no status of its own
            place.resolution = None


def _classification(logged: Mapping[str, Any]) -> Classification | None:
    found = logged.get("classification")
    return None if found is None else Classification(found)


def _resolve(place: ReplayedRecord, detail: Mapping[str, Any] | None) -> None:
    if detail is None:
        place.has_seal = True
    elif "resolution" in detail:
        logged = detail["resolution"]
        if logged is None:
            place.resolution = None
        else:
            _put_in_force(place, logged)


def _put_in_force(place: ReplayedRecord, logged: Mapping[str, Any]) -> None:
    """Put a resolution in force; keep it by id if it was made here."""
    place.resolution = digests.resolution(logged)
    if logged["carried_from"] is None:
        place.own[logged["id"]] = place.resolution
    else:
        place.was_settled_by_another = True
