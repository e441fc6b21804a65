"""How far the review is, as somebody may see it."""

from collections import Counter
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, literal, select
from sqlalchemy.orm import Session

from tandem.accounts import service as accounts
from tandem.db.among import is_one_of
from tandem.db.pieces import pieces
from tandem.ids import RecordNumber, ReviewId, UserId
from tandem.records import screened_records
from tandem.records.shown import n_shown
from tandem.reviews.policy import Stage
from tandem.reviews.service import Viewer
from tandem.screening.blinding.view import DONE, is_unblinded
from tandem.screening.full_text.population import gate_of, left_out, population
from tandem.screening.logged_progress import CurvePoint, LoggedStage, logged_progress
from tandem.screening.models import PresentDecision, ScreenedRecord
from tandem.screening.recall import Recall, recall
from tandem.screening.rules import Status


@dataclass(frozen=True, slots=True)
class ReviewerProgress:
    """`n_decided`: records with a present decision; `by_day`: decisions made, also replaced."""

    user_id: UserId
    name: str
    n_decided: int
    by_day: dict[date, int]


@dataclass(frozen=True, slots=True)
class Progress:
    """`counts` by status as the viewer may see it; the curve only for those who see all.

    `recall` by records is of the present only.
    """

    stage: Stage
    n_records: int
    counts: dict[str, int]
    reviewers: list[ReviewerProgress]
    recall_curve: list[CurvePoint] | None
    recall: Recall | None = None


def progress(session: Session, *, viewer: Viewer, stage: Stage) -> Progress:
    """Return the stage's progress: everyone's, or for a blinded reviewer their own."""
    return _progress(session, viewer, stage, logged_progress(session, viewer.review_id)[stage])


def progress_of_stages(session: Session, *, viewer: Viewer) -> list[Progress]:
    """Return the `progress` of every stage."""
    logged = logged_progress(session, viewer.review_id)
    return [_progress(session, viewer, stage, logged[stage]) for stage in Stage]


def _progress(session: Session, viewer: Viewer, stage: Stage, logged: LoggedStage) -> Progress:
    within = None
    if stage is Stage.FULL_TEXT:
        within = population(session, viewer.review_id, gate_of(viewer))
    n_records = n_shown(session, viewer.review_id) if within is None else len(within)
    sees_all = is_unblinded(viewer, stage)
    only = None if sees_all else viewer.user_id
    people = _reviewers(session, viewer.review_id, stage, only, within, logged)
    counts = (
        _team_counts(session, viewer.review_id, stage, n_records, within)
        if sees_all
        else _own_counts(people, n_records)
    )
    curve = _curve(session, viewer.review_id, logged, within) if sees_all else None
    found = recall(session, viewer=viewer, stage=stage)
    return Progress(stage, n_records, counts, people, curve, found)


Within = frozenset[RecordNumber] | None
"""The records at full text; None in the first stage, where all records are."""


def _curve(
    session: Session, review_id: ReviewId, logged: LoggedStage, within: Within
) -> list[CurvePoint]:
    """Return the curve of the records that are in the stage now: it ends at what is counted."""
    if within is not None:
        return logged.curve(within.__contains__)
    changed = {change.number for change in logged.changes}
    out = screened_records.left_out(session, review_id, changed)
    return logged.curve(lambda number: number not in out)


def _team_counts(
    session: Session, review_id: ReviewId, stage: Stage, n_records: int, within: Within
) -> dict[str, int]:
    query = (
        select(ScreenedRecord.status, func.count().label("n"))
        .where(ScreenedRecord.review_id == review_id, ScreenedRecord.stage == stage)
        .group_by(ScreenedRecord.status)
    )
    found = Counter[Status]()
    for numbers in [None] if within is None else pieces(sorted(within)):
        some = query if numbers is None else query.where(ScreenedRecord.record_number.in_(numbers))
        found.update({row.status: row.n for row in session.execute(some)})
    if within is None:
        gone = select(ScreenedRecord.status).where(
            ScreenedRecord.review_id == review_id,
            ScreenedRecord.stage == stage,
            is_one_of(ScreenedRecord.record_number, left_out(literal(review_id))),
        )
        found.subtract(session.scalars(gone))
    counts = {status.value: found.get(status, 0) for status in Status}
    touched = sum(found.values()) - found.get(Status.UNSCREENED, 0)
    return counts | {Status.UNSCREENED.value: n_records - touched}


def _own_counts(people: list[ReviewerProgress], n_records: int) -> dict[str, int]:
    done = sum(person.n_decided for person in people)
    return {Status.UNSCREENED.value: n_records - done, DONE: done}


def _reviewers(
    session: Session,
    review_id: ReviewId,
    stage: Stage,
    only: UserId | None,
    within: Within,
    logged: LoggedStage,
) -> list[ReviewerProgress]:
    decided = (
        select(PresentDecision.reviewer_id, func.count().label("n"))
        .where(PresentDecision.review_id == review_id, PresentDecision.stage == stage)
        .group_by(PresentDecision.reviewer_id)
    )
    if only is not None:
        decided = decided.where(PresentDecision.reviewer_id == only)
    n_decided = Counter[UserId]()
    for numbers in [None] if within is None else pieces(sorted(within)):
        here = PresentDecision.record_number
        some = decided if numbers is None else decided.where(here.in_(numbers))
        n_decided.update({row.reviewer_id: row.n for row in session.execute(some)})
    if within is None:
        # GROUP BY would make SQLite read all decisions; only a few are of records that have left.
        gone = select(PresentDecision.reviewer_id).where(
            PresentDecision.review_id == review_id,
            PresentDecision.stage == stage,
            is_one_of(PresentDecision.record_number, left_out(literal(review_id))),
        )
        n_decided.subtract(session.scalars(gone))
    days = {who: made for who, made in logged.days.items() if only in (None, who)}
    users = accounts.users_by_id(session, set(days)) if days else {}
    return [
        ReviewerProgress(
            user_id, users[user_id].name, n_decided[user_id], dict(sorted(by_day.items()))
        )
        for user_id, by_day in sorted(days.items(), key=lambda item: users[item[0]].name)
    ]
