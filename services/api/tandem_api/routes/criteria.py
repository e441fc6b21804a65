"""The review's criteria, version by version, and what a change of them could touch."""

from typing import Annotated

from fastapi import Query, Response
from sqlalchemy.orm import Session

from tandem.accounts import service as accounts
from tandem.db.keyset import sliced
from tandem.ids import parse_record_number
from tandem.reviews import criteria
from tandem.reviews import service as reviews
from tandem.reviews.policy import Stage
from tandem.screening.criteria import affected, confirming
from tandem_api.deps import AsViewer, InReview, Limit, Me, PageFrom, Read
from tandem_api.paging import Page
from tandem_api.problems import errors
from tandem_api.routing import Router
from tandem_api.schemas.criteria import AffectedOut, AffectedPage, CriteriaVersionOut, LooksOut
from tandem_api.schemas.decisions import CRITERIA_VERSION, RecordedOut, ScreeningStage
from tandem_api.writing import Write

router = Router(prefix="/reviews/{review_id}", tags=["criteria"])

Since = Annotated[
    int, Query(ge=1, le=2**31 - 1, description="Only what changed after this version counts.")
]


@router.get("/criteria")
def list_criteria(
    session: Read, viewer: AsViewer, page: PageFrom, limit: Limit = 100
) -> Page[CriteriaVersionOut]:
    """List every version of the criteria, the newest first: who changed them, when and why."""
    found = criteria.page(session, viewer.review_id, cursor=page, limit=limit)
    names = accounts.names_of(session, (row.created_by for row in found.items))
    return Page.of(found.map(lambda row: CriteriaVersionOut.of(row, names)))


@router.get("/criteria/affected")
def list_affected(
    session: Read,
    viewer: AsViewer,
    page: PageFrom,
    since: Since = 1,
    stage: ScreeningStage = Stage.TITLE_ABSTRACT,
    limit: Limit = 100,
) -> AffectedPage:
    """List your own decisions under earlier criteria that their change could touch.

    Decide such a record again, or confirm your decision, and it leaves the list.
    """
    review = reviews.get_review(session, viewer.review_id)
    found = affected.list_affected(
        session,
        viewer=viewer,
        review=review,
        stage=stage,
        since=since,
        cursor=page,
        limit=limit,
    )
    return AffectedPage(
        items=[AffectedOut.of(one) for one in found.page.items],
        next_cursor=found.page.next_cursor,
        criteria_version=review.criteria_version,
        n=found.n,
        explanation=found.explanation,
    )


@router.get("/criteria/affected/reviewers", responses=errors(403))
def count_affected(
    session: Read,
    viewer: AsViewer,
    page: PageFrom,
    since: Since = 1,
    stage: ScreeningStage = Stage.TITLE_ABSTRACT,
    limit: Limit = 100,
) -> Page[LooksOut]:
    """Count the decisions that each reviewer would look at again (owners and adjudicators).

    Where the policy hides votes from you, others' decisions count from when a record is settled.
    """
    review = reviews.get_review(session, viewer.review_id)
    n_of = affected.n_by_reviewer(session, viewer=viewer, review=review, stage=stage, since=since)
    people = accounts.users_by_id(session, set(n_of))
    found = [LooksOut.of(user_id, people[user_id], n) for user_id, n in n_of.items()]
    return Page.of(
        sliced(found, lambda one: (-one.n, one.name, one.user_id), (float, str, str), page, limit)
    )


@router.post("/records/{record_id}/decision/confirm", response_model=RecordedOut)
def confirm_decision(
    record_id: str,
    me: Me,
    review_id: InReview,
    write: Write,
    stage: ScreeningStage = Stage.TITLE_ABSTRACT,
    criteria_version: Annotated[
        int | None, Query(ge=1, le=2**31 - 1, description=CRITERIA_VERSION)
    ] = None,
) -> Response:
    """Stand by your decision under later criteria: the ledger says that you looked again.

    A decision that was made under them already stays as it is.
    """
    number = parse_record_number(record_id)

    def work(session: Session) -> RecordedOut:
        review, viewer = reviews.enter(session, review_id=review_id, user_id=me.id)
        recorded = confirming.confirm_decision(
            session,
            review=review,
            viewer=viewer,
            record_number=number,
            stage=stage,
            criteria_version=criteria_version,
        )
        session.flush()
        return RecordedOut.of(recorded, stage)

    return write(work, changed=review_id)
