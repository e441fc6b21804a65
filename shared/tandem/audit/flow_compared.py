"""The lines about a review's flow, compared with what follows from its log. Pure."""

from collections.abc import Mapping
from typing import Any

from tandem.audit.checked import Checked
from tandem.audit.differences import Difference, Differs
from tandem.audit.flow_facts import LoggedFlow
from tandem.audit.flow_lines import boxes
from tandem.audit.state import State
from tandem.audit.told_flow import ORIGIN, ToldFlow
from tandem.reporting.flow import flow

SINCE = 6
"""Version of the trail from which on it has lines about the flow."""

_BY_SOURCE = ("database_specific_results", "register_specific_results")
_BY_REASON = ("dbr_excluded", "other_excluded")


class FlowCompared:
    """Takes the lines about the flow, in any order; each is to be there, and once."""

    def __init__(self, made: Checked, state: State, told: ToldFlow, logged: LoggedFlow) -> None:
        self._made, self._state, self._told, self._logged = made, state, told, logged
        self._seen: set[tuple[str, str]] = set()

    def take(self, found: Mapping[str, Any]) -> None:
        """Compare the next line.

        Raises:
            Differs: It says something else than what follows.
            KeyError, TypeError: It is none of these lines.
        """
        if "flow" in found:
            self._boxes(found["flow"])
        elif "import_of" in found:
            self._origin(found["import_of"], {name: found[name] for name in ORIGIN})
        elif "removal" in found:
            said = (found["kind"], found["reason"], found["tool"])
            self._same("removal", found["removal"], said, self._told.removed)
        elif "opened" in found:
            self._same("wave", found["opened"], (found["label"], found["kind"]), self._told.waves)
        else:
            self._study(found)

    def _origin(self, import_id: str, said: Mapping[str, Any]) -> None:
        self._once("import", import_id)
        told = self._told.imports.get(import_id)
        if told is None:  # it is not read to its end, or the log of the time did not tell
            return
        for name in ORIGIN:
            if said[name] != told[name]:
                says = f"that the {name} of import {import_id} is {said[name]}"
                raise Differs(Difference(says, f"the log has {told[name]}"))

    def _same(self, kind: str, key: Any, said: Any, told: Mapping[Any, Any]) -> None:
        self._once(kind, str(key))
        if told.get(key) != said:
            says = f"of {kind} {key} {said}"
            raise Differs(Difference(says, f"the log has {told.get(key)}"))

    def _study(self, found: Mapping[str, Any]) -> None:
        study_id = found["study"]
        self._once("study", study_id)
        told = self._told.studies.get(study_id)
        if told is None:
            raise Differs(Difference(f"a study {study_id}", "the log groups none such"))
        for name in ("numbers", "label", "primary", "fields", "sampled", "note"):
            if found[name] != (due := getattr(told, name)):
                says = f"that the {name} of study {study_id} is {found[name]}"
                raise Differs(Difference(says, f"the log has {due}"))

    def _boxes(self, said: Mapping[str, Any]) -> None:
        self._once("flow", "")
        logged = self._logged
        reasons = self._state.settings.texts.get("exclusion_reasons", [])
        due = boxes(flow(logged.facts, reasons=reasons))
        skipped = (_BY_SOURCE if logged.n_untold else ()) + (_BY_REASON if logged.has_seal else ())
        self._made.n_sources_open = logged.n_untold
        for key, box in due.items():
            for name, value in box.items():
                if name == "parts" and key in skipped:
                    continue
                if said[key][name] != value:
                    says = f"that the {name} of the flow's box {key} is {said[key][name]}"
                    raise Differs(Difference(says, f"{value} follows"))
            self._made.n_boxes += 1
        if len(said) != len(due):
            raise Differs(Difference("other boxes of the flow", f"{len(due)} follow"))

    def _once(self, kind: str, key: str) -> None:
        if (kind, key) in self._seen:
            raise Differs(Difference(f"{kind} {key} twice", "it has one line"))
        self._seen.add((kind, key))

    def end(self) -> None:
        """Check that none is missing.

        Raises:
            Differs: One is.
        """
        if self._made.version < SINCE:
            return
        expected = {("flow", "")}
        expected |= {("import", one) for one, told in self._told.imports.items() if told["numbers"]}
        expected |= {("removal", one) for one in self._told.removed}
        expected |= {("wave", str(one)) for one in self._told.waves}
        expected |= {("study", one) for one in self._told.studies}
        for kind, key in sorted(expected - self._seen):
            raise Differs(Difference(f"nothing of {kind} {key}".rstrip(), "the log does"))
