"""What screening has found so far, record by record in the order in which they were screened."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session

from tandem.ids import RecordNumber
from tandem.reviews.policy import Stage
from tandem.reviews.service import Viewer
from tandem.screening.blinding.view import is_unblinded, sees_all_votes
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
    decisions: included, and included or maybe.
    """

    of: Literal["team", "own"]
    points: list[RecallPoint]


def recall(session: Session, *, viewer: Viewer, stage: Stage) -> Recall:
    """Return what was found so far: by the team, or for a blinded reviewer by themselves."""
    if not is_unblinded(viewer, stage):
        return Recall("own", list(_points(_own(session, viewer, stage), shows_possible=True)))
    hides = not sees_all_votes(viewer, stage)
    found = _team(session, viewer, stage, hides_open=hides)
    return Recall("team", list(_points(found, shows_possible=not hides)))


Found = tuple[bool, bool]
"""Whether a record is included, and whether it is or may be."""


def _points(found: Iterable[Found], *, shows_possible: bool) -> Iterator[RecallPoint]:
    screened = included = possible = 0
    last = RecallPoint(0, 0, 0 if shows_possible else None)
    yield last
    for is_included, is_possible in found:
        screened, included = screened + 1, included + is_included
        possible += is_possible
        if is_included or (is_possible and shows_possible):
            last = RecallPoint(screened, included, possible if shows_possible else None)
            yield last
    if screened > last.n_screened:
        yield RecallPoint(screened, included, possible if shows_possible else None)


def _own(session: Session, viewer: Viewer, stage: Stage) -> Iterator[Found]:
    first = (
        select(Decision.record_number, func.min(Decision.labels_seq).label("first"))
        .where(
            Decision.review_id == viewer.review_id,
            Decision.reviewer_id == viewer.user_id,
            Decision.stage == stage,
        )
        .group_by(Decision.record_number)
        .subquery()
    )
    query = (
        select(Decision.verdict)
        .join(PresentDecision, PresentDecision.decision_id == Decision.id)
        .join(first, first.c.record_number == PresentDecision.record_number)
        .where(
            PresentDecision.review_id == viewer.review_id,
            PresentDecision.stage == stage,
            PresentDecision.reviewer_id == viewer.user_id,
        )
        .order_by(first.c.first)
    )
    for verdict in session.scalars(query):
        is_included = verdict is Verdict.INCLUDE
        yield is_included, is_included or verdict is Verdict.MAYBE


def _team(session: Session, viewer: Viewer, stage: Stage, *, hides_open: bool) -> Iterator[Found]:
    query = (
        select(ScreenedRecord.record_number, ScreenedRecord.status)
        .join(Decision, of_screened_record())
        .where(
            ScreenedRecord.review_id == viewer.review_id,
            ScreenedRecord.stage == stage,
            ScreenedRecord.status != Status.UNSCREENED,
        )
        .group_by(ScreenedRecord.record_number, ScreenedRecord.status)
        .order_by(func.min(Decision.labels_seq))
    )
    possible = set[RecordNumber]() if hides_open else _possible(session, viewer, stage)
    for number, status in session.execute(query):
        is_included = status is Status.INCLUDED
        yield is_included, is_included or number in possible


def of_screened_record() -> ColumnElement[bool]:
    """Whether a decision is on the record of a ScreenedRecord."""
    return and_(
        Decision.review_id == ScreenedRecord.review_id,
        Decision.stage == ScreenedRecord.stage,
        Decision.record_number == ScreenedRecord.record_number,
    )


def _possible(session: Session, viewer: Viewer, stage: Stage) -> set[RecordNumber]:
    """Return the open records that somebody's present vote keeps in."""
    query = (
        select(PresentDecision.record_number)
        .join(Decision, Decision.id == PresentDecision.decision_id)
        .join(
            ScreenedRecord,
            and_(
                ScreenedRecord.review_id == PresentDecision.review_id,
                ScreenedRecord.stage == PresentDecision.stage,
                ScreenedRecord.record_number == PresentDecision.record_number,
            ),
        )
        .where(
            PresentDecision.review_id == viewer.review_id,
            PresentDecision.stage == stage,
            ScreenedRecord.status.in_([Status.AWAITING, Status.CONFLICT]),
            Decision.verdict.in_([Verdict.INCLUDE, Verdict.MAYBE]),
        )
    )
    return set(session.scalars(query))
