"""What has to be said with a verdict: in a decision, in a second vote and in a resolution."""

from tandem.errors import Invalid
from tandem.reviews.policy import Stage
from tandem.screening.ledger.entries import DecisionInput, ResolutionInput
from tandem.screening.rules import Verdict


class ReasonRequired(Invalid):
    """An exclusion of a full text needs a reason: the flow reports one for each."""

    code = "reason_required"


def require_complete(stage: Stage, given: DecisionInput | ResolutionInput) -> None:
    """Raise unless a verdict comes with what has to be said with it.

    Raises:
        ReasonRequired: It excludes a full text, and no reason is given.
        Invalid: A classification goes with another verdict, or another stage.
    """
    excludes, at_full_text = given.verdict is Verdict.EXCLUDE, stage is Stage.FULL_TEXT
    if at_full_text and excludes and not given.reasons:
        raise ReasonRequired(
            "Give at least one reason: who excludes a full text says why, and it is reported.",
            field="reasons",
        )
    if given.classification is not None and (excludes or not at_full_text):
        raise Invalid(
            "Only who includes a full text, or says maybe, classifies it.", field="classification"
        )
