"""What screening has found so far, record by record in the order in which they were screened."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import ColumnElement, Select, Subquery, case, false, func, or_, select
from sqlalchemy.orm import Session

from tandem.ids import ReviewId
from tandem.reviews.policy import Stage
from tandem.reviews.service import Viewer
from tandem.screening.blinding.view import is_unblinded, sees_all_votes
from tandem.screening.full_text.population import gate_of, is_there
from tandem.screening.models import Decision, PresentDecision, ScreenedRecord
from tandem.screening.rules import Status, Verdict


@dataclass(frozen=True, slots=True)
class RecallPoint:
    """After this many records so many are included, and so many may be in the end.

    `n_possible` counts the included ones too. None where the votes are hidden from the viewer.
    """

    n_screened: int
    n_included: int
    n_possible: int | None


@dataclass(frozen=True, slots=True)
class Recall:
    """Of the `team`, or of the viewer's `own` decisions; a point for each change, and the last.

    Of the team a record is screened when anybody first decides it. It is included once that is
    settled; until then it is possible if somebody's present vote keeps it in. Of one's own
    decisions: included, and included or maybe. What has left the stage is not counted.
    """

    of: Literal["team", "own"]
    points: list[RecallPoint]


def recall(session: Session, *, viewer: Viewer, stage: Stage) -> Recall:
    """Return what was found so far: by the team, or for a blinded reviewer by themselves."""
    if not is_unblinded(viewer, stage):
        own = _points(session, viewer.review_id, _own(viewer, stage), shows_possible=True)
        return Recall("own", list(own))
    hides = not sees_all_votes(viewer, stage)
    found = _team(viewer, stage, hides_open=hides)
    return Recall("team", list(_points(session, viewer.review_id, found, shows_possible=not hides)))


Screened = Select[int, int, bool, bool]
"""Of each record its place in the order of screening, how many there are, whether it is included,
and whether it may be."""


def _points(
    session: Session, review_id: ReviewId, screened: Screened, *, shows_possible: bool
) -> Iterator[RecallPoint]:
    """Yield a point for each record that is, or may be, included, and the last.

    The database numbers the records in their order, and leaves out all others.
    """
    included = possible = 0
    last = RecallPoint(0, 0, 0 if shows_possible else None)
    yield last
    found = select(screened.subquery())
    is_point = or_(found.selected_columns.is_included, found.selected_columns.is_possible)
    is_last = found.selected_columns.n == found.selected_columns.n_all
    query = found.where(or_(is_point, is_last)).order_by(found.selected_columns.n)
    for n, _, is_included, is_possible in session.execute(query, {"review_id": review_id}):
        included, possible = included + is_included, possible + (is_included or is_possible)
        last = RecallPoint(n, included, possible if shows_possible else None)
        yield last


def _in_order(
    first: ColumnElement[int], is_included: ColumnElement[bool], is_possible: ColumnElement[bool]
) -> Screened:
    return select(
        func.row_number().over(order_by=first).label("n"),
        func.count().over().label("n_all"),
        is_included.label("is_included"),
        is_possible.label("is_possible"),
    )


def _own(viewer: Viewer, stage: Stage) -> Screened:
    first = _first_decisions(viewer, stage, Decision.reviewer_id == viewer.user_id)
    verdict = Decision.verdict
    return (
        _in_order(first.c.first, verdict == Verdict.INCLUDE, verdict == Verdict.MAYBE)
        .select_from(PresentDecision)
        .join(Decision, PresentDecision.decision_id == Decision.id)
        .join(first, first.c.record_number == PresentDecision.record_number)
        .where(
            PresentDecision.review_id == viewer.review_id,
            PresentDecision.stage == stage,
            PresentDecision.reviewer_id == viewer.user_id,
            is_there(stage, gate_of(viewer), PresentDecision.record_number),
        )
    )


def _team(viewer: Viewer, stage: Stage, *, hides_open: bool) -> Screened:
    first = _first_decisions(viewer, stage)
    is_possible = false() if hides_open else _is_possible()
    return (
        _in_order(first.c.first, ScreenedRecord.status == Status.INCLUDED, is_possible)
        .join(first, first.c.record_number == ScreenedRecord.record_number)
        .where(
            ScreenedRecord.review_id == viewer.review_id,
            ScreenedRecord.stage == stage,
            ScreenedRecord.status != Status.UNSCREENED,
            is_there(stage, gate_of(viewer), ScreenedRecord.record_number),
        )
    )


def _first_decisions(viewer: Viewer, stage: Stage, *conditions: ColumnElement[bool]) -> Subquery:
    """Return each decided record with the number of its first entry: one run through an index."""
    return (
        select(Decision.record_number, func.min(Decision.labels_seq).label("first"))
        .where(Decision.review_id == viewer.review_id, Decision.stage == stage, *conditions)
        .group_by(Decision.record_number)
        .subquery()
    )


def _is_possible() -> ColumnElement[bool]:
    """Whether a ScreenedRecord is open, and somebody's present vote keeps it in."""
    keeps_in = (
        select(PresentDecision.decision_id)
        .join(Decision, Decision.id == PresentDecision.decision_id)
        .where(
            PresentDecision.review_id == ScreenedRecord.review_id,
            PresentDecision.stage == ScreenedRecord.stage,
            PresentDecision.record_number == ScreenedRecord.record_number,
            Decision.verdict.in_([Verdict.INCLUDE, Verdict.MAYBE]),
        )
        .correlate(ScreenedRecord)
        .exists()
    )
    # CASE and not AND: SQLite looks for the votes of every record before it looks at its status.
    is_open = ScreenedRecord.status.in_([Status.AWAITING, Status.CONFLICT])
    return case((is_open, keeps_in), else_=false())
