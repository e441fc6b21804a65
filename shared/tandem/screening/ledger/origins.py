"""On which records a vote was given that is active at one of them."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy.orm import Session

from tandem.ids import RecordNumber, UserId
from tandem.screening.ledger.loading import entries
from tandem.screening.ledger.state import RecordKey
from tandem.screening.models import Decision


def given_on(
    session: Session,
    key: RecordKey,
    reviewer_id: UserId,
    staying: Collection[RecordNumber],
    *,
    before: datetime | None = None,
) -> list[Decision]:
    """Return somebody's votes on a record and on those that stay linked to it.

    Theirs on the record itself comes first, then the others as they were given. `before`: as
    they were at that time, with the records linked as they are now.
    """
    made = [entry for entry in entries(session, key) if entry.reviewer_id == reviewer_id]
    owned = [entry for entry in made if entry.carried_from is None]
    since = owned[-1].labels_seq if owned else 0
    if before is not None:
        owned = [entry for entry in owned if entry.created_at < before]
    own = owned[-1] if owned else None
    sources = {
        entry.carried_from
        for entry in made
        if entry.labels_seq > since
        and entry.carried_from is not None
        and entry.carried_from != key.record_number
        and entry.carried_from in staying
    }
    given = {own.id: own} if own is not None else {}
    for source in sorted(sources):
        there = RecordKey(key.review_id, key.stage, source)
        less = [number for number in staying if number not in (source, key.record_number)]
        votes = given_on(session, there, reviewer_id, less, before=before)
        given |= {vote.id: vote for vote in votes}
    own_number = key.record_number
    return sorted(
        (vote for vote in given.values() if vote.verdict is not None),
        key=lambda vote: (vote.record_number != own_number, vote.labels_seq),
    )
