"""Records are linked or split: merge, keep apart, link, split."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from itertools import combinations

from sqlalchemy.orm import Session

from tandem.db.base import now
from tandem.errors import Conflict as Contradiction
from tandem.errors import NotFound
from tandem.events import log
from tandem.events.types import DuplicatesSplit
from tandem.ids import RecordNumber, UserId
from tandem.records import screened_records
from tandem.records.duplicates import groups
from tandem.records.duplicates.groups import Evidence
from tandem.records.duplicates.identities import richness
from tandem.records.duplicates.models import DuplicateGroup, GroupState
from tandem.records.models import Record
from tandem.reviews.models import LockedReview, Review
from tandem.reviews.policy import Stage
from tandem.screening.duplicates import transfer
from tandem.screening.duplicates.transfer import Policies
from tandem.screening.duplicates.uniting import (
    actor,
    first_of_each,
    mark_changed,
    remember_exposure,
    unite,
)
from tandem.screening.ledger.loading import load
from tandem.screening.ledger.state import RecordKey


class NotLinked(Contradiction):
    """The group is not linked, so there is nothing to split."""

    code = "not_linked"


class IsLinked(Contradiction):
    """The group is linked; it has to be split, not kept apart."""

    code = "is_linked"


def merge(
    session: Session, review: LockedReview, policies: Policies, group: DuplicateGroup, *, by: UserId
) -> None:
    """Make one of all records of a group, and of the groups that they are linked in.

    Merging what is linked already changes nothing.
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
    review: LockedReview,
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
    members = _group(session, review, numbers, into=into, by=by)
    unite(session, review, policies, [groups.records_of(session, review.id, members)], by=by)


def _group(
    session: Session,
    review: Review,
    numbers: Collection[RecordNumber],
    *,
    into: DuplicateGroup | Evidence,
    by: UserId | None,
) -> set[RecordNumber]:
    """Put records and all that they are linked to into one group; return its members."""
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
    groups.drop(session, linked)
    session.flush()
    _forget_between(session, review, group, members)
    return members


def _forget_between(
    session: Session, review: Review, group: DuplicateGroup, members: set[RecordNumber]
) -> None:
    """Drop what was asked, or kept apart, among records that are one now."""
    there = [one for one in groups.touching(session, review.id, members) if one.id != group.id]
    present = groups.members_of(session, [other.id for other in there])
    inside = [other for other in there if len(members.intersection(present[other.id])) > 1]
    for other in inside:
        if other.state is GroupState.KEPT:
            pairs = combinations(present[other.id], 2)
            still = [pair for pair in pairs if not members.issuperset(pair)]
            why = Evidence(other.score, other.evidence)
            groups.add_all(
                session,
                review.id,
                [(pair, why) for pair in still],
                state=GroupState.KEPT,
                by=other.settled_by,
            )
    groups.drop(session, inside)


def link_all(
    session: Session,
    review: LockedReview,
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
    groups.add_all(session, review.id, new, state=GroupState.LINKED)
    united = [set(members) for members, _ in new]
    for members, why in found:
        if not grouped.isdisjoint(members):
            grown = _group(session, review, members, into=why, by=None)
            # One that has grown before holds all that it had then.
            united = [some for some in united if some.isdisjoint(grown)] + [grown]
    records = groups.records_of(session, review.id, set().union(*united))
    unite(
        session,
        review,
        policies,
        [{number: records[number] for number in members} for members in united],
    )


def choose_again(
    session: Session,
    review: LockedReview,
    policies: Policies,
    found: Sequence[Collection[RecordNumber]],
) -> None:
    """Let the richest record stand for each of these linked groups, now that they have grown."""
    records = groups.records_of(session, review.id, {n for members in found for n in members})
    grown = [{number: records[number] for number in members} for members in found]
    if poorly := [some for some in grown if is_poorly_shown(some)]:
        unite(session, review, policies, poorly)


def is_poorly_shown(records: Mapping[RecordNumber, Record]) -> bool:
    """Whether the records are one linked group, and another one tells more than the one shown."""
    shown = [record for record in records.values() if record.is_shown]
    return len(shown) == 1 and max(records.values(), key=richness) is not shown[0]


def split(
    session: Session,
    review: LockedReview,
    policies: Policies,
    group: DuplicateGroup,
    *,
    numbers: Collection[RecordNumber] | None,
    by: UserId,
) -> None:
    """Part a linked group: these records leave it, each on its own; None parts all.

    Who is parted is never linked again but by hand.

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
    if len(staying) < 2:
        _settle_group(group, GroupState.KEPT, by)
        _part(session, review, policies, records, leaving=set(members), by=by)
        return
    shown = next(number for number, record in records.items() if record.is_shown)
    if shown in leaving:
        _part(session, review, policies, records, leaving=set(members), by=by)
        stay = {number: records[number] for number in staying}
        unite(session, review, policies, [stay], by=by)
        shown = next(number for number in staying if records[number].is_shown)
    else:
        _part(session, review, policies, records, leaving=leaving, by=by)
    groups.take_out(session, group, leaving)
    # To be apart from one of a group is to be apart from all of it.
    pairs = [(one, shown) for one in sorted(leaving)] + [*combinations(sorted(leaving), 2)]
    why = Evidence(group.score, group.evidence)
    groups.add_all(
        session, review.id, [(pair, why) for pair in pairs], state=GroupState.KEPT, by=by
    )


def _settle_group(group: DuplicateGroup, state: GroupState, by: UserId | None) -> None:
    if group.state is not state or group.settled_at is None:
        group.state, group.settled_at, group.settled_by = state, now(), by


def _part(
    session: Session,
    review: LockedReview,
    policies: Policies,
    records: Mapping[RecordNumber, Record],
    *,
    leaving: set[RecordNumber],
    by: UserId,
) -> None:
    """Let records leave their group, each with the votes that were given on it."""
    shown = next(record for record in records.values() if record.is_shown)
    remember_exposure(session, review, policies, [shown.number])
    freed = [records[number] for number in sorted(leaving) if number != shown.number]
    for record in freed:
        record.duplicate_of = None
    groups.count_as(
        session,
        [record for record in first_of_each(records) if record.number != min(records)],
        duplicates=False,
    )
    mark_changed(review, corpus=True)
    log.append(
        session,
        review,
        *(
            DuplicatesSplit(
                record_id=str(shown.number), duplicate_id=str(record.number), detail=actor(by)
            )
            for record in freed
        ),
    )
    screened_records.refresh(session, review.id, [*records])
    staying = set(records) - leaving - {shown.number}
    first = RecordKey(review.id, Stage.TITLE_ABSTRACT, shown.number)
    had_advanced = load(session, first).has_advanced
    for stage in Stage:
        for record in freed:
            key = RecordKey(review.id, stage, record.number)
            transfer.release(session, review, policies[stage], key)
        key = RecordKey(review.id, stage, shown.number)
        transfer.release(session, review, policies[stage], key, staying=staying)
    for number in (record.number for record in freed if had_advanced):
        transfer.note_advanced(session, replace(first, record_number=number))
