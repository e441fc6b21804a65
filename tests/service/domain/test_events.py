from collections.abc import Callable
from threading import Barrier, Event

import pytest

from service.domain.tables import assert_in_step, events
from service.domain.threads import at_once
from tandem.db.session import Database
from tandem.events import log
from tandem.events.screening_types import RecordIncluded
from tandem.events.types import MemberRemoved, ReviewChanged
from tandem.ids import ReviewId
from tandem.reviews import service as reviews
from tandem.reviews.models import Role
from world import Team, World

pytestmark = pytest.mark.both_engines

N_WRITERS, N_EACH = 8, 15


def read_on(
    database: Database, review_id: ReviewId, after: int, *, only_open: bool = False, limit: int = 7
) -> list[tuple[int, str]]:
    with database.read() as session:
        found = log.read_after(
            session, review_id=review_id, after=after, limit=limit, only_open=only_open
        )
        return [(number, event.type) for number, event in found]


def read_to_the_end(
    database: Database, review_id: ReviewId, *, only_open: bool
) -> list[tuple[int, str]]:
    seen: list[tuple[int, str]] = []
    while page := read_on(database, review_id, seen[-1][0] if seen else 0, only_open=only_open):
        seen += page
    return seen


def test_a_reader_beside_eight_writers_misses_nothing(world: World, database: Database) -> None:
    team = world.team(n_records=N_EACH)
    people = world.people(*(f"writer{i}" for i in range(N_WRITERS)))
    with world.entered(team.review_id, team.owner) as (session, review, _):
        for person in people:
            reviews.set_member(session, review, user_id=person.id, role=Role.REVIEWER)
    written, writing = Event(), Barrier(N_WRITERS)
    seen: list[tuple[int, str]] = []

    def write(index: int) -> None:
        try:
            for number in range(1, N_EACH + 1):
                verdict = "include" if index % 2 else "exclude"
                world.decide(team.review_id, people[index], number, verdict)
        finally:
            if writing.wait(timeout=60) == 0:
                written.set()

    def read() -> None:
        over = False
        while not over:
            # Looked at before reading, so that the last is read. Without the pause a thread that
            # reads and reads keeps the interpreter to itself: 120 decisions took 100 seconds.
            over = written.wait(timeout=0.001)
            while page := read_on(database, team.review_id, seen[-1][0] if seen else 0):
                seen.extend(page)

    works: list[Callable[[], None]] = [lambda i=i: write(i) for i in range(N_WRITERS)]  # type: ignore[misc]
    at_once([*works, read])

    assert [number for number, _ in seen] == list(range(1, len(seen) + 1))
    assert seen == [(event.seq, event.type) for event in events(database, team.review_id)]
    recorded = [kind for _, kind in seen if kind == "tandem.decision.recorded"]
    assert len(recorded) == N_WRITERS * N_EACH
    assert_in_step(database, team.review_id)


def screened(world: World) -> Team:
    team = world.team(n_records=3)
    for number, verdict in ((1, "include"), (2, "exclude"), (3, "maybe")):
        world.decide(team.review_id, team.ann, number, "include")
        world.decide(team.review_id, team.ben, number, verdict)
    world.resolve(team.review_id, team.judge, 2, "include")
    world.withdraw(team.review_id, team.ann, 1)
    return team


def test_the_open_numbering_has_no_holes_and_tells_of_nothing_closed(
    world: World, database: Database
) -> None:
    team = screened(world)

    everything = read_to_the_end(database, team.review_id, only_open=False)
    opened = read_to_the_end(database, team.review_id, only_open=True)

    assert [number for number, _ in opened] == list(range(1, len(opened) + 1))
    closed = ("tandem.record.", "tandem.conflict.")
    assert [kind for _, kind in opened] == [
        kind for _, kind in everything if not kind.startswith(closed)
    ]
    assert len(everything) > len(opened)


def test_the_blinded_get_the_same_events_however_the_others_voted(
    world: World, database: Database
) -> None:
    seen = []
    for verdict in ("include", "exclude"):
        team = world.team(n_records=1)
        world.decide(team.review_id, team.ann, 1, "include")
        world.decide(team.review_id, team.ben, 1, verdict)
        world.decide(team.review_id, team.eve, 1, "include")
        seen.append(read_to_the_end(database, team.review_id, only_open=True))

    assert seen[0] == seen[1]


def test_pages_follow_each_other(world: World, database: Database) -> None:
    team = screened(world)

    first = read_on(database, team.review_id, 0, limit=4)
    second = read_on(database, team.review_id, 4, limit=4)

    assert [number for number, _ in first + second] == list(range(1, 9))
    last = events(database, team.review_id)[-1].seq
    assert read_on(database, team.review_id, last) == []
    assert read_on(database, team.review_id, last + 100) == []


def test_reviews_are_numbered_apart(world: World, database: Database) -> None:
    one, other = screened(world), screened(world)

    assert read_to_the_end(database, one.review_id, only_open=False) == read_to_the_end(
        database, other.review_id, only_open=False
    )


def test_a_rollback_leaves_no_event_and_no_hole(world: World, database: Database) -> None:
    team = screened(world)
    before = read_to_the_end(database, team.review_id, only_open=False)

    def fail_late() -> None:
        with world.entered(team.review_id, team.owner) as (session, review, _):
            log.append(session, review, ReviewChanged(changed=["title"]))
            session.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_late()
    with world.entered(team.review_id, team.owner) as (session, review, _):
        log.append(session, review, MemberRemoved(user_id="somebody"))

    after = read_to_the_end(database, team.review_id, only_open=False)
    assert after == [*before, (len(before) + 1, "tandem.member.removed")]


def test_an_event_keeps_its_id_and_what_it_tells(world: World, database: Database) -> None:
    team = world.team(n_records=1)
    with world.entered(team.review_id, team.owner) as (session, review, _):
        log.append(session, review, RecordIncluded(record_id="1", stage="title_abstract"))

    first, again = events(database, team.review_id)[-1], events(database, team.review_id)[-1]

    assert first.id == again.id
    assert (first.subject, first.data) == ("1", {"record_id": "1", "stage": "title_abstract"})
    assert first.open_seq is None


def test_no_event_of_screening_carries_a_verdict(world: World, database: Database) -> None:
    team = screened(world)

    for event in events(database, team.review_id):
        if event.open_seq is not None:
            assert not {"verdict", "reasons", "note", "labels"} & set(event.data), event.type
            assert not {"include", "exclude", "maybe"} & set(map(str, event.data.values()))


def test_a_place_in_one_numbering_is_found_in_the_other(world: World, database: Database) -> None:
    team = world.team(n_records=2)
    world.decide(team.review_id, team.ann, 1, "include")
    world.decide(team.review_id, team.ben, 1, "exclude")  # and a conflict, which is closed
    world.decide(team.review_id, team.ann, 2, "include")

    with database.read() as session:
        everything = log.read_after(
            session, review_id=team.review_id, after=0, limit=100, only_open=False
        )
        for seq, event in everything:
            there = log.renumbered(session, review_id=team.review_id, number=seq, to_open=True)
            following = log.read_after(
                session, review_id=team.review_id, after=there, limit=100, only_open=True
            )
            missed = [e.seq for _, e in everything if e.seq > seq and e.open_seq is not None]
            assert [e.seq for _, e in following] == missed
            if event.open_seq is not None:
                back = log.renumbered(
                    session, review_id=team.review_id, number=there, to_open=False
                )
                assert back == seq
