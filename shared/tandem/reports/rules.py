"""Where a report stands: a record that is taken to full text. Pure.

Each number of the flow counts records of one standing or several, so a record has one at a time.
"""

from dataclasses import dataclass
from enum import StrEnum

from tandem.records.origin import NotScreened
from tandem.screening.full_text.models import RetrievalState
from tandem.screening.rules import Classification, Status


class Standing(StrEnum):
    """`not_sought`: title and abstract do not include it now; entries about its text are kept."""

    PREVIOUS = "previous"
    NOT_SOUGHT = "not_sought"
    BEING_SOUGHT = "being_sought"
    NOT_RETRIEVED = "not_retrieved"
    TO_ASSESS = "to_assess"
    EXCLUDED = "excluded"
    ONGOING = "ongoing"
    AWAITING_CLASSIFICATION = "awaiting_classification"
    ELIGIBLE_NOT_SAMPLED = "eligible_not_sampled"
    INCLUDED = "included"

    @property
    def is_assessed(self) -> bool:
        """Whether the votes on its full text count: it is at full text, and its text is there."""
        return self in _ASSESSED


_ASSESSED = frozenset(
    {
        Standing.TO_ASSESS,
        Standing.EXCLUDED,
        Standing.ONGOING,
        Standing.AWAITING_CLASSIFICATION,
        Standing.ELIGIBLE_NOT_SAMPLED,
        Standing.INCLUDED,
    }
)


@dataclass(frozen=True, slots=True)
class ReportFacts:
    """What is known of a record, as far as its standing depends on it.

    Attributes:
        title_abstract: Its status in the first stage.
        retrieval: The state of its retrieval; None: there is no entry.
        full_text: What the votes on its full text amount to, whether or not they count now.
        final_reason: Of one that these exclude: why.
        classification: Of one that these include.
        not_screened: Why its title and abstract are not screened, if they are not.
        is_sampled: Its study is used in the synthesis.
    """

    title_abstract: Status = Status.UNSCREENED
    retrieval: RetrievalState | None = None
    full_text: Status = Status.UNSCREENED
    final_reason: str | None = None
    classification: Classification | None = None
    not_screened: NotScreened | None = None
    is_sampled: bool = True


def standing(facts: ReportFacts) -> Standing | None:
    """Return where a record that is shown stands at full text; None for one that is removed."""
    if facts.not_screened is NotScreened.PREVIOUS:
        return Standing.PREVIOUS
    if facts.not_screened is NotScreened.REMOVED:
        return None
    starts_here = facts.not_screened is NotScreened.FULL_TEXT
    if facts.title_abstract is not Status.INCLUDED and not starts_here:
        return Standing.NOT_SOUGHT
    if facts.retrieval is RetrievalState.NOT_RETRIEVED:
        return Standing.NOT_RETRIEVED
    if facts.retrieval is not RetrievalState.RETRIEVED:
        return Standing.BEING_SOUGHT
    if facts.full_text is Status.EXCLUDED:
        return Standing.EXCLUDED
    if facts.full_text is not Status.INCLUDED:
        return Standing.TO_ASSESS
    if facts.classification is not None:
        return Standing(facts.classification.value)
    return Standing.INCLUDED if facts.is_sampled else Standing.ELIGIBLE_NOT_SAMPLED


def retrieval_state(facts: ReportFacts) -> RetrievalState | None:
    """Return how far its retrieval is; None where nobody seeks its text, nor ever has."""
    is_sought = standing(facts) is Standing.BEING_SOUGHT
    return facts.retrieval or (RetrievalState.SOUGHT if is_sought else None)


def reason(facts: ReportFacts) -> str | None:
    """Return why a report is excluded, where it is."""
    return facts.final_reason if standing(facts) is Standing.EXCLUDED else None
