"""What a worker does with the files of a review: scans and reads each, then places it."""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from tandem.artifacts import Artifacts
from tandem.db.session import Database
from tandem.events import log
from tandem.events.screening_types import ReportTextRead
from tandem.ids import ReviewId
from tandem.log import logger
from tandem.records.formats import normalise
from tandem.reviews import service as reviews
from tandem.reviews.models import LockedReview
from tandem.reviews.service import NoReview, ReviewArchived
from tandem.texts import placing, reading, scanning, work
from tandem.texts.local import local_file
from tandem.texts.models import ReportText, TextFile, TextState
from tandem.texts.placing import Targets
from tandem.texts.reading import ReadText, TextProblem, Unreadable
from tandem.work import lease
from tandem.work.lease import Held, Overtaken

TURN = timedelta(seconds=10)
"""After so long the files of a review give way to what waits for the same slot."""

log_ = logger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """`text`: what was read of the file, None where nothing was."""

    state: TextState
    problem: TextProblem | None = None
    text: ReadText | None = None


def run(
    database: Database,
    artifacts: Artifacts,
    review_id: ReviewId,
    *,
    scan_command: str | None = None,
    on_read: Callable[[], object] = lambda: None,
    turn: timedelta = TURN,
) -> bool:
    """Read the files of a review that wait, for the length of a turn; return whether more do.

    Safe to run twice, side by side, and to be killed anywhere: a file that is not read to its end
    is read again, and what was placed is committed with it.

    Args:
        database: Where the rows are.
        artifacts: Where the files are.
        review_id: Which review.
        scan_command: Of the installation's scanner; None where there is none.
        on_read: Called after each file.
        turn: How long.
    """
    targets, ends = Targets(database, review_id), time.monotonic() + turn.total_seconds()
    while (held := work.claim_next(database, review_id)) is not None:
        try:
            outcome = _read(database, artifacts, held, scan_command)
            targets.prepare()
            finish(database, held, outcome, targets)
        except (Overtaken, NoReview, ReviewArchived):
            log_.warning("a text was taken over, or its review is gone", file=str(held.row.id))
            return False
        except Exception as error:
            work.fail(database, held, error)
            raise
        on_read()
        if time.monotonic() > ends:
            return True
    return False


def _read(
    database: Database, artifacts: Artifacts, held: Held[TextFile], scan_command: str | None
) -> Outcome:
    row = held.row
    with lease.renewed(database, held), local_file(artifacts, row.artifact) as file:
        if not scanning.is_clean(scan_command, file):
            return Outcome(TextState.QUARANTINED)
        try:
            text = reading.read(file, row.media_type)
        except Unreadable as error:
            return Outcome(TextState.FAILED, error.problem)
    return Outcome(TextState.NO_TEXT if text.is_empty else TextState.READY, text=text)


def finish(database: Database, held: Held[TextFile], outcome: Outcome, targets: Targets) -> None:
    with database.write.begin() as session:
        review = reviews.lock(session, held.row.review_id)
        row = lease.hold(session, held)
        row.succeed()
        row.state, row.problem = outcome.state, outcome.problem
        if (text := outcome.text) is not None:
            row.plain, row.n_pages, row.page_starts = text.text, text.pages, [*text.page_starts]
            row.plain_sha256 = hashlib.sha256(text.text.encode()).hexdigest()
            # What nobody has looked at may hold characters that no database stores.
            row.title = normalise.clean(text.title)[:1000]
            row.dois = [*filter(None, map(normalise.doi, text.dois))]
        session.flush()
        _tell(session, review, row)
        placing.place_waiting(session, review, row, targets)


def _tell(session: Session, review: LockedReview, row: TextFile) -> None:
    query = select(ReportText).where(ReportText.file_id == row.id).order_by(ReportText.id)
    for text in session.scalars(query):
        detail = {"sha256": row.sha256, "plain_sha256": row.plain_sha256, "problem": row.problem}
        fact = ReportTextRead(
            record_id=str(text.record_number), text_id=str(text.id), state=row.state, detail=detail
        )
        log.append(session, review, fact)
