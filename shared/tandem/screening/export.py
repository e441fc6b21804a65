"""The review's records on their way out, with what somebody may see of their screening.

They are read in pages, each in a session of its own: a slow client holds no transaction, and
somebody who is removed from the review meanwhile gets no further page. Who is blinded gets
their own decisions only; the others get those that the policy opens to them.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Select, and_, select
from sqlalchemy.orm import Session, aliased

from tandem.accounts.models import User
from tandem.db.reading import Readable
from tandem.ids import RecordNumber, ReviewId, UserId
from tandem.records.export.record import ExportedRecord, Judged, Source
from tandem.records.models import Import, Record
from tandem.reviews import service as reviews
from tandem.reviews.policy import Stage
from tandem.reviews.service import Viewer
from tandem.screening.blinding.sql import visible_status_sql, with_status
from tandem.screening.blinding.view import (
    is_unblinded,
    needs_history,
    visible_votes,
    vote_visibility,
)
from tandem.screening.criteria import reasons
from tandem.screening.full_text.population import gate_of, is_at_full_text, is_report
from tandem.screening.ledger.conflict_history import histories
from tandem.screening.models import (
    Conflict,
    Decision,
    PresentDecision,
    Resolution,
)
from tandem.screening.rules import Status

PAGE = 200
"""Records in memory at a time; one of them may have an abstract of a million characters."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which records, and which stage's screening goes with them.

    `status`: of those in the stage, as the lists of records have them. Without one also what is not
    screened, and at full text also what is not retrieved.
    """

    stage: Stage = Stage.TITLE_ABSTRACT
    status: str | None = None
    include_duplicates: bool = False


def exported_records(
    database: Readable, *, review_id: ReviewId, user_id: UserId, selection: Selection
) -> Iterator[ExportedRecord]:
    """Yield the selected records by number, with what this person may see of their screening.

    Raises:
        NotFound: There is no such review, or they are not a member of it (any more).
    """
    after = 0
    while True:
        with database.read() as session:
            viewer = reviews.viewer(session, review_id=review_id, user_id=user_id)
            page = _page(session, viewer, selection, after)
        yield from page
        if len(page) < PAGE:
            return
        after = int(page[-1].id)


class Names:
    """People's names, looked up once each."""

    def __init__(self, session: Session) -> None:
        self._session, self._found = session, dict[UserId, str]()

    def __getitem__(self, user_id: UserId) -> str:
        if user_id not in self._found:
            name = self._session.scalars(select(User.name).where(User.id == user_id)).one()
            self._found[user_id] = name
        return self._found[user_id]


def _page(
    session: Session, viewer: Viewer, selection: Selection, after: int
) -> list[ExportedRecord]:
    rows = session.execute(_records(viewer, selection, after)).all()
    shown = [row.shown_as for row in rows]
    sources = _sources(session, viewer.review_id, shown)
    judged = _judged(session, viewer, selection.stage, dict(zip(shown, rows, strict=True)))
    excluded = [RecordNumber(n) for n, row in zip(shown, rows, strict=True) if _is_excluded(row)]
    review = reviews.get_review(session, viewer.review_id)
    finals = reasons.final_reasons(session, review, selection.stage, excluded)
    return [
        ExportedRecord(
            id=str(row.number),
            title=row.title,
            abstract=row.abstract,
            authors=tuple(row.authors),
            year=row.year,
            journal=row.journal,
            volume=row.volume,
            issue=row.issue,
            pages=row.pages,
            doi=row.doi,
            pmid=row.pmid,
            url=row.url,
            keywords=tuple(row.keywords),
            language=row.language,
            registry_ids=tuple(row.registry_ids),
            kind=row.kind,
            sources=tuple(sources[number]),
            duplicate_of=None if row.duplicate_of is None else str(row.duplicate_of),
            stage=selection.stage,
            status=row.shown_status,
            judged=tuple(judged[number]),
            final_reason=finals.get(number) if _is_excluded(row) else None,
        )
        for number, row in zip(shown, rows, strict=True)
    ]


def _is_excluded(row: Row[Any]) -> bool:
    return bool(row.shown_status == Status.EXCLUDED)


def _records(viewer: Viewer, selection: Selection, after: int) -> Select[*tuple[Any, ...]]:
    # All columns but `raw`, which can be as long as the rest together.
    names = (
        "number duplicate_of title abstract authors year journal volume issue pages doi "
        "pmid url keywords language registry_ids kind shown_as"
    )
    columns = [getattr(Record, name) for name in names.split()]
    # A linked record is screened as the one it is linked to.
    number = Record.shown_as
    query = (
        with_status(select(*columns), viewer, selection.stage, Record.review_id, number)
        .where(Record.review_id == viewer.review_id, Record.number > after)
        .order_by(Record.number)
        .limit(PAGE)
    )
    shown: type[Record] = Record
    if selection.include_duplicates:
        shown = aliased(Record)
        at = and_(shown.review_id == Record.review_id, shown.number == number)
        query = query.join(shown, at)
    else:
        query = query.where(Record.is_shown)
    at_full_text, through = selection.stage is Stage.FULL_TEXT, gate_of(viewer)
    if selection.status is None:
        return query.where(is_report(through, shown)) if at_full_text else query
    return query.where(
        is_at_full_text(through, shown) if at_full_text else shown.is_in_screening,
        visible_status_sql(viewer, selection.stage) == selection.status,
    )


def _sources(
    session: Session, review_id: ReviewId, shown: Sequence[int]
) -> dict[int, list[Source]]:
    """Return where the occurrences of each shown record came from, itself first."""
    found: dict[int, list[Source]] = defaultdict(list)
    # With `or` in one query, or ordered by number alone, SQLite reads the whole review instead.
    for which in (Record.number, Record.duplicate_of):
        query = (
            select(which, Record.source, Import.filename, Record.ref)
            .join(Import, Import.id == Record.import_id)
            .where(Record.review_id == review_id, which.in_(shown))
            .order_by(which, Record.number)
        )
        for number, source, filename, ref in session.execute(query):
            found[number].append(Source(source or filename, ref))  # type: ignore[index]  # not None
    return found


def _judged(
    session: Session, viewer: Viewer, stage: Stage, shown: dict[int, Row[Any]]
) -> dict[int, list[Judged]]:
    """Return the decisions on each shown record that are open to this person."""
    names = Names(session)
    found: dict[int, list[Judged]] = defaultdict(list)
    for row in _votes(session, viewer, stage, shown):
        status = shown[row.record_number].shown_status
        sees = vote_visibility(viewer, stage, status, row.reviewer_id)
        if sees == "nothing":
            continue
        open_ = sees == "all"
        found[row.record_number].append(
            Judged(
                by=names[row.reviewer_id] if open_ else None,
                verdict=row.verdict,
                at=row.created_at if open_ else None,
                reasons=tuple(row.reasons),
                labels=tuple(row.labels),
                note=row.note,
            )
        )
    for votes in found.values():
        # By content, not by time: who came first would tell one nameless vote from the other.
        if any(one.by is None for one in votes):
            votes.sort(
                key=lambda one: (one.verdict, one.by or "", one.reasons, one.labels, one.note or "")
            )
    for row in session.execute(_resolutions(viewer, stage, list(shown))):
        found[row.record_number].append(
            Judged(
                by=names[row.resolver_id],
                verdict=row.verdict,
                at=row.created_at,
                reasons=tuple(row.reasons),
                note=row.note,
                is_resolution=True,
            )
        )
    return found


def _votes(
    session: Session, viewer: Viewer, stage: Stage, shown: dict[int, Row[Any]]
) -> Iterator[Any]:
    """Yield the present votes; in a conflict whose voters are hidden, those it shows."""
    differing = [n for n, row in shown.items() if row.shown_status == Status.CONFLICT]
    hidden = set(differing) if needs_history(viewer, stage, Status.CONFLICT) else set[int]()
    yield from session.execute(_present(viewer, stage, [n for n in shown if n not in hidden]))
    query = select(Conflict).where(
        Conflict.review_id == viewer.review_id,
        Conflict.stage == stage,
        Conflict.record_number.in_(hidden),
    )
    for history in histories(session, session.scalars(query).all()) if hidden else ():
        yield from visible_votes(viewer, history).values()


def _present(viewer: Viewer, stage: Stage, numbers: Sequence[int]) -> Select[*tuple[Any, ...]]:
    columns = ("record_number", "reviewer_id", "verdict", "reasons", "labels", "note")
    query = (
        select(*(getattr(Decision, name) for name in columns), Decision.created_at)
        .join(PresentDecision, PresentDecision.decision_id == Decision.id)
        .where(
            PresentDecision.review_id == viewer.review_id,
            PresentDecision.stage == stage,
            PresentDecision.record_number.in_(numbers),
        )
        .order_by(Decision.labels_seq)
    )
    if not is_unblinded(viewer, stage):
        query = query.where(PresentDecision.reviewer_id == viewer.user_id)
    return query


def _resolutions(viewer: Viewer, stage: Stage, numbers: Sequence[int]) -> Select[*tuple[Any, ...]]:
    columns = ("record_number", "resolver_id", "verdict", "reasons", "note", "created_at")
    query = (
        select(*(getattr(Resolution, name) for name in columns))
        .where(
            Resolution.review_id == viewer.review_id,
            Resolution.stage == stage,
            Resolution.record_number.in_(numbers),
            Resolution.is_set_aside.is_(False),
            Resolution.taken_back_at.is_(None),
        )
        .order_by(Resolution.labels_seq)
    )
    if not is_unblinded(viewer, stage):
        query = query.where(Resolution.resolver_id == viewer.user_id)
    return query
