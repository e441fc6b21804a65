"""What a review's log amounts to, entry by entry. Pure.

A log says things twice: what people did (votes, resolutions, policies, links), and what became of
it (included, excluded, in conflict). `State` keeps both, as they were told, and `Replay` checks
after every transaction that the second follows from the first by `screening.rules.outcome`.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tandem.audit.entries import Step
from tandem.reviews.policy import Policy, Stage
from tandem.screening.rules import Outcome, Status, Verdict, Vote, outcome

BEFORE = "before"
"""The transaction of all entries that were made before there was a trail."""


class At(NamedTuple):
    """A record in a stage."""

    stage: str
    record: str


@dataclass(frozen=True, slots=True)
class Difference:
    """Where a trail first contradicts itself: at an entry, at a record, or in its figures."""

    says: str
    follows: str
    seq: int | None = None
    at: At | None = None

    def __str__(self) -> str:
        where = [f"entry {self.seq}"] if self.seq is not None else []
        where += [f"record {self.at.record} ({self.at.stage})"] if self.at else []
        return f"{', '.join(where) or 'the trail'}: it says {self.says}, but {self.follows}"


class Differs(Exception):
    """The trail contradicts itself."""

    def __init__(self, difference: Difference) -> None:
        super().__init__(str(difference))
        self.difference = difference


class Said(NamedTuple):
    """A reviewer's latest entry for a record. `vote` is None for a withdrawal, or if sealed."""

    vote: Vote | None
    withdrawn: bool
    labels_seq: int


@dataclass(slots=True)
class Place:
    """What the log has told of one record in one stage."""

    latest: dict[str, Said] = field(default_factory=dict)
    """By reviewer. They are kept while the record is linked: they count again when it is not."""
    resolution: tuple[str, Verdict] | None = None
    """The id and the verdict of the one that stands."""
    settled: Status | None = None
    conflict: str | None = None
    """Its id, once there ever was one here."""
    is_open: bool = False
    has_seal: bool = False
    """Some entry about it is sealed, so that its status cannot be derived."""

    @property
    def present(self) -> dict[str, Said]:
        return {who: said for who, said in self.latest.items() if not said.withdrawn}

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
        return outcome(policy, votes, self.resolution[1] if self.resolution else None)


class State:
    """A review as its log tells it, up to some entry."""

    def __init__(self) -> None:
        self.policies: dict[str, Policy] = {}
        self.places: defaultdict[At, Place] = defaultdict(Place)
        self.linked: dict[str, str] = {}
        """Each linked record, and the one that stands for it."""
        self.members: dict[str, str] = {}
        self.n_records = 0
        """So many at least are there: each import tells of the last ones when it is done."""
        self.touched: set[At] = set()
        """Places that something was told of; whoever looks at them empties it."""
        self._standing: list[Mapping[str, Any]] | None = None

    def apply(self, step: Step) -> None:
        """Take the next entry in."""
        data, detail = step.data, step.detail
        if detail is not None:
            self.n_records = max(self.n_records, detail.get("records", 0))
        match step.type.removeprefix("tandem."):
            case "review.created" | "review.changed":
                self._change_policies(detail or {})
            case "member.added":
                self.members[data["user_id"]] = data["role"]
            case "member.removed":
                self.members.pop(data["user_id"], None)
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
                _resolve(place, detail)
            case "resolution.changed":
                place = self._place(data)
                place.conflict = place.conflict or ""
                _resolve(place, detail)

    def place(self, stage: str, record: str) -> Place:
        return self.places.get(At(stage, record)) or Place()

    def shown_places(self) -> Iterator[tuple[At, Place]]:
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
            self.places[at].resolution = one["id"], Verdict(one["verdict"])
            self.places[at].conflict = self.places[at].conflict or ""
        self._standing = None

    def _change_policies(self, detail: Mapping[str, Any]) -> None:
        if "standing" in detail:
            self._standing = detail["standing"]
        for stage, value in detail.get("policy", {}).items():
            self.policies[stage] = Policy.model_validate(value)
            self.touched.update(at for at in self.places if at.stage == stage)

    def _link(self, duplicate: str, shown: str) -> None:
        self.linked[duplicate] = shown
        self.linked.pop(shown, None)
        self.n_records = max(self.n_records, int(duplicate))
        self._touch(duplicate, shown)
        for stage in Stage:
            if (place := self.places.get(At(stage, duplicate))) is not None:
                place.resolution = None  # it is told of anew when the two are parted

    def _touch(self, *records: str) -> None:
        places = (At(stage, record) for stage in Stage for record in records)
        self.touched.update(at for at in places if at in self.places)

    def _place(self, data: Mapping[str, Any]) -> Place:
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
        vote = Vote(Verdict(detail["verdict"]), tuple(detail["reasons"]))
        place.latest[who] = Said(vote, withdrawn, number)

    def _settle(self, step: Step) -> None:
        place = self._place(step.data)
        kind = step.type.removeprefix("tandem.record.")
        place.settled = None if kind == "reopened" else Status(kind)
        detail = step.detail or {}
        if kind == "reopened" and detail.get("to", "") is None:  # it has no status of its own now
            place.resolution = None


def _resolve(place: Place, detail: Mapping[str, Any] | None) -> None:
    if detail is None:
        place.has_seal = True
    elif "resolution" in detail:
        told = detail["resolution"]
        place.resolution = None if told is None else (told["id"], Verdict(told["verdict"]))


class Replay:
    """Follows a log and compares, after each transaction, what it says with what follows."""

    def __init__(self) -> None:
        self.state = State()
        self._tx: str | None = None
        self._seq = 0

    def follow(self, step: Step) -> None:
        """Take the next entry in; with the first one of a transaction the one before is checked.

        Raises:
            Differs: The transaction before ended with something that does not follow.
        """
        tx = step.detail.get("tx") if step.detail is not None else None
        # What is sealed does not say whose it is; nothing is derived where there is a seal.
        if tx is not None and tx != self._tx:
            self.end()
            self._tx = tx
        self._seq = step.seq
        self.state.apply(step)

    def end(self) -> None:
        """Check what the last transaction touched.

        Raises:
            Differs: It does not follow.
        """
        if self._tx == BEFORE:
            self.state.end_what_was_before()
            self.state.touched.update(self.state.places)
        for at in sorted(self.state.touched):
            self._compare(at, self.state.places[at])
        self.state.touched.clear()

    def _compare(self, at: At, place: Place) -> None:
        told = place.settled or (Status.CONFLICT if place.is_open else None)
        if at.record in self.state.linked:
            if told is not None:
                follows = f"it is linked to record {self.state.linked[at.record]}"
                raise Differs(Difference(f"that it is {_status(told)}", follows, self._seq, at))
            return
        if place.has_seal:
            return
        if at.stage not in self.state.policies:
            raise Differs(Difference("how it was screened", "no policy holds", self._seq, at))
        made = place.outcome(self.state.policies[at.stage])
        due = made.status if made.status.is_settled or made.conflict else None
        if told is not due or (place.settled is not None and place.is_open):
            follows = f"its votes make it {_status(due)}"
            raise Differs(Difference(f"that it is {_status(told)}", follows, self._seq, at))


def _status(status: Status | None) -> str:
    if status is None:
        return "open"
    return "in conflict" if status is Status.CONFLICT else status.value
