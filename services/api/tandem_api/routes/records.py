"""The review's records."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from fastapi import Body, Query, Response
from sqlalchemy.orm import Session

from tandem.accounts.service import names_of
from tandem.audit import past
from tandem.db.keyset import Cursor, encode
from tandem.ids import DecisionId, RecordNumber, parse_record_number
from tandem.ranking import serving
from tandem.records import corrections
from tandem.reviews import service as reviews
from tandem.reviews.models import Role
from tandem.reviews.policy import Stage
from tandem.reviews.service import Viewer
from tandem.screening import catalogue, sources, visible_votes
from tandem.screening.catalogue import OrderBy
from tandem.screening.ledger.state import RecordKey
from tandem.screening.people import interests
from tandem.screening.record_filters import Filters
from tandem.screening.rules import Verdict
from tandem.screening.shown_records import ShownRecord
from tandem_api.deps import AsViewer, InReview, Limit, Me, PageFrom, Read
from tandem_api.problems import errors
from tandem_api.routes.audit import AsOf
from tandem_api.routing import Router
from tandem_api.schemas.base import PlainText
from tandem_api.schemas.decisions import ScreeningStage
from tandem_api.schemas.records import (
    ListedRecordOut,
    RecordOut,
    RecordPatch,
    RecordsOut,
    WholeRecordOut,
)
from tandem_api.schemas.sources import RemovalOut
from tandem_api.schemas.words import StatusFilter
from tandem_api.writing import Write

router = Router(prefix="/reviews/{review_id}/records", tags=["records"])


class Fields(StrEnum):
    ALL = "all"
    BRIEF = "brief"


@dataclass(frozen=True, slots=True)
class _Asked:
    viewer: Viewer
    stage: Stage
    filters: Filters
    brief: bool
    limit: int


Short = Annotated[PlainText, Query(max_length=500)]
Year = Annotated[int, Query(ge=0, le=9999, description="Records without a year are left out.")]


@router.get("")
def list_records(
    session: Read,
    viewer: AsViewer,
    page: PageFrom,
    status: StatusFilter | None = None,
    stage: ScreeningStage = Stage.TITLE_ABSTRACT,
    q: Annotated[Short, Query(description="Words in title, abstract or authors.")] = "",
    source: Short | None = None,
    label: Annotated[
        Short | None, Query(description="Your own, or another's where their decision is open.")
    ] = None,
    my_verdict: Annotated[
        Verdict | None, Query(description="Of your own present decision.")
    ] = None,
    year_from: Year | None = None,
    year_to: Year | None = None,
    has_abstract: Annotated[
        bool | None, Query(description="False: those without an abstract.")
    ] = None,
    order: Annotated[
        OrderBy, Query(description="`decided`: what you have decided, the last one first.")
    ] = OrderBy.ADDED,
    fields: Annotated[Fields, Query(description="`brief`: without the abstracts.")] = Fields.ALL,
    count: Annotated[bool, Query(description="Say how many the list has in all.")] = False,
    limit: Limit = 100,
) -> RecordsOut:
    """List records with their status as you may see it. Duplicates stand with their record."""
    words = list(dict.fromkeys(q.split()))
    asked = _Asked(
        viewer=viewer,
        stage=stage,
        filters=Filters(
            status=status,
            words=words,
            source=source,
            label=label,
            my_verdict=my_verdict,
            year_from=year_from,
            year_to=year_to,
            has_abstract=has_abstract,
        ),
        brief=fields is Fields.BRIEF,
        limit=limit,
    )
    by_decision = order is OrderBy.DECIDED
    found, following = (
        _decided(session, asked, page) if by_decision else _listed(session, asked, order, page)
    )
    n_matching = None
    if count:
        n_matching = catalogue.count_records(
            session, viewer=viewer, stage=stage, filters=asked.filters, decided=by_decision
        )
    items = [ListedRecordOut.listed(item, stage, brief=asked.brief) for item in found]
    return RecordsOut(items=items, next_cursor=following, n_matching=n_matching)


def _listed(
    session: Session, asked: _Asked, order: OrderBy, page: Cursor
) -> tuple[list[ShownRecord], str | None]:
    review_id, key = asked.viewer.review_id, page.key(int, UUID | None)
    after, begun_with = key or (None, None)
    ranking = (
        serving.newest_order(session, review_id, asked.stage)
        if key is None
        else serving.order_of_list(session, review_id, asked.stage, begun_with)
    )
    found = catalogue.list_records(
        session,
        viewer=asked.viewer,
        stage=asked.stage,
        filters=asked.filters,
        order_by=order,
        ranking=ranking,
        after=after,
        limit=asked.limit + 1,
        brief=asked.brief,
    )
    items = found[: asked.limit]
    if len(found) == len(items):
        return items, None
    return items, encode(items[-1].record.number, ranking.ranking_id)


def _decided(session: Session, asked: _Asked, page: Cursor) -> tuple[list[ShownRecord], str | None]:
    id = page.id()
    found = catalogue.list_decided(
        session,
        viewer=asked.viewer,
        stage=asked.stage,
        filters=asked.filters,
        after=None if id is None else DecisionId(id),
        limit=asked.limit + 1,
        brief=asked.brief,
    )
    items = found[: asked.limit]
    if len(found) == len(items) or (last := items[-1].my_decision) is None:
        return items, None
    return items, encode(last.id)


@router.get("/{record_id}", responses=errors(403))
def get_record(
    record_id: str,
    session: Read,
    viewer: AsViewer,
    stage: ScreeningStage = Stage.TITLE_ABSTRACT,
    as_of: AsOf = None,
) -> WholeRecordOut:
    """Show a record, also a linked one, with the decisions that you may see."""
    number = parse_record_number(record_id)
    if as_of is None:
        return _whole(session, viewer, stage, number)
    shown, votes = past.record(session, viewer=viewer, stage=stage, number=number, as_of=as_of)
    removal = _removal(session, viewer, number)
    return WholeRecordOut.whole(RecordOut.shown(shown, stage), votes, removal)


@router.patch("/{record_id}", response_model=WholeRecordOut)
def correct_record(
    record_id: str,
    body: Annotated[RecordPatch, Body(default_factory=RecordPatch)],
    me: Me,
    review_id: InReview,
    write: Write,
) -> Response:
    """Correct what a record says of its publication (owners). The text of its file stays."""
    number = parse_record_number(record_id)

    def work(session: Session) -> WholeRecordOut:
        review, viewer = reviews.enter(session, review_id=review_id, user_id=me.id)
        viewer.require(Role.OWNER, "correct its records")
        changes = body.changes()
        corrections.correct(session, review, number=number, changes=changes, by=me.id)
        if "authors" in changes:
            interests.compare_authors_again(session, review, number)
        session.flush()
        return _whole(session, viewer, Stage.TITLE_ABSTRACT, number)

    return write(work, changed=review_id)


def _whole(session: Session, viewer: Viewer, stage: Stage, number: RecordNumber) -> WholeRecordOut:
    shown = catalogue.get_record(session, viewer=viewer, stage=stage, number=number)
    key = RecordKey(viewer.review_id, stage, number)
    votes = visible_votes.visible_votes(session, viewer=viewer, key=key)
    removal = _removal(session, viewer, number)
    return WholeRecordOut.whole(RecordOut.shown(shown, stage), votes, removal)


def _removal(session: Session, viewer: Viewer, number: RecordNumber) -> RemovalOut | None:
    row = sources.removal_of(session, viewer.review_id, number)
    return None if row is None else RemovalOut.of(row, names_of(session, [row.removed_by]))
