"""Numbers that somebody sees in two places, held against each other."""

from collections import Counter
from itertools import accumulate

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tandem.db.session import Database
from tandem.handover.gathering import gather
from tandem.ids import RecordNumber, ReviewId, UserId
from tandem.operations import waiting
from tandem.records import screened_records
from tandem.reporting import service as reporting
from tandem.reports import listing
from tandem.reports.rules import Standing
from tandem.reviews import service as reviews
from tandem.reviews.models import Member, Review
from tandem.reviews.policy import Stage
from tandem.reviews.service import Viewer
from tandem.screening import catalogue
from tandem.screening.conflicts import service as conflicts
from tandem.screening.conflicts.disagreements import disagreements
from tandem.screening.criteria import reasons
from tandem.screening.export import Selection, exported_records
from tandem.screening.full_text.population import gate, gate_of, is_there
from tandem.screening.models import ConflictState, Decision, ScreenedRecord
from tandem.screening.people import workload
from tandem.screening.progress import Progress, progress
from tandem.screening.queue import service as queue
from tandem.screening.recall import Recall
from tandem.screening.record_filters import Filters
from tandem.screening.rules import Status
from tandem.stopping import audit_queries, display, states
from world import FT, TA

_BOXES = {
    Standing.BEING_SOUGHT: "being_sought",
    Standing.NOT_RETRIEVED: "notretrieved_reports",
    Standing.TO_ASSESS: "to_assess",
    Standing.EXCLUDED: "excluded",
    Standing.ONGOING: "ongoing",
    Standing.AWAITING_CLASSIFICATION: "awaiting_classification",
    Standing.ELIGIBLE_NOT_SAMPLED: "eligible_not_sampled",
    Standing.INCLUDED: "included",
}

_NOT_SOUGHT = (Standing.PREVIOUS, Standing.NOT_SOUGHT)


def assert_same_everywhere(database: Database, review_id: ReviewId, owner: UserId) -> None:
    """Compare what an owner, and each who screens, is told of a review."""
    with database.read() as session:
        review = reviews.get_review(session, review_id)
        viewer = reviews.viewer(session, review_id=review_id, user_id=owner)
        of_stage = {one: progress(session, viewer=viewer, stage=one) for one in Stage}
        for stage, shown in of_stage.items():
            _lists(session, viewer, stage, shown)
            for person in shown.reviewers:
                if session.get(Member, (review_id, person.user_id)) is not None:
                    _of_a_person(session, review, person.user_id, stage)
        open_now = conflicts.Selection(state=ConflictState.OPEN)
        listed = conflicts.list_conflicts(session, viewer=viewer, selection=open_now, limit=500)
        waits = waiting.of_review(session, review, viewer).waiting
        assert waits.conflicts == len(listed.items)
        for stage, shown in of_stage.items():
            _stopping(session, review_id, stage, shown)
        _reports(database, session, viewer, of_stage[TA])


def _lists(session: Session, viewer: Viewer, stage: Stage, shown: Progress) -> None:
    n_of = {
        status: catalogue.count_records(
            session, viewer=viewer, stage=stage, filters=Filters(status=status)
        )
        for status in Status
    }
    assert n_of == shown.counts
    assert sum(n_of.values()) == shown.n_records
    assert shown.recall is not None
    last = shown.recall.points[-1]
    assert last.n_included == n_of[Status.INCLUDED]
    assert last.n_screened == shown.n_records - n_of[Status.UNSCREENED]
    _recall(session, viewer, stage, shown.recall)
    assert shown.recall_curve is not None
    assert shown.recall_curve[-1].n_included == n_of[Status.INCLUDED]
    of_conflicts = conflicts.Selection(stage=stage, state=ConflictState.OPEN)
    found = conflicts.list_conflicts(session, viewer=viewer, selection=of_conflicts, limit=500)
    in_conflict = {one.conflict.record_number for one in found.items}
    by_kind = disagreements(session, viewer=viewer)[stage].by_kind
    n_open = sum(n for (_, state), n in by_kind.items() if state is ConflictState.OPEN)
    assert n_open == len(in_conflict)
    assert len(in_conflict) == n_of[Status.CONFLICT]
    review = reviews.get_review(session, viewer.review_id)
    by_reason, n_without = reasons.count(session, review, stage, viewer)
    assert sum(n for _, n in by_reason) + n_without == n_of[Status.EXCLUDED]


def _recall(session: Session, viewer: Viewer, stage: Stage, shown: Recall) -> None:
    """Follow the records one after the other, in the order in which they were first decided."""
    numbered = select(Decision.record_number, func.min(Decision.labels_seq)).where(
        Decision.review_id == viewer.review_id, Decision.stage == stage
    )
    first = dict(session.execute(numbered.group_by(Decision.record_number)).all())
    there = select(ScreenedRecord.record_number, ScreenedRecord.status).where(
        ScreenedRecord.review_id == viewer.review_id,
        ScreenedRecord.stage == stage,
        ScreenedRecord.status != Status.UNSCREENED,
        is_there(stage, gate_of(viewer), ScreenedRecord.record_number),
    )
    status = dict(session.execute(there, {"review_id": viewer.review_id}).all())
    screened = sorted(status.keys() & first.keys(), key=first.__getitem__)
    so_far = [0, *accumulate(status[number] is Status.INCLUDED for number in screened)]
    assert (shown.of, shown.points[-1].n_screened) == ("team", len(screened))
    for point in shown.points:
        assert point.n_included == so_far[point.n_screened]
        assert point.n_possible is None or point.n_possible >= point.n_included
    places = {point.n_screened for point in shown.points}
    assert {at for at in range(1, len(so_far)) if so_far[at] > so_far[at - 1]} <= places


def _of_a_person(session: Session, review: Review, user_id: UserId, stage: Stage) -> None:
    viewer = reviews.viewer(session, review_id=review.id, user_id=user_id)
    shown = progress(session, viewer=viewer, stage=stage)
    (due,) = [one.n_decided for one in shown.reviewers if one.user_id == user_id]
    member = session.get_one(Member, (review.id, user_id))
    work = workload.of_members(session, review.id, stage, viewer.policies, [member])
    if gate_of(viewer) == gate(viewer.policies):  # their work is what is served to everybody
        assert work[user_id].decided == due
    listed = catalogue.count_records(
        session, viewer=viewer, stage=stage, filters=Filters(), decided=True
    )
    assert listed == due
    if stage is TA:
        share = waiting.of_review(session, review, viewer).share
        left = queue.what_is_left(session, review=review, viewer=viewer, stage=TA)
        assert (share.n_decided, share.n_records) == (due, shown.n_records)
        assert (left.workload.decided, left.remaining) == (due, share.remaining)


def _stopping(session: Session, review_id: ReviewId, stage: Stage, shown: Progress) -> None:
    n_of = {status: shown.counts[status] for status in Status}
    n_settled = n_of[Status.INCLUDED] + n_of[Status.EXCLUDED]
    found = display.display(session, review_id, stage)
    assert (found.n_records, found.n_settled) == (shown.n_records, n_settled)
    n_included = display.n_included(session, review_id, stage)
    assert found.n_included == n_included == n_of[Status.INCLUDED]
    if found.team is not None:
        assert found.team.both + found.team.only_1 + found.team.only_2 <= n_included
    assert found.n_pool + found.n_pending == shown.n_records - n_settled
    audit = audit_queries.in_force(session, review_id, stage)
    if audit is not None:
        ledger = states.shown(session, audit).ledger
        assert len(ledger.left_at) + ledger.outside.includes == n_of[Status.INCLUDED]


def _reports(database: Database, session: Session, viewer: Viewer, shown: Progress) -> None:
    flow = reporting.shown(session, viewer=viewer).flow
    counts = shown.counts
    excluded = flow.n("records_excluded") + flow.n("other_records_excluded")
    settled = flow.n("records_screened") + flow.n("other_screened")
    assert excluded == counts[Status.EXCLUDED]
    assert settled == counts[Status.INCLUDED] + counts[Status.EXCLUDED]
    filters = listing.ReportFilters()
    reports = listing.list_reports(session, viewer=viewer, filters=filters, limit=500).items
    stands = Counter(one.standing for one in reports)
    for standing, box in _BOXES.items():
        assert stands[standing] == flow.n(f"dbr_{box}") + flow.n(f"other_{box}")
    assert stands[Standing.PREVIOUS] == flow.n("previous_reports")
    handed = gather(database, review_id=viewer.review_id, user_id=viewer.user_id)
    assert len(handed.reports) == flow.n("new_reports") == stands[Standing.INCLUDED]
    assert len(handed.excluded) == stands[Standing.EXCLUDED]
    assert len(handed.studies) == flow.n("new_studies")
    everybody = (viewer.review_id, viewer.user_id)
    sought = {one.record.record.number for one in reports if one.standing not in _NOT_SOUGHT}
    _exported(database, session, *everybody, shown, sought)


def _exported(
    database: Database,
    session: Session,
    review_id: ReviewId,
    user_id: UserId,
    shown: Progress,
    sought: set[RecordNumber],
) -> None:
    """An export of the first stage has what is not screened, too; the flow says why."""
    rows = {
        stage: [
            *exported_records(
                database, review_id=review_id, user_id=user_id, selection=Selection(stage)
            )
        ]
        for stage in Stage
    }
    numbers = {RecordNumber(int(one.id)) for one in rows[TA]}
    left_out = screened_records.left_out(session, review_id, numbers)
    found = Counter(one.status for one in rows[TA] if int(one.id) not in left_out)
    assert {status: found[status] for status in Status} == shown.counts
    assert {int(one.id) for one in rows[FT]} == sought
