"""The end of a review: archived, so that nothing in it changes; or deleted, so that it is gone."""

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from tandem.db.base import now
from tandem.errors import Conflict, Invalid
from tandem.events import log
from tandem.events.types import ReviewChanged
from tandem.records.models import Import, ImportState
from tandem.reviews.models import Invitation, LockedReview, Member, Review, Role
from tandem.reviews.service import Viewer
from tandem.webhooks.models import Webhook


class ImportUnderWay(Conflict):
    """A file of the review is queued or being read."""

    code = "import_under_way"


class TitleDiffers(Invalid):
    """What was repeated is not the review's title."""

    code = "title_differs"


def archive(session: Session, review: LockedReview, viewer: Viewer) -> None:
    """Make a review read-only and take it out of lists. To do so again changes nothing.

    Workers leave it alone; what happened before is still delivered to webhooks and the stream.
    The review is locked `also_archived`.

    Raises:
        Forbidden: Only an owner may.
        ImportUnderWay: A file is queued or being read: its records would be torn apart.
    """
    viewer.require(Role.OWNER, "archive it")
    if review.archived_at is not None:
        return
    under_way = select(Import.filename).where(
        Import.review_id == review.id, Import.state.in_((ImportState.QUEUED, ImportState.RUNNING))
    )
    if (name := session.scalars(under_way.limit(1)).first()) is not None:
        raise ImportUnderWay(
            f"The file {name!r} is not read to its end. Wait for it, or take it back: DELETE "
            "/reviews/{review_id}/imports/{import_id}. Then archive the review."
        )
    review.archived_at = now()
    _tell(session, review, viewer, "archived")


def unarchive(session: Session, review: Review, viewer: Viewer) -> None:
    """Let a review go on where it was. To do so again changes nothing.

    Raises:
        Forbidden: Only an owner may.
    """
    viewer.require(Role.OWNER, "make it active again")
    if review.archived_at is None:
        return
    review.archived_at = None
    _tell(session, review, viewer, "unarchived")


def delete_review(session: Session, review: LockedReview, viewer: Viewer, *, title: str) -> None:
    """Make a review exist for nobody, at once; `removal.remove` takes away what is left of it.

    The review is locked `also_archived`.

    Raises:
        Forbidden: Only an owner may.
        TitleDiffers: `title` is not the review's.
    """
    viewer.require(Role.OWNER, "delete it")
    if title.strip() != review.title.strip():
        raise TitleDiffers(
            "To delete the review, repeat its title exactly; this is another one.", field="title"
        )
    review.deleted_at, review.title, review.question = now(), "", None
    # Few rows, and what others reach the review by: everything else is asked for through them.
    for table in (Member, Invitation):
        session.execute(delete(table).where(table.review_id == review.id))
    # A process with a delivery in hand finds that its claim has ended.
    session.execute(
        update(Webhook)
        .where(Webhook.review_id == review.id)
        .values(fence=Webhook.fence + 1, disabled_at=now(), lease_until=None)
    )


def _tell(session: Session, review: Review, viewer: Viewer, what: str) -> None:
    detail = {"by": str(viewer.user_id)}
    log.append(session, review, ReviewChanged(changed=[what], detail=detail))
    session.flush()
