"""Who reads a queued file: one worker, one file of a review at a time, in turns.

The claim is in the import's row, as that of a training is in its own: whoever is killed leaves a
lease that runs out, and whoever comes back too late is fenced off.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import cast

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from tandem.db.base import now
from tandem.db.session import Database
from tandem.db.tries import cause_of
from tandem.ids import ImportId, ReviewId
from tandem.records.formats.reading import Format
from tandem.records.imports import is_free, is_reading
from tandem.records.models import Import, ImportState
from tandem.reviews import service as reviews

LEASE = timedelta(seconds=60)
"""A worker that commits no batch for this long is taken for dead. Decoding the largest upload
takes less, and a batch well under 2 s."""


class Overtaken(Exception):
    """Another worker has taken this import over; what this one read is not committed."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """`is_used_up`: all tries have failed, the last one by a worker that died of it."""

    id: ImportId
    review_id: ReviewId
    fence: int
    artifact: str
    source: str | None
    requested_format: Format | None
    n_read: int
    is_used_up: bool


@dataclass(frozen=True, slots=True)
class Rest:
    """A file whose turn is over. Who names this fence goes on with it, behind what else waits."""

    import_id: ImportId
    fence: int


def claim(database: Database, import_id: ImportId, fence: int | None) -> Claimed | None:
    """Begin a try, or the next turn of the one that rests at `fence`.

    Files of one review are read one after the other: a team that uploads fifty takes one slot.
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
        rests = and_(Import.state == ImportState.RUNNING, Import.fence == fence)
        mine = is_free() if fence is None else rests
        row = session.scalars(
            select(Import).where(Import.id == import_id, mine).with_for_update()
        ).one_or_none()
        if row is None:
            return None
        is_used_up = row.is_used_up
        row.state = ImportState.RUNNING
        row.begin_try(lasting=LEASE)
        return Claimed(
            id=import_id,
            review_id=row.review_id,
            fence=row.fence,
            artifact=row.artifact,
            source=row.source,
            requested_format=cast("Format | None", row.requested_format),
            n_read=row.n_read,
            is_used_up=is_used_up,
        )


def hold(session: Session, claimed: Claimed) -> Import:
    """Return the import's row if this worker still holds it; the review is locked by then."""
    row = session.scalars(
        select(Import)
        .where(Import.id == claimed.id, Import.fence == claimed.fence)
        .with_for_update()
    ).one_or_none()
    if row is None or row.state is not ImportState.RUNNING:
        raise Overtaken
    row.lease_until = now() + LEASE
    return row


def rest(database: Database, claimed: Claimed) -> Rest:
    """End a turn. Where nobody goes on in time, the relay has it begun anew."""
    with database.write.begin() as session:
        reviews.lock(session, claimed.review_id)
        row = hold(session, claimed)
        row.succeed()
        row.fence += 1
        row.not_before = now() + LEASE
        return Rest(claimed.id, row.fence)


def may_be_tried_again(database: Database, claimed: Claimed, error: Exception) -> bool:
    """Give the import back for another try, unless this was the last one."""
    with database.write.begin() as session:
        reviews.lock(session, claimed.review_id)
        row = hold(session, claimed)
        if row.is_used_up:
            row.cause = cause_of(error)
            return False
        row.fail_try(error)
        return True
