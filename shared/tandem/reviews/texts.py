"""Changing what a review says of itself: title, question, criteria, reasons, seed studies."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from tandem.events import log
from tandem.events.types import ReviewChanged
from tandem.ids import UserId
from tandem.reviews import criteria
from tandem.reviews.models import LockedReview

_CRITERIA = {"criteria_include", "criteria_exclude"}
_HIGHLIGHTS = {"highlights_for", "highlights_against"}
_UNRANKED = {"title", "exclusion_reasons", *_HIGHLIGHTS}
"""What a ranking does not depend on."""

_CALLED = dict.fromkeys(_CRITERIA, "criteria") | dict.fromkeys(_HIGHLIGHTS, "highlights")
"""How an event names attributes that are parts of one thing."""


def change(
    session: Session,
    review: LockedReview,
    changes: Mapping[str, Any],
    *,
    by: UserId,
    criteria_note: str | None = None,
) -> None:
    """Change texts of the review; those that a ranking depends on ask for a new one.

    Other criteria are a new version of them.

    Args:
        session: In the transaction of the change.
        review: Locked.
        changes: New values by attribute of the review; those that are equal change nothing.
        by: Who changes them.
        criteria_note: Why the criteria change.
    """
    touched = [name for name, value in changes.items() if getattr(review, name) != value]
    if not touched:
        return
    detail: dict[str, Any] = {
        "by": str(by),
        "from": {name: getattr(review, name) for name in touched},
        "to": {name: changes[name] for name in touched},
    }
    for name in touched:
        setattr(review, name, changes[name])
    if _CRITERIA.intersection(touched):
        review.criteria_version += 1
        criteria.store(session, review, by=by, note=criteria_note)
        detail |= {"criteria_version": review.criteria_version, "note": criteria_note}
    if set(touched) - _UNRANKED:
        review.labels_seq += 1
    changed = dict.fromkeys(_CALLED.get(name, name) for name in touched)
    log.append(session, review, ReviewChanged(changed=list(changed), detail=detail))
