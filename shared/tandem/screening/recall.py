"""What screening has found so far, record by record in the order in which they were screened."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from tandem.db.arrays import numbers_of
from tandem.ids import RecordNumber, ReviewId
from tandem.reviews.policy import Stage
from tandem.reviews.service import Viewer
from tandem.screening.blinding.view import is_unblinded, sees_all_votes
from tandem.screening.full_text.population import gate_of, is_there
from tandem.screening.hidden_records import have_left
from tandem.screening.ledger.first_and_last import first_and_last
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
        return Recall("own", _points(_own(session, viewer, stage)))
    return Recall("team", _points(_team(session, viewer, stage)))


Places = NDArray[np.int64]
"""Of records in the order of screening, from 1."""


class _Screened(NamedTuple):
    """How many records are screened, which of them are included, and which else may be.

    `possible` is None where the votes are hidden from the viewer.
    """

    n: int
    included: Places
    possible: Places | None


def _points(found: _Screened) -> list[RecallPoint]:
    """Return a point for each record that is, or may be, included, and the last."""
    open_ones = np.zeros(0, dtype=np.int64) if found.possible is None else found.possible
    places = np.union1d(found.included, open_ones)
    if found.n:
        places = np.union1d(places, [found.n])
    places = np.concatenate([[0], places])
    included = np.searchsorted(np.sort(found.included), places, side="right")
    possible = included + np.searchsorted(np.sort(open_ones), places, side="right")
    rows = zip(places.tolist(), included.tolist(), possible.tolist(), strict=True)
    return [
        RecallPoint(n, found_by_then, None if found.possible is None else may_be)
        for n, found_by_then, may_be in rows
    ]


def _own(session: Session, viewer: Viewer, stage: Stage) -> _Screened:
    first = (
        select(Decision.record_number, func.min(Decision.labels_seq).label("first"))
        .where(
            Decision.review_id == viewer.review_id,
            Decision.stage == stage,
            Decision.reviewer_id == viewer.user_id,
        )
        .group_by(Decision.record_number)
        .subquery()
    )
    query = (
        select(Decision.verdict)
        .select_from(PresentDecision)
        .join(Decision, PresentDecision.decision_id == Decision.id)
        .join(first, first.c.record_number == PresentDecision.record_number)
        .where(
            PresentDecision.review_id == viewer.review_id,
            PresentDecision.stage == stage,
            PresentDecision.reviewer_id == viewer.user_id,
            is_there(stage, gate_of(viewer), PresentDecision.record_number),
        )
        .order_by(first.c.first)
    )
    verdicts = session.scalars(query, {"review_id": viewer.review_id}).all()
    places = {
        verdict: np.array(
            [place for place, one in enumerate(verdicts, start=1) if one is verdict], dtype=np.int64
        )
        for verdict in (Verdict.INCLUDE, Verdict.MAYBE)
    }
    return _Screened(len(verdicts), places[Verdict.INCLUDE], places[Verdict.MAYBE])


def _team(session: Session, viewer: Viewer, stage: Stage) -> _Screened:
    """Look at the few that are included or open alone: of all others their order is kept."""
    review_id = viewer.review_id
    first = first_and_last(session, review_id, stage).first.copy()
    first[have_left(session, review_id, stage, gate_of(viewer), end=len(first))] = 0
    withdrawn = numbers_of(session, _of_status(review_id, stage, Status.UNSCREENED))
    first[withdrawn[withdrawn < len(first)]] = 0
    order = np.sort(first[first > 0])

    def places(query: Select[RecordNumber]) -> Places:
        numbers = numbers_of(session, query)
        began = first[numbers[numbers < len(first)]]
        return 1 + np.searchsorted(order, began[began > 0])

    included = places(_of_status(review_id, stage, Status.INCLUDED))
    sees = sees_all_votes(viewer, stage)
    return _Screened(len(order), included, places(_possible(review_id, stage)) if sees else None)


def _of_status(review_id: ReviewId, stage: Stage, *statuses: Status) -> Select[RecordNumber]:
    return select(ScreenedRecord.record_number).where(
        ScreenedRecord.review_id == review_id,
        ScreenedRecord.stage == stage,
        ScreenedRecord.status.in_(statuses),
    )


def _possible(review_id: ReviewId, stage: Stage) -> Select[RecordNumber]:
    """Select what is open, and somebody's present vote keeps in."""
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
    return _of_status(review_id, stage, Status.AWAITING, Status.CONFLICT).where(keeps_in)
