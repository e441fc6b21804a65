"""Whether somebody else's verdict on a record was ever open to a person, by what the log tells.

The log is followed moment by moment: a moment is the end of a transaction, for nobody is shown
what is between. At each one counts who the person was then, which policy was in force, and which
votes were there. A verdict belongs to the record that it was given on, and is looked for wherever
it was shown: votes go with a record that is linked to another one.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, String, bindparam, cast, or_, select
from sqlalchemy.orm import Session

from service.domain.glimpses import Glimpses
from tandem.events import log
from tandem.events.log import Event
from tandem.events.types import DuplicatesSplit, MemberAdded, ReviewChanged, ReviewCreated
from tandem.ids import RecordNumber, UserId
from tandem.records.models import Record
from tandem.reviews.models import Role
from tandem.reviews.policy import Policy
from tandem.screening.ledger.state import RecordKey
from tandem.screening.models import Conflict, Decision, Resolution

_TOLD_BEFORE = "before"
"""The transaction of all entries that were made before there was a trail."""

_CAUSES = ("tandem.decision.", "tandem.duplicates.", "tandem.member.", "tandem.review.")


class _Event(NamedTuple):
    seq: int
    type: str
    data: Mapping[str, Any]
    detail: Mapping[str, Any]


def is_informed(session: Session, key: RecordKey, user_id: UserId) -> bool:
    """Whether what this person says of the record now is said knowing another's verdict on it.

    So it is if one was open to them at any moment before this transaction, or an earlier entry
    of theirs is informed: to withdraw and decide again makes nobody uninformed.
    """
    numbers = {key.record_number, *_linked_to(session, key)}
    asked = {"review_id": key.review_id, "stage": key.stage, "numbers": sorted(numbers)}
    found = session.execute(_ENTRIES, asked).all()
    at = key.record_number
    if any(known and (n, who) == (at, user_id) for n, who, known in found):
        return True
    is_judged = any(who != user_id for _, who, _ in found)
    # A conflict, and so a verdict that settles one, may be of one's own vote alone: a `maybe`.
    if not is_judged and (not found or not _is_settled(session, key, numbers, user_id)):
        return False
    rules = _rules(session, key, user_id)
    if not any(who == user_id for _, who, _ in found) and not _may_see_all(key, rules):
        return False
    return _was_shown(session, key, user_id, {str(number) for number in numbers}, rules)


_ENTRIES = select(Decision.record_number, Decision.reviewer_id, Decision.informed).where(
    Decision.review_id == bindparam("review_id"),
    Decision.stage == bindparam("stage"),
    Decision.record_number.in_(bindparam("numbers", expanding=True)),
)


def _linked_to(session: Session, key: RecordKey) -> Iterable[RecordNumber]:
    which = {"review_id": key.review_id, "record_number": key.record_number}
    return session.scalars(_LINKED_TO, which)


_LINKED_TO = select(Record.number).where(
    Record.review_id == bindparam("review_id"), Record.duplicate_of == bindparam("record_number")
)


def _is_settled(
    session: Session, key: RecordKey, numbers: Collection[RecordNumber], user_id: UserId
) -> bool:
    """Whether anybody else ever settled a conflict about these records."""
    query = (
        select(Resolution.id)
        .where(
            Resolution.review_id == key.review_id,
            Resolution.stage == key.stage,
            Resolution.record_number.in_(numbers),
            Resolution.resolver_id != user_id,
        )
        .limit(1)
    )
    return session.scalar(query) is not None


def _rules(session: Session, key: RecordKey, user_id: UserId) -> list[_Event]:
    """Return the events about the stage's policy, this person's roles, and separated records."""
    asked = {
        "review_id": key.review_id,
        "policy": f'"policy.{key.stage}"',
        "user_id": str(user_id),
    }
    return [_Event(*row) for row in session.execute(_RULES, asked)]


_EVENTS = select(Event.seq, Event.type, Event.data, Event.detail)
_RULES = _EVENTS.where(
    Event.review_id == bindparam("review_id"),
    Event.type.in_(
        [ReviewCreated.type, ReviewChanged.type, MemberAdded.type, DuplicatesSplit.type]
    ),
    # Of all that was changed in the review only its policy, which few changes are of.
    or_(Event.type != ReviewChanged.type, cast(Event.data, String).contains(bindparam("policy"))),
    or_(Event.type != MemberAdded.type, Event.subject == bindparam("user_id")),
)


def _may_see_all(key: RecordKey, rules: Iterable[_Event]) -> bool:
    """Whether one who has said nothing of these records may have been shown a verdict.

    Who screens blind is shown none before they have decided. Where records were parted, what
    they have said of others of them would count too: then the whole story has to be read.
    """
    for event in rules:
        if event.type == DuplicatesSplit.type:
            return True
        if event.type == MemberAdded.type and Role(event.data["role"]).reaches(Role.ADJUDICATOR):
            return True
        policy = event.detail.get("policy", {}).get(key.stage)
        if policy is not None and not Policy.model_validate(policy).blind:
            return True
    return False


def _was_shown(
    session: Session, key: RecordKey, user_id: UserId, about: set[str], rules: list[_Event]
) -> bool:
    glimpses = Glimpses(key, user_id, about)
    for moment in _moments(session, _history(session, key, user_id, about, rules)):
        for event in moment:
            glimpses.apply(event.type.removeprefix("tandem."), event.data, event.detail)
        if glimpses.show_a_verdict():
            return True
    return False


def _history(
    session: Session, key: RecordKey, user_id: UserId, about: set[str], rules: list[_Event]
) -> list[_Event]:
    """Return all that bears on it: rules, this person's roles, and every record linked with it."""
    found = list(rules)
    parted = [event.data for event in rules if event.type == DuplicatesSplit.type]
    read, new = set[str](), {str(user_id), *about}
    while new:
        subjects = new | _conflicts(session, key, new - {str(user_id)})
        event = list(_events(session, key, Event.subject.in_(subjects)))
        found, read = found + event, read | new
        new = set(_linked_with(read, [*parted, *(one.data for one in event)])) - read
    return sorted({event.seq: event for event in found}.values())


def _events(session: Session, key: RecordKey, which: ColumnElement[bool]) -> Iterator[_Event]:
    query = _EVENTS.where(Event.review_id == key.review_id, which)
    return (_Event(*row) for row in session.execute(query))


def _conflicts(session: Session, key: RecordKey, records: Collection[str]) -> set[str]:
    query = select(Conflict.id).where(
        Conflict.review_id == key.review_id,
        Conflict.stage == key.stage,
        Conflict.record_number.in_([int(number) for number in records]),
    )
    return {str(conflict_id) for conflict_id in session.scalars(query)}


def _linked_with(records: Collection[str], event: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for data in event:
        pair = {data.get("record_id"), data.get("duplicate_id", data.get("carried_from"))}
        if not pair.isdisjoint(records):
            yield from pair - {None}


def _moments(session: Session, history: Iterable[_Event]) -> Iterator[list[_Event]]:
    """Yield the events of each transaction before this one."""
    this = log.transaction(session)
    for moment, event in groupby(history, key=_Moments()):
        if moment == this:
            return
        yield list(event)


class _Moments:
    """Says of each event which moment it belongs to: events of the same one follow each other.

    Of those before there was a trail nobody knows which were made together: what somebody did
    begins a new moment, and what followed from it belongs to the same one.
    """

    def __init__(self) -> None:
        self._cause = 0

    def __call__(self, event: _Event) -> str | int:
        tx: str = event.detail["tx"]
        if tx != _TOLD_BEFORE:
            return tx
        is_carried = event.data.get("carried_from") is not None
        if event.data.get("by") == "resolution" or (
            event.type.startswith(_CAUSES) and not is_carried
        ):
            self._cause = event.seq
        return self._cause
