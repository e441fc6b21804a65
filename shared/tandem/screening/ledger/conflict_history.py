"""A conflict's history: its record's state, and all that led to it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import ascii_uppercase

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from tandem.events.log import Event
from tandem.events.screening_types import (
    ConflictOpened,
    ConflictReopened,
    RecordExcluded,
    RecordIncluded,
)
from tandem.ids import ConflictId, UserId
from tandem.records.models import Record
from tandem.reviews.members import can_act
from tandem.reviews.models import Member, Role
from tandem.screening.ledger.state import RecordKey, RecordState
from tandem.screening.models import (
    Conflict,
    Decision,
    PresentDecision,
    Resolution,
    ScreenedRecord,
)
from tandem.screening.rules import Status


@dataclass(frozen=True, slots=True)
class ConflictHistory:
    """Everything that is stored of a conflict.

    Attributes:
        state: The state of its record in the stage.
        conflict: The conflict itself.
        record: The record.
        entries: All that was ever entered at its record in the stage, in order.
        resolutions: All that were ever given, in order, those that no longer count included.
        first_opened_seq: The review's `labels_seq` when it was first opened; None: not known.
        known_seq: The review's `labels_seq` when it was first opened since the record was last
            settled and everybody could see the votes.
        can_vote: Who of the review's members may decide, and is not switched off.
    """

    state: RecordState
    conflict: Conflict
    record: Record
    entries: Sequence[Decision]
    resolutions: Sequence[Resolution]
    first_opened_seq: int | None
    known_seq: int
    can_vote: frozenset[UserId]

    @property
    def status(self) -> Status:
        return self.state.status

    @property
    def voters(self) -> set[UserId]:
        return set(self.state.votes)

    @property
    def voted_again(self) -> set[UserId]:
        """Those of the voters who have used their second vote since the conflict was opened."""
        since = self.conflict.opened_seq
        again = {
            entry.reviewer_id
            for entry in self.entries
            if entry.second_in == self.conflict.id and entry.labels_seq > since
        }
        return again & self.voters

    def together(self) -> dict[UserId, Decision]:
        """Return the votes as they stood when all of the voters had last voted.

        When the conflict was opened, or each of them has voted once more since. The log tells
        whose every new vote is; of one vote that changes alone it would be seen whose it was.
        Who left is still among them, and who came later is not.
        """
        at, votes = self.known_seq, dict[UserId, Decision]()
        for entry in self.entries:
            if entry.labels_seq <= at:
                votes[entry.reviewer_id] = entry
        votes = {by: one for by, one in votes.items() if one.verdict is not None}
        newer = dict[UserId, Decision]()
        for entry in self.entries:
            if entry.labels_seq > at and entry.reviewer_id in votes:
                newer[entry.reviewer_id] = entry
            if len(newer) == len(votes) and all(one.verdict for one in newer.values()):
                votes, newer = newer, {}
        return votes

    def letters(self) -> dict[UserId, str]:
        """Return the letter of everybody who ever voted; it stays the same for good.

        Those who had voted when the conflict was opened are in the order of the random ids of
        their first entries, which nobody else is ever shown: it tells nothing of who voted first,
        or how. Who comes later has the next letter.
        """
        first: dict[UserId, Decision] = {}
        for entry in self.entries:
            first.setdefault(entry.reviewer_id, entry)
        end = self.first_opened_seq
        there = [e for e in first.values() if end is None or e.labels_seq <= end]
        later = [e for e in first.values() if end is not None and e.labels_seq > end]
        ordered = [*sorted(there, key=lambda entry: entry.id), *later]
        return {entry.reviewer_id: _letter(place) for place, entry in enumerate(ordered)}


def _letter(place: int) -> str:
    round_, letter = divmod(place, len(ascii_uppercase))
    return ascii_uppercase[letter] + (str(round_ + 1) if round_ else "")


def histories(session: Session, conflicts: Sequence[Conflict]) -> list[ConflictHistory]:
    """Return the histories of conflicts of one review, in the same order.

    A handful of queries, however many conflicts there are.
    """
    if not conflicts:
        return []
    ids, review_id = [conflict.id for conflict in conflicts], conflicts[0].review_id
    entries, votes = _votes(session, ids)
    resolutions: dict[ConflictId, list[Resolution]] = defaultdict(list)
    given = select(Resolution).where(Resolution.conflict_id.in_(ids))
    for resolution in session.scalars(given.order_by(Resolution.labels_seq)):
        resolutions[resolution.conflict_id].append(resolution)
    numbers = {conflict.record_number for conflict in conflicts}
    texts = select(Record).where(Record.review_id == review_id, Record.number.in_(numbers))
    records = {record.number: record for record in session.scalars(texts)}
    rows = _rows(session, ids)
    first_opened, known = _openings(session, conflicts)
    may_decide = select(Member.user_id).where(
        Member.review_id == review_id, Member.role != Role.OBSERVER, can_act()
    )
    can_vote = frozenset(session.scalars(may_decide))
    return [
        ConflictHistory(
            RecordState.of(
                RecordKey(review_id, conflict.stage, conflict.record_number),
                {vote.reviewer_id: vote for vote in votes[conflict.id]},
                next((one for one in resolutions[conflict.id] if one.is_active), None),
                conflict,
                rows.get(conflict.id),
            ),
            conflict,
            records[conflict.record_number],
            entries[conflict.id],
            resolutions[conflict.id],
            first_opened.get(conflict.id) or conflict.opened_seq or None,
            known.get(conflict.id) or conflict.opened_seq,
            can_vote,
        )
        for conflict in conflicts
    ]


Votes = dict[ConflictId, list[Decision]]


def _votes(session: Session, ids: Sequence[ConflictId]) -> tuple[Votes, Votes]:
    entries, present = Votes(), Votes()
    for conflict_id in ids:
        entries[conflict_id], present[conflict_id] = [], []
    query = (
        select(Conflict.id, Decision, PresentDecision.decision_id)
        .join(
            Decision,
            and_(
                Decision.review_id == Conflict.review_id,
                Decision.stage == Conflict.stage,
                Decision.record_number == Conflict.record_number,
            ),
        )
        .outerjoin(PresentDecision, PresentDecision.decision_id == Decision.id)
        .where(Conflict.id.in_(ids))
        .order_by(Decision.labels_seq)
    )
    for conflict_id, decision, is_present in session.execute(query):
        entries[conflict_id].append(decision)
        if is_present is not None:
            present[conflict_id].append(decision)
    return entries, present


def _rows(session: Session, ids: Sequence[ConflictId]) -> Mapping[ConflictId, ScreenedRecord]:
    query = (
        select(Conflict.id, ScreenedRecord)
        .join(
            ScreenedRecord,
            and_(
                ScreenedRecord.review_id == Conflict.review_id,
                ScreenedRecord.stage == Conflict.stage,
                ScreenedRecord.record_number == Conflict.record_number,
            ),
        )
        .where(Conflict.id.in_(ids))
    )
    return {found.id: found.ScreenedRecord for found in session.execute(query)}


Seqs = dict[ConflictId, int]


def _openings(session: Session, conflicts: Sequence[Conflict]) -> tuple[Seqs, Seqs]:
    """Return the `labels_seq` at which each was first opened, and first since it was settled.

    Where the log says it.
    """
    ids = {(one.stage.value, str(one.record_number)): one.id for one in conflicts}
    settled = (RecordIncluded.type, RecordExcluded.type)
    query = (
        select(Event.type, Event.data, Event.detail)
        .where(
            Event.review_id == conflicts[0].review_id,
            Event.subject.in_([*map(str, ids.values()), *(number for _, number in ids)]),
            Event.type.in_([ConflictOpened.type, ConflictReopened.type, *settled]),
        )
        .order_by(Event.seq)
    )
    first, known = Seqs(), Seqs()
    for kind, data, detail in session.execute(query):
        id = ids.get((data["stage"], data["record_id"]))
        if id is None:
            continue
        if kind in settled:
            known.pop(id, None)
        elif "opened_seq" in detail:
            first.setdefault(id, detail["opened_seq"])
            known.setdefault(id, detail["opened_seq"])
    return first, known
