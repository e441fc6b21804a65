"""What the report of a review's methods is made of, read at once."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import exists, func, or_, select
from sqlalchemy.orm import Session

from tandem.db.keyset import START
from tandem.db.pieces import pieces
from tandem.events.log import Event
from tandem.events.types import ImportFinished
from tandem.handover.model import sentence
from tandem.ids import RecordNumber, ReviewId
from tandem.ranking import serving
from tandem.ranking.models import Ranking
from tandem.records.models import Import, ImportState, Record
from tandem.reporting import evidence, near_misses
from tandem.reporting import service as reporting
from tandem.reporting.near_misses import Because
from tandem.reporting.service import ShownFlow
from tandem.reviews import criteria
from tandem.reviews import service as reviews
from tandem.reviews.policy import Policy, Stage
from tandem.reviews.service import Viewer
from tandem.screening.agreement.service import AgreementOn, Compared, agreement
from tandem.screening.conflicts.disagreements import Disagreements, disagreements
from tandem.screening.models import Decision
from tandem.stopping.models import Audit
from tandem.stopping.states import certificate_in_force
from tandem.stopping.words import methods_text


@dataclass(frozen=True, slots=True)
class Criteria:
    version: int
    include: Sequence[str]
    exclude: Sequence[str]
    note: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Search:
    """An import that brought records. `seq`: the event that says how many."""

    source: str
    platform: str | None
    found_by: str
    searched_on: date | None
    imported_at: datetime
    strategy: str | None
    wave: int
    n_read: int
    n_added: int
    n_rejected: int
    seq: int | None


@dataclass(frozen=True, slots=True)
class Screening:
    """A stage: its rules, how many people decided in it, how far they agreed."""

    stage: Stage
    policy: Policy
    n_people: int
    agreement: Compared
    conflicts: Disagreements


@dataclass(frozen=True, slots=True)
class Model:
    name: str
    n_rankings: int


@dataclass(frozen=True, slots=True)
class NearMiss:
    """An excluded report that nearly was included. `seq`: the event that excluded it."""

    reference: str
    reason: str | None
    because: Sequence[Because]
    explanation: str | None
    seq: int | None


@dataclass(frozen=True, slots=True)
class MethodsFacts:
    """`certificates`: paragraphs of those that hold."""

    title: str
    question: str | None
    as_of: int
    seed: int
    criteria: Sequence[Criteria]
    reasons: Sequence[str]
    searches: Sequence[Search]
    stages: Sequence[Screening]
    flow: ShownFlow
    models: Sequence[Model]
    certificates: Sequence[str]
    near_misses: Sequence[NearMiss] = ()


def methods_facts(session: Session, *, viewer: Viewer) -> MethodsFacts:
    """Return the facts as they are now.

    Raises:
        Forbidden: They are blinded in one of the stages.
    """
    reporting.require_sight(viewer, "A report of the methods")
    review = reviews.get_review(session, viewer.review_id)
    return MethodsFacts(
        title=review.title,
        question=review.question,
        as_of=review.last_seq,
        seed=review.seed,
        criteria=[
            Criteria(one.version, one.include, one.exclude, one.note, one.created_at)
            for one in reversed(criteria.versions(session, review.id))
        ],
        reasons=review.exclusion_reasons,
        searches=_searches(session, review.id),
        stages=_stages(session, viewer),
        flow=reporting.shown(session, viewer=viewer),
        models=_models(session, review.id),
        certificates=_certificates(session, viewer),
        near_misses=_near_misses(session, viewer),
    )


def _near_misses(session: Session, viewer: Viewer) -> list[NearMiss]:
    listed = near_misses.near_misses(
        session, viewer=viewer, struck=False, cursor=START, limit=sys.maxsize
    ).items
    numbers = [one.number for one in listed]
    at = evidence.entries(session, viewer.review_id, "dbr_excluded", numbers, up_to=None)
    rows = dict[RecordNumber, Record]()
    for some in pieces(numbers):
        query = select(Record).where(Record.review_id == viewer.review_id, Record.number.in_(some))
        rows |= {row.number: row for row in session.scalars(query)}
    return [
        NearMiss(
            _reference(rows[one.number]),
            one.reason,
            one.because,
            one.explanation,
            at.get(one.number),
        )
        for one in listed
    ]


def _reference(row: Record) -> str:
    authors = "; ".join(row.authors) or "No author"
    parts = [f"{authors} ({row.year or 'n.d.'}). {sentence(row.title)}"]
    if row.journal:
        parts.append(f"{row.journal}.")
    if row.doi:
        parts.append(f"https://doi.org/{row.doi}")
    return " ".join(parts)


def _searches(session: Session, review_id: ReviewId) -> list[Search]:
    newest = select(Event.subject, func.max(Event.seq)).where(
        Event.review_id == review_id, Event.type == ImportFinished.type
    )
    seqs = dict(session.execute(newest.group_by(Event.subject)).all())
    # Of one that was given up, the records that it had brought stay, and the flow counts them.
    brought = exists().where(Record.import_id == Import.id)
    query = select(Import).where(
        Import.review_id == review_id,
        or_(Import.state == ImportState.DONE, brought),
    )
    return [
        Search(
            source=one.source or one.filename,
            platform=one.platform,
            found_by=one.found_by,
            searched_on=one.searched_on,
            imported_at=one.finished_at or one.created_at,
            strategy=one.strategy,
            wave=one.wave,
            n_read=one.n_read,
            n_added=one.n_added,
            n_rejected=one.n_rejected,
            seq=seqs.get(str(one.id)),
        )
        for one in session.scalars(query.order_by(Import.created_at, Import.id))
    ]


def _stages(session: Session, viewer: Viewer) -> list[Screening]:
    people = select(Decision.stage, func.count(Decision.reviewer_id.distinct())).where(
        Decision.review_id == viewer.review_id
    )
    counts = dict(session.execute(people.group_by(Decision.stage)).all())
    conflicts = disagreements(session, viewer=viewer)
    return [
        Screening(
            stage=stage,
            policy=viewer.policies[stage],
            n_people=counts.get(stage, 0),
            agreement=agreement(session, viewer=viewer, stage=stage, on=AgreementOn.ALL).overall,
            conflicts=conflicts[stage],
        )
        for stage in Stage
    ]


def _models(session: Session, review_id: ReviewId) -> list[Model]:
    query = (
        select(Ranking.model, func.count())
        .where(Ranking.review_id == review_id)
        .group_by(Ranking.model)
        .order_by(Ranking.model)
    )
    return [Model(name, n) for name, n in session.execute(query)]


def _certificates(session: Session, viewer: Viewer) -> list[str]:
    found = list[str]()
    query = select(Audit).where(Audit.review_id == viewer.review_id).order_by(Audit.registered_seq)
    for audit in session.scalars(query):
        given = certificate_in_force(audit)
        if given is not None:
            n = viewer.policies[audit.stage].reviewers_per_record
            team = f"{n} decisions for each record"
            model = serving.newest_model(session, viewer.review_id, audit.stage) or "none yet"
            found.append(
                methods_text(given, registered=audit.registered_at, team=team, model=model)
            )
    return found
