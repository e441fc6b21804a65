"""Reviews, their texts and their policies."""

from collections.abc import Callable, Mapping
from typing import Annotated

from fastapi import Body, Query, Response
from sqlalchemy.orm import Session

from tandem.ids import ReviewId, UserId
from tandem.operations import lifecycle, waiting
from tandem.records import seeds
from tandem.reviews import policy_versions, settling, texts
from tandem.reviews import service as reviews
from tandem.reviews.models import LockedReview, Review, Role
from tandem.reviews.policy import Policy, Stage
from tandem.reviews.service import Viewer
from tandem.screening import policies
from tandem.screening.blinding.view import newest_sequence
from tandem.stopping import audits
from tandem_api.deps import AsViewer, Here, InReview, Limit, Me, PageFrom, Read
from tandem_api.paging import Page
from tandem_api.routing import Router
from tandem_api.schemas.policy_effects import ChangedReviewOut, EffectOut
from tandem_api.schemas.review_in import ReviewDeletion, ReviewIn, ReviewPatch
from tandem_api.schemas.reviews import ListedReviewOut, ReviewOut, ReviewWaitingOut, WholeReviewOut
from tandem_api.writing import Write

router = Router(prefix="/reviews", tags=["reviews"])


@router.post("", status_code=201, response_model=WholeReviewOut)
def create_review(body: ReviewIn, me: Me, write: Write) -> Response:
    """Create a review; you become its owner."""

    def work(session: Session) -> WholeReviewOut:
        review = reviews.create_review(
            session,
            owner_id=me.id,
            title=body.title,
            question=body.question,
            include=body.criteria.include,
            exclude=body.criteria.exclude,
            exclusion_reasons=body.exclusion_reasons,
            seed_studies=body.seed_studies,
            highlights_for=body.highlights.for_ or (),
            highlights_against=body.highlights.against or (),
            policy=body.policy.parts(),
        )
        in_force = policy_versions.policies_in_force(session, review.id)
        return _whole(session, review, Role.OWNER, in_force)

    return write(work, status=201)


@router.get("")
def list_reviews(
    me: Me,
    session: Read,
    page: PageFrom,
    limit: Limit = 100,
    archived: Annotated[
        bool, Query(description="True: those that are archived; else all others.")
    ] = False,
) -> Page[ListedReviewOut]:
    """List the reviews that you are a member of."""
    found = reviews.reviews_of(session, me.id, archived=archived, cursor=page, limit=limit)
    made = waiting.of_reviews(session, found.items, user_id=me.id)
    items = [ListedReviewOut.listed(one) for one in made]
    return Page(items=items, next_cursor=found.next_cursor)


@router.get("/{review_id}")
def get_review(session: Read, viewer: AsViewer) -> WholeReviewOut:
    """Show a review with its policies, your role and the seed studies that were found."""
    review = reviews.get_review(session, viewer.review_id)
    return _whole(session, review, viewer.role, viewer.policies)


@router.get("/{review_id}/waiting")
def get_waiting(session: Read, viewer: AsViewer) -> ReviewWaitingOut:
    """Show what is left for you in one review and what waits, as far as you may know it."""
    review = reviews.get_review(session, viewer.review_id)
    return ReviewWaitingOut.whole(waiting.of_review(session, review, viewer))


@router.patch(
    "/{review_id}",
    response_model=ChangedReviewOut,
)
def change_review(
    body: Annotated[ReviewPatch, Body(default_factory=ReviewPatch)],
    me: Me,
    review_id: InReview,
    write: Write,
    dry_run: Annotated[
        bool, Query(description="Show what the change would do, and do not do it.")
    ] = False,
) -> Response:
    """Change texts or policy (owners). A new policy judges every record again at once."""

    def work(session: Session) -> ChangedReviewOut:
        review, viewer = reviews.enter(session, review_id=review_id, user_id=me.id)
        viewer.require(Role.OWNER, "change it")
        sequence = newest_sequence(review, viewer)
        savepoint = session.begin_nested()
        criteria_before = review.criteria_version
        note = body.criteria.note if body.criteria else None
        texts.change(session, review, body.text_changes(), by=me.id, criteria_note=note)
        parts = body.policy.parts() if body.policy else {}
        effects = policies.change(session, review=review, viewer=viewer, parts=parts)
        audits.note_rules(
            session,
            review,
            viewer,
            changed={effect.stage: effect.policy for effect in effects},
            criteria=review.criteria_version != criteria_before,
        )
        session.flush()
        in_force = policy_versions.policies_in_force(session, review_id)
        changed = _whole(session, review, viewer.role, in_force)
        if dry_run:
            savepoint.rollback()
            # How many events the change would write tells how many records it would settle.
            changed = changed.model_copy(update={"sequence": sequence})
        return ChangedReviewOut(
            **dict(changed),
            dry_run=dry_run,
            effects=[EffectOut.of(effect, dry_run=dry_run) for effect in effects],
        )

    return write(work, changed=None if dry_run else review_id)


@router.post("/{review_id}/archive", response_model=WholeReviewOut)
def archive_review(me: Me, review_id: InReview, write: Write) -> Response:
    """Make a review read-only and take it out of lists (owners).

    Every change is answered by 409 `review_archived` from then on. Refused while a file is read.
    """
    return write(_ending(review_id, me.id, lifecycle.archive), changed=review_id)


@router.post("/{review_id}/unarchive", response_model=WholeReviewOut)
def unarchive_review(me: Me, review_id: InReview, write: Write) -> Response:
    """Make an archived review active again (owners)."""
    return write(_ending(review_id, me.id, lifecycle.unarchive), changed=review_id)


@router.delete("/{review_id}", status_code=204)
def delete_review(
    body: ReviewDeletion, me: Me, review_id: InReview, here: Here, write: Write
) -> Response:
    """Delete a review with everything in it, for good (owners).

    It exists for nobody at once; a worker removes its rows and files in the minutes after.
    """

    def work(session: Session) -> None:
        review, viewer = reviews.enter(
            session, review_id=review_id, user_id=me.id, also_archived=True
        )
        lifecycle.delete_review(session, review, viewer, title=body.title)

    answer = write(work, status=204)
    here.task_signals.deleted(review_id)
    return answer


_End = Callable[[Session, LockedReview, Viewer], None]


def _ending(review_id: ReviewId, user_id: UserId, end: _End) -> Callable[[Session], WholeReviewOut]:
    def work(session: Session) -> WholeReviewOut:
        review, viewer = reviews.enter(
            session, review_id=review_id, user_id=user_id, also_archived=True
        )
        end(session, review, viewer)
        return _whole(session, review, viewer.role, viewer.policies)

    return work


def _whole(
    session: Session, review: Review, role: Role, in_force: Mapping[Stage, Policy]
) -> WholeReviewOut:
    found = seeds.find(session, review.id, review.seed_studies)
    warned = settling.warnings(session, review.id, in_force)
    return WholeReviewOut.whole(ReviewOut.of(review, role, in_force), found, warned)
