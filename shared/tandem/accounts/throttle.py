"""How often somebody may guess a secret: counted by pair of address and source, and by source.

An attempt is counted before the secret is looked at, and what was right is taken off again: of
many guesses at once no more are looked at than of as many in a row, however many processes serve
them. The counts are in the database, so there is nothing that could be away and let all through.
Nobody is locked out from elsewhere: a pair counts the attempts of its own source only. Whether
there is an account with the address makes no difference.
"""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from tandem.accounts.models import Attempts
from tandem.db.base import now
from tandem.db.session import Database
from tandem.errors import TooManyAttempts

_FIRST_WAIT, _LONGEST_WAIT = timedelta(seconds=10), timedelta(minutes=15)
_QUIET = timedelta(minutes=1)
"""Attempts that follow each other more closely are all counted, however slow the machine is."""
_KEPT_FOR = timedelta(days=1)
"""By then every count has sunk to nothing."""


@dataclass(frozen=True, slots=True)
class _Limit:
    """So many attempts are free; in quiet times one is forgotten in each `per`."""

    free: int
    per: timedelta

    def wait(self, level: float) -> timedelta | None:
        """Return how long the next attempt has to wait, None for not at all."""
        over = round(level) - self.free
        if over < 0:
            return None
        return min(_LONGEST_WAIT, _FIRST_WAIT * 2.0 ** min(over, 16))


_PAIR = _Limit(5, timedelta(minutes=10))
_SOURCE = _Limit(20, timedelta(minutes=3))


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt that was counted."""

    pair: str
    source: str


def begin(database: Database, *, about: str, source: str) -> Attempt:
    """Count an attempt.

    Args:
        database: Where the counts are.
        about: What is guessed at: an address, or the kind of secret.
        source: Where it comes from.

    Raises:
        TooManyAttempts: There were too many; this one is not counted, and must not be looked at.
    """
    attempt = Attempt(_key("pair", about, source), _key("source", source))
    keys = [attempt.pair, attempt.source]
    with database.read() as session:  # most of a flood ends here, without a write
        _refuse_blocked(session.scalars(select(Attempts).where(Attempts.key.in_(keys))).all())
    with database.write.begin() as session:
        rows = _locked(session, keys)
        _refuse_blocked(list(rows.values()))
        for key, limit in ((attempt.pair, _PAIR), (attempt.source, _SOURCE)):
            _count(rows[key], limit)
        session.execute(delete(Attempts).where(Attempts.counted_at < now() - _KEPT_FOR))
    return attempt


def succeed(session: Session, attempt: Attempt) -> None:
    """Clear the pair, and take this attempt off its source's count."""
    rows = _locked(session, [attempt.pair, attempt.source])
    session.delete(rows[attempt.pair])
    source = rows[attempt.source]
    source.level = max(0.0, source.level - 1)
    if _SOURCE.wait(source.level) is None:
        source.blocked_until = None


def _count(row: Attempts, limit: _Limit) -> None:
    counted = now()
    quiet = counted - row.counted_at
    if quiet > _QUIET:
        row.level = max(0.0, row.level - quiet / limit.per)
    row.level += 1
    row.counted_at = counted
    wait = limit.wait(row.level)
    row.blocked_until = None if wait is None else counted + wait


def _refuse_blocked(rows: Sequence[Attempts]) -> None:
    at = now()
    ends = [row.blocked_until for row in rows if row.blocked_until]
    # One further ahead than anybody waits is of a clock that was set back since.
    until = max((end for end in ends if end <= at + _LONGEST_WAIT), default=at)
    if until > at:
        raise TooManyAttempts(
            "There were too many failed attempts from here. Wait, then try again.",
            retry_after=math.ceil((until - at).total_seconds()),
        )


def _locked(session: Session, keys: Sequence[str]) -> dict[str, Attempts]:
    """Return the rows of these keys, made where there are none, locked in the same order by all."""
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    new = [
        {"key": key, "level": 0.0, "counted_at": now(), "blocked_until": None}
        for key in sorted(keys)
    ]
    session.execute(insert(Attempts).values(new).on_conflict_do_nothing())
    query = select(Attempts).where(Attempts.key.in_(keys)).order_by(Attempts.key)
    return {row.key: row for row in session.scalars(query.with_for_update())}


def _key(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
