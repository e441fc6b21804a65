"""What an audit has come to: its state, and the certificate that it gives or withdraws."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from tandem.db.base import now
from tandem.db.reading import OneMoment
from tandem.db.session import Database
from tandem.events import log
from tandem.events.screening_types import AuditFinished, StoppingChanged
from tandem.ids import AuditId, ReviewId
from tandem.reviews import service as reviews
from tandem.reviews.models import Review
from tandem.reviews.service import Viewer
from tandem.stopping import counting
from tandem.stopping.certificate import exact_target
from tandem.stopping.counting import Evaluation, Ledger
from tandem.stopping.frame import note_missed
from tandem.stopping.loading import load
from tandem.stopping.models import Audit, Serving


class AuditState(StrEnum):
    """How an audit stands.

    `registered`: draws count, one record in twenty. `open`: everybody is served draws. `paused`: it
    was open. `blocked`: the evidence would suffice, but records wait. `certified`: the recall that
    is aimed at is shown; of an audit that is over, that of its certificate. `withdrawn`: it was,
    and is not any more. `exhausted`: nothing is left to draw. `abandoned`: an owner gave it up, or
    another audit took over.
    """

    REGISTERED = "registered"
    OPEN = "open"
    PAUSED = "paused"
    BLOCKED = "blocked"
    CERTIFIED = "certified"
    WITHDRAWN = "withdrawn"
    EXHAUSTED = "exhausted"
    ABANDONED = "abandoned"


@dataclass(frozen=True, slots=True)
class Shown:
    """An audit with what the ledger says of it now."""

    audit: Audit
    ledger: Ledger
    now: Evaluation
    """With what audits before this one have shown, by the labels in force now."""

    @property
    def state(self) -> AuditState:
        return _state(self.audit, self.now)


def shown(session: Session, audit: Audit) -> Shown:
    """Return what the ledger says of an audit now."""
    ledger = load(session, audit)
    now_shown = counting.evaluate(
        ledger,
        target=Fraction(audit.target),
        confidence=Fraction(audit.confidence),
        log_carried=_carried(session, audit),
    )
    return Shown(audit, ledger, now_shown)


def to_carry(found: Shown) -> float:
    """Return the natural logarithm of what an audit leaves to one that takes its place.

    That is the least evidence that it has against any total of includes that there may be, by the
    labels in force now; at most 0, and −∞ where labels refute it.
    """
    return counting.to_carry(found.ledger, log_carried=found.now.log_carried)


def _carried(session: Session, audit: Audit) -> float:
    """Return what the audit before this one has shown: later corrections of its draws count."""
    query = select(Audit).where(Audit.review_id == audit.review_id, Audit.followed_by == audit.id)
    before = session.scalars(query).first()
    return 0.0 if before is None else to_carry(shown(session, before))


def is_due(found: Shown) -> bool:
    """Whether `follow` would give a certificate or withdraw one."""
    return bool(_untrue(found)) or _is_to_be_given(found)


def _untrue(found: Shown) -> list[int]:
    """Return the places of certificates that are not withdrawn and hold no longer."""
    return [
        place
        for place, given in enumerate(found.audit.certificates)
        if given["withdrawn_at"] is None and not _then(found, given).is_enough
    ]


def _is_to_be_given(found: Shown) -> bool:
    """Whether what is aimed at is shown, and no certificate is of so high a target."""
    audit = found.audit
    return audit.ended_at is None and found.now.is_certified and not _is_certified(audit)


def follow(session: Session, review: Review, audit: Audit) -> None:
    """Give a certificate that has come to hold, and withdraw those that no longer do.

    The review is locked. To do so again changes nothing.
    """
    session.flush()
    found = shown(session, audit)
    for place in _untrue(found):
        given = audit.certificates[place]
        then = _then(found, given)
        because = f"With the labels in force now e is {then.e:.4g}, and {then.needed:g} is needed."
        marked = given | {"withdrawn_at": now().isoformat(), "withdrawn_because": because}
        before, behind = audit.certificates[:place], audit.certificates[place + 1 :]
        audit.certificates = [*before, marked, *behind]
        detail = {"audit": str(audit.id), "what": "withdrawn"}
        log.append(session, review, StoppingChanged(stage=audit.stage.value, detail=detail))
    if _is_to_be_given(found):
        # What is away now comes back outside of the frame: no evidence is about it.
        note_missed(session, audit)
        found = shown(session, audit)
    if _is_to_be_given(found):
        made = _certificate(review, found)
        audit.certificates = [*audit.certificates, made]
        finish(session, review, None, audit, AuditState.CERTIFIED, certificate=made)
    session.flush()


@contextmanager
def up_to_date(database: Database | OneMoment, review_id: ReviewId) -> Iterator[Session]:
    """Open a session that reads, in which each certificate is what the labels make of it.

    Decisions, resolutions and merges change what an audit has shown without knowing of it. What
    is due is stored first; where a decision comes right after, once more. `OneMoment` is read as it
    is: who opened it has seen to that.
    """
    while True:
        with database.read() as session:
            if isinstance(database, OneMoment) or not is_any_due(session, review_id):
                yield session
                return
        follow_all(database, review_id)


def keep_up(database: Database, review_id: ReviewId, audit_id: AuditId) -> None:
    """Do what `follow_all` does where this audit is due; the review is locked only then."""
    with database.read() as session:
        audit = session.get(Audit, audit_id)
        waits = audit is not None and is_due(shown(session, audit))
    if waits:
        follow_all(database, review_id)


def is_any_due(session: Session, review_id: ReviewId) -> bool:
    """Whether `follow_all` would give a certificate or withdraw one."""
    return any(is_due(shown(session, audit)) for audit in _alive(session, review_id))


def _alive(session: Session, review_id: ReviewId) -> list[Audit]:
    """Return the audits that a certificate may be given of, or withdrawn."""
    found = session.scalars(select(Audit).where(Audit.review_id == review_id)).all()
    return [one for one in found if one.ended_at is None or certificate_in_force(one) is not None]


def follow_all(database: Database, review_id: ReviewId) -> None:
    """Do what `follow` does for each audit of a review."""
    with database.write.begin() as session:
        review = reviews.lock(session, review_id, also_archived=True)
        for audit in _alive(session, review_id):
            follow(session, review, audit)


def certificate_in_force(audit: Audit) -> dict[str, Any] | None:
    """Return the newest certificate that is not withdrawn, perhaps of another target than now."""
    holding = (given for given in reversed(audit.certificates) if given["withdrawn_at"] is None)
    return next(holding, None)


def _is_certified(audit: Audit) -> bool:
    """Whether a certificate that is not withdrawn is of the recall aimed at now, or of more."""
    return any(
        given["withdrawn_at"] is None
        and exact_target(given["target_recall"]) >= Fraction(audit.target)
        for given in audit.certificates
    )


def _then(found: Shown, given: dict[str, Any]) -> Evaluation:
    return counting.when_certified(found.ledger, given, log_carried=found.now.log_carried)


def _certificate(review: Review, found: Shown) -> dict[str, Any]:
    evaluation, audit = found.now, found.audit
    return {
        "given_at": now().isoformat(),
        "seq": review.labels_seq,
        "last_place": found.ledger.draws.stored.last_place,
        "target_recall": float(evaluation.target),
        "confidence": float(evaluation.confidence),
        "n_draws": evaluation.n_draws,
        "n_draw_includes": evaluation.hits,
        "found": evaluation.found,
        "pool": evaluation.pool,
        "bad_total": evaluation.bad_total,
        "e": None if evaluation.is_certain else evaluation.e,
        "e_needed": evaluation.needed,
        "is_certain": evaluation.is_certain,
        "recall_low": evaluation.recall_low,
        "frame": {"n": audit.n_frame, "last": audit.last_number, "sha256": audit.seal},
        "outside_frame": asdict(found.ledger.outside),
        "changes": audit.changes,
        "withdrawn_at": None,
        "withdrawn_because": None,
    }


def _state(audit: Audit, evaluation: Evaluation) -> AuditState:
    holds = certificate_in_force(audit) is not None
    if _is_certified(audit) or (holds and audit.ended_at is not None):
        return AuditState.CERTIFIED
    if audit.ended_at is not None:
        return AuditState.ABANDONED
    if audit.certificates and not holds:
        return AuditState.WITHDRAWN
    if evaluation.is_enough:
        return AuditState.BLOCKED if evaluation.is_provisional else AuditState.CERTIFIED
    if evaluation.pool == 0:
        return AuditState.EXHAUSTED
    if audit.serving is Serving.DRAWS_ONLY:
        return AuditState.OPEN
    return AuditState.REGISTERED if audit.opened_at is None else AuditState.PAUSED


def finish(
    session: Session,
    review: Review,
    viewer: Viewer | None,
    audit: Audit,
    state: str,
    *,
    certificate: Mapping[str, Any] | None = None,
) -> None:
    """Log what an audit has come to; a certificate is sealed with it, for `tandem verify`."""
    detail: dict[str, Any] = {"stage": audit.stage.value}
    if viewer is not None:
        detail["by"] = str(viewer.user_id)
    if certificate is not None:
        detail["certificate"] = certificate
    fact = AuditFinished(audit_id=str(audit.id), state=state, detail=detail)
    log.append(session, review, fact)
