"""The bytes of what is handed over, read while it is sent: each text in a session of its own."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import select

from tandem.artifacts import Artifacts
from tandem.db.session import Database
from tandem.errors import NotFound
from tandem.handover.model import ReportFile
from tandem.ids import ReviewId, UserId
from tandem.reviews import service as reviews
from tandem.texts.models import TextFile

_PIECE = 1 << 18


@dataclass(frozen=True, slots=True)
class Contents:
    """Reads files and texts as one person, who may have left the review meanwhile: NotFound."""

    database: Database
    artifacts: Artifacts
    review_id: ReviewId
    user_id: UserId

    def file(self, file: ReportFile) -> Iterator[bytes]:
        """Yield the bytes of a file."""
        self._plain(file, TextFile.id)
        with self.artifacts.open(file.artifact) as source:
            while piece := source.read(_PIECE):
                yield piece

    def plain(self, file: ReportFile) -> Iterator[bytes]:
        """Yield the text of a file, as it was read: positions of passages rest on it."""
        yield str(self._plain(file, TextFile.plain)).encode()

    def _plain(self, file: ReportFile, column: object) -> object:
        with self.database.read() as session:
            reviews.viewer(session, review_id=self.review_id, user_id=self.user_id)
            found = session.scalar(
                select(column).where(TextFile.id == file.file_id)  # type: ignore[call-overload]
            )
        if found is None:
            raise NotFound("A text was removed while it was handed over. Ask again.")
        return found
