"""The state of a review at an earlier entry of its log, found by reading the log up to it."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from tandem.accounts import service as accounts
from tandem.audit import figures
from tandem.audit.entries import Step
from tandem.audit.flow_facts import DerivedFlow
from tandem.audit.logged_audits import LoggedAudits
from tandem.audit.logged_flow import LoggedFlow
from tandem.audit.logged_reports import LoggedReports
from tandem.audit.state import State
from tandem.errors import Forbidden, NotFound
from tandem.events.log import Event
from tandem.events.screening_types import (
    DecisionRecorded,
    RecordIncluded,
    RecordReopened,
)
from tandem.ids import RecordNumber, ReviewId, UserId
from tandem.reviews import service as reviews
from tandem.reviews.policy import Stage
from tandem.reviews.service import Viewer
from tandem.screening import catalogue
from tandem.screening.blinding.view import sees_every_event, vote_visibility
from tandem.screening.logged_progress import LoggedStage
from tandem.screening.models import Conflict, Decision
from tandem.screening.progress import Progress, ReviewerProgress
from tandem.screening.rules import Status
from tandem.screening.shown_records import ShownRecord
from tandem.screening.visible_votes import ShownVote

_PAGE = 5000
_DUPLICATES = ("tandem.duplicates.merged", "tandem.duplicates.split")


class BeyondTheEnd(NotFound):
    """The log has no such entry yet."""

    code = "beyond_the_end"


def progress(session: Session, *, viewer: Viewer, stage: Stage, as_of: int) -> Progress:
    """Return what `screening.progress` returned when entry `as_of` was the last one.

    A record counts from the first entry that was made after its import.

    Raises:
        Forbidden: This person does not see every event, so their numbers differ.
        BeyondTheEnd: There is no such entry.
    """
    _may_look_back(session, viewer, as_of)
    state, logged, reports = State(), LoggedFlow(), LoggedReports()
    made = LoggedStage()
    for step in _steps(session, viewer.review_id, as_of):
        state.apply(step)
        reports.follow(step)
        logged.follow(step)
        if step.data.get("stage") != stage:
            continue
        if (record := step.data.get("record_id")) is None:
            continue  # an event of the stage without a record, such as a ranking
        if step.type == DecisionRecorded.type:
            if step.data.get("carried_from") is None:
                made.decided(step.data["reviewer_id"], step.time.date())
        elif step.type in (RecordIncluded.type, RecordReopened.type):
            made.changed(record, is_included=step.type == RecordIncluded.type)
    derived = DerivedFlow(state, logged, LoggedAudits(), last_record=state.last_record)
    out, there = {str(number) for number in derived.not_screened}, None
    n_records = state.n_records - len(state.linked) - len(out)
    if stage is Stage.FULL_TEXT:
        there = reports.population(state) - out | derived.starters
        n_records = len(there)

    def is_there(record: str) -> bool:
        return record not in out if there is None else record in there

    shown = [(at.record, place) for at, place in state.shown_places() if at.stage == stage]
    places = [place for record, place in shown if is_there(record)]
    return Progress(
        stage=stage,
        n_records=n_records,
        counts=figures.by_status(n_records, Counter(place.status for place in places)),
        reviewers=_reviewers(
            session, made.days, Counter(who for place in places for who in place.present)
        ),
        recall_curve=made.curve(lambda number: is_there(str(number))),
    )


def _reviewers(
    session: Session, days: Mapping[UserId, Counter[date]], decided: Counter[str]
) -> list[ReviewerProgress]:
    users = accounts.users_by_id(session, set(days))
    people = [
        ReviewerProgress(
            user_id, users[user_id].name, decided[str(user_id)], dict(sorted(by_day.items()))
        )
        for user_id, by_day in days.items()
    ]
    return sorted(people, key=lambda person: person.name)


def record(
    session: Session, *, viewer: Viewer, stage: Stage, number: RecordNumber, as_of: int
) -> tuple[ShownRecord, list[ShownVote]]:
    """Return a record with its status then, and the decisions then that the viewer may see.

    Decisions have names only, and only where the viewer may see them now. The text of the record
    and its links are those of now.

    Raises:
        NotFound: There is no such record.
        Forbidden: This person does not see every event, so their numbers differ.
        BeyondTheEnd: There is no such entry.
    """
    _may_look_back(session, viewer, as_of)
    shown = catalogue.get_record(session, viewer=viewer, stage=stage, number=number)
    state = State()
    for step in _steps_about(session, viewer.review_id, stage, number, as_of):
        state.apply(step)
    if str(number) in state.linked:  # as a record that is linked now is shown
        return _at(shown, Status.UNSCREENED, None), []
    place = state.place(stage, str(number))
    logged = [entry.labels_seq for entry in place.present.values()]
    query = select(Decision).where(
        Decision.review_id == viewer.review_id, Decision.labels_seq.in_(logged)
    )
    decisions = session.scalars(query.order_by(Decision.labels_seq)).all()
    mine = next((one for one in decisions if one.reviewer_id == viewer.user_id), None)
    votes = _open_votes(session, viewer, stage, shown.status, decisions)
    return _at(shown, place.status, mine), votes


def _at(shown: ShownRecord, status: Status, mine: Decision | None) -> ShownRecord:
    """Return the record as it was then. Everybody who may ask for it may see every number."""
    return replace(
        shown,
        status=status,
        my_decision=mine,
        my_labels_seq=None if mine is None else mine.labels_seq,
        final_reason=None,
    )


def _open_votes(
    session: Session, viewer: Viewer, stage: Stage, status: str, decisions: Sequence[Decision]
) -> list[ShownVote]:
    people = accounts.users_by_id(session, {one.reviewer_id for one in decisions})
    return [
        ShownVote(
            reviewer=people[one.reviewer_id].name,
            reviewer_id=one.reviewer_id,
            verdict=one.verdict,
            reasons=one.reasons,
            labels=one.labels,
            note=one.note,
            decided_at=one.created_at,
            criteria_version=one.criteria_version,
            classification=one.classification,
        )
        for one in decisions
        if one.verdict is not None
        and vote_visibility(viewer, stage, status, one.reviewer_id) == "all"
    ]


def _may_look_back(session: Session, viewer: Viewer, as_of: int) -> None:
    if not sees_every_event(viewer):
        raise Forbidden(
            "Only those who see every event may look at an earlier state: in a blinded review "
            "that is its adjudicators and owners."
        )
    last = reviews.get_review(session, viewer.review_id).last_seq
    if as_of > last:
        raise BeyondTheEnd(f"The log ends at {last}.")


def steps(session: Session, viewer: Viewer, as_of: int) -> Iterator[Step]:
    """Yield the steps of the log up to an entry.

    Raises:
        Forbidden: This person does not see every event.
        BeyondTheEnd: There is no such entry.
    """
    _may_look_back(session, viewer, as_of)
    yield from _steps(session, viewer.review_id, as_of)


def _steps(session: Session, review_id: ReviewId, last: int) -> Iterator[Step]:
    columns = (Event.seq, Event.type, Event.created_at, Event.data, Event.detail)
    query = (
        select(*columns)
        .where(Event.review_id == review_id, Event.seq <= last)
        .order_by(Event.seq)
        .execution_options(yield_per=_PAGE)
    )
    for row in session.execute(query):
        yield Step(*row)


def _steps_about(
    session: Session, review_id: ReviewId, stage: Stage, number: RecordNumber, last: int
) -> Iterator[Step]:
    """Yield the steps about one record, its conflicts and its links."""
    conflicts = select(Conflict.id).where(
        Conflict.review_id == review_id, Conflict.stage == stage, Conflict.record_number == number
    )
    subjects = [str(number), *(str(id) for id in session.scalars(conflicts))]
    columns = (Event.seq, Event.type, Event.created_at, Event.data, Event.detail)
    query = (
        select(*columns)
        .where(
            Event.review_id == review_id,
            Event.seq <= last,
            or_(Event.subject.in_(subjects), Event.type.in_(_DUPLICATES)),
        )
        .order_by(Event.seq)
    )
    for row in session.execute(query):
        yield Step(*row)
