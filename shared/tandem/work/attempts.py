"""How often background work is tried, and what is kept of a failed try.

A try is counted in the database when it begins: a worker that is killed counts nothing any more.
Work that fails too often is parked: shown to people, and left alone until something about it
changes or somebody asks for it again.
"""

import os
import socket
from datetime import datetime, timedelta
from functools import cache

from sqlalchemy import ColumnElement, false, func, or_
from sqlalchemy.orm import InstrumentedAttribute, Mapped, mapped_column

from tandem.db.base import now
from tandem.db.faults import StorageFull, StorageUnwritable, meaning

MOST_TRIES = 5
"""Failed tries in a row, none of which got any further, after which work is parked."""

WAITS = (
    timedelta(seconds=2),
    timedelta(seconds=10),
    timedelta(minutes=1),
    timedelta(minutes=5),
)
"""From the begin of a failed try to the next. The first two are no longer than the lease that a
killed worker leaves behind, so one accident or two cost nothing more. All together outlast the
restart of a database or of an object store: that parks nothing."""

CLOCKS_APART = timedelta(minutes=1)
"""No two machines' clocks differ by so much (`tandem doctor` complains of two seconds)."""

DIED = "The worker fell silent: it was killed, ran out of memory, or was cut off."

_LONGEST_CAUSE = 500

_TOO_LITTLE_MEMORY = "the worker has too little memory for this; give it more, or a smaller file."


def has_run_out(
    lease_until: InstrumentedAttribute[datetime | None], *, lasting: timedelta
) -> ColumnElement[bool]:
    """Whether a lease, of so long at most, is over; one that ends later is of another clock."""
    moment = now()
    return or_(
        lease_until.is_(None),
        lease_until < moment,
        lease_until > moment + lasting + CLOCKS_APART,
    )


class Attempted:
    """The columns of work that one worker at a time holds, and that may fail.

    Attributes:
        fence: Raised by every holder. A holder with an older fence has lost the work.
        lease_until: So long it is held; None while nobody does.
        not_before: Nobody takes it earlier.
        attempts: Tries since it last got any further, the present one included.
        claimed_at: When the present try, or the last one, began.
        holder: Whose try that is: host and process.
        cause: Why the last failed try failed; None after a success.
        parked_at: Since then it is not tried any more.
    """

    fence: Mapped[int]
    lease_until: Mapped[datetime | None]
    not_before: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0, server_default="0")
    claimed_at: Mapped[datetime | None]
    holder: Mapped[str | None]
    cause: Mapped[str | None]
    parked_at: Mapped[datetime | None]

    @classmethod
    def is_of_the_future(cls, moment: datetime) -> ColumnElement[bool]:
        """Whether the clock was set back since the last try began: its times say nothing then."""
        return func.coalesce(cls.claimed_at > moment + CLOCKS_APART, false())

    @property
    def is_used_up(self) -> bool:
        """Whether all tries have failed, the last one by a worker that could not say so."""
        return self.attempts >= MOST_TRIES and self.parked_at is None

    def begin_try(self, *, lasting: timedelta) -> None:
        """Make this process the holder. The caller has locked the row and seen that it is free."""
        self.note_death()
        moment = now()
        # Parked work is taken up for a reason: its attempts start again at zero.
        self.attempts = 1 if self.parked_at is not None else self.attempts + 1
        self.parked_at = None
        self.fence += 1
        self.claimed_at, self.holder = moment, this_worker()
        self.lease_until, self.not_before = moment + lasting, moment + _wait_after(self.attempts)

    def note_death(self) -> None:
        """Say of a holder whose lease ran out what became of it."""
        if self.lease_until is not None:
            self.cause = DIED

    def renew(self, lasting: timedelta) -> None:
        """Hold the work from now on for so long. Where the clock was set back, it began now."""
        moment = now()
        self.lease_until = moment + lasting
        self.claimed_at = min(self.claimed_at or moment, moment)

    def succeed(self) -> None:
        self.attempts, self.cause, self.lease_until, self.not_before = 0, None, None, None

    def fail(self, error: Exception) -> None:
        """Give the work back with the cause of the failure."""
        self.cause, self.lease_until = cause_of(error), None

    def give_back(self) -> None:
        """Give the work back as if this try had not begun."""
        self.attempts, self.lease_until, self.not_before = self.attempts - 1, None, None

    def park(self) -> None:
        self.note_death()
        self.lease_until, self.not_before, self.parked_at = None, None, now()

    def try_again(self) -> None:
        """Forget the failed tries; whatever was parked is due again, at once."""
        self.attempts, self.not_before, self.parked_at = 0, None, None

    def got_further(self) -> None:
        """Count attempts from zero again: the rest is not what failed before."""
        self.attempts, self.cause = 1, None


def cause_of(error: Exception) -> str:
    """Return the cause in one short line; the worker's log has the whole traceback."""
    # The first line only: errors of databases go on with the statement and its values.
    text = (str(error).splitlines() or [""])[0].strip()
    if isinstance(error, MemoryError):
        text = text or _TOO_LITTLE_MEMORY
    if isinstance(known := meaning(error), StorageFull | StorageUnwritable):
        text = f"{known} ({text})"
    return f"{type(error).__name__}: {text}".removesuffix(": ")[:_LONGEST_CAUSE]


def _wait_after(n_tries: int) -> timedelta:
    return WAITS[n_tries - 1] if n_tries <= len(WAITS) else timedelta(0)


@cache
def _host() -> str:
    return socket.gethostname()


def this_worker() -> str:
    """Return the name under which people find this process: its host and its number."""
    # Not remembered whole: task processes are forks.
    return f"{_host()}:{os.getpid()}"
