"""Whether an exported trail holds: its chain, what follows from it, and what its tables say."""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from tandem.audit import figures
from tandem.audit.checked import VERSION, Checked, NotATrail
from tandem.audit.entries import Entry, Step
from tandem.audit.replay import At, Difference, Differs, Place, Replay
from tandem.events import chain
from tandem.reviews.policy import Stage
from tandem.screening.agreement import rated
from tandem.screening.rules import Status, Verdict

_CODES = {
    Verdict.EXCLUDE: rated.EXCLUDE,
    Verdict.INCLUDE: rated.INCLUDE,
    Verdict.MAYBE: rated.MAYBE,
}


def check(lines: Iterable[str], *, expected_hash: str | None = None) -> Checked:
    """Follow a trail from its first to its last line; stop at the first difference.

    Args:
        lines: As `audit.trail` writes them.
        expected_hash: Of an entry of this review that somebody noted down earlier: the trail
            must contain it. Whoever can write to the database can forge a whole chain, but not
            one that holds a hash that was noted elsewhere.

    Raises:
        NotATrail: The first line is not that of a trail.
    """
    checking = _Checking(expected_hash)
    try:
        for number, line in enumerate(lines, start=1):
            checking.read(number, line)
        checking.end()
    except Differs as found:
        checking.made.difference = found.difference
    return checking.made


class _Checking:
    def __init__(self, expected_hash: str | None) -> None:
        self.made = Checked()
        self._expected = expected_hash
        self._header: Mapping[str, Any] | None = None
        self._replay = Replay()
        self._ledger: dict[str, list[rated.Entry]] = defaultdict(list)
        self._seen: set[object] = set()
        self._is_told = False
        self._is_complete = False

    def read(self, number: int, line: str) -> None:
        try:
            found = json.loads(line)
        except ValueError:
            if self._header is None:
                raise NotATrail("This is no audit trail: its first line is not JSON.") from None
            raise Differs(Difference(f"on line {number} what is not JSON", "a line is")) from None
        if self._header is None:
            self._begin(found)
            return
        try:
            self._take(found)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            what = f"something on line {number} that cannot be read ({error!r})"
            seq = found.get("seq") if isinstance(found, dict) else None
            raise Differs(Difference(what, "every line can be", seq)) from error

    def _begin(self, found: Any) -> None:
        if not isinstance(found, dict) or "trail" not in found:
            raise NotATrail("This is no audit trail: export one with format=trail.")
        if found["trail"] != VERSION:
            raise NotATrail(
                f"This trail is of version {found['trail']}, and this program reads {VERSION}."
            )
        self._header = found
        self.made.review, self.made.title = str(found["review"]), str(found["title"])

    def _take(self, found: Mapping[str, Any]) -> None:
        if self._is_complete:
            raise Differs(Difference("more behind its figures", "they are the last line"))
        if "seq" in found:
            self._entry(Entry.of_json(found))
            return
        self._end_of_log()
        kinds: dict[str, Callable[[Mapping[str, Any]], None]] = {
            "member": self._member,
            "linked": self._link,
            "conflict": self._conflict,
            "status": self._status,
            "figures": self._figures,
        }
        take = next((take for key, take in kinds.items() if key in found), None)
        if take is None:
            raise ValueError("no such kind of line")
        take(found)

    def _entry(self, entry: Entry) -> None:
        made, seq = self.made, entry.told.seq
        if self._is_told:
            raise Differs(Difference("an entry behind its tables", "the log is first", seq))
        due = made.n_entries + 1
        if seq != due:
            raise Differs(Difference(f"that entry {seq} comes next", f"{due} does", seq=due))
        if entry.detail is None:
            made.n_sealed += 1
        elif entry.salt is None or chain.seal(entry.detail, entry.salt) != entry.seal:
            raise Differs(Difference("a detail", "its seal is of another one", seq))
        if chain.link(made.last_hash, entry.told, entry.seal) != entry.hash:
            raise Differs(Difference(f"hash {entry.hash}", "its content has another one", seq))
        made.n_entries, made.last_hash = seq, entry.hash
        if entry.hash == self._expected:
            self._expected = None
        if entry.told.type.startswith("tandem.decision."):
            made.n_decisions += 1
            self._rate(entry.step)
        self._replay.follow(entry.step)

    def _rate(self, step: Step) -> None:
        data, detail = step.data, step.detail
        if detail is None:
            return
        verdict = detail["verdict"]
        self._ledger[data["stage"]].append(
            rated.Entry(
                number=int(data["record_id"]),
                reviewer=data["reviewer_id"],
                seq=data["labels_seq"],
                verdict=rated.NONE if verdict is None else _CODES[Verdict(verdict)],
                informed=bool(detail["informed"]),
                is_carried=data.get("carried_from") is not None,
                is_second=detail["second_in"] is not None,
                is_entered=detail["entered_by"] is not None,
                month=step.time.year * rated.MONTHS + step.time.month,
            )
        )

    def _end_of_log(self) -> None:
        if self._is_told:
            return
        self._is_told = True
        self._replay.end()
        header, made = self._header or {}, self.made
        told = (header.get("last_seq"), header.get("last_hash"))
        if told != (made.n_entries, made.last_hash):
            says = f"that the last entry is {told[0]} with hash {told[1]}"
            follows = f"it is {made.n_entries} with {made.last_hash}"
            raise Differs(Difference(says, follows, made.n_entries))
        if self._expected is not None:
            says = "nothing of the hash that was noted"
            follows = f"{self._expected} was that of an entry: the history was written anew"
            raise Differs(Difference(says, follows))

    def _once(self, key: object, what: str) -> None:
        if key in self._seen:
            raise Differs(Difference(f"{what} twice", "it has one line"))
        self._seen.add(key)

    def _member(self, found: Mapping[str, Any]) -> None:
        who = found["member"]
        self._once(("member", who), f"the role of {who}")
        role = self._replay.state.members.get(who)
        if found["role"] != role:
            raise Differs(Difference(f"that {who} is {found['role']}", f"they are {role}"))

    def _link(self, found: Mapping[str, Any]) -> None:
        record, shown = found["linked"], self._replay.state.linked.get(found["linked"])
        self._once(("linked", record), f"what record {record} is linked to")
        if found["to"] != shown:
            says, at = f"that it is linked to {found['to']}", At(Stage.TITLE_ABSTRACT, record)
            raise Differs(Difference(says, f"the log links it to {shown}", at=at))

    def _conflict(self, found: Mapping[str, Any]) -> None:
        at = At(found["stage"], found["record"])
        self._once(("conflict", at), f"the conflict of record {at.record}")
        self.made.n_conflicts += 1
        place = self._replay.state.place(*at)
        if not place.is_open or place.conflict != found["conflict"]:
            raise Differs(Difference("that it is in conflict", "the log does not open one", at=at))
        if place.has_seal:
            return
        kind = place.outcome(self._replay.state.policies[at.stage]).conflict
        if found["kind"] != kind:
            says = f"that they differ in the {found['kind']}"
            raise Differs(Difference(says, f"it is the {kind}", at=at))

    def _status(self, found: Mapping[str, Any]) -> None:
        at = At(found["stage"], found["record"])
        self._once(("status", at), f"the status of record {at.record}")
        self.made.n_statuses += 1
        place = self._replay.state.place(*at)
        if at.record in self._replay.state.linked:
            raise Differs(Difference("that it has a status", "it is linked to another one", at=at))
        if found["status"] != place.status:
            says = f"that it is {found['status']}"
            raise Differs(Difference(says, f"the log makes it {place.status}", at=at))
        if found["n_decisions"] != (n := len(place.present)):
            raise Differs(Difference(f"{found['n_decisions']} decisions", f"it has {n}", at=at))
        if place.has_seal or found["votes"] is None:
            self.made.n_underivable += 1
            return
        votes, resolution = _votes(place), place.resolution and place.resolution[0]
        if found["votes"] != votes:
            raise Differs(Difference(f"votes {found['votes']}", f"the log has {votes}", at=at))
        # What stood before there was a trail is known by its id, too.
        if found["resolution"] != resolution:
            says = f"that resolution {found['resolution']} stands"
            raise Differs(Difference(says, f"the log has {resolution}", at=at))

    def _figures(self, found: Mapping[str, Any]) -> None:
        state = self._replay.state
        self._none_is_missing()
        told, header = found["figures"], self._header or {}
        n_records = told["flow"]["identified"]
        if n_records != header.get("n_records") or n_records < state.n_records:
            follows = f"{max(state.n_records, header.get('n_records') or 0)} came"
            raise Differs(Difference(f"that {n_records} records came", follows))
        due = self._due(n_records)
        for name, value in due.items():
            items = value.items() if isinstance(value, dict) else enumerate(value)
            given = told[name]
            for key, one in items:
                self.made.n_figures += 1
                if given[key] != one:
                    says = f"that {name} {key} is {given[key]}"
                    raise Differs(Difference(says, f"{one} follows"))
            if len(given) != len(value):
                raise Differs(Difference(f"more figures of {name}", f"{len(value)} follow"))
        self._is_complete = True

    def _due(self, n_records: int) -> dict[str, Any]:
        state = self._replay.state
        n_shown = n_records - len(state.linked)
        statuses = {
            stage: Counter(place.status for at, place in state.shown_places() if at.stage == stage)
            for stage in Stage
        }
        conflicts = [place.is_open for place in state.places.values() if place.conflict is not None]
        return {
            "statuses": {
                stage: figures.by_status(n_shown, found) for stage, found in statuses.items()
            },
            "conflicts": {"open": sum(conflicts), "resolved": len(conflicts) - sum(conflicts)},
            "flow": figures.flow(n_records, len(state.linked), statuses[Stage.TITLE_ABSTRACT]),
            "agreement": [
                line for stage in Stage for line in figures.agreement(stage, self._rated(stage))
            ],
        }

    def _rated(self, stage: Stage) -> list[rated.Entry]:
        state = self._replay.state
        return [
            entry
            for entry in self._ledger[stage]
            if (record := str(entry.number)) not in state.linked
            and not state.place(stage, record).has_seal
        ]

    def _none_is_missing(self) -> None:
        """Check that every place the log knows of had its line."""
        state = self._replay.state
        for at, place in sorted(state.shown_places()):
            if place.status is not Status.UNSCREENED and ("status", at) not in self._seen:
                follows = f"the log makes it {place.status}"
                raise Differs(Difference("nothing of its status", follows, at=at))
            if place.is_open and ("conflict", at) not in self._seen:
                follows = "the log opens one"
                raise Differs(Difference("nothing of its conflict", follows, at=at))
        for kind, known in (("member", state.members), ("linked", state.linked)):
            if missing := [one for one in sorted(known) if (kind, one) not in self._seen]:
                raise Differs(Difference(f"nothing of {kind} {missing[0]}", "the log does"))

    def end(self) -> None:
        if self._header is None:
            raise NotATrail("This is no audit trail: the file is empty.")
        if not self._is_complete:
            raise Differs(Difference("no figures at its end", "it is not the whole file"))


def _votes(place: Place) -> dict[str, dict[str, Any]]:
    return {
        who: {"verdict": said.vote.verdict, "reasons": list(said.vote.reasons)}
        for who, said in place.present.items()
        if said.vote is not None
    }
