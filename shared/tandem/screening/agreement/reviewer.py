"""What one reviewer has done, how fast and how steadily: for themselves and the owner only."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from statistics import median

from sqlalchemy import select
from sqlalchemy.orm import Session

from tandem.accounts import service as accounts
from tandem.errors import Forbidden, NotFound
from tandem.ids import RecordNumber, ReviewId, UserId
from tandem.reviews.models import Member, Role
from tandem.reviews.policy import Stage
from tandem.reviews.service import Viewer
from tandem.screening.agreement.drift import Drift, Read, drift
from tandem.screening.agreement.intervals import exact_share
from tandem.screening.blinding.sql import hidden_records
from tandem.screening.blinding.view import is_unblinded
from tandem.screening.full_text.population import gate_of, is_there
from tandem.screening.lease_models import Served
from tandem.screening.models import Decision, ScreenedRecord
from tandem.screening.rules import Status, Verdict
from tandem.screening.streams import Stream


@dataclass(frozen=True, slots=True)
class Share:
    """`n` of so many, with an exact 95 % interval; no value of none."""

    n: int
    of: int

    @property
    def value(self) -> float | None:
        return self.n / self.of if self.of else None

    @property
    def low(self) -> float | None:
        return exact_share(self.n, self.of).low if self.of else None

    @property
    def high(self) -> float | None:
        return exact_share(self.n, self.of).high if self.of else None


@dataclass(frozen=True, slots=True)
class Week:
    """Records first decided in the week that begins on this Monday, in UTC."""

    monday: date
    n_read: int
    n_include: int
    median_seconds: float | None


@dataclass(frozen=True, slots=True)
class AgainstOutcome:
    """First decisions against what became of the records, of those settled that are still there.

    `missed_of_excludes`: of their excludes, finally included; `missed_of_included`: of the
    finally included records that they read, excluded by them; `overruled_includes`: of their
    includes, finally excluded; `informed`: of all first decisions, made knowing another's.
    """

    missed_of_excludes: Share
    missed_of_included: Share
    overruled_includes: Share
    informed: Share


@dataclass(frozen=True, slots=True)
class ReviewerRecord:
    """`n_read`: records that they decided; `n_decisions`: with the changes.

    `against_outcome` is what depends on others: None for a blinded reviewer. Left out is what
    they decided on `n_hidden` records: the votes on these are not open yet to the one who asks.
    """

    user_id: UserId
    name: str
    stage: Stage
    n_read: int
    n_decisions: int
    n_hidden: int
    median_seconds: float | None
    includes: Share
    changed: Share
    by_week: Sequence[Week]
    drift: Drift
    against_outcome: AgainstOutcome | None


@dataclass(frozen=True, slots=True)
class _Own:
    """Somebody's first decision on a record, and whether they have changed it since."""

    number: RecordNumber
    verdict: Verdict
    seconds: float | None
    informed: bool
    at: datetime
    changed: bool

    @property
    def include(self) -> bool:
        return self.verdict is not Verdict.EXCLUDE


def reviewer_record(
    session: Session, *, viewer: Viewer, user_id: UserId, stage: Stage
) -> ReviewerRecord:
    """Return what somebody has done in a stage.

    Only what they entered themselves counts, so that nothing in it comes from others' decisions.

    Raises:
        Forbidden: It is neither the viewer's own nor is the viewer an owner.
        NotFound: Nobody of this id is, or was, at work in the review.
    """
    is_owner = viewer.has(Role.OWNER)
    if user_id != viewer.user_id and not is_owner:
        raise Forbidden("Only an owner of this review and the person themselves may see this.")
    own, n_entered = _own_decisions(session, viewer.review_id, stage, user_id)
    if not own and session.get(Member, (viewer.review_id, user_id)) is None:
        raise NotFound("This person is not at work in this review.")
    hidden = set(hidden_records(session, viewer, stage)) if user_id != viewer.user_id else set()
    n_hidden = sum(read.number in hidden for read in own)
    own = [read for read in own if read.number not in hidden]
    by_chance = _by_chance(session, viewer.review_id, stage, user_id)
    return ReviewerRecord(
        user_id=user_id,
        name=accounts.get_user(session, user_id).name,
        stage=stage,
        n_read=len(own),
        n_decisions=sum(n for number, n in n_entered.items() if number not in hidden),
        n_hidden=n_hidden,
        median_seconds=_median_seconds(own),
        includes=_share(read.include for read in own),
        changed=_share(read.changed for read in own),
        by_week=_by_week(own),
        drift=drift([Read(read.include, read.number in by_chance) for read in own]),
        against_outcome=_against_outcome(session, viewer, stage, own)
        if is_owner or is_unblinded(viewer, stage)
        else None,
    )


def _own_decisions(
    session: Session, review_id: ReviewId, stage: Stage, user_id: UserId
) -> tuple[list[_Own], Counter[RecordNumber]]:
    """Return first decisions in order, and how many verdicts they entered on each record.

    Left out is what they did not enter: what came with another record, what an owner took back.
    A second vote in a conflict does not change their first decisions.
    """
    query = (
        select(
            Decision.record_number,
            Decision.verdict,
            Decision.seconds,
            Decision.informed,
            Decision.created_at,
        )
        .where(
            Decision.review_id == review_id,
            Decision.stage == stage,
            Decision.reviewer_id == user_id,
            Decision.carried_from.is_(None),
            Decision.entered_by.is_(None),
            Decision.second_in.is_(None),
        )
        .order_by(Decision.labels_seq)
    )
    first: dict[RecordNumber, _Own] = {}
    changed = set[RecordNumber]()
    n_entered = Counter[RecordNumber]()
    for number, verdict, seconds, informed, at in session.execute(query):
        n_entered[number] += verdict is not None
        if number in first:
            changed.update([number] if verdict is not first[number].verdict else [])
        elif verdict is not None:
            first[number] = _Own(number, verdict, seconds, informed, at, changed=False)
    own = [replace(read, changed=read.number in changed) for read in first.values()]
    return own, n_entered


def _by_chance(
    session: Session, review_id: ReviewId, stage: Stage, user_id: UserId
) -> set[RecordNumber]:
    query = select(Served.record_number).where(
        Served.review_id == review_id,
        Served.stage == stage,
        Served.user_id == user_id,
        Served.stream == Stream.RANDOM,
    )
    return set(session.scalars(query))


def _share(marks: Iterable[bool]) -> Share:
    found = list(marks)
    return Share(sum(found), len(found))


def _median_seconds(own: Sequence[_Own]) -> float | None:
    seconds = [read.seconds for read in own if read.seconds is not None]
    return median(seconds) if seconds else None


def _by_week(own: Sequence[_Own]) -> Sequence[Week]:
    weeks: dict[date, list[_Own]] = {}
    for read in own:
        day = read.at.date()
        weeks.setdefault(day - timedelta(days=day.weekday()), []).append(read)
    return [
        Week(monday, len(reads), sum(read.include for read in reads), _median_seconds(reads))
        for monday, reads in sorted(weeks.items())
    ]


def _against_outcome(
    session: Session, viewer: Viewer, stage: Stage, own: Sequence[_Own]
) -> AgainstOutcome:
    query = select(ScreenedRecord.record_number, ScreenedRecord.status).where(
        ScreenedRecord.review_id == viewer.review_id,
        ScreenedRecord.stage == stage,
        ScreenedRecord.status.in_([Status.INCLUDED, Status.EXCLUDED]),
        is_there(stage, gate_of(viewer), ScreenedRecord.record_number),
    )
    whose = {"review_id": viewer.review_id}
    status = {row.record_number: row.status for row in session.execute(query, whose)}
    settled = [
        (read.include, status[read.number] is Status.INCLUDED)
        for read in own
        if read.number in status
    ]
    return AgainstOutcome(
        missed_of_excludes=_share(included for include, included in settled if not include),
        missed_of_included=_share(not include for include, included in settled if included),
        overruled_includes=_share(not included for include, included in settled if include),
        informed=_share(read.informed for read in own),
    )
