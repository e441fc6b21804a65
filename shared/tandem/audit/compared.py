"""The lines from the tables, compared one by one with what follows from the log. Pure."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from tandem.audit import figures, settings_lines
from tandem.audit.audits import Audits
from tandem.audit.checked import Checked
from tandem.audit.differences import At, Difference, Differs
from tandem.audit.flow_compared import FlowCompared
from tandem.audit.flow_facts import DerivedFlow
from tandem.audit.logged_audits import LoggedAudits
from tandem.audit.logged_files import LoggedFiles
from tandem.audit.logged_flow import LoggedFlow
from tandem.audit.logged_ledger import LoggedLedger
from tandem.audit.logged_reports import LoggedReports
from tandem.audit.logged_texts import LoggedTexts
from tandem.audit.record_texts import RecordTexts
from tandem.audit.report_files import ReportFiles
from tandem.audit.report_lines import ReportLines
from tandem.audit.state import ReplayedRecord, State
from tandem.audit.times import Times
from tandem.reviews.policy import Stage
from tandem.screening.agreement import rated
from tandem.screening.rules import Status


class Compared:
    """Compares the lines after the log with a state; each must occur exactly once."""

    def __init__(
        self,
        made: Checked,
        state: State,
        *,
        n_records: int,
        ledger: LoggedLedger,
        texts: LoggedTexts,
        audits: LoggedAudits,
        files: LoggedFiles,
        reports: LoggedReports | None = None,
        flow: LoggedFlow,
    ) -> None:
        self.made = made
        self.is_complete = False
        self._state = state
        self._n_records = n_records
        self._ledger = ledger
        self._record_texts = RecordTexts(made, texts)
        self._times = Times(ledger, texts.times)
        last = max(state.last_record, n_records + len(state.taken_back))
        derived = DerivedFlow(state, flow, audits, last_record=last)
        self._audits = Audits(made, state, audits, ledger, n_records, derived.not_screened)
        self._files = ReportFiles(made, files)
        # Older trails have no lines about them.
        self._reports = None if reports is None else ReportLines(made, state, reports)
        self._flow = FlowCompared(made, state, flow, derived)
        self._seen: set[object] = set()

    def take(self, found: Mapping[str, Any]) -> None:
        """Compare the next line.

        Raises:
            Differs: The line contradicts the log.
            KeyError, TypeError, ValueError, AttributeError: It is not such a line.
        """
        if self.is_complete:
            raise Differs(Difference("more behind its figures", "they are the last line"))
        kinds: dict[str, Callable[[Mapping[str, Any]], None]] = {
            "texts_of": self._record_texts.take,
            "audit": self._audits.take,
            "file": self._files.take,
            "retrieval": self._of_reports,
            "report": self._of_reports,
            **dict.fromkeys(("import_of", "removal", "opened", "study", "flow"), self._flow.take),
            "texts": self._texts,
            "policy": self._policy,
            "criteria": self._criteria,
            "member": self._member,
            "linked": self._link,
            "ledger": self._of_ledger,
            "conflict": self._conflict,
            "resolved": self._ended,
            "status": self._status,
            "figures": self._figures,
        }
        take = next((take for key, take in kinds.items() if key in found), None)
        if take is None:
            raise ValueError("no such kind of line")
        take(found)

    def _of_reports(self, found: Mapping[str, Any]) -> None:
        if self._reports is None:
            raise ValueError("a trail of this version has no lines about reports")
        self._reports.take(found)

    def _once(self, key: object, what: str, at: At | None = None) -> None:
        if key in self._seen:
            raise Differs(Difference(f"{what} twice", "it has one line", at=at))
        self._seen.add(key)

    def _member(self, found: Mapping[str, Any]) -> None:
        who = found["member"]
        self._once(("member", who), f"the role of {who}")
        role = self._state.members.get(who)
        if found["role"] != role:
            raise Differs(Difference(f"that {who} is {found['role']}", f"they are {role}"))

    def _link(self, found: Mapping[str, Any]) -> None:
        record, shown = found["linked"], self._state.linked.get(found["linked"])
        self._once(("linked", record), f"what record {record} is linked to")
        if found["to"] != shown:
            says, at = f"that it is linked to {found['to']}", At(Stage.TITLE_ABSTRACT, record)
            raise Differs(Difference(says, f"the log links it to {shown}", at=at))

    def _conflict(self, found: Mapping[str, Any]) -> None:
        at = At(found["stage"], found["record"])
        self._once(("conflict", at), f"the conflict of record {at.record}", at)
        self.made.n_conflicts += 1
        place = self._state.place(*at)
        if not place.is_open or place.conflict != found["conflict"]:
            raise Differs(Difference("that it is in conflict", "the log does not open one", at=at))
        if place.has_seal:
            return
        kind = place.outcome(self._state.policies[at.stage]).conflict
        if found["kind"] != kind:
            says = f"that they differ in the {found['kind']}"
            raise Differs(Difference(says, f"it is the {kind}", at=at))

    def _status(self, found: Mapping[str, Any]) -> None:
        at = At(found["stage"], found["record"])
        self._once(("status", at), f"the status of record {at.record}", at)
        self.made.n_statuses += 1
        place = self._state.place(*at)
        if at.record in self._state.linked:
            raise Differs(Difference("that it has a status", "it is linked to another one", at=at))
        if found["status"] != place.status:
            says = f"that it is {found['status']}"
            raise Differs(Difference(says, f"the log makes it {place.status}", at=at))
        if found["n_decisions"] != (n := len(place.present)):
            raise Differs(Difference(f"{found['n_decisions']} decisions", f"it has {n}", at=at))
        if self._is_hidden(at, place, found["votes"]):
            self.made.n_underivable += 1
            return
        votes, stands = place.votes, place.resolution and place.resolution["id"]
        if found["votes"] != votes:
            raise Differs(Difference(f"votes {found['votes']}", f"the log has {votes}", at=at))
        # A resolution from before the trail began is known by its id, too.
        if found["resolution"] != stands:
            says = f"that resolution {found['resolution']} stands"
            raise Differs(Difference(says, f"the log has {stands}", at=at))
        in_force = [place.resolution] if place.resolution else []
        if found["standing"] != in_force:
            says = f"that the resolution in force is {found['standing']}"
            raise Differs(Difference(says, f"the log has {in_force}", at=at))

    def _of_ledger(self, found: Mapping[str, Any]) -> None:
        at = At(found["stage"], found["ledger"])
        self._once(("ledger", at), f"the ledger of record {at.record}", at)
        place = self._state.place(*at)
        if found["n_entries"] != (n := self._ledger.n_entries[at]):
            says = f"{found['n_entries']} entries in its ledger"
            raise Differs(Difference(says, f"the log tells of {n}", at=at))
        if self._is_hidden(at, place, found["digest"]):
            return
        self._times.take(at, found.get("times"))
        if found["digest"] != (digest := self._ledger.digests[at].hex()):
            says = f"that its ledger has the digest {found['digest']}"
            follows = f"its entries in the log have {digest}"
            raise Differs(Difference(says, follows, at=at))
        made = [
            {**logged, "taken_back": place.revoked.get(id)}
            for id, logged in sorted(place.own.items(), key=lambda one: int(one[1]["labels_seq"]))
        ]
        if found["resolutions"] != made:
            says = f"of its resolutions {found['resolutions']}"
            raise Differs(Difference(says, f"the log has {made}", at=at))
        self.made.n_ledgers += 1

    def _ended(self, found: Mapping[str, Any]) -> None:
        at = At(found["stage"], found["record"])
        self._once(("resolved", at), f"the conflict of record {at.record}", at)
        place = self._state.place(*at)
        if place.conflict is None or place.is_open:
            raise Differs(Difference("that its conflict is over", "the log ends none", at=at))
        # The log has no id for a conflict that came with a resolution from another record.
        if place.conflict and place.conflict != found["resolved"]:
            says = f"that its conflict is {found['resolved']}"
            raise Differs(Difference(says, f"the log has {place.conflict}", at=at))
        if self._is_hidden(at, place, found["by"]) or place.ended_by is None:
            return
        if found["by"] != place.ended_by:
            says = f"that {found['by']} ended its conflict"
            raise Differs(Difference(says, f"it was {place.ended_by}", at=at))

    def _is_hidden(self, at: At, place: ReplayedRecord, logged: object) -> bool:
        """Whether the trail may, and does, leave out a record in a stage."""
        if place.has_seal:
            return True
        policy = self._state.policies.get(at.stage)
        may_hide = policy is not None and policy.blind and policy.adjudicator_sees != "all"
        is_open = at.record in self._state.linked or not place.status.is_settled
        return logged is None and may_hide and is_open

    def _policy(self, found: Mapping[str, Any]) -> None:
        key = (found["policy"], found["version"])
        self._once(("policy", key), f"version {key[1]} of the policy for {key[0]}")
        settings_lines.policy(self._state.settings, found)

    def _criteria(self, found: Mapping[str, Any]) -> None:
        version = found["criteria"]
        self._once(("criteria", version), f"version {version} of the criteria")
        settings_lines.criteria(self._state.settings, found)

    def _texts(self, found: Mapping[str, Any]) -> None:
        self._once(("texts", None), "the review's texts")
        settings_lines.texts(self._state.settings, found)

    def _figures(self, found: Mapping[str, Any]) -> None:
        state = self._state
        self._none_is_missing()
        self._record_texts.end()
        self._audits.end()
        self._files.end()
        self._flow.end()
        self._times.end()
        if self._reports is not None:
            self._reports.end()
        logged = found["figures"]
        n_records = logged["flow"]["identified"]
        if n_records != self._n_records or n_records < state.n_records:
            follows = f"there are {max(state.n_records, self._n_records)}"
            raise Differs(Difference(f"that there are {n_records} records", follows))
        due = self._due(n_records)
        for name, value in due.items():
            items = value.items() if isinstance(value, dict) else enumerate(value)
            given = logged[name]
            for key, one in items:
                self.made.n_figures += 1
                if given[key] != one:
                    says = f"that {name} {key} is {given[key]}"
                    raise Differs(Difference(says, f"{one} follows"))
            if len(given) != len(value):
                raise Differs(Difference(f"more figures of {name}", f"{len(value)} follow"))
        self.is_complete = True

    def _due(self, n_records: int) -> dict[str, Any]:
        state = self._state
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
        state = self._state
        return [
            entry
            for entry in self._ledger.rated[stage]
            if (record := str(entry.number)) not in state.linked
            and not state.place(stage, record).has_seal
        ]

    def _none_is_missing(self) -> None:
        """Check that every record and stage of the log had its line."""
        state = self._state
        for at, place in sorted(state.shown_places()):
            if place.status is not Status.UNSCREENED and ("status", at) not in self._seen:
                follows = f"the log makes it {place.status}"
                raise Differs(Difference("nothing of its status", follows, at=at))
            if place.is_open and ("conflict", at) not in self._seen:
                follows = "the log opens one"
                raise Differs(Difference("nothing of its conflict", follows, at=at))
        for at, place in sorted(state.places.items(), key=lambda one: one[0]):
            if (self._ledger.n_entries[at] or place.own) and ("ledger", at) not in self._seen:
                follows = "the log tells of some"
                raise Differs(Difference("nothing of its ledger", follows, at=at))
            over = place.conflict is not None and not place.is_open
            if over and ("resolved", at) not in self._seen:
                follows = "the log ends one"
                raise Differs(Difference("nothing of its conflict", follows, at=at))
        for kind, key in sorted(settings_lines.expected(state.settings) - self._seen, key=str):
            raise Differs(Difference(f"nothing of {kind} {key}", "the log does"))
        for kind, known in (("member", state.members), ("linked", state.linked)):
            if missing := [one for one in sorted(known) if (kind, one) not in self._seen]:
                raise Differs(Difference(f"nothing of {kind} {missing[0]}", "the log does"))
