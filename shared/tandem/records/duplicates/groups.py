"""Groups of duplicates as they are stored, and which record stands for its group."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session, defer

from tandem.db.base import now
from tandem.db.keyset import START, Cursor, Slice, keyset_of_one
from tandem.db.pieces import pieces
from tandem.errors import NotFound
from tandem.ids import DuplicateGroupId, ImportId, RecordNumber, ReviewId, UserId, new_id
from tandem.records.duplicates.matching import Match
from tandem.records.duplicates.models import (
    DuplicateGroup,
    DuplicateMember,
    GroupState,
)
from tandem.records.models import Import, Record


@dataclass(frozen=True, slots=True)
class Evidence:
    """Why records are taken for one: `score` in [0, 1], and words for people."""

    score: float
    words: Sequence[str]


def add(
    session: Session,
    review_id: ReviewId,
    members: Collection[RecordNumber],
    *,
    state: GroupState,
    score: float,
    evidence: Sequence[str],
    by: UserId | None = None,
) -> DuplicateGroup:
    """Store a new group; `by` is who settled it, None for a proposal or an automatic link."""
    found = [(members, Evidence(score, evidence))]
    return add_all(session, review_id, found, state=state, by=by)[0]


def add_all(
    session: Session,
    review_id: ReviewId,
    found: Sequence[tuple[Collection[RecordNumber], Evidence]],
    *,
    state: GroupState,
    by: UserId | None = None,
) -> list[DuplicateGroup]:
    """Store new groups; see `add`."""
    made = [
        DuplicateGroup(
            id=DuplicateGroupId(new_id()),
            review_id=review_id,
            state=state,
            score=evidence.score,
            evidence=list(evidence.words),
            created_at=now(),
            settled_at=None if state is GroupState.PROPOSED else now(),
            settled_by=by,
        )
        for _, evidence in found
    ]
    session.add_all(made)
    session.flush()
    _put_in(session, zip(made, (members for members, _ in found), strict=True))
    return made


def put_in(session: Session, group: DuplicateGroup, members: Collection[RecordNumber]) -> None:
    """Store these records as members of a stored group."""
    _put_in(session, [(group, members)])


def _put_in(
    session: Session, found: Iterable[tuple[DuplicateGroup, Collection[RecordNumber]]]
) -> None:
    rows = [
        {"group_id": group.id, "review_id": group.review_id, "record_number": number}
        for group, members in found
        for number in sorted(members)
    ]
    if rows:
        session.execute(insert(DuplicateMember), rows)


def grow(
    session: Session,
    review_id: ReviewId,
    joining: Mapping[RecordNumber, Mapping[RecordNumber, Match]],
) -> None:
    """Store new records as members of the groups of those that they are shown as.

    `joining` has those that come, by the representative that they are linked to.
    """
    there = {group.id: group for group in touching(session, review_id, joining, GroupState.LINKED)}
    of = {
        number: there[group_id]
        for group_id, members in members_of(session, there).items()
        for number in members
    }
    grown, new = [], []
    for representative, come in joining.items():
        if representative in of:
            grown.append((of[representative], list(come)))
        else:
            weakest = min(come.values(), key=lambda match: match.score)
            evidence = Evidence(weakest.score, weakest.evidence)
            new.append(([representative, *come], evidence))
    _put_in(session, grown)
    add_all(session, review_id, new, state=GroupState.LINKED)


def take_out(session: Session, group: DuplicateGroup, members: Collection[RecordNumber]) -> None:
    session.execute(
        delete(DuplicateMember).where(
            DuplicateMember.group_id == group.id,
            DuplicateMember.record_number.in_(sorted(members)),
        )
    )


def get(session: Session, *, review_id: ReviewId, group_id: DuplicateGroupId) -> DuplicateGroup:
    """Return the group, or raise NotFound."""
    group = session.get(DuplicateGroup, group_id)
    if group is None or group.review_id != review_id:
        raise NotFound("There is no such group of duplicates in this review.")
    return group


def page(
    session: Session,
    *,
    review_id: ReviewId,
    state: GroupState | None,
    limit: int,
    cursor: Cursor = START,
) -> Slice[DuplicateGroup]:
    """Return groups, the surest first: among proposals those are settled fastest."""
    query = select(DuplicateGroup).where(DuplicateGroup.review_id == review_id)
    if state is not None:
        query = query.where(DuplicateGroup.state == state)
    order = (DuplicateGroup.score.desc(), DuplicateGroup.created_at, DuplicateGroup.id)
    return keyset_of_one(session, query, order, cursor, limit)


def members_of(
    session: Session, groups: Iterable[DuplicateGroupId]
) -> dict[DuplicateGroupId, list[RecordNumber]]:
    """Return the members of each group, ascending."""
    found: dict[DuplicateGroupId, list[RecordNumber]] = {group: [] for group in groups}
    for some in pieces(list(found)):
        query = (
            select(DuplicateMember.group_id, DuplicateMember.record_number)
            .where(DuplicateMember.group_id.in_(some))
            .order_by(DuplicateMember.record_number)
        )
        for group_id, number in session.execute(query):
            found[group_id].append(number)
    return found


def records_of(
    session: Session, review_id: ReviewId, numbers: Collection[RecordNumber]
) -> dict[RecordNumber, Record]:
    """Return the records of these numbers, by number."""
    found: dict[RecordNumber, Record] = {}
    for some in pieces(sorted(numbers)):
        query = (
            select(Record)
            .where(Record.review_id == review_id, Record.number.in_(some))
            .options(defer(Record.raw))  # the largest column, and never shown
        )
        found |= {record.number: record for record in session.scalars(query)}
    return found


def touching(
    session: Session,
    review_id: ReviewId,
    numbers: Collection[RecordNumber],
    state: GroupState | None = None,
) -> list[DuplicateGroup]:
    """Return the groups, in this state or any, that one of the records belongs to."""
    found: dict[DuplicateGroupId, DuplicateGroup] = {}
    for some in pieces(sorted(numbers)):
        query = (
            select(DuplicateGroup)
            .join(DuplicateMember, DuplicateMember.group_id == DuplicateGroup.id)
            .where(DuplicateMember.review_id == review_id, DuplicateMember.record_number.in_(some))
        )
        if state is not None:
            query = query.where(DuplicateGroup.state == state)
        found |= {group.id: group for group in session.scalars(query)}
    return sorted(found.values(), key=lambda group: (group.created_at, str(group.id)))


def all_members(
    session: Session, review_id: ReviewId, state: GroupState
) -> list[tuple[RecordNumber, ...]]:
    """Return the members of every group of the review in this state."""
    query = (
        select(DuplicateMember.group_id, DuplicateMember.record_number)
        .join(DuplicateGroup, DuplicateGroup.id == DuplicateMember.group_id)
        .where(DuplicateGroup.review_id == review_id, DuplicateGroup.state == state)
        .order_by(DuplicateMember.record_number)
    )
    found: dict[DuplicateGroupId, list[RecordNumber]] = defaultdict(list)
    for group_id, number in session.execute(query):
        found[group_id].append(number)
    return [tuple(members) for members in found.values()]


def apart(session: Session, review_id: ReviewId) -> set[frozenset[RecordNumber]]:
    """Return the pairs that somebody has marked as different."""
    kept = all_members(session, review_id, GroupState.KEPT)
    return {frozenset(pair) for members in kept for pair in combinations(members, 2)}


def grown_by(session: Session, review_id: ReviewId, import_id: ImportId) -> list[DuplicateGroupId]:
    """Return the linked groups that have a record of this import in them."""
    query = (
        select(DuplicateGroup.id)
        .join(DuplicateMember, DuplicateMember.group_id == DuplicateGroup.id)
        .join(
            Record,
            (Record.review_id == review_id) & (Record.number == DuplicateMember.record_number),
        )
        .where(
            DuplicateGroup.review_id == review_id,
            DuplicateGroup.state == GroupState.LINKED,
            Record.import_id == import_id,
        )
        .distinct()
    )
    return sorted(session.scalars(query), key=str)


def linked_numbers(session: Session, review_id: ReviewId) -> set[RecordNumber]:
    """Return the records that another one is screened for."""
    query = select(Record.number).where(Record.review_id == review_id, ~Record.is_shown)
    return set(session.scalars(query))


def drop(session: Session, groups: Collection[DuplicateGroup]) -> None:
    ids = [group.id for group in groups]
    for some in pieces(ids):
        session.execute(delete(DuplicateMember).where(DuplicateMember.group_id.in_(some)))
        session.execute(delete(DuplicateGroup).where(DuplicateGroup.id.in_(some)))


def count_as(session: Session, records: Iterable[Record], *, duplicates: bool) -> None:
    """Keep the imports' counts true for records that became duplicates, or are so no more."""
    change: dict[ImportId, int] = defaultdict(int)
    for record in records:
        change[record.import_id] += 1 if duplicates else -1
    session.flush()
    for import_id, by in change.items():
        session.execute(
            update(Import)
            .where(Import.id == import_id)
            .values(n_duplicates=Import.n_duplicates + by, n_added=Import.n_added - by)
        )
