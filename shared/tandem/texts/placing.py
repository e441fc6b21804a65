"""Places the files of batches at their reports, as far as that is certain."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from tandem.db.session import Database
from tandem.ids import RecordNumber, ReviewId
from tandem.records.models import Record
from tandem.reviews import service as reviews
from tandem.reviews.models import LockedReview, Role
from tandem.reviews.service import Viewer
from tandem.screening.full_text.population import has_reached
from tandem.texts import service
from tandem.texts.file_facts import FileFacts
from tandem.texts.matching import Candidate, Matcher, Target
from tandem.texts.models import (
    TextBatch,
    TextBatchItem,
    TextFile,
    TextItemState,
    TextKind,
    TextState,
)
from tandem.texts.reading import TextProblem

_SUPPLEMENT_WORDS = ("suppl", "appendix", "_esm", "moesm", "additional file")


class Targets:
    """The records that files may belong to, read once for many files.

    A file is compared with all records of the review, so that one of a record that is not at full
    text is not taken for that of a like one.
    """

    def __init__(self, database: Database, review_id: ReviewId) -> None:
        self._database, self._review_id = database, review_id
        self._reports: frozenset[RecordNumber] | None = None
        self._matcher = Matcher(())

    def matcher(self, session: Session) -> Matcher:
        """Return the matcher of files. It is made again when other records may have texts."""
        found = reports(session, self._review_id)
        if found != self._reports:
            self._reports, self._matcher = found, Matcher(_targets(session, self._review_id, found))
        return self._matcher

    def prepare(self) -> None:
        """Read the records now, and not later, while the review is locked."""
        with self._database.read() as session:
            self.matcher(session)


def reports(session: Session, review_id: ReviewId) -> frozenset[RecordNumber]:
    """Return the records that may have texts: they are at full text, or were, or start there.

    Everybody could see that they are, so this reveals nothing to blinded members.
    """
    query = select(Record.number).where(
        Record.review_id == review_id, Record.is_shown, has_reached()
    )
    return frozenset(session.scalars(query))


def _targets(
    session: Session, review_id: ReviewId, may_have: frozenset[RecordNumber]
) -> list[Target]:
    query = select(Record.number, Record.title, Record.doi).where(
        Record.review_id == review_id, Record.is_shown
    )
    return [
        Target(number, title, doi, is_report=number in may_have)
        for number, title, doi in session.execute(query)
    ]


def place_waiting(session: Session, review: LockedReview, file: TextFile, targets: Targets) -> None:
    """Place a file that was just read at its report, in each batch that has waited for it."""
    query = (
        select(TextBatchItem, TextBatch)
        .join(TextBatch, TextBatch.id == TextBatchItem.batch_id)
        .where(
            TextBatchItem.file_id == file.id,
            or_(
                TextBatchItem.state == TextItemState.READING,
                TextBatchItem.problem == TextProblem.NOT_READ,  # tried once more
            ),
        )
        .order_by(TextBatch.created_at, TextBatchItem.position)
    )
    for item, batch in session.execute(query).all():
        place(session, review, batch, item, file, targets)


def place(
    session: Session,
    review: LockedReview,
    batch: TextBatch,
    item: TextBatchItem,
    file: TextFile,
    targets: Targets,
) -> None:
    """Link an item's file if it is certain whose it is, else note who may be asked about.

    It is linked as by the person who sent it, and only to what they may know of.
    """
    item.problem = file.problem
    if file.state is TextState.QUARANTINED or file.problem is TextProblem.NOT_READ:
        item.state = TextItemState.FAILED
        return
    viewer = reviews.viewers(session, review_id=review.id, user_ids=[batch.created_by]).get(
        batch.created_by
    )
    match = targets.matcher(session).match(_facts(session, item, file))
    may_have = reports(session, review.id)
    item.candidates = [_stored(one, may_have) for one in match.candidates]
    if match.record in may_have and viewer is not None and viewer.has(Role.REVIEWER):
        set_record(session, review, viewer, item, file, match.record)
        return
    is_any = any(candidate["is_report"] for candidate in item.candidates)
    item.state = TextItemState.PROPOSED if is_any else TextItemState.UNMATCHED


def set_record(
    session: Session,
    review: LockedReview,
    viewer: Viewer,
    item: TextBatchItem,
    file: TextFile,
    number: RecordNumber,
) -> None:
    """Make an item's file a text of a report, unless it is one already."""
    known = service.find(session, review.id, number, file.id)
    text = known or service.link(
        session,
        file,
        review=review,
        viewer=viewer,
        number=number,
        kind=kind_of(item.filename),
        name=item.filename,
    )
    item.state = TextItemState.MATCHED if known is None else TextItemState.KNOWN
    item.record_number, item.text_id = number, text.id


def kind_of(filename: str) -> TextKind:
    """Guess by its name whether a file is the text itself or what was published beside it."""
    name = filename.lower()
    is_beside = any(word in name for word in _SUPPLEMENT_WORDS)
    return TextKind.SUPPLEMENT if is_beside else TextKind.MAIN


def _facts(session: Session, item: TextBatchItem, file: TextFile) -> FileFacts:
    plain = session.scalar(select(TextFile.plain).where(TextFile.id == file.id)) or ""
    return FileFacts(
        name=item.path,
        first_page=first_page(plain, file.page_starts),
        dois=file.dois,
        title=file.title,
        mapped=[RecordNumber(number) for number in item.mapped],
    )


def first_page(plain: str, page_starts: Sequence[int]) -> str:
    """Return the first page that has any text."""
    for start, end in zip(page_starts, [*page_starts[1:], len(plain)], strict=False):
        if plain[start:end].strip():
            return plain[start:end]
    return ""


def _stored(candidate: Candidate, may_have: frozenset[RecordNumber]) -> dict[str, Any]:
    return {
        "record": candidate.record,
        "evidence": candidate.evidence,
        "score": candidate.score,
        "is_report": candidate.record in may_have,
    }
