"""Everything that is stored of a conflict, whoever asks."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import ascii_uppercase

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from tandem.events.log import Event
from tandem.events.types import ConflictOpened, ConflictReopened
from tandem.ids import ConflictId, UserId
from tandem.records.models import Record
from tandem.reviews.models import Member, Role
from tandem.screening.models import (
    Conflict,
    Decision,
    PresentDecision,
    Resolution,
    ScreenedRecord,
)
from tandem.screening.rules import Status


@dataclass(frozen=True, slots=True)
class File:
    """Everything that is stored of a conflict.

    `entries` are all that was ever entered at its record in the stage, in order; `present` are
    those of them that count. `first_opened_seq` is the review's `labels_seq` when it was first
    opened, None where that is not known. `can_vote`: who of the review's members may decide.
    """

    conflict: Conflict
    record: Record
    status: Status
    entries: Sequence[Decision]
    present: Sequence[Decision]
    resolutions: Sequence[Resolution]
    first_opened_seq: int | None
    can_vote: frozenset[UserId]

    @property
    def voters(self) -> set[UserId]:
        return {decision.reviewer_id for decision in self.present}

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

    @property
    def standing(self) -> Resolution | None:
        return next((one for one in self.resolutions if _stands(one)), None)

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


def _stands(resolution: Resolution) -> bool:
    return not resolution.is_set_aside and resolution.taken_back_at is None


def _letter(place: int) -> str:
    round_, letter = divmod(place, len(ascii_uppercase))
    return ascii_uppercase[letter] + (str(round_ + 1) if round_ else "")


def files_of(session: Session, conflicts: Sequence[Conflict]) -> list[File]:
    """Return the files of conflicts of one review, in the same order.

    A handful of queries, however many conflicts there are.
    """
    if not conflicts:
        return []
    ids, review_id = [conflict.id for conflict in conflicts], conflicts[0].review_id
    entries, present = _votes(session, ids)
    resolutions: dict[ConflictId, list[Resolution]] = defaultdict(list)
    given = select(Resolution).where(Resolution.conflict_id.in_(ids))
    for resolution in session.scalars(given.order_by(Resolution.labels_seq)):
        resolutions[resolution.conflict_id].append(resolution)
    numbers = {conflict.record_number for conflict in conflicts}
    texts = select(Record).where(Record.review_id == review_id, Record.number.in_(numbers))
    records = {record.number: record for record in session.scalars(texts)}
    statuses, opened = _statuses(session, ids), _first_opened(session, conflicts)
    may_decide = select(Member.user_id).where(
        Member.review_id == review_id, Member.role != Role.OBSERVER
    )
    can_vote = frozenset(session.scalars(may_decide))
    return [
        File(
            conflict,
            records[conflict.record_number],
            statuses.get(conflict.id, Status.UNSCREENED),
            entries[conflict.id],
            present[conflict.id],
            resolutions[conflict.id],
            opened.get(str(conflict.id)) or conflict.opened_seq or None,
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


def _statuses(session: Session, ids: Sequence[ConflictId]) -> Mapping[ConflictId, Status]:
    query = (
        select(Conflict.id, ScreenedRecord.status)
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
    return {row.id: row.status for row in session.execute(query)}


def _first_opened(session: Session, conflicts: Sequence[Conflict]) -> dict[str, int]:
    """Return the `labels_seq` at which each was first opened, where the log says it."""
    query = (
        select(Event.subject, Event.detail)
        .where(
            Event.review_id == conflicts[0].review_id,
            Event.subject.in_([str(conflict.id) for conflict in conflicts]),
            Event.type.in_([ConflictOpened.type, ConflictReopened.type]),
        )
        .order_by(Event.seq)
    )
    found: dict[str, int] = {}
    for subject, detail in session.execute(query):
        if subject is not None and "opened_seq" in detail:
            found.setdefault(subject, detail["opened_seq"])
    return found
