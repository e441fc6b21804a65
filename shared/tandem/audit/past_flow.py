"""The flow of a review as it was at an earlier entry of its log."""

from sqlalchemy.orm import Session

from tandem.audit import past
from tandem.audit.flow_facts import LoggedFlow
from tandem.audit.state import State
from tandem.audit.told_audits import ToldAudits
from tandem.audit.told_flow import ToldFlow
from tandem.reporting import service
from tandem.reporting.flow import Template
from tandem.reporting.service import ShownFlow
from tandem.reviews import service as reviews
from tandem.reviews.service import Viewer


def flow_at(
    session: Session,
    *,
    viewer: Viewer,
    as_of: int,
    wave: int | None = None,
    template: Template | None = None,
) -> ShownFlow:
    """Return what `reporting.service.shown` said when entry `as_of` was the last one.

    Records count from the first entry on that was made after they had come; where they came from
    counts from the entry on that ends their import.

    Raises:
        Forbidden: This person is blinded in one of the stages.
        BeyondTheEnd: There is no such entry.
    """
    service.require_sight(viewer)
    state, told, audits = State(), ToldFlow(), ToldAudits()
    for step in past.steps(session, viewer, as_of):
        state.apply(step)
        told.follow(step)
        audits.follow(step)
    logged = LoggedFlow(state, told, audits, last_record=state.last_record)
    return service.of_facts(
        logged.facts,
        reasons=state.settings.texts.get("exclusion_reasons", []),
        wave=wave,
        template=template,
        title=reviews.get_review(session, viewer.review_id).title,
        as_of=as_of,
    )
