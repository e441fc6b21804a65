"""The lines about a review's flow, compared with what follows from its log. Pure."""

from collections.abc import Mapping
from typing import Any

from tandem.audit.checked import Checked
from tandem.audit.differences import Difference, Differs
from tandem.audit.flow_facts import DerivedFlow
from tandem.audit.flow_lines import boxes
from tandem.audit.logged_flow import ORIGIN, LoggedFlow
from tandem.audit.state import State
from tandem.reporting.flow import flow

SINCE = 6
"""Version of the trail from which on it has lines about the flow."""

_BY_SOURCE = ("database_specific_results", "register_specific_results")
_BY_REASON = ("dbr_excluded", "other_excluded")


class FlowCompared:
    """Compares the lines about the flow, in any order; each must occur exactly once."""

    def __init__(self, made: Checked, state: State, flow: LoggedFlow, derived: DerivedFlow) -> None:
        self._made, self._state, self._logged, self._derived = made, state, flow, derived
        self._seen: set[tuple[str, str]] = set()

    def take(self, found: Mapping[str, Any]) -> None:
        """Compare the next line.

        Raises:
            Differs: The line contradicts the log.
            KeyError, TypeError: It is not a line about the flow.
        """
        if "flow" in found:
            self._boxes(found["flow"])
        elif "import_of" in found:
            self._origin(found["import_of"], {name: found[name] for name in ORIGIN})
        elif "removal" in found:
            given = (found["kind"], found["reason"], found["tool"])
            self._same("removal", found["removal"], given, self._logged.removed)
        elif "opened" in found:
            self._same("wave", found["opened"], (found["label"], found["kind"]), self._logged.waves)
        else:
            self._study(found)

    def _origin(self, import_id: str, given: Mapping[str, Any]) -> None:
        self._once("import", import_id)
        logged = self._logged.imports.get(import_id)
        if logged is None:  # the import is not finished, or the log is older than this entry
            return
        for name in ORIGIN:
            if given[name] != logged[name]:
                says = f"that the {name} of import {import_id} is {given[name]}"
                raise Differs(Difference(says, f"the log has {logged[name]}"))

    def _same(self, kind: str, key: Any, given: Any, logged: Mapping[Any, Any]) -> None:
        self._once(kind, str(key))
        if logged.get(key) != given:
            says = f"of {kind} {key} {given}"
            raise Differs(Difference(says, f"the log has {logged.get(key)}"))

    def _study(self, found: Mapping[str, Any]) -> None:
        study_id = found["study"]
        self._once("study", study_id)
        logged = self._logged.studies.get(study_id)
        if logged is None:
            raise Differs(Difference(f"a study {study_id}", "the log groups none such"))
        for name in ("numbers", "label", "primary", "fields", "sampled", "note"):
            if found[name] != (due := getattr(logged, name)):
                says = f"that the {name} of study {study_id} is {found[name]}"
                raise Differs(Difference(says, f"the log has {due}"))

    def _boxes(self, given: Mapping[str, Any]) -> None:
        self._once("flow", "")
        derived = self._derived
        reasons = self._state.settings.texts.get("exclusion_reasons", [])
        due = boxes(flow(derived.facts(), reasons=reasons))
        by_source = _BY_SOURCE if derived.n_without_origin else ()
        skipped = by_source + (_BY_REASON if derived.has_seal else ())
        self._made.n_sources_open = derived.n_without_origin
        for key, box in due.items():
            for name, value in box.items():
                if name == "parts" and key in skipped:
                    continue
                if given[key][name] != value:
                    says = f"that the {name} of the flow's box {key} is {given[key][name]}"
                    raise Differs(Difference(says, f"{value} follows"))
            self._made.n_boxes += 1
        if len(given) != len(due):
            raise Differs(Difference("other boxes of the flow", f"{len(due)} follow"))

    def _once(self, kind: str, key: str) -> None:
        if (kind, key) in self._seen:
            raise Differs(Difference(f"{kind} {key} twice", "it has one line"))
        self._seen.add((kind, key))

    def end(self) -> None:
        """Check that no line is missing.

        Raises:
            Differs: One is.
        """
        if self._made.version < SINCE:
            return
        expected = {("flow", "")}
        expected |= {("import", id) for id, one in self._logged.imports.items() if one["numbers"]}
        expected |= {("removal", one) for one in self._logged.removed}
        expected |= {("wave", str(one)) for one in self._logged.waves}
        expected |= {("study", one) for one in self._logged.studies}
        for kind, key in sorted(expected - self._seen):
            raise Differs(Difference(f"nothing of {kind} {key}".rstrip(), "the log does"))
