"""Nobody is served a paper of their own: where names match, or where they say so themselves.

Names are compared once for each member and record, some at a time, and each record again that is
about to be served before its turn in that came; so nothing slips through, and no request waits
until a hundred thousand records are compared. They are compared again where a member is renamed or
authors are corrected. A match is a guess and is shown as one: who it
concerns may deny it. A decision that comes all the same is accepted, as every decision is.

Where records are linked, the one that is shown counts for all: its own declaration, or else what
was found at any of them.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property

from sqlalchemy import ColumnElement, Row, and_, bindparam, delete, select, update
from sqlalchemy.orm import Session

from tandem.accounts import service as accounts
from tandem.accounts.models import User
from tandem.db.base import now
from tandem.db.keyset import START, Cursor, Slice, keyset
from tandem.db.rows import fetch
from tandem.events import log
from tandem.events.types import InterestDeclared
from tandem.ids import RecordNumber, ReviewId, UserId
from tandem.records.models import Record
from tandem.records.names import Name
from tandem.reviews.models import LockedReview, Member, Review, Role
from tandem.reviews.policy import Stage
from tandem.reviews.service import Viewer
from tandem.screening.lease_models import Lease
from tandem.screening.ledger.loading import screenable
from tandem.screening.ledger.state import RecordKey
from tandem.screening.people.models import Interest

STEP = 1000
"""Records whose authors are compared in one request: some 20 ms."""


@dataclass(frozen=True, slots=True)
class Known:
    """An interest, with the person and the title of the record that it concerns.

    `is_withheld`: the record is not served to them.
    """

    interest: Interest
    user: User
    title: str
    is_withheld: bool


class OwnPapers:
    """The records that are not served to a member. The caller has locked the review."""

    def __init__(self, session: Session, review: Review, member: Member) -> None:
        self._session, self._member = session, member
        self._has_found = False
        if member.names_compared_to < review.last_record_number:
            behind = Record.number > member.names_compared_to
            compared = self._compare(behind) if self._name.is_findable else []
            member.names_compared_to = max(compared, default=review.last_record_number)
        self._has_found = False

    @cached_property
    def numbers(self) -> frozenset[RecordNumber]:
        """The records; read when they are first asked for."""
        return withheld(self._session, self._member.review_id, self._member.user_id)

    @cached_property
    def _name(self) -> Name:
        # Taken apart when it is needed: most requests come when all are compared.
        return Name(accounts.get_user(self._session, self._member.user_id).name)

    def __contains__(self, number: RecordNumber) -> bool:
        is_compared = number <= self._member.names_compared_to or not self._name.is_findable
        if not is_compared and number not in self.numbers:
            self._compare(Record.number == number)
            if self._has_found:
                self.numbers = withheld(self._session, self._member.review_id, self._member.user_id)
                self._has_found = False
        return number in self.numbers

    def _compare(self, which: ColumnElement[bool]) -> list[RecordNumber]:
        """Look for the member among the authors of the first such records; return their numbers."""
        query = (
            select(Record.number, Record.authors)
            .where(Record.review_id == self._member.review_id, which)
            .order_by(Record.number)
            .limit(STEP)
        )
        rows = self._session.execute(query).all()
        for number, authors in rows:
            if (author := self._name.first_like(authors)) is not None:
                self._found(number, author)
        return [number for number, _ in rows]

    def _found(self, number: RecordNumber, author: str) -> None:
        interest = _interest(self._session, self._member.review_id, self._member.user_id, number)
        interest.author, self._has_found = author, True
        if interest.declared is None:
            _let_go(self._session, self._member.review_id, self._member.user_id, number)


def compare_name_again(session: Session, user_id: UserId) -> None:
    """Compare somebody's name with all authors again: it is another one now.

    What they hold is compared when it is served again. What was found by the name before stays:
    they may have published under it.
    """
    theirs = select(Member.review_id).where(Member.user_id == user_id)
    # Else a queue request that has read the old name would say that it was compared with all.
    held = select(Review.id).where(Review.id.in_(theirs)).order_by(Review.id)
    session.execute(held.with_for_update(key_share=True))
    again = update(Member).where(Member.user_id == user_id).values(names_compared_to=0)
    session.execute(again.execution_options(synchronize_session=False))


def compare_authors_again(session: Session, review: LockedReview, number: RecordNumber) -> None:
    """Compare the names of the review's members with the authors of a record again."""
    again = update(Member).where(Member.review_id == review.id, Member.names_compared_to >= number)
    session.execute(
        again.values(names_compared_to=number - 1).execution_options(synchronize_session=False)
    )


def declare(
    session: Session,
    *,
    review: LockedReview,
    viewer: Viewer,
    record_number: RecordNumber,
    has_interest: bool,
) -> Known:
    """Say of oneself whether one has an interest in a record. It counts for more than a match.

    To say the same again changes nothing.

    Raises:
        NotFound: The review has no such record.
        IsDuplicate: Another record is screened in its key.
        Forbidden: An observer is served nothing.
    """
    viewer.require(Role.REVIEWER, "declare an interest")
    # Of either stage: what starts at full text is served there.
    screenable(session, RecordKey(review.id, Stage.FULL_TEXT, record_number))
    title = session.get_one(Record, (review.id, record_number)).title
    interest = _interest(session, review.id, viewer.user_id, record_number)
    if interest.declared is not has_interest:
        detail = {"by": str(viewer.user_id), "from": interest.declared, "to": has_interest}
        user_id, record_id = str(viewer.user_id), str(record_number)
        fact = InterestDeclared(record_id=record_id, user_id=user_id, detail=detail)
        log.append(session, review, fact)
        interest.declared, interest.at = has_interest, now()
    if has_interest:
        _let_go(session, review.id, viewer.user_id, record_number)
    session.flush()
    user = accounts.get_user(session, viewer.user_id)
    return Known(interest, user, title, is_withheld=has_interest)


def listed(session: Session, viewer: Viewer, *, limit: int, cursor: Cursor = START) -> Slice[Known]:
    """Return the interests that are known: an owner gets everybody's, all others their own."""
    query = (
        select(Interest, User, Record.title)
        .join(User, User.id == Interest.user_id)
        .join(Record, _its_record())
        .where(Interest.review_id == viewer.review_id)
    )
    if not viewer.has(Role.OWNER):
        query = query.where(Interest.user_id == viewer.user_id)
    rows = keyset(session, query, (Interest.record_number, User.email), cursor, limit)
    people = {interest.user_id for interest, _, _ in rows.items}
    own = {person: withheld(session, viewer.review_id, person) for person in people}

    def known(row: tuple[Interest, User, str]) -> Known:
        interest, user, title = row
        return Known(interest, user, title, interest.record_number in own[user.id])

    return rows.map(known)


def withheld(session: Session, review_id: ReviewId, user_id: UserId) -> frozenset[RecordNumber]:
    """Return the shown records that this person has an interest in."""
    return withheld_in(session, [review_id], user_id).get(review_id, frozenset())


def withheld_in(
    session: Session, review_ids: Collection[ReviewId], user_id: UserId
) -> dict[ReviewId, frozenset[RecordNumber]]:
    """Return `withheld` for each of these reviews that has any such records, in one query."""
    whose = {"review_ids": list(review_ids), "user_id": user_id}
    rows: dict[ReviewId, list[_Row]] = {}
    for row in fetch(session, _INTERESTS, whose):
        rows.setdefault(row.review_id, []).append(row)
    found = {review_id: _withheld(some) for review_id, some in rows.items()}
    return {review_id: numbers for review_id, numbers in found.items() if numbers}


_Row = Row[ReviewId, RecordNumber, str | None, bool | None, RecordNumber]


def _withheld(rows: Sequence[_Row]) -> frozenset[RecordNumber]:
    found: dict[RecordNumber, bool] = {}
    declared: dict[RecordNumber, bool] = {}
    for row in rows:
        shown = row.shown_as
        counts = row.author is not None if row.declared is None else row.declared
        found[shown] = found.get(shown, False) or counts
        if row.shown_as == row.record_number and row.declared is not None:
            declared[shown] = row.declared
    return frozenset(number for number, counts in (found | declared).items() if counts)


def _interest(
    session: Session, review_id: ReviewId, user_id: UserId, number: RecordNumber
) -> Interest:
    interest = session.get(Interest, (review_id, user_id, number))
    if interest is None:
        interest = Interest(review_id=review_id, user_id=user_id, record_number=number, at=now())
        session.add(interest)
    return interest


def _let_go(session: Session, review_id: ReviewId, user_id: UserId, number: RecordNumber) -> None:
    session.execute(
        delete(Lease).where(
            Lease.review_id == review_id, Lease.user_id == user_id, Lease.record_number == number
        )
    )


def _its_record() -> ColumnElement[bool]:
    return and_(Record.review_id == Interest.review_id, Record.number == Interest.record_number)


_INTERESTS = (
    select(
        Interest.review_id,
        Interest.record_number,
        Interest.author,
        Interest.declared,
        Record.shown_as.label("shown_as"),
    )
    .join(Record, _its_record())
    .where(
        Interest.review_id.in_(bindparam("review_ids", expanding=True)),
        Interest.user_id == bindparam("user_id"),
    )
)
