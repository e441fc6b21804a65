"""Which records figures of decisions leave out, since the votes on them are hidden for now."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from tandem.ids import RecordNumber
from tandem.reviews.policy import Stage
from tandem.reviews.service import Viewer
from tandem.screening.blinding.view import hides_open_votes, hides_votes, status_is_open
from tandem.screening.models import ScreenedRecord


def hidden_records(session: Session, viewer: Viewer, stage: Stage) -> Sequence[RecordNumber]:
    """Return the records of a stage on which others' votes are hidden from this person.

    Nothing of it depends on more than the statuses that they see. Of one who is blinded, as if
    they had decided all records: they are told of no others. A record that nobody ever decided
    may be missing.
    """
    sees_statuses = viewer.sees_all(stage)
    if sees_statuses and not hides_open_votes(viewer, stage):
        return []
    query = select(ScreenedRecord.record_number, ScreenedRecord.status).where(
        ScreenedRecord.review_id == viewer.review_id, ScreenedRecord.stage == stage
    )
    return [
        number
        for number, status in session.execute(query)
        if hides_votes(viewer, stage, status)
        or not (sees_statuses or status_is_open(viewer, stage, status, has_decided=True))
    ]
