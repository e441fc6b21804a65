"""Taking an import back: its records go, as long as nobody has worked on any of them.

What other imports brought as well stays, with its other sources: where the record that goes stood
for linked ones, another of them does from then on.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, delete, func, select, union, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from tandem.db.base import now
from tandem.db.pieces import pieces
from tandem.errors import Conflict
from tandem.events import log
from tandem.events.types import DuplicatesSplit, ImportTakenBack
from tandem.ids import ImportId, RecordNumber
from tandem.records import batch, imports, screened_records
from tandem.records.duplicates import groups
from tandem.records.duplicates.models import DuplicateGroup, GroupState
from tandem.records.models import Import, ImportState, Record
from tandem.reports.models import NearMiss, Rating, SeparateReports, StudyReport
from tandem.reviews.models import LockedReview, Review, Role
from tandem.reviews.policy import Stage
from tandem.reviews.service import Viewer
from tandem.screening.duplicates import transfer, uniting
from tandem.screening.duplicates.transfer import Policies
from tandem.screening.full_text.models import Retrieval
from tandem.screening.ledger.state import RecordKey
from tandem.screening.models import Decision, Resolution
from tandem.synthesis.models import CodedPassage
from tandem.texts.models import ReportText

_LOST_WITH_THEIR_RECORD = (
    ReportText.record_number,
    StudyReport.record_number,
    SeparateReports.first,
    SeparateReports.second,
    Rating.record_number,
    NearMiss.record_number,
    CodedPassage.record_number,
)
"""Where work on full texts is kept, beside retrievals."""


class ImportInUse(Conflict):
    """Somebody decided records of the import, or worked on their full texts: that is kept."""

    code = "import_in_use"


def take_back(
    session: Session, review: LockedReview, viewer: Viewer, *, import_id: ImportId
) -> Import:
    """Remove all records that an import brought; it stays listed, as taken back.

    Its counts stay what they were. A worker that is reading its file is fenced off. To take it back
    again changes nothing.

    Raises:
        NotFound: The review has no such import.
        Forbidden: Only an owner may.
        ImportInUse: Some of its records have entries in the ledger, or work on their full
            texts that would go with them.
    """
    viewer.require(Role.OWNER, "take an import back")
    row = imports.get_import(session, review_id=review.id, import_id=import_id)
    session.refresh(row, with_for_update=True)
    if row.state is ImportState.TAKEN_BACK:
        return row
    if n_decided := _n_decided(session, row):
        raise ImportInUse(
            f"{n_decided} of its records {'has' if n_decided == 1 else 'have'} been decided, so "
            "the import cannot be taken back. What was decided is never removed, also where it "
            "was withdrawn."
        )
    if n_sought := _n_at_full_text(session, row):
        raise ImportInUse(
            f"The full texts of {n_sought} of its records have been worked on (retrievals, files, "
            "studies, ratings, codes), so the import cannot be taken back: that is never removed. "
            "Remove its records before screening instead."
        )
    counted = (row.n_added, row.n_duplicates)
    going = set(session.scalars(select(Record.number).where(Record.import_id == row.id)))
    staying = _leave_groups(session, review, viewer.policies, going, by=viewer)
    session.flush()
    _remove(session, review, row, going)
    row.n_added, row.n_duplicates = counted
    row.state, row.taken_back_at = ImportState.TAKEN_BACK, now()
    row.finished_at = row.finished_at or row.taken_back_at
    row.fence += 1
    row.step, row.percent, row.lease_until, row.not_before, row.parked_at = (None,) * 5
    imports.warn_of_same_file(session, row)
    review.n_taken_back += len(going)
    screened_records.refresh(session, review.id, staying)
    if going:
        review.corpus_seq += 1
        review.labels_seq += 1
    detail = {"by": str(viewer.user_id), "numbers": batch.spans(going)}
    log.append(
        session,
        review,
        ImportTakenBack(import_id=str(row.id), n_records=len(going), detail=detail),
    )
    session.flush()
    return row


def _n_decided(session: Session, row: Import) -> int:
    """Return the number of an import's records that ever had an entry by anybody."""
    said_of = Decision.record_number, Resolution.record_number
    entries = union(*(_records_with(column, row) for column in said_of))
    return session.scalar(select(func.count()).select_from(entries.subquery())) or 0


def _n_at_full_text(session: Session, row: Import) -> int:
    """Return how many of an import's records have work on their full texts that would be lost.

    An entry about a retrieval holds for all linked records: it is lost with the last of them.
    """
    of_others = (
        select(Retrieval.seq)
        .join(
            Record,
            (Record.review_id == Retrieval.review_id) & (Record.number == Retrieval.record_number),
        )
        .where(Retrieval.review_id == row.review_id, Record.import_id != row.id)
        .correlate(None)
    )
    work = union(
        _records_with(Retrieval.record_number, row, Retrieval.seq.not_in(of_others)),
        *(_records_with(column, row) for column in _LOST_WITH_THEIR_RECORD),
    )
    return session.scalar(select(func.count()).select_from(work.subquery())) or 0


def _records_with(
    column: InstrumentedAttribute[Any], row: Import, *conditions: ColumnElement[bool]
) -> Select[RecordNumber]:
    """Select the numbers of an import's records that are in a column of another table."""
    table = column.class_
    return (
        select(Record.number)
        .join(table, (table.review_id == Record.review_id) & (column == Record.number))
        .where(Record.import_id == row.id, *conditions)
    )


def _leave_groups(
    session: Session,
    review: LockedReview,
    policies: Policies,
    going: Collection[RecordNumber],
    *,
    by: Viewer,
) -> set[RecordNumber]:
    """Take records out of the groups of duplicates that they are in; return who was linked."""
    there = groups.touching(session, review.id, going)
    members = groups.members_of(session, [group.id for group in there])
    emptied, parted = list[DuplicateGroup](), set[RecordNumber]()
    for some in pieces(there):
        linked = [group for group in some if group.state is GroupState.LINKED]
        numbers = {number for group in linked for number in members[group.id]}
        records = groups.records_of(session, review.id, numbers)
        for group in some:
            staying = [number for number in members[group.id] if number not in going]
            if group.state is GroupState.LINKED:
                its_own = {number: records[number] for number in members[group.id]}
                _part(session, review, policies, its_own, staying, by=by)
                parted.update(staying)
            if len(staying) < 2:
                emptied.append(group)
            else:
                groups.take_out(session, group, set(members[group.id]).difference(staying))
    groups.drop(session, emptied)
    return parted


def _part(
    session: Session,
    review: LockedReview,
    policies: Policies,
    records: Mapping[RecordNumber, Record],
    staying: Sequence[RecordNumber],
    *,
    by: Viewer,
) -> None:
    """Let those that stay of a linked group stand without the others."""
    if not staying:
        return
    shown = next(number for number, record in records.items() if record.is_shown)
    # The first to bring a record is no duplicate of another import's.
    freed = [min(staying)] if shown in staying else staying
    freed_records = [records[number] for number in freed if number != min(records)]
    groups.count_as(session, freed_records, duplicates=False)
    if shown in staying:
        return
    left = {number: records[number] for number in staying}
    for record in left.values():
        record.duplicate_of = None
    detail = {"by": str(by.user_id)}
    log.append(
        session,
        review,
        *(
            DuplicatesSplit(record_id=str(shown), duplicate_id=str(number), detail=detail)
            for number in staying
        ),
    )
    for stage in Stage:
        for number in staying:
            if _was_decided(session, review, number):
                key = RecordKey(review.id, stage, number)
                transfer.release(session, review, policies[stage], key)
    if len(left) > 1:
        uniting.unite(session, review, policies, [left], by=by.user_id)


def _was_decided(session: Session, review: Review, number: RecordNumber) -> bool:
    query = select(Decision.id).where(
        Decision.review_id == review.id,
        Decision.stage.in_(list(Stage)),
        Decision.record_number == number,
    )
    return session.scalars(query.limit(1)).first() is not None


def _remove(session: Session, review: Review, row: Import, going: Collection[RecordNumber]) -> None:
    """Delete an import's records; what hangs on them goes with them."""
    review.pilot_records = [number for number in review.pilot_records if number not in going]
    mine = Record.import_id == row.id
    unlinked = update(Record).where(mine).values(duplicate_of=None)
    for statement in (unlinked, delete(Record).where(mine)):
        session.execute(statement.execution_options(synchronize_session=False))
