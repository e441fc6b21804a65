"""Records turn out to be one, or one record to be several: who stands for whom."""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import select, union
from sqlalchemy.orm import Session

from tandem.db.base import now
from tandem.errors import Conflict as Contradiction
from tandem.errors import NotFound
from tandem.events import log
from tandem.events.types import (
    DuplicatesMerged,
    DuplicatesSplit,
)
from tandem.ids import RecordNumber, UserId
from tandem.records.duplicates import groups
from tandem.records.duplicates.groups import Evidence
from tandem.records.duplicates.identities import richness
from tandem.records.duplicates.models import DuplicateGroup, GroupState
from tandem.records.models import Record
from tandem.reviews.models import Review
from tandem.reviews.policy import Stage
from tandem.screening import carrying
from tandem.screening.carrying import Policies
from tandem.screening.ledger import Place
from tandem.screening.models import Lease, PresentDecision, Resolution, ScreenedRecord


class NotLinked(Contradiction):
    """The group is not linked, so there is nothing to split."""

    code = "not_linked"


class IsLinked(Contradiction):
    """The group is linked; it has to be split, not kept apart."""

    code = "is_linked"


def merge(
    session: Session, review: Review, policies: Policies, group: DuplicateGroup, *, by: UserId
) -> None:
    """Make one of all records of a group, and of the groups that they are linked in.

    The caller has locked the review. Merging what is linked already changes nothing.
    """
    if group.state is not GroupState.LINKED:
        members = groups.members_of(session, [group.id])[group.id]
        link(session, review, policies, members, into=group, by=by)


def keep(group: DuplicateGroup, *, by: UserId) -> None:
    """Settle that a proposal's records are not one; they are never proposed or linked again.

    Raises:
        IsLinked: They have been linked.
    """
    if group.state is GroupState.LINKED:
        raise IsLinked("These records are linked. Split them instead.")
    _settle_group(group, GroupState.KEPT, by)


def link(
    session: Session,
    review: Review,
    policies: Policies,
    numbers: Collection[RecordNumber],
    *,
    into: DuplicateGroup | Evidence,
    by: UserId | None,
) -> None:
    """Make one of these records and all that they are linked to.

    `into` is the group to become that of all, or the evidence for a new one: where some are
    linked already, the oldest of their groups grows instead. `by` is who settled it, if anybody.
    """
    there = groups.touching(session, review.id, numbers)
    linked = [group for group in there if group.state is GroupState.LINKED]
    present = groups.members_of(session, [group.id for group in there])
    members = set(numbers).union(*(present[group.id] for group in linked))
    if isinstance(into, DuplicateGroup):
        group, linked = into, [group for group in linked if group.id != into.id]
    elif linked:
        group, *linked = linked
    else:
        group = groups.add_all(session, review.id, [((), into)], state=GroupState.LINKED)[0]
    groups.put_in(session, group, members.difference(present.get(group.id, ())))
    _settle_group(group, GroupState.LINKED, by)
    # What was asked, or kept apart, among records that are one now is settled by that.
    obsolete = [
        other
        for other in there
        if other.id != group.id and (other in linked or members.issuperset(present[other.id]))
    ]
    groups.drop(session, obsolete)
    _unite(session, review, policies, [groups.records_of(session, review.id, members)])


def link_all(
    session: Session,
    review: Review,
    policies: Policies,
    found: Sequence[tuple[Collection[RecordNumber], Evidence]],
) -> None:
    """Do what `link` does for many groups of records that have none in common."""
    numbers = {number for members, _ in found for number in members}
    there = groups.touching(session, review.id, numbers)
    grouped = {
        number
        for members in groups.members_of(session, [group.id for group in there]).values()
        for number in members
    }
    new = [(members, why) for members, why in found if grouped.isdisjoint(members)]
    for members, why in found:
        if not grouped.isdisjoint(members):
            link(session, review, policies, members, into=why, by=None)
    groups.add_all(session, review.id, new, state=GroupState.LINKED)
    records = groups.records_of(session, review.id, {n for members, _ in new for n in members})
    _unite(
        session,
        review,
        policies,
        [{number: records[number] for number in members} for members, _ in new],
    )


def split(
    session: Session,
    review: Review,
    policies: Policies,
    group: DuplicateGroup,
    *,
    numbers: Collection[RecordNumber] | None,
    by: UserId,
) -> None:
    """Part a linked group: these records leave it, each on its own; None parts all.

    Who is parted is never linked again but by hand. The caller has locked the review.

    Raises:
        NotLinked: The group is a proposal, or parted already.
        NotFound: One of the records is not in the group.
    """
    if group.state is not GroupState.LINKED:
        raise NotLinked("These records are not linked.")
    members = groups.members_of(session, [group.id])[group.id]
    leaving = set(members if numbers is None else numbers)
    if strange := leaving.difference(members):
        raise NotFound(f"Record {min(strange)} is not in this group.")
    staying = set(members) - leaving
    records = groups.records_of(session, review.id, members)
    _dissolve(session, review, policies, records)
    if len(staying) > 1:
        groups.take_out(session, group, leaving)
        for one in sorted(leaving):
            for other in sorted(set(members) - {one}):
                if other in staying or one < other:
                    _keep_apart(session, review, group, (one, other), by)
        _unite(session, review, policies, [{number: records[number] for number in staying}])
    else:
        _settle_group(group, GroupState.KEPT, by)


def _keep_apart(
    session: Session,
    review: Review,
    group: DuplicateGroup,
    pair: tuple[RecordNumber, RecordNumber],
    by: UserId,
) -> None:
    groups.add(
        session,
        review.id,
        pair,
        state=GroupState.KEPT,
        score=group.score,
        evidence=group.evidence,
        by=by,
    )


def _settle_group(group: DuplicateGroup, state: GroupState, by: UserId | None) -> None:
    if group.state is not state or group.settled_at is None:
        group.state, group.settled_at, group.settled_by = state, now(), by


def _unite(
    session: Session,
    review: Review,
    policies: Policies,
    united: Sequence[Mapping[RecordNumber, Record]],
) -> None:
    """Let one record of each group stand for all of it, and carry the others' votes to it."""
    session.flush()
    touched = _touched(session, review, united)
    shown, hidden = list[Record](), list[Record]()
    merged, carried = list[DuplicatesMerged](), list[tuple[RecordNumber, RecordNumber]]()
    for records in united:
        chosen = _representative(list(records.values()), touched)
        if chosen.duplicate_of is not None:
            chosen.duplicate_of = None
            shown.append(chosen)
        for number, record in sorted(records.items()):
            if record is chosen or record.duplicate_of == chosen.number:
                continue
            if record.duplicate_of is None:
                hidden.append(record)
                if number in touched:
                    carried.append((number, chosen.number))
            record.duplicate_of = chosen.number
            merged.append(DuplicatesMerged(record_id=str(chosen.number), duplicate_id=str(number)))
    groups.count_as(session, shown, duplicates=False)
    groups.count_as(session, hidden, duplicates=True)
    _corpus_changed(review)
    log.append(session, review, *merged)
    for source, target in carried:
        carrying.carry(session, review, policies, source, to=target)


def _representative(records: Sequence[Record], touched: set[RecordNumber]) -> Record:
    """Return the richest record, but one that people are at work on before a slightly richer one.

    Their record changes only where it has no abstract and another one does.
    """
    richest = max(records, key=richness)
    at_work = [record for record in records if record.number in touched]
    if not at_work:
        return richest
    best = max(at_work, key=richness)
    return richest if richest.abstract and not best.abstract else best


def _touched(
    session: Session, review: Review, united: Sequence[Mapping[RecordNumber, Record]]
) -> set[RecordNumber]:
    """Return those of the records that are shown and have a vote, a verdict or a reader."""
    shown = [
        number
        for records in united
        for number, record in records.items()
        if record.duplicate_of is None
    ]
    tables = (PresentDecision, Resolution, Lease, ScreenedRecord)
    found = (
        select(table.record_number).where(
            table.review_id == review.id, table.record_number.in_(shown)
        )
        for table in tables
    )
    return set(session.scalars(union(*found)))


def _dissolve(
    session: Session, review: Review, policies: Policies, records: Mapping[RecordNumber, Record]
) -> None:
    """Let every record of a group stand on its own, with the votes that were given on it."""
    shown = next(record for record in records.values() if record.duplicate_of is None)
    hidden = sorted(
        (record for record in records.values() if record is not shown), key=lambda r: r.number
    )
    for record in hidden:
        record.duplicate_of = None
    groups.count_as(session, hidden, duplicates=False)
    _corpus_changed(review)
    log.append(
        session,
        review,
        *(
            DuplicatesSplit(record_id=str(shown.number), duplicate_id=str(record.number))
            for record in hidden
        ),
    )
    for stage in Stage:
        for record in (shown, *hidden):
            place = Place(review.id, stage, record.number)
            carrying.stand_alone(session, review, policies[stage], place)


def _corpus_changed(review: Review) -> None:
    """Make a training due: the records to be ranked are others."""
    review.corpus_seq += 1
    review.labels_seq += 1
