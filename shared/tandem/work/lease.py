"""The right to do a piece of background work: taken, renewed, given back and lost in the database.

A message of the broker is only a hint. A worker that is killed leaves a lease that runs out, and
another one takes the work; one that comes back too late holds a fence that is not the newest any
more, and nothing that it made is stored.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, case, exists, literal, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import InstrumentedAttribute, Session

from tandem.db.base import UtcDateTime, now
from tandem.db.session import Database
from tandem.log import logger
from tandem.work.attempts import Attempted

_log = logger(__name__)


class Overtaken(Exception):
    """Another worker has this work, or there is no such work any more: nothing is stored."""


Row = TypeVar("Row", bound=Attempted)


def _nothing_else(_: Session, __: Any) -> None:
    """Note nothing else of work that is parked."""


@dataclass(frozen=True, slots=True, eq=False)
class Kind(Generic[Row]):
    """One sort of background work. Each row of its table is one piece of it.

    Attributes:
        name: As in `GET /jobs`.
        model: The table.
        key: The columns that name a row. The first is what a worker is asked to work on.
        is_due: Whether there is anything to do at a row, and it is not parked. Who holds it, and
            when it may be tried again, is no part of that.
        waiting: Returns what workers are to be asked for: what is due and held by nobody.
        unfinished: Selects all that is not done, for operators, as `work.jobs` reads it.
        on_park: Notes in the same transaction what else follows when a row is parked.
    """

    name: str
    model: type[Row]
    key: tuple[InstrumentedAttribute[Any], ...]
    is_due: Callable[[], ColumnElement[bool]]
    waiting: Callable[[Session], Sequence[UUID]]
    unfinished: Callable[[], Select[*tuple[Any, ...]]]
    on_park: Callable[[Session, Row], None] = _nothing_else


@dataclass(frozen=True, slots=True, eq=False)
class Held(Generic[Row]):
    """The right to store what one try makes.

    `row` is as it was when the work was taken; before storing anything, ask for it again by `hold`.
    """

    kind: Kind[Row]
    row: Row
    fence: int
    lasting: timedelta


@dataclass(frozen=True, slots=True)
class Parked:
    """The work was not taken: all its tries have failed, the last one by a worker that died."""


PARKED = Parked()


def is_waiting(kind: Kind[Any]) -> ColumnElement[bool]:
    """Whether a row is due, held by nobody, and may be tried now."""
    return and_(kind.is_due(), is_free(kind.model))


def is_free(model: type[Attempted]) -> ColumnElement[bool]:
    """Whether nobody holds a row and no failed try keeps others waiting."""
    moment = now()
    anyway = model.is_of_the_future(moment)
    return and_(
        or_(model.lease_until.is_(None), model.lease_until < moment, anyway),
        or_(model.not_before.is_(None), model.not_before <= moment, anyway),
    )


def rests(model: type[Attempted]) -> ColumnElement[bool]:
    """Whether a turn is over and the next is still to come; a failed one has a try behind it."""
    return and_(model.lease_until.is_(None), model.attempts == 0, model.not_before.is_not(None))


def has_to_wait(session: Session, kind: Kind[Any], *key: object) -> bool:
    """Whether there is such a row, and it is not to be taken now."""
    row = _named(kind, key)
    is_known, waits = (
        session.scalar(select(exists().where(*conditions)))
        for conditions in (row, [*row, is_waiting(kind)])
    )
    return bool(is_known and not waits)


def ensure_row(session: Session, kind: Kind[Any], *key: object, **values: object) -> None:
    """Add the row with these values, unless there is one."""
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    named = {column.key: value for column, value in zip(kind.key, key, strict=True)}
    statement = insert(kind.model).values(named | {"fence": 0} | values)
    session.execute(statement.on_conflict_do_nothing())


def take(
    session: Session, kind: Kind[Row], *key: object, lasting: timedelta
) -> Held[Row] | Parked | None:
    """Begin a try if the work is due and nobody holds it, else return None.

    Of a key that names several rows one is taken. Where all tries have failed, the last one by a
    worker that died of it, the work is parked instead.
    """
    row = _locked(session, kind, *_named(kind, key), is_waiting(kind))
    if row is None:
        return None
    if row.is_used_up:
        _park(session, kind, row)
        return PARKED
    return _begin(kind, row, lasting)


def resume(
    session: Session, kind: Kind[Row], *key: object, fence: int, lasting: timedelta
) -> Held[Row] | None:
    """Begin the turn after the one that `rest` ended, unless somebody else has begun one."""
    at_rest = (kind.model.fence == fence, rests(kind.model), kind.is_due())
    row = _locked(session, kind, *_named(kind, key), *at_rest)
    return None if row is None else _begin(kind, row, lasting)


def find(session: Session, held: Held[Row]) -> Row | None:
    """Return the row, locked, if the right to it is still held."""
    return _locked(session, held.kind, *_mine(held))


def hold(session: Session, held: Held[Row]) -> Row:
    """Return the row, locked, its lease renewed.

    Raises:
        Overtaken: The right to it was lost.
    """
    row = find(session, held)
    if row is None:
        raise Overtaken
    row.renew(held.lasting)
    return row


def rest(row: Attempted, held: Held[Any]) -> int:
    """End a turn; return the fence with which to begin the next.

    Where nobody begins it in time, others may begin it; they find no dead worker.
    """
    row.succeed()
    row.fence += 1
    row.not_before = now() + held.lasting
    return row.fence


def give_back(session: Session, held: Held[Any]) -> None:
    """Let others try at once: this worker has to stop, which is no fault of the work."""
    row = find(session, held)
    if row is not None:
        row.give_back()


def fail(session: Session, held: Held[Row], error: Exception) -> Row | None:
    """Let others try after a while, or park the work after the last try; None where it was lost."""
    row = find(session, held)
    if row is not None:
        row.fail(error)
        if row.is_used_up:
            _park(session, held.kind, row)
    return row


def try_again(session: Session, kind: Kind[Any], *key: object) -> None:
    """Forget failed tries, and take up what was parked. The caller has locked the review."""
    for row in session.scalars(select(kind.model).where(*_named(kind, key)).with_for_update()):
        row.try_again()


@contextmanager
def renewed(database: Database, held: Held[Any]) -> Iterator[Callable[[], None]]:
    """Keep a lease from running out while the block works, however long that commits nothing.

    Who is killed renews nothing more, so a lease may be short. The block gets what it may call
    between two steps: it raises `Overtaken` once the right to the work is known to be lost.
    """
    over, lost = threading.Event(), threading.Event()

    def require_held() -> None:
        if lost.is_set():
            raise Overtaken

    def renew() -> None:
        while not over.wait(held.lasting.total_seconds() / 3):
            try:
                with database.write.begin() as session:
                    is_held = _renew(session, held)
                if not is_held:
                    return lost.set()
            except OperationalError as error:
                # If it lasts, the lease runs out and the fence decides; nothing else to do.
                _log.warning("could not renew a lease", of=held.kind.name, error=str(error))

    thread = threading.Thread(target=renew, name="renew-lease", daemon=True)
    thread.start()
    try:
        yield require_held
    finally:
        over.set()
        thread.join()


def _renew(session: Session, held: Held[Any]) -> bool:
    model, moment = held.kind.model, now()
    began = case(
        (model.claimed_at > moment, literal(moment, UtcDateTime())), else_=model.claimed_at
    )
    renewal = (
        update(model)
        .where(*_mine(held))
        .values(lease_until=moment + held.lasting, claimed_at=began)
        .returning(model.fence)
        .execution_options(synchronize_session=False)
    )
    return session.execute(renewal).first() is not None


def _begin(kind: Kind[Row], row: Row, lasting: timedelta) -> Held[Row]:
    row.begin_try(lasting=lasting)
    return Held(kind, row, row.fence, lasting)


def _park(session: Session, kind: Kind[Row], row: Row) -> None:
    row.park()
    _log.error(f"{kind.name} parked; see GET /api/v1/jobs", key=_key(kind, row), cause=row.cause)
    kind.on_park(session, row)


def _key(kind: Kind[Any], row: Attempted) -> list[str]:
    return [str(getattr(row, column.key)) for column in kind.key]


def _named(kind: Kind[Any], key: Sequence[object]) -> list[ColumnElement[bool]]:
    return [column == value for column, value in zip(kind.key, key, strict=False)]


def _mine(held: Held[Any]) -> list[ColumnElement[bool]]:
    key = [getattr(held.row, column.key) for column in held.kind.key]
    model = held.kind.model
    return [*_named(held.kind, key), model.fence == held.fence, model.lease_until.is_not(None)]


def _locked(session: Session, kind: Kind[Row], *conditions: ColumnElement[bool]) -> Row | None:
    query = select(kind.model).where(*conditions).limit(1).with_for_update()
    return session.scalars(query.execution_options(populate_existing=True)).one_or_none()
