"""Whether the audit trail of each review holds, asked of the database itself."""

from dataclasses import dataclass

from sqlalchemy import select

from tandem.artifacts import Artifacts
from tandem.audit import trail
from tandem.audit.verify import check
from tandem.db.session import Database
from tandem.ids import ReviewId, UserId
from tandem.progress import OnProgress, counted
from tandem.reviews.models import Member, Review, Role


@dataclass(frozen=True, slots=True)
class Checked:
    """A review and the first difference in its trail; none where it holds."""

    review_id: ReviewId
    title: str
    n_entries: int
    difference: str | None

    @property
    def ok(self) -> bool:
        return self.difference is None


def check_reviews(
    database: Database, on_progress: OnProgress, artifacts: Artifacts | None = None
) -> list[Checked]:
    """Recompute every review's statuses, conflicts and figures from its trail.

    `artifacts`: where the files of full texts are, to compare them, too.
    """
    owned = (
        select(Review.id, Review.title, Member.user_id)
        .outerjoin(Member, (Member.review_id == Review.id) & (Member.role == Role.OWNER))
        # What is left of a deleted one, a worker goes on taking away: nobody is a member of it.
        .where(Review.deleted_at.is_(None))
        .order_by(Review.created_at, Review.id, Member.user_id)
    )
    with database.read() as session:
        owners = {row.id: (row.title, row.user_id) for row in session.execute(owned)}
    reviews = counted(list(owners.items()), on_progress)
    return [_check(database, artifacts, review, *by) for review, by in reviews]


def _check(
    database: Database,
    artifacts: Artifacts | None,
    review_id: ReviewId,
    title: str,
    owner: UserId | None,
) -> Checked:
    if owner is None:
        return Checked(review_id, title, 0, "it has no owner, as whom its trail could be read")
    lines = trail.lines(database, review_id=review_id, user_id=owner, artifacts=artifacts)
    found = check(lines)
    difference = None if found.difference is None else str(found.difference)
    return Checked(review_id, title, found.n_entries, difference)
