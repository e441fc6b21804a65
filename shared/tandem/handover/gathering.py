"""What the tables say of what is handed over, read at once: texts are read while they are sent."""

from collections.abc import Collection, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from tandem.accounts.models import User
from tandem.db.reading import OneMoment, Readable
from tandem.events.log import Event
from tandem.handover.code_books import codes_of
from tandem.handover.model import (
    ExcludedReport,
    HandedStudy,
    Handover,
    IncludedReport,
    Person,
    ReportFile,
    label_of,
)
from tandem.ids import RecordNumber, ReviewId, UserId
from tandem.records.export.record import ExportedRecord
from tandem.reporting import evidence
from tandem.reporting.service import require_sight
from tandem.reports.facts import load_facts
from tandem.reports.membership import studies_of
from tandem.reports.models import Study
from tandem.reports.rules import Standing, reason, standing
from tandem.reviews import service as reviews
from tandem.reviews.models import Member, Review
from tandem.reviews.policy import Stage
from tandem.reviews.service import Viewer
from tandem.screening.export import Selection, exported_records
from tandem.screening.models import Decision, Resolution
from tandem.screening.rules import Status
from tandem.studies import ratings
from tandem.texts.models import TextState
from tandem.texts.service import ShownText, of_reports

NO_REASON = "Reason not given"


def gather(database: Readable, *, review_id: ReviewId, user_id: UserId) -> Handover:
    """Return what is handed over as it is now, all of it at one moment.

    Raises:
        NotFound: There is no such review, or they are not a member of it.
        Forbidden: They are blinded in one of the stages.
    """
    with database.read() as session:
        viewer = reviews.viewer(session, review_id=review_id, user_id=user_id)
        require_sight(viewer, "A hand-over")
        records = {
            status: {
                RecordNumber(int(one.id)): one
                for one in exported_records(
                    OneMoment(session),
                    review_id=review_id,
                    user_id=user_id,
                    selection=Selection(Stage.FULL_TEXT, status),
                )
            }
            for status in (Status.INCLUDED, Status.EXCLUDED)
        }
        review = reviews.get_review(session, review_id)
        return _gathered(
            session, viewer, review, records[Status.INCLUDED], records[Status.EXCLUDED]
        )


def _gathered(
    session: Session,
    viewer: Viewer,
    review: Review,
    included: dict[RecordNumber, ExportedRecord],
    excluded: dict[RecordNumber, ExportedRecord],
) -> Handover:
    facts = load_facts(session, review)
    stands = {number: standing(fact) for number, fact in facts.items()}
    used = sorted(n for n in included if stands.get(n) is Standing.INCLUDED)
    out = sorted(n for n in excluded if stands.get(n) is Standing.EXCLUDED)
    texts = of_reports(session, review.id, used)
    rated = ratings.visible(session, viewer, used)
    at = evidence.entries(session, review.id, "dbr_included", [*used, *out], up_to=None)
    reports = [
        IncludedReport(
            number,
            included[number],
            at.get(number),
            [_file(text) for text in texts.get(number, ()) if text.file.is_served],
            [one.richness for one in rated.get(number, ()) if one.richness is not None],
        )
        for number in used
    ]
    newest = session.scalar(
        select(Event.created_at).where(Event.review_id == review.id, Event.seq == review.last_seq)
    )
    return Handover(
        review_id=review.id,
        title=review.title,
        as_of=review.last_seq,
        at=newest or review.created_at,
        people=_people(session, review.id),
        reports=reports,
        excluded=[
            ExcludedReport(n, excluded[n], reason(facts[n]) or NO_REASON, at.get(n)) for n in out
        ],
        studies=_studies(session, review.id, reports),
        codes=[*codes_of(session, review.id).tree.codes.values()],
    )


def _file(text: ShownText) -> ReportFile:
    return ReportFile(
        id=text.text.id,
        file_id=text.file.id,
        kind=text.text.kind,
        media_type=text.file.media_type,
        artifact=text.file.artifact,
        sha256=text.file.sha256,
        has_plain=text.file.state is TextState.READY,
        added_at=text.text.added_at,
        added_by=text.text.added_by,
    )


def _people(session: Session, review_id: ReviewId) -> list[Person]:
    """Return who is a member or has decided anything; the ids are those of the trail."""
    members = select(Member.user_id).where(Member.review_id == review_id)
    voters = select(Decision.reviewer_id).where(Decision.review_id == review_id)
    resolvers = select(Resolution.resolver_id).where(Resolution.review_id == review_id)
    query = select(User.id, User.name).where(User.id.in_(members.union(voters, resolvers)))
    return [Person(one.id, one.name) for one in session.execute(query.order_by(User.name, User.id))]


def _studies(
    session: Session, review_id: ReviewId, reports: Sequence[IncludedReport]
) -> list[HandedStudy]:
    by_number = {report.number: report for report in reports}
    grouped = studies_of(session, review_id)
    members: dict[str, list[RecordNumber]] = {}
    for number in by_number:
        for study_id in sorted(grouped.get(number, ())) or [f"record {number}"]:
            members.setdefault(study_id, []).append(number)
    rows = _rows(session, review_id, members)
    found = list[HandedStudy]()
    for key, (study_id, numbers) in enumerate(members.items(), start=1):
        row = rows.get(study_id)
        label = (row.label if row else None) or label_of(by_number[_main(row, numbers)].record)
        fields = dict(row.fields) if row else {}
        found.append(HandedStudy(f"S{key}", study_id, label, numbers, fields))
    return found


def _rows(session: Session, review_id: ReviewId, among: Collection[str]) -> dict[str, Study]:
    rows = dict[str, Study]()
    query = select(Study).where(Study.review_id == review_id)
    for row in session.scalars(query):
        if str(row.id) in among:
            rows[str(row.id)] = row
    return rows


def _main(row: Study | None, numbers: Sequence[RecordNumber]) -> RecordNumber:
    primary = row.primary_number if row else None
    return primary if primary is not None and primary in numbers else numbers[0]
