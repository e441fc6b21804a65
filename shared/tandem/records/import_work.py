"""Which files are read next, by whom: of a review one at a time, in turns."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, literal, or_, select
from sqlalchemy.orm import Session

from tandem.db.base import now
from tandem.db.session import Database
from tandem.events import log
from tandem.events.types import ImportFailed
from tandem.ids import ImportId, ReviewId
from tandem.records import batch, imports
from tandem.records.models import Import, ImportState, ImportStep
from tandem.reviews import service as reviews
from tandem.reviews.models import Review
from tandem.work import lease
from tandem.work.attempts import MOST_TRIES
from tandem.work.lease import PARKED, Held, Kind, Overtaken

LEASE = timedelta(seconds=60)
"""A worker that commits no batch for this long is taken for dead. Decoding the largest upload
takes less, and a batch well under 2 s."""

KEPT = timedelta(days=30)
"""So long a file that could not be read is listed; its import says so for ever."""

_GIVEN_UP = f"The file could not be read in {MOST_TRIES} tries; the worker's log says why."


def claim(
    database: Database, import_id: ImportId, fence: int | None
) -> Held[Import] | ReviewId | None:
    """Begin a try, or the next turn of the one that rests at `fence`.

    Files of one review are read one after the other: a team that uploads fifty takes one slot.
    Where the import has failed for good instead, its review is returned.
    """
    with database.read() as session:
        review_id = session.scalar(select(Import.review_id).where(Import.id == import_id))
    if review_id is None:
        return None
    with database.write.begin() as session:
        reviews.lock(session, review_id)
        # Also for who goes on: where a rest lasted too long, another may have been begun.
        if is_reading(session, review_id, besides=import_id):
            return None
        if fence is not None:
            return lease.resume(session, IMPORTS, import_id, fence=fence, lasting=LEASE)
        taken = lease.take(session, IMPORTS, import_id, lasting=LEASE)
        if not isinstance(taken, Held):
            return review_id if taken is PARKED else None
        taken.row.state = ImportState.RUNNING
        return taken


def hold(session: Session, held: Held[Import]) -> Import:
    """Return the import's row if this worker still holds it; the review is locked by then."""
    row = lease.hold(session, held)
    if row.state is not ImportState.RUNNING:
        raise Overtaken
    return row


def rest(database: Database, held: Held[Import]) -> int:
    """End a turn; return the fence of the next one. If nobody goes on in time, the relay asks."""
    with database.write.begin() as session:
        reviews.lock(session, held.row.review_id)
        return lease.rest(hold(session, held), held)


def fail(database: Database, held: Held[Import], error: Exception) -> None:
    """Give the import back for another try; after the last one it has failed for good."""
    with database.write.begin() as session:
        reviews.lock(session, held.row.review_id)
        if lease.fail(session, held, error) is None:
            raise Overtaken


def fail_for_good(database: Database, held: Held[Import], reason: str) -> None:
    """Note that the file cannot be read, for the reason given."""
    with database.write.begin() as session:
        reviews.lock(session, held.row.review_id)
        row = hold(session, held)
        row.cause = reason
        _note_failure(session, row, reason)


def _note_failure(session: Session, row: Import, reason: str) -> None:
    row.state, row.error = ImportState.FAILED, reason
    row.finished_at, row.lease_until, row.step, row.percent = now(), None, None, None
    review = reviews.lock(session, row.review_id)
    imports.warn_of_same_file(session, row)
    ask_for_ranking(review, row)
    sealed = batch.sealed_texts(row) | batch.sealed_origin(session, row)
    detail = {"by": str(row.created_by)} | sealed
    log.append(session, review, ImportFailed(import_id=str(row.id), error=reason, detail=detail))


def ask_for_ranking(review: Review, row: Import) -> None:
    """Make a training due after new records, or new identifiers that a seed study may have."""
    if row.n_added or (row.n_duplicates and review.seed_studies):
        review.labels_seq += 1


def unfinished(session: Session) -> Sequence[ImportId]:
    """Return imports that nobody works on: their message got lost, or their worker died."""
    query = select(Import.id).where(lease.is_waiting(IMPORTS)).order_by(Import.created_at)
    return session.scalars(query).all()


def next_in_line(session: Session, *, of: ReviewId | None = None) -> Sequence[ImportId]:
    """Return what can be begun: of each review, or of one, the first import that waits.

    Nothing of a review that has one under way: its others come after that.
    """
    query = select(Import.review_id, Import.id).where(lease.is_waiting(IMPORTS))
    at_work = select(Import.review_id).where(_is_under_way())
    query = query.where(Import.review_id.not_in(at_work)).order_by(Import.created_at)
    if of is not None:
        query = query.where(Import.review_id == of)
    first: dict[ReviewId, ImportId] = {}
    for review_id, import_id in session.execute(query):
        first.setdefault(review_id, import_id)
    return [*first.values()]


def is_reading(session: Session, review_id: ReviewId, *, besides: ImportId | None = None) -> bool:
    """Whether a file of this review is under way: in a worker, between two turns or tries.

    `besides`: another one than this.
    """
    under_way = select(Import.id).where(Import.review_id == review_id, _is_under_way())
    if besides is not None:
        under_way = under_way.where(Import.id != besides)
    return bool(session.scalar(select(under_way.exists())))


def _is_under_way() -> ColumnElement[bool]:
    return and_(Import.state == ImportState.RUNNING, ~lease.is_free(Import))


def _is_due() -> ColumnElement[bool]:
    active = exists().where(Review.id == Import.review_id, Review.is_active())
    return and_(Import.state.in_((ImportState.QUEUED, ImportState.RUNNING)), active)


def _unfinished() -> Select[*tuple[Any, ...]]:
    is_new = or_(Import.finished_at.is_(None), Import.finished_at > now() - KEPT)
    over = (ImportState.DONE, ImportState.TAKEN_BACK)
    kind = case((Import.step == ImportStep.LINKING, "deduplication"), else_=literal("import"))
    return (
        select(
            Import,
            Import.review_id,
            Import.id,
            # One that has had a turn waits since its begin.
            func.coalesce(Import.claimed_at, Import.created_at),
            and_(Import.state == ImportState.FAILED, Import.parked_at.is_not(None)),
            Import.state == ImportState.FAILED,
            kind,
        )
        .join(Review, Review.id == Import.review_id)
        .where(Import.state.not_in(over), is_new, Review.is_active())
    )


IMPORTS = Kind(
    name="import",
    model=Import,
    key=(Import.id,),
    is_due=_is_due,
    waiting=next_in_line,
    unfinished=_unfinished,
    on_park=lambda session, row: _note_failure(session, row, _GIVEN_UP),
)
