"""The flow of a review as it was at an earlier entry of its log."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from tandem.audit import past
from tandem.audit.flow_facts import DerivedFlow
from tandem.audit.logged_audits import LoggedAudits
from tandem.audit.logged_flow import LoggedFlow
from tandem.audit.state import State
from tandem.records import waves
from tandem.reporting import service
from tandem.reporting.flow import Template
from tandem.reporting.service import ShownFlow
from tandem.reviews import service as reviews
from tandem.reviews.service import Viewer
from tandem.stopping.frame import missed
from tandem.stopping.models import Audit


def flow_at(
    session: Session,
    *,
    viewer: Viewer,
    as_of: int,
    wave: int | None = None,
    template: Template | None = None,
) -> ShownFlow:
    """Return what `reporting.service.shown` returned when entry `as_of` was the last one.

    A record counts from the first entry that was made after its import began; its origin counts
    from the entry that ends the import. What a draw of an audit has missed since is not counted as
    left unread.

    Raises:
        Forbidden: This person is blinded in one of the stages.
        BeyondTheEnd: There is no such entry.
        NotFound: There is no such wave, also not a later one than that entry.
    """
    service.require_sight(viewer)
    waves.require(session, viewer.review_id, wave)
    state, logged, audits = State(), LoggedFlow(), LoggedAudits()
    for step in past.steps(session, viewer, as_of):
        state.apply(step)
        logged.follow(step)
        audits.follow(step)
    for audit in session.scalars(select(Audit).where(Audit.review_id == viewer.review_id)):
        if (begun := audits.by_id.get(str(audit.id))) is not None:
            begun.missed = frozenset(missed(audit).tolist())
    derived = DerivedFlow(state, logged, audits, last_record=state.last_record)
    return service.of_facts(
        derived.facts(),
        reasons=state.settings.texts.get("exclusion_reasons", []),
        wave=wave,
        template=template,
        title=reviews.get_review(session, viewer.review_id).title,
        as_of=as_of,
    )
