"""Registering an audit, opening and pausing it, drawing, and what becomes of it."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Any

import numpy as np
from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from tandem.db.base import now
from tandem.db.keyset import Cursor, Slice, keyset_of_one
from tandem.errors import Conflict, Invalid, NotFound
from tandem.events import log
from tandem.events.types import AuditFinished, AuditStarted, StoppingChanged
from tandem.ids import AuditId, RecordNumber, ReviewId, new_id
from tandem.records.models import Record
from tandem.records.shown import n_shown
from tandem.reviews.models import Review, Role
from tandem.reviews.policy import Stage
from tandem.reviews.service import Viewer
from tandem.screening.queue.order import Sample
from tandem.stopping import counting, display, random_order
from tandem.stopping.certificate import exact_target
from tandem.stopping.counting import Evaluation, Ledger, Outside
from tandem.stopping.joins import is_screened, is_shown
from tandem.stopping.models import Audit, AuditDraw, Serving

LOWEST_TARGET, HIGHEST_TARGET = Fraction(4, 5), Fraction(99, 100)
LOWEST_CONFIDENCE, HIGHEST_CONFIDENCE = Fraction(4, 5), Fraction(999, 1000)


class AuditRegistered(Conflict):
    """The stage has an audit that is not over."""

    code = "audit_registered"


class AuditOver(Conflict):
    """The audit was abandoned, or another one took over."""

    code = "audit_finished"


class NothingToKeep(Conflict):
    """An audit's evidence is refuted, so that none of it goes on in another frame."""

    code = "nothing_to_keep"


class TooFewIncludes(Invalid):
    """Nothing is included yet, so that no recall can be spoken of."""

    code = "too_few_includes"


class AuditState(StrEnum):
    """How an audit stands.

    `registered`: draws count, one record in twenty. `open`: everybody is served draws. `paused`: it
    was open. `blocked`: the evidence would suffice, but records wait. `certified`: the recall is
    shown. `withdrawn`: it was, and is not any more. `exhausted`: nothing is left to draw.
    `abandoned`: an owner gave it up, or another audit took over.
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

    @property
    def state(self) -> AuditState:
        return _state(self.audit, self.now)


def in_force(session: Session, review_id: ReviewId, stage: Stage) -> Audit | None:
    """Return the stage's audit that is not over."""
    query = select(Audit).where(
        Audit.review_id == review_id, Audit.stage == stage, Audit.ended_at.is_(None)
    )
    return session.scalars(query).first()


def certified_up_to(session: Session, review_id: ReviewId, stage: Stage) -> int:
    """Return up to which record number a certificate that holds allows to leave records unread.

    0 where no audit of the stage has one.
    """
    query = select(Audit).where(Audit.review_id == review_id, Audit.stage == stage)
    holding = [audit for audit in session.scalars(query) if _standing(audit) is not None]
    return max((audit.last_number for audit in holding), default=0)


def all_of(session: Session, review_id: ReviewId, cursor: Cursor, limit: int) -> Slice[Audit]:
    """Return the review's audits, the newest first."""
    query = select(Audit).where(Audit.review_id == review_id)
    columns = (Audit.registered_at.desc(), Audit.id)
    return keyset_of_one(session, query, columns, cursor, limit)


def get(session: Session, review_id: ReviewId, audit_id: AuditId) -> Audit:
    """Return an audit of the review.

    Raises:
        NotFound: It has none of this id.
    """
    audit = session.get(Audit, audit_id)
    if audit is None or audit.review_id != review_id:
        raise NotFound(f"There is no audit {str(audit_id)!r} in this review.")
    return audit


def shown(session: Session, audit: Audit) -> Shown:
    ledger = counting.load(session, audit)
    now_shown = counting.evaluate(
        ledger,
        target=Fraction(audit.target),
        confidence=Fraction(audit.confidence),
        log_carried=audit.carried,
    )
    return Shown(audit, ledger, now_shown)


def register(
    session: Session,
    review: Review,
    viewer: Viewer,
    *,
    stage: Stage,
    target: float,
    confidence: float,
    note: str | None,
) -> Audit:
    """Say what recall the team means to show, before any draw counts. The review is locked.

    Raises:
        Forbidden: Only an owner may.
        Invalid: The target or the confidence is out of range.
        AuditRegistered: There is one that is not over.
        TooFewIncludes: Nothing is included.
    """
    viewer.require(Role.OWNER, "register an audit")
    share(target, "target_recall")
    share(confidence, "confidence")
    session.flush()
    if in_force(session, review.id, stage) is not None:
        raise AuditRegistered(
            "This stage has an audit already. Change its target, or abandon it first."
        )
    require_an_include(session, review.id, stage)
    return _begin(session, review, viewer, stage, str(target), str(confidence), note=note)


def share(value: float, field: str) -> Fraction:
    """Return a target or a confidence as an exact number.

    Raises:
        Invalid: It is out of the range that makes sense.
    """
    lowest, highest = (
        (LOWEST_TARGET, HIGHEST_TARGET)
        if field == "target_recall"
        else (LOWEST_CONFIDENCE, HIGHEST_CONFIDENCE)
    )
    try:
        exact = exact_target(value)
    except ValueError:
        exact = Fraction(0)
    if not lowest <= exact <= highest:
        raise Invalid(
            f"{field} is from {float(lowest):g} to {float(highest):g}, such as 0.9.", field=field
        )
    return exact


def require_an_include(session: Session, review_id: ReviewId, stage: Stage) -> None:
    """Raise TooFewIncludes where nothing is included."""
    if not display.n_included(session, review_id, stage):
        raise TooFewIncludes(
            "Nothing is included yet, so there is no recall to show. Screen by rank until the "
            "first records are included.",
            field="stage",
        )


def _begin(
    session: Session,
    review: Review,
    viewer: Viewer,
    stage: Stage,
    target: str,
    confidence: str,
    *,
    note: str | None,
    serving: Serving = Serving.MIXED,
    carried: float = 0.0,
) -> Audit:
    seed = random_order.new_seed()
    audit = Audit(
        id=AuditId(new_id()),
        review_id=review.id,
        stage=stage,
        target=target,
        confidence=confidence,
        note=note,
        registered_at=now(),
        registered_by=viewer.user_id,
        registered_seq=review.labels_seq,
        last_number=review.last_record_number,
        n_frame=n_shown(session, review.id),
        seal=random_order.seal(seed, stage, review.last_record_number),
        seed=seed,
        serving=serving,
        opened_at=None if serving is Serving.MIXED else now(),
        pointer=0,
        carried=carried,
        changes=[],
        certificates=[],
    )
    session.add(audit)
    review.n_audits += 1
    session.flush()
    fact = AuditStarted(audit_id=str(audit.id), state="registered", detail=_detail(audit, viewer))
    log.append(session, review, fact)
    return audit


def _detail(audit: Audit, viewer: Viewer) -> dict[str, Any]:
    return {
        "by": str(viewer.user_id),
        "stage": audit.stage.value,
        "target_recall": audit.target,
        "confidence": audit.confidence,
        "frame": {"n": audit.n_frame, "last": audit.last_number, "sha256": audit.seal},
        "carried": audit.carried,
    }


def change(
    session: Session,
    review: Review,
    viewer: Viewer,
    audit: Audit,
    *,
    serving: Serving | None = None,
    target: float | None = None,
    abandon: bool = False,
) -> None:
    """Open or pause an audit, aim at another recall, or end it. The review is locked.

    To end it reveals its seed, so nothing is drawn any more; a certificate that holds stays.

    Raises:
        Forbidden: Only an owner may.
        AuditOver: It is over already.
    """
    viewer.require(Role.OWNER, "change an audit")
    if audit.ended_at is not None:
        raise AuditOver("This audit is over; nothing about it changes any more.")
    if serving is not None and serving is not audit.serving:
        audit.serving = serving
        if serving is Serving.DRAWS_ONLY and audit.opened_at is None:
            audit.opened_at = now()
        _note(session, review, viewer, audit, f"serving: {serving}")
    if target is not None:
        share(target, "target_recall")
        if str(target) != audit.target:
            _note(session, review, viewer, audit, f"target_recall: {audit.target} to {target}")
            audit.target = str(target)
    if abandon:
        _note(session, review, viewer, audit, "abandoned")
        _end(session, review, viewer, audit)
    session.flush()


def reframe(session: Session, review: Review, viewer: Viewer, audit: Audit) -> Audit:
    """Replace an audit by one over all records that there are now, and keep what it has shown.

    The new one begins with the least evidence that the old one has against any total, at most 1:
    a product of martingales is one, so the confidence stays. The review is locked.

    Raises:
        Forbidden: Only an owner may.
        AuditOver: It is over already.
    """
    viewer.require(Role.OWNER, "reframe an audit")
    if audit.ended_at is not None:
        raise AuditOver("This audit is over; register a new one.")
    ledger = counting.load(session, audit)
    carried = min(0.0, audit.carried + counting.least_log(ledger))
    if math.isinf(carried):
        raise NothingToKeep("Nothing of this audit can be kept: abandon it and register a new one.")
    _end(session, review, viewer, audit)
    after = _begin(
        session,
        review,
        viewer,
        audit.stage,
        audit.target,
        audit.confidence,
        note=audit.note,
        serving=audit.serving,
        carried=carried,
    )
    audit.followed_by = after.id
    _note(session, review, viewer, audit, "reframed")
    return after


def _note(session: Session, review: Review, viewer: Viewer, audit: Audit, what: str) -> None:
    audit.changes = [*audit.changes, {"seq": review.labels_seq, "what": what}]
    detail = {"by": str(viewer.user_id), "audit": str(audit.id), "what": what}
    log.append(session, review, StoppingChanged(stage=audit.stage.value, detail=detail))


def _end(session: Session, review: Review, viewer: Viewer, audit: Audit) -> None:
    audit.ended_at = now()
    review.n_audits -= 1
    if _standing(audit) is None:
        _finish(session, review, viewer, audit, AuditState.ABANDONED)


def _finish(
    session: Session, review: Review, viewer: Viewer | None, audit: Audit, state: str
) -> None:
    detail: dict[str, Any] = {"stage": audit.stage.value}
    if viewer is not None:
        detail["by"] = str(viewer.user_id)
    fact = AuditFinished(audit_id=str(audit.id), state=state, detail=detail)
    log.append(session, review, fact)


def of_queue(session: Session, review: Review, stage: Stage) -> Audit | None:
    """Return the audit that the queue goes by. Asks nothing where the review has none."""
    return in_force(session, review.id, stage) if review.n_audits else None


def sample_of(audit: Audit | None) -> Sample | None:
    """Return what the queue serves at random while an audit is in force."""
    if audit is None:
        return None
    numbers = random_order.order(audit.seed, audit.stage, audit.last_number)
    return Sample(numbers, is_all=audit.serving is Serving.DRAWS_ONLY)


def draw(session: Session, review: Review, audit: Audit, served: Sequence[RecordNumber]) -> None:
    """Note as drawn what was served at random, and what was passed over on the way there.

    Records that somebody has decided are none of it: they had left the pool. The review is locked.

    Args:
        session: Within the transaction that served them.
        review: Locked.
        audit: The stage's.
        served: What was served at random.
    """
    if not served:
        return
    order = random_order.order(audit.seed, audit.stage, audit.last_number)
    places = np.flatnonzero(np.isin(order, np.array(served)))
    if not places.size or places[-1] < audit.pointer:
        return
    unpassed = order[audit.pointer :]
    in_pool = unpassed[np.isin(unpassed, _undecided(session, audit))]
    passed = set(order[audit.pointer : places[-1] + 1].tolist())
    drawn = [number for number in in_pool.tolist() if number in passed]
    first = _n_draws(session, audit) + 1
    at = now()
    session.add_all(
        AuditDraw(
            audit_id=audit.id,
            place=first + n,
            record_number=RecordNumber(number),
            pool=len(in_pool) - n,
            seq=review.labels_seq,
            target=audit.target,
            drawn_at=at,
        )
        for n, number in enumerate(drawn)
    )
    audit.pointer = int(places[-1]) + 1
    session.flush()


def _undecided(session: Session, audit: Audit) -> "np.ndarray[tuple[int], np.dtype[np.int32]]":
    """Return the shown records of the frame that nobody has ever decided."""
    query = select(Record.number).where(
        is_shown(audit.review_id),
        Record.number <= audit.last_number,
        ~exists().where(is_screened(audit.stage)),
    )
    return np.fromiter(session.scalars(query), dtype=np.int32)


def _n_draws(session: Session, audit: Audit) -> int:
    last = select(AuditDraw.place).where(AuditDraw.audit_id == audit.id)
    return session.scalar(last.order_by(AuditDraw.place.desc()).limit(1)) or 0


def is_due(found: Shown) -> bool:
    """Whether `follow` would give a certificate or withdraw one."""
    given = _standing(found.audit)
    if given is None:
        return found.audit.ended_at is None and found.now.is_certified
    return not _then(found, given).is_enough


def follow(session: Session, review: Review, audit: Audit) -> None:
    """Give a certificate that has come to hold, or withdraw one that no longer does.

    The review is locked. To do so again changes nothing.
    """
    session.flush()
    found = shown(session, audit)
    if not is_due(found):
        return
    given = _standing(audit)
    if given is None:
        audit.certificates = [*audit.certificates, _certificate(review, found)]
        _finish(session, review, None, audit, AuditState.CERTIFIED)
    else:
        then = _then(found, given)
        because = f"With the labels in force now e is {then.e:.4g}, and {then.needed:g} is needed."
        marked = given | {"withdrawn_at": now().isoformat(), "withdrawn_because": because}
        audit.certificates = [*audit.certificates[:-1], marked]
        detail = {"audit": str(audit.id), "what": "withdrawn"}
        log.append(session, review, StoppingChanged(stage=audit.stage.value, detail=detail))
    session.flush()


def _standing(audit: Audit) -> dict[str, Any] | None:
    """Return the certificate that is not withdrawn."""
    given = audit.certificates[-1] if audit.certificates else None
    return given if given is not None and given["withdrawn_at"] is None else None


def _then(found: Shown, given: dict[str, Any]) -> Evaluation:
    """Return what was shown when a certificate was given, of the target that it is about."""
    ledger = found.ledger.then(
        seq=given["seq"],
        last_place=given["last_place"],
        pool=given["pool"],
        outside=Outside(**given["outside_frame"]),
    )
    return counting.evaluate(
        ledger,
        target=exact_target(given["target_recall"]),
        confidence=exact_target(given["confidence"]),
        log_carried=found.audit.carried,
    )


def _certificate(review: Review, found: Shown) -> dict[str, Any]:
    evaluation, audit = found.now, found.audit
    return {
        "given_at": now().isoformat(),
        "seq": review.labels_seq,
        "last_place": found.ledger.draws[-1].row.place if found.ledger.draws else 0,
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
    if _standing(audit) is not None:
        return AuditState.CERTIFIED
    if audit.ended_at is not None:
        return AuditState.ABANDONED
    if audit.certificates:
        return AuditState.WITHDRAWN
    if evaluation.is_enough:
        return AuditState.BLOCKED if evaluation.is_provisional else AuditState.CERTIFIED
    if evaluation.pool == 0:
        return AuditState.EXHAUSTED
    if audit.serving is Serving.DRAWS_ONLY:
        return AuditState.OPEN
    return AuditState.REGISTERED if audit.opened_at is None else AuditState.PAUSED
