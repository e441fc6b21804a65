"""The standing of each report, derived from the log. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from tandem.audit.differences import At
from tandem.audit.entries import Step
from tandem.audit.state import ReplayedRecord, State
from tandem.events.screening_types import ReportRetrievalChanged
from tandem.reports.best import best_of
from tandem.reports.rules import ReportFacts, Standing, standing
from tandem.reviews.policy import Stage
from tandem.screening.criteria.reasons import final_reason
from tandem.screening.full_text.models import RetrievalState
from tandem.screening.rules import Classification, Status


class LoggedRetrieval(NamedTuple):
    """An entry of the log about the retrieval of a full text."""

    record_number: int
    seq: int
    state: RetrievalState
    via: str | None
    note: str | None
    by: str | None


class LoggedReports:
    """Collects the entries of the log about retrievals."""

    def __init__(self) -> None:
        self.retrievals: dict[tuple[str, int], LoggedRetrieval] = {}
        """By record and number of the entry. An entry counts for all records that are linked."""
        self._newest: dict[str, LoggedRetrieval] = {}

    def follow(self, step: Step) -> None:
        """Add the next entry; those about other things than retrievals are skipped.

        Raises:
            KeyError, TypeError, ValueError: It is not an entry.
        """
        if gone := {str(number) for number in step.taken_back}:
            self.retrievals = {at: one for at, one in self.retrievals.items() if at[0] not in gone}
            self._newest = {one: last for one, last in self._newest.items() if one not in gone}
        if step.type != ReportRetrievalChanged.type:
            return
        data, detail = step.data, step.detail or {}
        for number in detail.get("numbers", [int(data["record_id"])]):
            logged = LoggedRetrieval(
                number,
                step.seq,
                RetrievalState(data["state"]),
                data["via"],
                detail.get("note"),
                detail.get("by"),
            )
            self.retrievals[str(number), step.seq] = logged
            self._newest[str(number)] = logged

    def standings(self, state: State) -> dict[str, tuple[Standing, str | None]]:
        """Return the standing and final reason of each report that is sought.

        The final reason is an empty text where a sealed entry keeps it from being derived.
        """
        found: dict[str, tuple[Standing, str | None]] = {}
        for record, facts in self._facts(state):
            stands = standing(facts)
            if stands is not None and stands is not Standing.NOT_SOUGHT:
                reason = facts.final_reason if stands is Standing.EXCLUDED else None
                found[record] = stands, reason
        return found

    def population(self, state: State) -> set[str]:
        """Return the records that title and abstract include and whose text is there."""
        return {
            record
            for record, facts in self._facts(state)
            if facts.retrieval is RetrievalState.RETRIEVED
        }

    def _facts(self, state: State) -> Iterator[tuple[str, ReportFacts]]:
        best = best_of(
            (int(state.linked.get(record, record)), one) for record, one in self._newest.items()
        )
        order = state.settings.texts.get("exclusion_reasons")
        for at, place in sorted(state.shown_places()):
            if at.stage != Stage.TITLE_ABSTRACT or place.status is not Status.INCLUDED:
                continue
            entry = best.get(int(at.record))
            full = state.place(Stage.FULL_TEXT, at.record)
            yield (
                at.record,
                ReportFacts(
                    title_abstract=place.status,
                    retrieval=None if entry is None else entry.state,
                    full_text=full.status,
                    final_reason="" if full.has_seal or order is None else _reason(order, full),
                    classification=_classification(state, full),
                ),
            )


def _reason(order: list[str], place: ReplayedRecord) -> str | None:
    votes = [entry.vote for entry in place.present.values() if entry.vote is not None]
    resolution: Mapping[str, Any] = place.resolution or {}
    return final_reason(order, votes, resolution.get("reasons", ()))


def _classification(state: State, place: ReplayedRecord) -> Classification | None:
    policy = state.policies.get(Stage.FULL_TEXT)
    return None if policy is None or place.has_seal else place.outcome(policy).classification


def at_full_text(record: str) -> At:
    """Return the place of a record at full text."""
    return At(Stage.FULL_TEXT, record)
