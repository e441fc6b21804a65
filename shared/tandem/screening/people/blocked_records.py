"""Records that nobody is left to decide, listed for the owners, who can fix it.

A record is blocked where it lacks more decisions than there are people left to give them: people
who screen, have not decided it, and have no interest in it. Those screen who are reviewers, or have
decided a record of the stage; not those who pause, whose account is switched off, or who have had
all of their share.

All goes by the number of decisions and by who gave them, never by what they say.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from tandem.db.pieces import pieces
from tandem.ids import RecordNumber, ReviewId, UserId
from tandem.records.models import Record
from tandem.records.shown import n_shown
from tandem.reviews.members import can_act
from tandem.reviews.models import Member, Role
from tandem.reviews.policy import Policy, Stage
from tandem.screening.models import PresentDecision, ScreenedRecord
from tandem.screening.people import interests, workload
from tandem.screening.rules import Status

_MOST_NAMED = 100


@dataclass(frozen=True, slots=True)
class BlockedRecords:
    """What nobody will decide as things are.

    Attributes:
        n_screeners: So many people screen.
        n_records: So many records are blocked.
        numbers: The first hundred of them.
        n_beyond_shares: So many of the decisions that are lacking are in nobody's share; 0 if one
            of those who screen has none, and takes what comes.
    """

    n_screeners: int
    n_records: int
    numbers: list[RecordNumber]
    n_beyond_shares: int


def blocked_records(
    session: Session, review_id: ReviewId, policies: Mapping[Stage, Policy]
) -> BlockedRecords | None:
    """Return which titles and abstracts nobody will decide; None if there are none."""
    stage = Stage.TITLE_ABSTRACT
    left = _left_of_shares(session, review_id, stage, policies)
    screeners = {person for person, n_left in left.items() if n_left != 0}
    work = _Work(session, review_id, stage, policies[stage].reviewers_per_record)
    n_records, numbers = work.lacking_people(screeners)
    own = work.lacking_people_for_interests(screeners)
    shares = [n_left for n_left in left.values() if n_left is not None]
    is_shared_out = bool(left) and len(shares) == len(left)
    beyond = max(0, work.n_decisions_lacking() - sum(shares)) if is_shared_out else 0
    if not (n_records or own or beyond):
        return None
    named = sorted({*numbers, *own})[:_MOST_NAMED]
    return BlockedRecords(len(screeners), n_records + len(own), named, beyond)


def _left_of_shares(
    session: Session, review_id: ReviewId, stage: Stage, policies: Mapping[Stage, Policy]
) -> dict[UserId, int | None]:
    """Return who screens and does not pause, with what is left of their share, if they have one."""
    query = select(Member).where(
        Member.review_id == review_id,
        Member.role != Role.OBSERVER,
        Member.paused_at.is_(None),
        can_act(),
    )
    members = session.scalars(query).all()
    work = workload.of_members(session, review_id, stage, policies, members)
    return {
        member.user_id: work[member.user_id].left
        for member in members
        if member.role is Role.REVIEWER or work[member.user_id].decided
    }


@dataclass(frozen=True, slots=True)
class _Work:
    """What is open in a stage. `quota`: how many decide each record."""

    session: Session
    review_id: ReviewId
    stage: Stage
    quota: int

    def lacking_people(self, screeners: set[UserId]) -> tuple[int, list[RecordNumber]]:
        """Count and name the records that too few have decided for these to do the rest."""
        shortfall = self.quota - len(screeners)
        if shortfall <= 0:  # each of them who has not decided a record can
            return 0, []
        by_others = (
            select(PresentDecision.record_number)
            .where(
                PresentDecision.review_id == self.review_id,
                PresentDecision.stage == self.stage,
                PresentDecision.reviewer_id.not_in(screeners),
            )
            .group_by(PresentDecision.record_number)
            .having(func.count() >= shortfall)
        )
        can_be_done = self._begun(func.count()).where(
            self._lacks(), ScreenedRecord.record_number.in_(by_others)
        )
        n_records = self._n_open() - (self.session.scalar(can_be_done) or 0)
        if not n_records:
            return 0, []
        found = self._open(Record.number).where(Record.number.not_in(by_others))
        first = found.order_by(Record.number).limit(_MOST_NAMED)
        return n_records, list(self.session.scalars(first))

    def lacking_people_for_interests(self, screeners: set[UserId]) -> list[RecordNumber]:
        """Name the records that these could decide if none of them had an interest in it."""
        barred: dict[RecordNumber, set[UserId]] = defaultdict(set)
        for person in screeners:
            for number in interests.withheld(self.session, self.review_id, person):
                barred[number].add(person)
        found = []
        for piece in pieces(sorted(barred)):
            decided = self._deciders(piece, screeners)
            n_decisions = func.coalesce(ScreenedRecord.n_decisions, 0)
            rows = self._open(Record.number, n_decisions).where(Record.number.in_(piece))
            for number, n_given in self.session.execute(rows):
                lacking, free = self.quota - n_given, screeners - decided[number]
                if len(free - barred[number]) < lacking <= len(free):
                    found.append(number)
        return found

    def n_decisions_lacking(self) -> int:
        given = self._begun(func.sum(ScreenedRecord.n_decisions)).where(self._lacks())
        return self._n_open() * self.quota - int(self.session.scalar(given) or 0)

    def _n_open(self) -> int:
        """Count what is open without reading it: all but what is closed."""
        closed = self._begun(func.count()).where(~self._lacks())
        return n_shown(self.session, self.review_id) - (self.session.scalar(closed) or 0)

    def _deciders(
        self, numbers: Sequence[RecordNumber], people: set[UserId]
    ) -> dict[RecordNumber, set[UserId]]:
        query = select(PresentDecision.record_number, PresentDecision.reviewer_id).where(
            PresentDecision.review_id == self.review_id,
            PresentDecision.stage == self.stage,
            PresentDecision.record_number.in_(numbers),
            PresentDecision.reviewer_id.in_(people),
        )
        found: dict[RecordNumber, set[UserId]] = defaultdict(set)
        for number, person in self.session.execute(query):
            found[number].add(person)
        return found

    def _lacks(self) -> ColumnElement[bool]:
        return and_(
            ScreenedRecord.status.in_([Status.UNSCREENED, Status.AWAITING]),
            ScreenedRecord.n_decisions < self.quota,
        )

    def _is_screened(self) -> ColumnElement[bool]:
        return and_(
            ScreenedRecord.review_id == Record.review_id,
            ScreenedRecord.stage == self.stage,
            ScreenedRecord.record_number == Record.number,
        )

    def _begun(self, *columns: ColumnElement[Any]) -> Select[Any]:
        """Select from what has a status: as many rows as records that somebody has decided."""
        return (
            select(*columns)
            .select_from(ScreenedRecord)
            .join(Record, self._is_screened())
            .where(
                ScreenedRecord.review_id == self.review_id,
                ScreenedRecord.stage == self.stage,
                Record.is_in_screening,
            )
        )

    def _open(self, *columns: ColumnElement[Any] | InstrumentedAttribute[Any]) -> Select[Any]:
        return (
            select(*columns)
            .select_from(Record)
            .outerjoin(ScreenedRecord, self._is_screened())
            .where(
                Record.review_id == self.review_id,
                Record.is_in_screening,
                or_(ScreenedRecord.status.is_(None), self._lacks()),
            )
        )
