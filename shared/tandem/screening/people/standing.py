"""Which verdicts of somebody stand in a review, and on which votes each of them rests."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from tandem.ids import RecordNumber, ReviewId, UserId
from tandem.records.models import Record
from tandem.reviews.policy import Stage
from tandem.screening.duplicates import carrying
from tandem.screening.ledger import Place
from tandem.screening.models import Decision


class Standing(NamedTuple):
    """Where the ledger of a record ends with a verdict of theirs, and the votes it rests on.

    Several votes, that on the record itself first, if there are others linked to it. `entries` is
    all that they entered there, in order.
    """

    last: Decision
    votes: list[Decision]
    entries: list[Decision]

    @property
    def is_own(self) -> bool:
        """Whether it was said of this very record, and did not come with one linked to it."""
        return self.last.carried_from is None

    def before(self, since: datetime | None) -> list[Decision]:
        """Return the votes that stood before then; of a record on its own what they last said."""
        if since is None:
            return []
        if not self.is_own:
            return [vote for vote in self.votes if vote.created_at < since]
        said = [entry for entry in self.entries if entry.created_at < since][-1:]
        return [entry for entry in said if entry.verdict is not None]

    def is_second_thought(self, since: datetime | None) -> bool:
        """Whether all that they said of it since then are second votes, which nobody hears of."""
        if since is None or not self.is_own:
            return False
        later = [entry for entry in self.entries if entry.created_at >= since]
        return all(entry.second_in is not None for entry in later)

    def is_withdrawn(self, since: datetime | None) -> bool:
        """Whether nothing is left, or what they said at this very record counts no longer."""
        before = self.before(since)
        number = self.last.record_number
        own_ones = [vote for vote in self.votes if vote.record_number == number]
        return not before or any(vote not in before for vote in own_ones)


def standing_of(session: Session, review_id: ReviewId, user_id: UserId) -> list[Standing]:
    """Return where their verdicts are, records that are linked to another one included.

    If those were parted again, what was said of them would count again. Which votes a carried one
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
    found = list[Standing]()
    for entries in entered.values():
        last = entries[-1]
        if last.verdict is None:
            continue
        votes = [last] if last.carried_from is None else _votes_behind(session, last)
        if votes:
            found.append(Standing(last, votes, entries))
    return found


def _votes_behind(session: Session, carried: Decision) -> list[Decision]:
    """Return the votes that a carried one stands for; of a linked record its own alone count."""
    place = Place(carried.review_id, carried.stage, carried.record_number)
    linked = select(Record.number).where(
        Record.review_id == place.review_id, Record.duplicate_of == place.record_number
    )
    staying = session.scalars(linked).all()
    return carrying.given_on(session, place, carried.reviewer_id, staying)
