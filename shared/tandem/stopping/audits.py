"""Registering an audit, opening and pausing it, aiming elsewhere, and ending it."""

import json
import math
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from sqlalchemy.orm import Session

from tandem.db.base import now
from tandem.errors import Conflict, Invalid
from tandem.events import log
from tandem.events.screening_types import AuditStarted, StoppingChanged
from tandem.ids import AuditId, ReviewId, new_id
from tandem.records.shown import n_shown
from tandem.reviews.models import Review, Role
from tandem.reviews.policy import Policy, Stage
from tandem.reviews.service import Viewer
from tandem.stopping import display, random_order
from tandem.stopping.audit_queries import in_force
from tandem.stopping.certificate import exact_target
from tandem.stopping.models import Audit, Serving
from tandem.stopping.states import AuditState, certificate_in_force, finish, follow, shown, to_carry

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
        "frame_is_fixed": True,
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
        follow(session, review, audit)  # what is shown by now is certified, if nobody has looked
        _note(session, review, viewer, audit, "abandoned")
        _end(session, review, viewer, audit)
    session.flush()


def reframe(session: Session, review: Review, viewer: Viewer, audit: Audit) -> Audit:
    """Replace an audit by one over all records that there are now, and keep what it has shown.

    The new one begins with the least evidence that the old one has against any total, at most 1:
    a product of martingales is one, so the confidence stays. Later corrections of the old one's
    draws count as any other. The review is locked.

    Raises:
        Forbidden: Only an owner may.
        AuditOver: It is over already.
    """
    viewer.require(Role.OWNER, "reframe an audit")
    if audit.ended_at is not None:
        raise AuditOver("This audit is over; register a new one.")
    follow(session, review, audit)
    carried = to_carry(shown(session, audit))
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


def note_rules(
    session: Session,
    review: Review,
    viewer: Viewer,
    *,
    changed: Mapping[Stage, Policy],
    criteria: bool,
) -> None:
    """Note in audits that have draws that the rules of their stage changed. The review is locked.

    Args:
        session: Within the transaction that changes them.
        review: Locked.
        viewer: Who changes them; with the policies until then.
        changed: The policies that are new, by stage.
        criteria: Whether the criteria have a new version; they are those of every stage.
    """
    for stage in Stage if review.n_audits else ():
        audit = in_force(session, review.id, stage)
        if audit is None or not audit.pointer:
            continue
        if stage in changed:
            before, after = (
                policy.model_dump(mode="json")
                for policy in (viewer.policies[stage], changed[stage])
            )
            for name, value in after.items():
                if value != before[name]:
                    what = f"policy.{name}: {json.dumps(before[name])} to {json.dumps(value)}"
                    _note(session, review, viewer, audit, what)
        if criteria:
            what = f"criteria: version {review.criteria_version}"
            _note(session, review, viewer, audit, what)


def _note(session: Session, review: Review, viewer: Viewer, audit: Audit, what: str) -> None:
    audit.changes = [*audit.changes, {"seq": review.labels_seq, "what": what}]
    detail = {"by": str(viewer.user_id), "audit": str(audit.id), "what": what}
    log.append(session, review, StoppingChanged(stage=audit.stage.value, detail=detail))


def _end(session: Session, review: Review, viewer: Viewer, audit: Audit) -> None:
    audit.ended_at = now()
    review.n_audits -= 1
    if certificate_in_force(audit) is None:
        finish(session, review, viewer, audit, AuditState.ABANDONED)
