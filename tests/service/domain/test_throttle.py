"""How often a secret may be guessed: by pair, by source, and by many at once."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from service.domain.threads import at_once
from tandem.accounts import throttle
from tandem.accounts.models import Attempts
from tandem.accounts.throttle import Attempt
from tandem.db.base import now
from tandem.db.session import Database
from tandem.errors import TooManyAttempts

both_engines = pytest.mark.both_engines
HERE, THERE = "203.0.113.7", "198.51.100.9"


def guess(database: Database, about: str = "ann", source: str = HERE) -> Attempt | int:
    """Return the attempt, or how many seconds it has to wait."""
    try:
        return throttle.begin(database, about=about, source=source)
    except TooManyAttempts as refused:
        return refused.retry_after


def pass_time(database: Database, by: timedelta) -> None:
    """Let everything that was counted have happened so much earlier."""
    with database.write.begin() as session:
        for row in session.scalars(select(Attempts)):
            row.counted_at -= by
            row.blocked_until = row.blocked_until and row.blocked_until - by


def waits(answers: list[Attempt | int]) -> list[int]:
    return [answer for answer in answers if isinstance(answer, int)]


@both_engines
def test_after_five_failures_a_pair_waits_and_waits_grow(database: Database) -> None:
    assert waits([guess(database) for _ in range(5)]) == []
    asked = []
    for _ in range(9):
        (wait,) = waits([guess(database)])
        asked.append(wait)
        pass_time(database, timedelta(seconds=wait))
        assert isinstance(guess(database), Attempt)

    assert asked[:5] == [10, 20, 40, 80, 160]
    assert all(160 <= wait <= 900 for wait in asked[5:])


def test_nobody_is_locked_out_from_elsewhere_nor_for_others(database: Database) -> None:
    for _ in range(9):
        guess(database, source=THERE)

    assert isinstance(guess(database, source=HERE), Attempt)
    assert isinstance(guess(database, about="ben", source=THERE), Attempt)
    assert isinstance(guess(database, source=THERE), int)


@both_engines
def test_after_twenty_of_a_source_all_of_it_waits(database: Database) -> None:
    assert waits([guess(database, about=f"person {n}") for n in range(20)]) == []

    assert isinstance(guess(database, about="another"), int)
    assert isinstance(guess(database, about="another", source=THERE), Attempt)


@both_engines
def test_of_many_at_once_no_more_are_let_through_than_in_a_row(database: Database) -> None:
    answers = at_once([lambda: guess(database)] * 12)

    assert len(waits(answers)) == 7


@both_engines
def test_a_success_clears_the_pair_and_costs_its_source_nothing(database: Database) -> None:
    for n in range(30):
        made = guess(database, about=f"person {n}")
        assert isinstance(made, Attempt)
        with database.write.begin() as session:
            throttle.succeed(session, made)
    for _ in range(4):
        guess(database)
    made = guess(database)
    assert isinstance(made, Attempt)
    with database.write.begin() as session:
        throttle.succeed(session, made)

    assert waits([guess(database) for _ in range(5)]) == []


def test_a_success_does_not_clear_the_failures_of_its_source(database: Database) -> None:
    """Else who has an account of their own could guess at all others without end."""
    for n in range(19):
        guess(database, about=f"person {n}")
    mine = guess(database, about="me")
    assert isinstance(mine, Attempt)
    with database.write.begin() as session:
        throttle.succeed(session, mine)

    assert isinstance(guess(database, about="one more"), Attempt)
    assert isinstance(guess(database, about="yet another"), int)


def test_failures_are_forgotten_with_time(database: Database) -> None:
    for _ in range(5):
        guess(database)
    pass_time(database, timedelta(hours=1))

    assert waits([guess(database) for _ in range(5)]) == []


def test_nobody_waits_longer_because_the_clock_was_set_back(database: Database) -> None:
    for _ in range(6):
        guess(database)
    assert waits([guess(database)])
    pass_time(database, timedelta(days=-1))
    assert isinstance(guess(database), Attempt)
    assert waits([guess(database)]), "it is counted on, by the clock of now"


def test_what_is_refused_is_not_counted(database: Database) -> None:
    for _ in range(5):
        guess(database)
    (first,) = waits([guess(database)])
    for _ in range(30):
        guess(database)

    (last,) = waits([guess(database)])
    assert last <= first


def test_old_counts_are_removed_and_no_address_is_stored(database: Database) -> None:
    guess(database, about="ann@example.org")
    with database.write.begin() as session:
        session.execute(update(Attempts).values(counted_at=now() - timedelta(days=2)))
    guess(database, about="ben@example.org", source=THERE)

    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Attempts)) == 2
        for row in session.scalars(select(Attempts)):
            assert "@" not in row.key
            assert len(row.key) == 64
