"""How far the review is, as somebody may see it."""

from collections import Counter
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tandem.accounts import service as accounts
from tandem.db.pieces import pieces
from tandem.events.log import Event
from tandem.events.types import DecisionRecorded, RecordIncluded, RecordReopened
from tandem.ids import RecordNumber, ReviewId, UserId
from tandem.records.shown import n_shown
from tandem.reviews.policy import Stage
from tandem.reviews.service import Viewer
from tandem.screening.blinding.view import DONE, is_unblinded
from tandem.screening.full_text.population import population
from tandem.screening.models import Decision, PresentDecision, ScreenedRecord
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
class CurvePoint:
    """After this many decisions of the team, so many records were included."""

    n_decisions: int
    n_included: int


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
    within = None
    if stage is Stage.FULL_TEXT:
        within = population(session, viewer.review_id, viewer.policies)
    n_records = n_shown(session, viewer.review_id) if within is None else len(within)
    sees_all = is_unblinded(viewer, stage)
    only = None if sees_all else viewer.user_id
    people = _reviewers(session, viewer.review_id, stage, only, within)
    counts = (
        _team_counts(session, viewer.review_id, stage, n_records, within)
        if sees_all
        else _own_counts(people, n_records)
    )
    curve = _recall_curve(session, viewer.review_id, stage) if sees_all else None
    found = recall(session, viewer=viewer, stage=stage)
    return Progress(stage, n_records, counts, people, curve, found)


Within = frozenset[RecordNumber] | None
"""The records at full text; None in the first stage, where all records are."""


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
    counts = {status.value: found.get(status, 0) for status in Status}
    touched = sum(found.values()) - found.get(Status.UNSCREENED, 0)
    return counts | {Status.UNSCREENED.value: n_records - touched}


def _own_counts(people: list[ReviewerProgress], n_records: int) -> dict[str, int]:
    done = sum(person.n_decided for person in people)
    return {Status.UNSCREENED.value: n_records - done, DONE: done}


def _reviewers(
    session: Session, review_id: ReviewId, stage: Stage, only: UserId | None, within: Within
) -> list[ReviewerProgress]:
    decided = (
        select(PresentDecision.reviewer_id, func.count().label("n"))
        .where(PresentDecision.review_id == review_id, PresentDecision.stage == stage)
        .group_by(PresentDecision.reviewer_id)
    )
    made = select(Decision.reviewer_id, Decision.created_at).where(
        Decision.review_id == review_id,
        Decision.stage == stage,
        Decision.verdict.is_not(None),
        Decision.carried_from.is_(None),
    )
    if only is not None:
        decided = decided.where(PresentDecision.reviewer_id == only)
        made = made.where(Decision.reviewer_id == only)
    n_decided = Counter[UserId]()
    for numbers in [None] if within is None else pieces(sorted(within)):
        here = PresentDecision.record_number
        some = decided if numbers is None else decided.where(here.in_(numbers))
        n_decided.update({row.reviewer_id: row.n for row in session.execute(some)})
    days: dict[UserId, Counter[date]] = {}
    for user_id, at in session.execute(made):
        days.setdefault(user_id, Counter())[at.date()] += 1
    users = accounts.users_by_id(session, set(days)) if days else {}
    return [
        ReviewerProgress(
            user_id, users[user_id].name, n_decided[user_id], dict(sorted(by_day.items()))
        )
        for user_id, by_day in sorted(days.items(), key=lambda item: users[item[0]].name)
    ]


def _recall_curve(session: Session, review_id: ReviewId, stage: Stage) -> list[CurvePoint]:
    """Replay the log: one point for each change of the number of included records."""
    kinds = (DecisionRecorded.type, RecordIncluded.type, RecordReopened.type)
    query = (
        select(Event.type, Event.subject, Event.data)
        .where(Event.review_id == review_id, Event.type.in_(kinds))
        .order_by(Event.seq)
    )
    n_decisions, included, points = 0, set[str | None](), [CurvePoint(0, 0)]
    for kind, subject, data in session.execute(query):
        if data["stage"] != stage:
            continue
        if kind == DecisionRecorded.type:
            n_decisions += data.get("carried_from") is None
            continue
        if kind == RecordIncluded.type:
            included.add(subject)
        else:
            included.discard(subject)
        points.append(CurvePoint(n_decisions, len(included)))
    return points
