"""How far reviewers agree, which excludes deserve a second look, how steady somebody is."""

from typing import Annotated, Any, Literal

from fastapi import Query, Request, Response
from sqlalchemy.orm import Session

from tandem.ids import UserId, parse_uuid
from tandem.ranking import second_looks
from tandem.reviews import service as reviews
from tandem.reviews.models import Role
from tandem.reviews.policy import Stage
from tandem.screening import second_look
from tandem.screening.agreement.plot import agreement_plot
from tandem.screening.agreement.reviewer import reviewer_record
from tandem.screening.agreement.service import AgreementOn, agreement
from tandem_api.addresses import public_path
from tandem_api.deps import AsViewer, Here, InReview, Limit, Me, PageFrom, Read
from tandem_api.problems import errors
from tandem_api.routing import Router
from tandem_api.schemas.agreement import AgreementOut
from tandem_api.schemas.decisions import ScreeningStage
from tandem_api.schemas.reviewer_records import (
    ReviewerRecordOut,
    SecondLooksAskedOut,
    SecondLooksOut,
)
from tandem_api.writing import Write

router = Router(prefix="/reviews/{review_id}", tags=["agreement"])

Which = Annotated[
    AgreementOn,
    Query(description="All records, those of the random stream, or those of the pilot round."),
]


class SvgResponse(Response):
    media_type = "image/svg+xml"


def svg(title: str) -> dict[int | str, dict[str, Any]]:
    """Return for `responses=` of a route what a picture with this title begins with."""
    begin = '<svg role="img" aria-labelledby="title description">'
    example = f'{begin}<title id="title">{title}</title></svg>'
    return {200: {"content": {SvgResponse.media_type: {"example": example}}}}


@router.get("/agreement", responses=errors(403))
def get_agreement(
    request: Request,
    session: Read,
    viewer: AsViewer,
    stage: ScreeningStage = Stage.TITLE_ABSTRACT,
    on: Which = AgreementOn.ALL,
    as_basis: Annotated[
        Literal["first"], Query(description="First decisions: resolutions never change them.")
    ] = "first",
) -> AgreementOut:
    """Measure how far first decisions agree, with 95 % intervals (owners and adjudicators).

    In a stage that is not blind for all members; and of a pilot round that has been ended for
    reviewers who have decided all its records.
    """
    found = agreement(session, viewer=viewer, stage=stage, on=on)
    path = public_path(request, "plot_agreement", review_id=str(viewer.review_id))
    return AgreementOut.of(found, plot=f"{path}?stage={stage}&on={on}")


@router.get(
    "/plots/agreement.svg",
    response_class=SvgResponse,
    responses=svg("Agreement of first decisions, all records") | errors(403),
)
def plot_agreement(
    session: Read,
    viewer: AsViewer,
    stage: ScreeningStage = Stage.TITLE_ABSTRACT,
    on: Which = AgreementOn.ALL,
) -> Response:
    """Draw kappa, AC1 and positive agreement by month, and the table of all.

    For those who may see the figures. Its title and description say the same in words.
    """
    found = agreement(session, viewer=viewer, stage=stage, on=on)
    return SvgResponse(agreement_plot(found), headers={"Cache-Control": "no-store"})


@router.get("/second-looks", responses=errors(403))
def list_second_looks(
    session: Read,
    viewer: AsViewer,
    page: PageFrom,
    stage: ScreeningStage = Stage.TITLE_ABSTRACT,
    limit: Limit = 20,
) -> SecondLooksOut:
    """List excluded records that look like includes to a model without their decisions.

    For owners and adjudicators; in a stage that is not blind for all members.
    """
    second_look.require_sight(viewer, stage)
    looks = second_looks.newest(session, viewer.review_id, stage)
    found = second_look.doubtful(
        session,
        viewer=viewer,
        stage=stage,
        numbers=looks.numbers,
        scores=looks.scores,
        cursor=page,
        limit=limit,
    )
    labels_seq = reviews.get_review(session, viewer.review_id).labels_seq
    return SecondLooksOut.of(looks, found, stage=stage, labels_seq=labels_seq)


@router.post("/second-looks", status_code=202, response_model=SecondLooksAskedOut)
def ask_for_second_looks(
    me: Me,
    review_id: InReview,
    here: Here,
    write: Write,
    stage: ScreeningStage = Stage.TITLE_ABSTRACT,
) -> Response:
    """Ask for a new list of excludes that look like includes."""

    def work(session: Session) -> SecondLooksAskedOut:
        review, viewer = reviews.enter(session, review_id=review_id, user_id=me.id)
        viewer.require(Role.REVIEWER, "ask for second looks")
        second_look.require_sight(viewer, stage)
        second_looks.ask(session, review, stage)
        return SecondLooksAskedOut()

    answer = write(work, status=202)
    here.task_signals.to_look_again(review_id)
    return answer


@router.get("/reviewers/{user_id}/record", responses=errors(403))
def get_reviewer_record(
    user_id: str,
    session: Read,
    viewer: AsViewer,
    stage: ScreeningStage = Stage.TITLE_ABSTRACT,
) -> ReviewerRecordOut:
    """Show a reviewer's pace, changes and drift. For themselves and the owners, nobody else."""
    found = UserId(parse_uuid(user_id, kind="user"))
    return ReviewerRecordOut.of(reviewer_record(session, viewer=viewer, user_id=found, stage=stage))
