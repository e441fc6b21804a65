"""Quality check: the excludes that look most like includes, offered for a second look."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from tandem.db.keyset import START, Cursor, Slice, sliced
from tandem.errors import Forbidden
from tandem.ids import RecordNumber
from tandem.reviews.policy import Stage
from tandem.reviews.service import Viewer
from tandem.screening import catalogue
from tandem.screening.blinding.view import is_unblinded
from tandem.screening.full_text.population import gate_of, is_there
from tandem.screening.models import ScreenedRecord
from tandem.screening.rules import Status
from tandem.screening.shown_records import ShownRecord


@dataclass(frozen=True, slots=True)
class Doubtful:
    """An excluded record; `likeness`: the share of all others that look less like an include."""

    shown: ShownRecord
    n_decisions: int
    likeness: float


def require_sight(viewer: Viewer, stage: Stage) -> None:
    """Raise Forbidden for the blinded, even of their own excludes.

    What looks like an include was learnt from everybody's verdicts, at a moment that is not
    that of the ranking: where a record of their own stands in such a list would tell of them.
    """
    if not is_unblinded(viewer, stage):
        raise Forbidden(
            "Which excludes look like includes was learnt from everybody's decisions: while you "
            "screen blind, owners and adjudicators see it."
        )


def doubtful(
    session: Session,
    *,
    viewer: Viewer,
    stage: Stage,
    numbers: NDArray[np.int32],
    scores: NDArray[np.float32],
    limit: int,
    cursor: Cursor = START,
) -> Slice[Doubtful]:
    """Return excluded records, those read by one person first, then the most include-like.

    Args:
        session: Reads the records.
        viewer: For whom.
        stage: Where they are excluded.
        numbers: Records that have a score.
        scores: Aligned: how much like an include they look.
        limit: At most so many.
        cursor: Where the page begins.
    """
    require_sight(viewer, stage)
    query = select(ScreenedRecord.record_number, ScreenedRecord.n_decisions).where(
        ScreenedRecord.review_id == viewer.review_id,
        ScreenedRecord.stage == stage,
        ScreenedRecord.status == Status.EXCLUDED,
        is_there(stage, gate_of(viewer), ScreenedRecord.record_number),
    )
    whose = {"review_id": viewer.review_id}
    n_decisions = {row.record_number: row.n_decisions for row in session.execute(query, whose)}
    found = [
        (RecordNumber(number), score)
        for number, score in zip(numbers.tolist(), scores.tolist(), strict=True)
        if number in n_decisions
    ]
    page = sliced(
        found,
        lambda item: (int(n_decisions[item[0]] > 1), -item[1], item[0]),
        (int, float, int),
        cursor,
        limit,
    )
    numbers_shown = [number for number, _ in page.items]
    shown = catalogue.get_records(session, viewer=viewer, stage=stage, numbers=numbers_shown)
    return page.map(lambda item: Doubtful(shown[item[0]], n_decisions[item[0]], item[1]))
