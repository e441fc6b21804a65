"""Lines about a stage's audits: what was registered, drawn, shown and certified."""

import math
from collections.abc import Iterator
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from tandem.ids import ReviewId
from tandem.stopping import states
from tandem.stopping.counting import Evaluation
from tandem.stopping.frame import came_later
from tandem.stopping.models import Audit, AuditDraw


def lines(session: Session, review_id: ReviewId) -> Iterator[dict[str, Any]]:
    """Yield a line for each audit of a review.

    The line has the seed once the audit is over: before, it would reveal the next draws.
    """
    for audit in _each_behind_the_one_it_replaced(session, review_id):
        draws = select(
            AuditDraw.record_number, AuditDraw.pool, AuditDraw.seq, AuditDraw.target
        ).where(AuditDraw.audit_id == audit.id)
        yield {
            "audit": str(audit.id),
            "stage": audit.stage,
            "target_recall": audit.target,
            "confidence": audit.confidence,
            "carried": audit.carried,
            "frame": {"n": audit.n_frame, "last": audit.last_number, "sha256": audit.seal},
            "seed": None if audit.ended_at is None else audit.seed.hex(),
            "came_later": came_later(session, audit).tolist(),
            "draws": [list(row) for row in session.execute(draws.order_by(AuditDraw.place))],
            "evidence": evidence(states.shown(session, audit).now),
            "certificates": audit.certificates,
        }


def _each_behind_the_one_it_replaced(session: Session, review_id: ReviewId) -> Iterator[Audit]:
    """Yield the audits in the order of their registration, as `verify` needs them.

    Neither `labels_seq`, which no decision may have moved in between, nor a clock gives it alone.
    """
    query = select(Audit).where(Audit.review_id == review_id)
    begun = session.scalars(query.order_by(Audit.registered_seq, Audit.id)).all()
    by_id = {audit.id: audit for audit in begun}
    firsts = by_id.keys() - {audit.followed_by for audit in begun}
    for first in begun:
        if first.id not in firsts:
            continue
        audit: Audit | None = first
        while audit is not None:
            yield audit
            audit = None if audit.followed_by is None else by_id[audit.followed_by]


def evidence(found: Evaluation) -> dict[str, Any]:
    """Return what is computed again from the log: counts, and the natural logarithm of e.

    `log_e` is None where the evidence is refuted, so that e is 0.
    """
    return {
        "log_e": found.log_e if math.isfinite(found.log_e) else None,
        "n_draws": found.n_draws,
        "n_draw_includes": found.hits,
        "found": found.found,
        "pool": found.pool,
        "bad_total": found.bad_total,
        "is_certified": found.is_certified,
    }
