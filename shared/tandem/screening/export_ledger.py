"""The ledger on its way out: every entry that somebody may see, in the order it was made."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

from sqlalchemy import Row, Select, SQLColumnExpression, and_, exists, or_, select
from sqlalchemy.orm import Session, aliased

from tandem.db.reading import Readable
from tandem.ids import ReviewId, UserId
from tandem.records.export.decisions import LedgerEntry
from tandem.records.models import Record
from tandem.reviews import service as reviews
from tandem.reviews.policy import Stage
from tandem.reviews.service import Viewer
from tandem.screening.blinding.numbers import visible_numbers
from tandem.screening.blinding.sql import visible_status_sql
from tandem.screening.blinding.view import is_unblinded, sees_every_event, vote_visibility
from tandem.screening.export import Names
from tandem.screening.full_text.population import gate_of, is_of_stage
from tandem.screening.models import Decision, PresentDecision, Resolution, ScreenedRecord

PAGE = 1000
"""Entries of each kind in memory at a time."""


def exported_entries(
    database: Readable,
    *,
    review_id: ReviewId,
    user_id: UserId,
    stage: Stage | None,
    status: str | None,
) -> Iterator[LedgerEntry]:
    """Yield the ledger's entries that this person may see, in order.

    While a record is open, entries of others on it are left out where the policy does not show
    them, by name, to those who settle conflicts.

    Args:
        database: Of the installation.
        review_id: Whose ledger.
        user_id: Who asks. The blinded get their own entries.
        stage: None for all stages.
        status: Of the records in the stage, as this person sees it now; None for all records.

    Raises:
        NotFound: There is no such review, or they are not a member of it (any more).
    """
    stages = list(Stage) if stage is None else [stage]
    after: int | None = 0
    while after is not None:
        with database.read() as session:
            viewer = reviews.viewer(session, review_id=review_id, user_id=user_id)
            page, after = _page(session, viewer, stages, status, after)
        yield from page


def _page(
    session: Session, viewer: Viewer, stages: Sequence[Stage], status: str | None, after: int
) -> tuple[list[LedgerEntry], int | None]:
    """Return the entries behind `after` and how far they reach, None where that is the end."""
    decisions = session.execute(_decisions(viewer, stages, status, after)).all()
    resolutions = session.execute(_resolutions(viewer, stages, status, after)).all()
    # Behind the end of a full page of one kind, those of the other would come too early.
    ends = [rows[-1].labels_seq for rows in (decisions, resolutions) if len(rows) == PAGE]
    reach = min(ends, default=None)
    names = Names(session)
    entries = [
        entry
        for entry in chain(
            (_decision(names, row) for row in decisions if _is_open(viewer, row)),
            (_resolution(names, row) for row in resolutions),
        )
        if reach is None or entry.seq <= reach
    ]
    entries.sort(key=lambda entry: entry.seq)
    return _numbered(session, viewer, entries), reach


def _numbered(session: Session, viewer: Viewer, entries: list[LedgerEntry]) -> list[LedgerEntry]:
    """Number entries in this person's numbering; pages go by the real number."""
    if sees_every_event(viewer):
        return entries
    numbers = visible_numbers(session, viewer, [entry.seq for entry in entries])
    return [replace(entry, seq=numbers[entry.seq]) for entry in entries]


def _is_open(viewer: Viewer, row: Row[Any]) -> bool:
    decision: Decision = row.Decision
    return vote_visibility(viewer, decision.stage, row.status, decision.reviewer_id) == "all"


def _decisions(
    viewer: Viewer, stages: Sequence[Stage], status: str | None, after: int
) -> Select[*tuple[Any, ...]]:
    present = aliased(PresentDecision)
    query = select(Decision, Decision.labels_seq, present.decision_id.label("present_id"))
    query = query.outerjoin(present, present.decision_id == Decision.id)
    return _selected(query, Decision, Decision.reviewer_id, viewer, stages, status, after)


def _resolutions(
    viewer: Viewer, stages: Sequence[Stage], status: str | None, after: int
) -> Select[*tuple[Any, ...]]:
    query = select(Resolution, Resolution.labels_seq)
    return _selected(query, Resolution, Resolution.resolver_id, viewer, stages, status, after)


def _selected(
    query: Select[*tuple[Any, ...]],
    kind: type[Decision] | type[Resolution],
    by: SQLColumnExpression[Any],
    viewer: Viewer,
    stages: Sequence[Stage],
    status: str | None,
    after: int,
) -> Select[*tuple[Any, ...]]:
    """Keep the entries of these stages that the viewer may see, with their record's status."""
    seen_by_all = [stage for stage in stages if is_unblinded(viewer, stage)]
    query = (
        query.add_columns(ScreenedRecord.status, ScreenedRecord.resolution_id)
        .outerjoin(
            ScreenedRecord,
            and_(
                ScreenedRecord.review_id == kind.review_id,
                ScreenedRecord.stage == kind.stage,
                ScreenedRecord.record_number == kind.record_number,
            ),
        )
        .outerjoin(
            PresentDecision,
            and_(
                PresentDecision.review_id == kind.review_id,
                PresentDecision.stage == kind.stage,
                PresentDecision.record_number == kind.record_number,
                PresentDecision.reviewer_id == viewer.user_id,
            ),
        )
        .where(
            kind.review_id == viewer.review_id,
            kind.stage.in_(stages),
            kind.labels_seq > after,
            or_(kind.stage.in_(seen_by_all), by == viewer.user_id),
        )
        .order_by(kind.labels_seq)
        .limit(PAGE)
    )
    if status is None:
        return query
    shown = [
        and_(
            kind.stage == stage,
            visible_status_sql(viewer, stage) == status,
            exists().where(
                Record.review_id == kind.review_id,
                Record.number == kind.record_number,
                is_of_stage(stage, gate_of(viewer)),
            ),
        )
        for stage in stages
    ]
    return query.where(or_(*shown))


def _decision(names: Names, row: Row[Any]) -> LedgerEntry:
    made: Decision = row.Decision
    return LedgerEntry(
        seq=made.labels_seq,
        at=made.created_at,
        entry="withdrawal" if made.verdict is None else "decision",
        record_id=str(made.record_number),
        stage=made.stage,
        reviewer=names[made.reviewer_id],
        reviewer_id=str(made.reviewer_id),
        verdict=made.verdict,
        reasons=tuple(made.reasons),
        labels=tuple(made.labels),
        note=made.note,
        seconds=made.seconds,
        informed=made.informed,
        rank=made.rank,
        ranking_id=None if made.ranking_id is None else str(made.ranking_id),
        in_force=row.present_id is not None,
        cause=None,
        carried_from=_number(made.carried_from),
        criteria_version=made.criteria_version,
        made_at=made.made_at,
    )


def _resolution(names: Names, row: Row[Any]) -> LedgerEntry:
    made: Resolution = row.Resolution
    return LedgerEntry(
        seq=made.labels_seq,
        at=made.created_at,
        entry="resolution",
        record_id=str(made.record_number),
        stage=made.stage,
        reviewer=names[made.resolver_id],
        reviewer_id=str(made.resolver_id),
        verdict=made.verdict,
        reasons=tuple(made.reasons),
        labels=(),
        note=made.note,
        seconds=None,
        informed=None,
        rank=None,
        ranking_id=None,
        in_force=row.resolution_id == made.id,  # of a linked record none is
        cause=made.cause,
        carried_from=_number(made.carried_from),
        criteria_version=None,
    )


def _number(number: int | None) -> str | None:
    return None if number is None else str(number)
