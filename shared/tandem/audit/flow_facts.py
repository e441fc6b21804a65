"""The facts of a review's flow, read from its log; `reporting.gathering` reads them from tables.

A loader of its own, since a proof must not share the path that it proves. Pure.
"""

from collections import defaultdict
from collections.abc import Mapping

from tandem.audit.logged_audits import LoggedAudits
from tandem.audit.logged_flow import LoggedFlow
from tandem.audit.state import ReplayedRecord, State
from tandem.records.origin import NotScreened, Way, why_not_screened
from tandem.reporting.assembling import Came, Source, assemble
from tandem.reporting.facts import Occurrence, RecordFacts
from tandem.reports.rules import ReportFacts
from tandem.reviews.policy import Stage
from tandem.screening.criteria.reasons import final_reason
from tandem.screening.full_text.models import RetrievalState
from tandem.screening.rules import Status

_BEST_LAST = (
    RetrievalState.NOT_RETRIEVED,
    RetrievalState.SOUGHT,
    RetrievalState.REQUESTED,
    RetrievalState.AWAITING_TRANSLATION,
    RetrievalState.RETRIEVED,
)


class DerivedFlow:
    """The facts of the flow at some entry of the log.

    Attributes:
        reports: For each record that is not linked, the facts that its standing depends on.
        n_without_origin: Records whose origin the log does not hold.
        has_seal: Some excluded report's votes are sealed, so that its reason cannot be derived.
    """

    def __init__(
        self, state: State, logged: LoggedFlow, audits: LoggedAudits, *, last_record: int
    ) -> None:
        self._state, self._logged = state, logged
        numbers = [n for n in range(1, last_record + 1) if str(n) not in state.taken_back]
        came = logged.occurrences(numbers)
        self.n_without_origin = sum(not is_known for _, is_known in came)
        self._groups = defaultdict[int, list[Occurrence]](list)
        for occurrence, _ in came:
            shown = state.linked.get(str(occurrence.number))
            self._groups[int(shown) if shown else occurrence.number].append(occurrence)
        first, second = self._places(Stage.TITLE_ABSTRACT), self._places(Stage.FULL_TEXT)
        excluded = [place for place in second.values() if place.status is Status.EXCLUDED]
        self.has_seal = any(place.has_seal for place in excluded)
        removals = {int(record): kind for record, (kind, *_) in logged.removed.items()}
        self.reports = {
            number: self._report(number, first, second, is_removed=number in removals)
            for number in self._groups
        }
        self._first, self._removals, self._audits = first, removals, audits

    def facts(self) -> list[RecordFacts]:
        """Return a fact for each record that is not linked, by what is known of audits by now."""
        return assemble(
            Source(
                came=[Came(one, shown) for shown, some in self._groups.items() for one in some],
                statuses={number: place.status for number, place in self._first.items()},
                removals=self._removals,
                certified=self._audits.certified,
                reports=self.reports,
                studies=self._studies(),
            )
        )

    @property
    def not_screened(self) -> set[int]:
        """Return the records that are not linked and skip screening by title and abstract."""
        return {n for n, report in self.reports.items() if report.not_screened is not None}

    @property
    def starters(self) -> set[str]:
        """Return the records that start at full text, and whose text is retrieved."""
        return {
            str(number)
            for number, report in self.reports.items()
            if report.not_screened is NotScreened.FULL_TEXT
            and report.retrieval is RetrievalState.RETRIEVED
        }

    def _places(self, stage: Stage) -> dict[int, ReplayedRecord]:
        return {int(at.record): one for at, one in self._state.shown_places() if at.stage == stage}

    def _report(
        self,
        number: int,
        first: Mapping[int, ReplayedRecord],
        second: Mapping[int, ReplayedRecord],
        *,
        is_removed: bool,
    ) -> ReportFacts:
        ways = [Way(one.found_by, one.starts_at) for one in self._groups[number]]
        place = second.get(number) or ReplayedRecord()
        policy = self._state.policies.get(Stage.FULL_TEXT)
        kind = None
        if place.status is Status.INCLUDED and policy is not None and not place.has_seal:
            kind = place.outcome(policy).classification
        one = first.get(number)
        return ReportFacts(
            title_abstract=one.status if one else Status.UNSCREENED,
            retrieval=self._retrieval(number),
            full_text=place.status,
            final_reason=self._reason(place) if place.status is Status.EXCLUDED else None,
            classification=kind,
            not_screened=why_not_screened(ways, is_removed=is_removed),
            is_sampled=self._is_sampled(number),
        )

    def _retrieval(self, number: int) -> RetrievalState | None:
        logged = [
            self._logged.retrievals[one.number]
            for one in self._groups[number]
            if one.number in self._logged.retrievals
        ]
        states = [one.state for one in logged]
        return max(states, key=_BEST_LAST.index, default=None)

    def _reason(self, place: ReplayedRecord) -> str | None:
        order = self._state.settings.texts.get("exclusion_reasons", [])
        votes = [entry.vote for entry in place.present.values() if entry.vote is not None]
        stands = place.resolution
        return final_reason(order, votes, stands["reasons"] if stands else ())

    def _studies(self) -> dict[int, frozenset[str]]:
        found = defaultdict[int, set[str]](set)
        for study_id, study in self._logged.studies.items():
            for number in study.numbers:
                found[self._shown(number)].add(study_id)
        return {number: frozenset(ids) for number, ids in found.items()}

    def _is_sampled(self, number: int) -> bool:
        own = {one.number for one in self._groups[number]}
        mine = [one for one in self._logged.studies.values() if not own.isdisjoint(one.numbers)]
        return not mine or any(study.sampled is not False for study in mine)

    def _shown(self, number: int) -> int:
        return int(self._state.linked.get(str(number), number))
