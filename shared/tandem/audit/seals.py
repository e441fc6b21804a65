"""The details of a trail that the policy hides for now from the owner who exports it."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from tandem.ids import RecordNumber
from tandem.reviews.policy import Stage
from tandem.reviews.service import Viewer
from tandem.screening.blinding.view import hides_votes
from tandem.screening.models import ScreenedRecord
from tandem.screening.rules import Status


class Seals:
    """The details that the policy hides for now from this owner, who may settle conflicts."""

    def __init__(self, session: Session, viewer: Viewer) -> None:
        self._user = str(viewer.user_id)
        self._stages = {stage for stage in viewer.policies if hides_votes(viewer, stage, None)}
        settled = select(ScreenedRecord.stage, ScreenedRecord.record_number).where(
            ScreenedRecord.review_id == viewer.review_id,
            ScreenedRecord.stage.in_(self._stages),
            ScreenedRecord.status.in_([Status.INCLUDED, Status.EXCLUDED]),
        )
        self._settled = {(stage, number) for stage, number in session.execute(settled)}

    def hide(self, stage: Stage, number: RecordNumber) -> bool:
        """Whether others' votes on the record are still hidden."""
        return stage in self._stages and (stage, number) not in self._settled

    def cover(self, data: Mapping[str, Any]) -> bool:
        """Whether the entry with this data is about such a record and is not the owner's own."""
        if "stage" not in data or "record_id" not in data:
            return False
        if data.get("reviewer_id") == self._user:
            return False
        return self.hide(Stage(data["stage"]), RecordNumber(int(data["record_id"])))
