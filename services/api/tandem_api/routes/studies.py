"""Studies: groups of reports, made and undone by people, and sampled or not."""

from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Any, TypeVar

from fastapi import Body, Query, Response
from sqlalchemy.orm import Session

from tandem.db.keyset import sliced
from tandem.ids import ReviewId, StudyId, UserId, parse_record_number, parse_uuid
from tandem.reports.models import Study
from tandem.reviews import service as reviews
from tandem.reviews.models import LockedReview, Role
from tandem.reviews.service import Viewer
from tandem.studies import proposals, separate, service
from tandem_api.deps import AsViewer, DryRun, InReview, Limit, Me, PageFrom, Read
from tandem_api.paging import Page
from tandem_api.routing import Router
from tandem_api.schemas.studies import SamplingIn, SeparateIn, StudyIn, StudyOut, StudyPatch
from tandem_api.writing import Write

router = Router(prefix="/reviews/{review_id}", tags=["studies"])


class StudyState(StrEnum):
    GROUPED = "grouped"
    PROPOSED = "proposed"
    SEPARATE = "separate"


T = TypeVar("T")
Change = Callable[[Session, LockedReview, Viewer, Study], object]


@router.get("/studies")
def list_studies(
    session: Read,
    viewer: AsViewer,
    page: PageFrom,
    state: Annotated[
        StudyState,
        Query(description="Those that people grouped, what may be one, or pairs that are not."),
    ] = StudyState.GROUPED,
    limit: Limit = 100,
) -> Page[StudyOut]:
    """List the studies that have several reports, or groups of reports that may be one study.

    A report in no study is a study of its own, and is not listed. Nothing is grouped unasked.
    """
    if state is StudyState.GROUPED:
        found = service.page(session, viewer, cursor=page, limit=limit)
        return Page.of(found.map(StudyOut.of))
    if state is StudyState.SEPARATE:
        pairs = separate.pairs(session, viewer.review_id)
        shown = sliced(pairs, lambda pair: pair, (int, int), page, limit)
        return Page.of(shown.map(StudyOut.of_separate))
    proposed = proposals.proposals(session, viewer)
    some = sliced(proposed, lambda one: (one.reports[0],), (int,), page, limit)
    return Page.of(some.map(StudyOut.of_proposal))


@router.post(
    "/studies",
    status_code=201,
    response_model=StudyOut,
    responses={200: {"model": StudyOut, "description": "With `dry_run`: what it would make."}},
)
def group_reports(
    body: StudyIn, me: Me, review_id: InReview, write: Write, dry_run: DryRun = False
) -> Response:
    """Say that some reports are of one study. It changes no vote, and can be undone."""
    numbers = [parse_record_number(text) for text in body.reports]
    primary = None if body.primary is None else parse_record_number(body.primary)

    def work(session: Session) -> StudyOut:
        review, viewer = reviews.enter(session, review_id=review_id, user_id=me.id)

        def act() -> StudyOut:
            study = service.create(
                session,
                review,
                viewer,
                numbers=numbers,
                label=body.label,
                primary=primary,
                fields=body.fields,
            )
            return _shown(session, viewer, study)

        return _done(session, act, dry_run=dry_run)

    return write(work, status=200 if dry_run else 201, changed=None if dry_run else review_id)


@router.post("/separate-reports", status_code=204, response_class=Response)
def separate_reports(body: SeparateIn, me: Me, review_id: InReview, write: Write) -> Response:
    """Say that reports are not of one study, so that it is not proposed again, or take that back.

    It changes no study that people made, and no vote.
    """
    numbers = [parse_record_number(text) for text in body.reports]

    def work(session: Session) -> None:
        review, viewer = reviews.enter(session, review_id=review_id, user_id=me.id)
        separate.separate(session, review, viewer, numbers=numbers, is_separate=body.separate)

    return write(work, status=204, changed=review_id)


@router.patch("/studies/{study_id}", response_model=StudyOut)
def change_study(
    study_id: str,
    body: Annotated[StudyPatch, Body(default_factory=StudyPatch)],
    me: Me,
    review_id: InReview,
    write: Write,
    dry_run: DryRun = False,
) -> Response:
    """Change a study's label, its primary report or what you note of it."""
    changes: dict[str, Any] = {name: getattr(body, name) for name in body.model_fields_set}
    if "primary" in changes:
        text = changes.pop("primary")
        changes["primary_number"] = None if text is None else parse_record_number(text)

    def change(session: Session, review: LockedReview, viewer: Viewer, study: Study) -> None:
        service.change(session, review, viewer, study, changes=changes)

    work = _changing(review_id, me.id, study_id, change, dry_run=dry_run)
    return write(work, changed=None if dry_run else review_id)


@router.delete("/studies/{study_id}", status_code=204, response_class=Response)
def split_study(
    study_id: str, me: Me, review_id: InReview, write: Write, dry_run: DryRun = False
) -> Response:
    """Split a study: each of its reports is a study of its own again, as before."""

    def work(session: Session) -> None:
        review, viewer = reviews.enter(session, review_id=review_id, user_id=me.id)
        viewer.require(Role.REVIEWER, "split studies")  # before it is looked for: it may be gone
        study = service.get(session, review_id, _id(study_id))
        _done(session, lambda: service.split(session, review, viewer, study), dry_run=dry_run)

    return write(work, status=204, changed=None if dry_run else review_id)


@router.put("/studies/{study_id}/reports/{report_id}", response_model=StudyOut)
def add_report_to_study(
    study_id: str,
    report_id: str,
    me: Me,
    review_id: InReview,
    write: Write,
    dry_run: DryRun = False,
) -> Response:
    """Add a report to a study, also one that is in another."""
    number = parse_record_number(report_id)

    def change(session: Session, review: LockedReview, viewer: Viewer, study: Study) -> None:
        service.add_report(session, review, viewer, study, number)

    work = _changing(review_id, me.id, study_id, change, dry_run=dry_run)
    return write(work, changed=None if dry_run else review_id)


@router.delete("/studies/{study_id}/reports/{report_id}", status_code=204, response_class=Response)
def take_report_out_of_study(
    study_id: str,
    report_id: str,
    me: Me,
    review_id: InReview,
    write: Write,
    dry_run: DryRun = False,
) -> Response:
    """Take a report out of a study; without its last one the study is gone."""
    number = parse_record_number(report_id)

    def work(session: Session) -> None:
        review, viewer = reviews.enter(session, review_id=review_id, user_id=me.id)
        study = service.get(session, review_id, _id(study_id))

        def act() -> None:
            service.take_out(session, review, viewer, study, number)

        _done(session, act, dry_run=dry_run)

    return write(work, status=204, changed=None if dry_run else review_id)


@router.put("/studies/{study_id}/sampling", response_model=StudyOut)
def sample_study(
    study_id: str,
    body: SamplingIn,
    me: Me,
    review_id: InReview,
    write: Write,
    dry_run: DryRun = False,
) -> Response:
    """Say whether a study is used in the synthesis (owners and adjudicators)."""

    def change(session: Session, review: LockedReview, viewer: Viewer, study: Study) -> None:
        service.sample(session, review, viewer, study, sampled=body.sampled, note=body.note)

    work = _changing(review_id, me.id, study_id, change, dry_run=dry_run)
    return write(work, changed=None if dry_run else review_id)


def _changing(
    review_id: ReviewId, user_id: UserId, study_id: str, change: Change, *, dry_run: bool
) -> Callable[[Session], StudyOut]:
    def work(session: Session) -> StudyOut:
        review, viewer = reviews.enter(session, review_id=review_id, user_id=user_id)
        study = service.get(session, review_id, _id(study_id))

        def act() -> StudyOut:
            change(session, review, viewer, study)
            return _shown(session, viewer, study)

        return _done(session, act, dry_run=dry_run)

    return work


def _done(session: Session, act: Callable[[], T], *, dry_run: bool) -> T:
    """Do something; with `dry_run` undo it and return what it would have come to."""
    if not dry_run:
        return act()
    session.flush()
    savepoint = session.begin_nested()
    try:
        return act()
    finally:
        savepoint.rollback()


def _shown(session: Session, viewer: Viewer, study: Study) -> StudyOut:
    return StudyOut.of(service.shown_studies(session, viewer, [study])[0])


def _id(text: str) -> StudyId:
    return StudyId(parse_uuid(text, kind="study"))
