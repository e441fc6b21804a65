"""Builds the world that a test needs in one line each, through the real services.

People, reviews and records are in `world_people`, what people decide in `world_screening`, rows
that no service makes in `world_rows`.
"""

from tandem.db.base import now
from tandem.events import log
from tandem.events.screening_types import ReportTextAdded
from tandem.ids import (
    DuplicateGroupId,
    RecordNumber,
    ReviewId,
    TextBatchId,
    TextFileId,
    TextId,
    new_id,
)
from tandem.records.duplicates import groups
from tandem.records.duplicates.models import GroupState
from tandem.records.origin import RemovalKind
from tandem.reports.facts import load_facts
from tandem.reports.retrieval import append_retrieval
from tandem.reports.rules import standing
from tandem.reviews import service as reviews
from tandem.screening import sources
from tandem.screening.duplicates import merging
from tandem.screening.full_text.models import RetrievalState
from tandem.texts.kinds import MediaType
from tandem.texts.models import (
    ReportText,
    TextBatch,
    TextBatchItem,
    TextFile,
    TextItemState,
    TextKind,
    TextState,
)
from tandem.texts.reading import TextProblem
from tandem.texts.service import sealed
from world_people import Person, Team
from world_rows import FT, TA
from world_screening import Screening

__all__ = ["FT", "TA", "Person", "Team", "World"]


class World(Screening):
    def unread_text(
        self, review_id: ReviewId, by: Person, number: int
    ) -> tuple[ReportText, TextBatch]:
        """Give a record a text that could not be read, and send a file that was refused."""
        file = TextFile(
            id=TextFileId(new_id()),
            review_id=review_id,
            sha256="0" * 64,
            media_type=MediaType.PDF,
            n_bytes=100,
            created_at=now(),
            state=TextState.FAILED,
            problem=TextProblem.NOT_READ,
            fence=0,
        )
        text = ReportText(
            id=TextId(new_id()),
            review_id=review_id,
            record_number=RecordNumber(number),
            file_id=file.id,
            kind=TextKind.MAIN,
            filename="a.pdf",
            added_by=by.id,
            added_at=now(),
        )
        batch = TextBatch(
            id=TextBatchId(new_id()), review_id=review_id, created_by=by.id, created_at=now()
        )
        item = TextBatchItem(
            batch_id=batch.id,
            position=1,
            filename="b.pdf",
            path="b.pdf",
            state=TextItemState.FAILED,
            problem=TextProblem.NOT_A_PDF,
        )
        with self.entered(review_id, by) as (session, review, viewer):
            for row in (file, text, batch, item):
                session.add(row)
                session.flush()
            detail = {"by": str(viewer.user_id), "filename": text.filename} | sealed(file)
            log.append(
                session,
                review,
                ReportTextAdded(
                    record_id=str(number), text_id=str(text.id), kind=text.kind, detail=detail
                ),
            )
        return text, batch

    def retrieve(
        self,
        review_id: ReviewId,
        person: Person,
        number: int,
        state: str = "retrieved",
        note: str | None = None,
    ) -> bool:
        """Say how far the retrieval of a full text is."""
        with self.entered(review_id, person) as (session, review, viewer):
            return append_retrieval(
                session,
                review=review,
                viewer=viewer,
                number=RecordNumber(number),
                state=RetrievalState(state),
                note=note,
            )

    def to_full_text(self, team: "Team", *numbers: int) -> None:
        """Bring records to full text: Ann and Ben include them, and their texts are there."""
        for number in numbers:
            for person in (team.ann, team.ben):
                self.decide(team.review_id, person, number, "include")
            self.retrieve(team.review_id, team.ann, number)

    def remove(self, review_id: ReviewId, person: Person, number: int) -> None:
        """Remove a record before it is screened."""
        with self.entered(review_id, person) as (session, review, viewer):
            sources.remove(
                session,
                review,
                viewer,
                number=RecordNumber(number),
                kind=RemovalKind.OTHER,
                reason="A retracted article",
                tool=None,
            )

    def propose(self, review_id: ReviewId, *numbers: int) -> DuplicateGroupId:
        """Ask people whether these records are one, as a worker does after an import."""
        with self.database.write.begin() as session:
            return groups.add(
                session,
                review_id,
                [RecordNumber(number) for number in numbers],
                state=GroupState.PROPOSED,
                score=0.9,
                evidence=["equal titles"],
            ).id

    def merge(self, review_id: ReviewId, person: Person, *numbers: int) -> DuplicateGroupId:
        """Make one of these records; return their group."""
        group_id = self.propose(review_id, *numbers)
        with self.entered(review_id, person) as (session, review, viewer):
            group = groups.get(session, review_id=review_id, group_id=group_id)
            merging.merge(session, review, viewer.policies, group, by=viewer.user_id)
        return group_id

    def split(
        self, review_id: ReviewId, person: Person, group_id: DuplicateGroupId, *numbers: int
    ) -> None:
        """Let these records leave the group, or part it whole."""
        with self.entered(review_id, person) as (session, review, viewer):
            group = groups.get(session, review_id=review_id, group_id=group_id)
            leaving = [RecordNumber(number) for number in numbers] or None
            merging.split(
                session, review, viewer.policies, group, numbers=leaving, by=viewer.user_id
            )

    def standings(self, review_id: ReviewId) -> dict[int, str]:
        """Return where each report stands, whatever anybody may see."""
        with self.database.read() as session:
            found = load_facts(session, reviews.get_review(session, review_id))
            stands = {number: standing(facts) for number, facts in found.items()}
            return {int(number): str(one) for number, one in stands.items() if one is not None}
