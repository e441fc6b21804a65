"""Which votes of somebody are active in a review, and on which decisions each of them rests."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from tandem.ids import RecordNumber, ReviewId, UserId
from tandem.records.models import Record
from tandem.reviews.policy import Stage
from tandem.screening.ledger.origins import given_on
from tandem.screening.ledger.state import RecordKey
from tandem.screening.models import Decision


class Active(NamedTuple):
    """A record whose ledger ends with a verdict of theirs, and the votes it rests on.

    Several votes, that on the record itself first, if there are others linked to it. `entries` is
    all that they entered there, in order; `linked` are the records that are linked to it.
    """

    last: Decision
    votes: list[Decision]
    entries: list[Decision]
    linked: Sequence[RecordNumber]

    @property
    def is_own(self) -> bool:
        """Whether it was decided on this very record, and did not come with a linked one."""
        return self.last.carried_from is None

    def before(self, session: Session, since: datetime | None) -> list[Decision]:
        """Return the votes that counted before then, on the record and on those linked to it."""
        if since is None:
            return []
        if not self.is_own:
            last = self.last
            key = RecordKey(last.review_id, last.stage, last.record_number)
            return given_on(session, key, last.reviewer_id, self.linked, before=since)
        made = [entry for entry in self.entries if entry.created_at < since][-1:]
        return [entry for entry in made if entry.verdict is not None]

    def is_second_thought(self, since: datetime | None) -> bool:
        """Whether all that they entered since then are second votes, which have no open event."""
        if since is None or not self.is_own:
            return False
        later = [entry for entry in self.entries if entry.created_at >= since]
        return all(entry.second_in is not None for entry in later)

    def is_withdrawn(self, session: Session, since: datetime | None) -> bool:
        """Whether nothing is left, or what they decided on this very record counts no longer."""
        before = self.before(session, since)
        number = self.last.record_number
        own_ones = [vote for vote in self.votes if vote.record_number == number]
        return not before or any(vote not in before for vote in own_ones)


def active_votes(session: Session, review_id: ReviewId, user_id: UserId) -> list[Active]:
    """Return where their verdicts are, records that are linked to another one included.

    If those were split, their own votes would count again. Which votes a carried one
    rests on does not hang on which of them was the stronger: that is for nobody to read from what
    is withdrawn.
    """
    query = (
        select(Decision)
        .where(Decision.review_id == review_id, Decision.reviewer_id == user_id)
        .order_by(Decision.labels_seq)
    )
    entered: dict[tuple[Stage, RecordNumber], list[Decision]] = {}
    for entry in session.scalars(query):
        entered.setdefault((entry.stage, entry.record_number), []).append(entry)
    found = list[Active]()
    for entries in entered.values():
        last = entries[-1]
        if last.verdict is None:
            continue
        votes, linked = [last], list[RecordNumber]()
        if last.carried_from is not None:
            votes, linked = _votes_behind(session, last)
        if votes:
            found.append(Active(last, votes, entries, linked))
    return found


def _votes_behind(session: Session, last: Decision) -> tuple[list[Decision], list[RecordNumber]]:
    """Return the votes that a transferred one stands for, and the records linked to its own."""
    key = RecordKey(last.review_id, last.stage, last.record_number)
    query = select(Record.number).where(
        Record.review_id == key.review_id, Record.duplicate_of == key.record_number
    )
    linked = list(session.scalars(query))
    return given_on(session, key, last.reviewer_id, linked), linked
