"""The queue where several reviewers decide each record."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from time import sleep

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from service.domain.threads import at_once
from tandem.db.base import now
from tandem.db.session import Database
from tandem.ids import RecordNumber, ReviewId
from tandem.ranking import serving
from tandem.records.models import Record
from tandem.reviews import service as reviews
from tandem.screening import streams
from tandem.screening.lease_models import Lease, Served
from tandem.screening.ledger.entries import DecisionInput
from tandem.screening.models import Decision
from tandem.screening.queue import service as queue
from tandem.screening.queue.service import QueueState
from tandem.screening.recording import NewVote, Recorded, record_decisions
from tandem.screening.rules import Verdict
from tandem.screening.streams import Stream
from world import TA, Person, Team, World

pytestmark = pytest.mark.both_engines

SEED = 1


def ranked_team(world: World, n_records: int, **policy: object) -> Team:
    """Return a review whose records are ranked 1, 2, 3, …"""
    team = world.team(n_records=n_records, policy=policy, seed=SEED)
    world.rank(team.review_id, *range(1, n_records + 1))
    return team


def log_of(database: Database, team: Team, person: Person) -> Sequence[Served]:
    """Return what this person was served, in order."""
    query = select(Served).where(Served.review_id == team.review_id, Served.user_id == person.id)
    with database.read() as session:
        return session.scalars(query.order_by(Served.pick)).all()


def from_stream(log: Sequence[Served], stream: Stream) -> list[int]:
    return [row.record_number for row in log if row.stream is stream]


def random_stream(n_records: int) -> list[int]:
    """Return the stream as anyone recomputes it."""
    return sorted(
        range(1, n_records + 1),
        key=lambda number: streams.random_stream_key(SEED, TA, number),
    )


def decide_all(world: World, team: Team, person: Person, numbers: Sequence[int]) -> None:
    with world.database.write.begin() as session:
        vote(session, team, person, numbers, Verdict.EXCLUDE)


class TestHalfDone:
    def test_they_are_three_of_five(self, world: World, database: Database) -> None:
        team = ranked_team(world, 400)
        decide_all(world, team, team.ben, range(1, 151))

        world.serve(team.review_id, team.ann, limit=100)
        log = log_of(database, team, team.ann)

        assert Counter(row.stream for row in log) == {
            Stream.HALF_DONE: 60,
            Stream.RANKING: 35,
            Stream.RANDOM: 5,
        }
        # The highest of each kind, but for what each reviewer's own order delays.
        assert max(from_stream(log, Stream.HALF_DONE)) <= 80
        new = from_stream(log, Stream.RANKING)
        assert min(new) > 150
        assert max(new) <= 200

    def test_their_share_holds_when_records_are_served_one_by_one(
        self, world: World, database: Database
    ) -> None:
        team = ranked_team(world, 300)
        decide_all(world, team, team.ben, range(1, 101))

        for _ in range(40):
            (lease,) = world.serve(team.review_id, team.ann).items
            world.decide(team.review_id, team.ann, lease.record_number, "exclude")

        kinds = Counter(row.stream for row in log_of(database, team, team.ann))
        assert kinds == {Stream.HALF_DONE: 24, Stream.RANKING: 14, Stream.RANDOM: 2}

    def test_without_any_there_are_new_ones(self, world: World, database: Database) -> None:
        team = ranked_team(world, 60)
        decide_all(world, team, team.ann, range(1, 21))

        world.serve(team.review_id, team.ann, limit=20)

        kinds = Counter(row.stream for row in log_of(database, team, team.ann))
        assert kinds == {Stream.RANKING: 19, Stream.RANDOM: 1}

    def test_without_new_ones_there_are_more(self, world: World, database: Database) -> None:
        team = ranked_team(world, 20)
        decide_all(world, team, team.ben, range(1, 21))

        served = world.serve(team.review_id, team.ann, limit=50)

        assert [item.record_number for item in served.items] == list(range(1, 21))
        kinds = Counter(row.stream for row in log_of(database, team, team.ann))
        assert kinds == {Stream.HALF_DONE: 19, Stream.RANDOM: 1}

    def test_beyond_the_cap_they_come_first(self, world: World, database: Database) -> None:
        team = ranked_team(world, 300)
        decide_all(world, team, team.ben, range(1, 201))
        world.serve(team.review_id, team.ann, limit=20)
        decide_all(world, team, team.ben, [201])
        world.serve(team.review_id, team.ann, limit=40)

        log = log_of(database, team, team.ann)

        assert len(from_stream(log[:20], Stream.RANKING)) == 7
        assert Counter(row.stream for row in log[20:]) == {Stream.HALF_DONE: 19, Stream.RANDOM: 1}

    def test_who_left_none_for_themselves_begins_new_ones_beyond_it(
        self, world: World, database: Database
    ) -> None:
        team = ranked_team(world, 240)
        decide_all(world, team, team.ann, range(1, 202))

        world.serve(team.review_id, team.ann, limit=20)

        log = log_of(database, team, team.ann)
        assert len(from_stream(log, Stream.RANKING)) == 19

    @pytest.mark.parametrize("last", [1, 2, 3])
    def test_the_one_just_finished_comes_after_the_others(
        self, world: World, database: Database, last: int
    ) -> None:
        team = ranked_team(world, 100)
        numbers = [number for number in (1, 2, 3) if number != last] + [last]
        decide_all(world, team, team.ben, numbers)
        decide_all(world, team, team.ann, [50])  # one's own decision is not the last by others

        world.serve(team.review_id, team.ann, limit=20)

        half_done = from_stream(log_of(database, team, team.ann), Stream.HALF_DONE)
        assert sorted(half_done) == [1, 2, 3]
        assert half_done[-1] == last

    def test_alone_it_is_served_all_the_same(self, world: World, database: Database) -> None:
        team = ranked_team(world, 100)
        decide_all(world, team, team.ben, [30])

        world.serve(team.review_id, team.ann, limit=20)

        assert from_stream(log_of(database, team, team.ann), Stream.HALF_DONE) == [30]

    def test_of_three_reviewers_the_third_gets_them_too(
        self, world: World, database: Database
    ) -> None:
        team = ranked_team(world, 60, reviewers_per_record=3)
        decide_all(world, team, team.ben, [1, 2, 3])
        decide_all(world, team, team.ann, [2, 3, 4])

        world.serve(team.review_id, team.eve, limit=20)

        half_done = from_stream(log_of(database, team, team.eve), Stream.HALF_DONE)
        assert set(half_done) == {1, 2, 3, 4}

    def test_what_another_holds_too_is_not_among_them(self, world: World) -> None:
        team = ranked_team(world, 4)
        decide_all(world, team, team.ben, [1, 2])
        world.serve(team.review_id, team.eve, limit=4)

        served = world.serve(team.review_id, team.ann, limit=9)
        assert [item.record_number for item in served.items] == [3, 4]

    def test_many_of_them_are_found_among_the_ranked(
        self, world: World, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("tandem.screening.queue.reviewer_queue._LARGEST_CHUNK", 40)
        team = ranked_team(world, 200)
        decide_all(world, team, team.ben, range(101, 151))

        world.serve(team.review_id, team.ann, limit=40)

        half_done = from_stream(log_of(database, team, team.ann), Stream.HALF_DONE)
        assert len(half_done) == 24
        assert set(half_done) <= set(range(101, 141))


class TestOwnOrder:
    def test_two_reviewers_read_the_same_head_in_orders_of_their_own(
        self, world: World, database: Database
    ) -> None:
        team = ranked_team(world, 100)
        served = {}
        for person in (team.ann, team.ben):
            items = world.serve(team.review_id, person, limit=42).items
            served[person.name] = {item.record_number for item in items}

        ann, ben = (
            from_stream(log_of(database, team, person), Stream.RANKING)
            for person in (team.ann, team.ben)
        )

        top = set(range(1, 21))
        assert top <= served["ann"] & served["ben"]
        assert [n for n in ann if n in top] != [n for n in ben if n in top]
        for read in (ann, ben):
            highest = 0
            for number in read:
                highest = max(highest, number)
                assert highest - number < streams.SPREAD, "nothing waits for long"
            assert read != sorted(read)

    def test_an_answer_is_sorted_by_rank_nevertheless(self, world: World) -> None:
        team = ranked_team(world, 100)
        decide_all(world, team, team.ben, range(1, 31))

        items = world.serve(team.review_id, team.ann, limit=60).items

        assert [item.rank for item in items] == [item.record_number for item in items]
        assert [item.rank or 0 for item in items] == sorted(item.rank or 0 for item in items)

    def test_before_any_ranking_all_begin_with_the_first_added(
        self, world: World, database: Database
    ) -> None:
        team = world.team(n_records=50)
        decide_all(world, team, team.judge, [9])

        for person in (team.ann, team.ben):
            items = world.serve(team.review_id, person, limit=30).items
            expected = [n for n in range(1, 32) if person is team.ann or n != 9]
            assert [item.record_number for item in items] == expected[:30]
            assert {row.stream for row in log_of(database, team, person)} == {Stream.UNRANKED}


class TestRandomStream:
    def test_each_reviewer_walks_the_same_one(self, world: World, database: Database) -> None:
        team = ranked_team(world, 300)
        decide_all(world, team, team.ben, range(250, 300))
        for person, limit in ((team.ann, 70), (team.ann, 100), (team.ben, 100)):
            world.serve(team.review_id, person, limit=limit)

        for person, decided in ((team.ann, set[int]()), (team.ben, set(range(250, 300)))):
            log = log_of(database, team, person)
            seen = set(decided)
            for row in log:
                if row.stream is Stream.RANDOM:
                    first = next(n for n in random_stream(300) if n not in seen)
                    assert row.record_number == first
                seen.add(row.record_number)
            assert len(from_stream(log, Stream.RANDOM)) == 5

    def test_what_is_closed_is_skipped(self, world: World, database: Database) -> None:
        team = ranked_team(world, 60)
        first, second, third, *_ = random_stream(60)
        for person in (team.ben, team.eve):
            decide_all(world, team, person, [first])
        with database.write.begin() as session:
            row = session.get_one(Record, (team.review_id, second))
            row.duplicate_of = RecordNumber(third)

        world.serve(team.review_id, team.ann, limit=20)

        log = log_of(database, team, team.ann)
        before = {row.record_number for row in log[: [r.stream for r in log].index(Stream.RANDOM)]}
        expected = next(
            n for n in random_stream(60) if n not in {first, second} and n not in before
        )
        assert from_stream(log, Stream.RANDOM) == [expected]

    def test_later_imports_take_their_place_before_they_are_ranked(
        self, world: World, database: Database
    ) -> None:
        team = ranked_team(world, 30)
        world.records(team.review_id, team.owner, 300)
        first = next(n for n in random_stream(330) if n > 30)
        assert random_stream(330)[0] == first

        items = world.serve(team.review_id, team.ann, limit=20).items

        assert from_stream(log_of(database, team, team.ann), Stream.RANDOM) == [first]
        assert (items[-1].record_number, items[-1].rank, items[-1].ranking_id) == (
            first,
            None,
            None,
        )


class TestLog:
    def test_it_tells_what_was_served_when_and_from_where(
        self, world: World, database: Database
    ) -> None:
        team = world.team(n_records=30, seed=SEED)
        ranking = world.rank(team.review_id, *range(30, 0, -1))
        before = now()
        first = world.serve(team.review_id, team.ann, limit=5).items
        second = world.serve(team.review_id, team.ann, limit=8).items[5:]

        log = log_of(database, team, team.ann)

        assert [row.pick for row in log] == list(range(1, 9))
        assert {row.record_number for row in log[:5]} == {item.record_number for item in first}
        assert {row.record_number for row in log[5:]} == {item.record_number for item in second}
        assert {(row.record_number, row.rank) for row in log} == {
            (row.record_number, 31 - row.record_number) for row in log
        }
        assert {row.ranking_id for row in log} == {ranking.id}
        assert {row.stage for row in log} == {TA}
        assert all(before <= row.served_at <= now() for row in log)

    def test_a_renewal_is_no_entry_but_serving_again_is(
        self, world: World, database: Database
    ) -> None:
        team = world.team(n_records=1)
        for _ in range(3):
            world.serve(team.review_id, team.ann)
        with database.write.begin() as session:
            session.execute(update(Lease).values(expires_at=now() - timedelta(seconds=1)))
        world.serve(team.review_id, team.ann)
        with world.entered(team.review_id, team.ann) as (session, review, viewer):
            queue.put_off(
                session, review=review, viewer=viewer, record_number=RecordNumber(1), stage=TA
            )
        for _ in range(3):
            world.serve(team.review_id, team.ann)

        log = log_of(database, team, team.ann)

        assert [(row.pick, row.stream) for row in log] == [
            (1, Stream.UNRANKED),
            (2, Stream.UNRANKED),
            (3, Stream.AGAIN),
        ]

    def test_who_reads_alone_reads_by_rank(self, world: World, database: Database) -> None:
        team = ranked_team(world, 60, reviewers_per_record=1)
        world.records(team.review_id, team.owner, 2)

        items = world.serve(team.review_id, team.ann, limit=50).items
        rest = world.serve(team.review_id, team.ben, limit=50).items

        assert [item.record_number for item in items] == list(range(1, 51))
        assert [item.record_number for item in rest] == list(range(51, 63))
        assert {row.stream for row in log_of(database, team, team.ann)} == {Stream.RANKING}
        streams_of_ben = [row.stream for row in log_of(database, team, team.ben)]
        assert streams_of_ben == [Stream.RANKING] * 10 + [Stream.UNRANKED] * 2


@pytest.mark.parametrize("single_include_advances", [False, True])
def test_the_others_verdicts_change_nothing(
    world: World, database: Database, single_include_advances: bool
) -> None:
    team = ranked_team(world, 260, single_include_advances=single_include_advances)

    def answers_to_ann(verdict: Verdict) -> list[object]:
        """Return what Ann is answered after Ben voted so; the vote is rolled back."""
        with database.write.begin() as session:
            vote(session, team, team.ben, range(1, 206), verdict)
            vote(session, team, team.eve, range(20, 60), Verdict.INCLUDE)
            answer = ask(session, team.review_id, team.ann)
            session.rollback()
        return answer

    assert (
        answers_to_ann(Verdict.INCLUDE)
        == answers_to_ann(Verdict.EXCLUDE)
        == answers_to_ann(Verdict.MAYBE)
    )


def vote(
    session: Session, team: Team, person: Person, numbers: Sequence[int], verdict: Verdict
) -> None:
    review, viewer = reviews.enter(session, review_id=team.review_id, user_id=person.id)
    votes = [NewVote(RecordNumber(number), DecisionInput(verdict)) for number in numbers]
    done = record_decisions(session, review=review, viewer=viewer, stage=TA, asked=votes)
    assert all(isinstance(one, Recorded) and one.changed for one in done)


def ask(session: Session, review_id: ReviewId, person: Person) -> list[object]:
    """Return everything the queue says to this person, and everything it notes of it."""
    review, viewer = reviews.enter(session, review_id=review_id, user_id=person.id)
    found = queue.serve(
        session,
        review=review,
        viewer=viewer,
        stage=TA,
        order=serving.newest_order(session, review_id, TA),
        limit=60,
        lasting=timedelta(minutes=1),
    )
    log = session.execute(
        select(Served.record_number, Served.rank, Served.stream).order_by(Served.pick)
    )
    return [
        found.remaining,
        found.state,
        [(item.record_number, item.rank, item.score) for item in found.items],
        [tuple(row) for row in log],
    ]


@pytest.mark.parametrize("quota", [2, 3])
def test_three_who_read_at_once_decide_each_record_often_enough_and_never_more(
    world: World, database: Database, quota: int
) -> None:
    team = ranked_team(world, 45, reviewers_per_record=quota)
    world.records(team.review_id, team.owner, 5)
    people = [team.ann, team.ben, team.eve]

    def read(person: Person) -> list[int]:
        decided: list[int] = []
        for _ in range(500):
            found = world.serve(team.review_id, person, limit=3)
            if found.state is QueueState.FINISHED:
                return decided
            if found.state is QueueState.WAITING:
                sleep(0.01)
            for item in found.items[:2]:
                world.decide(team.review_id, person, item.record_number, "exclude")
                decided.append(int(item.record_number))
        raise AssertionError("The queue never ends.")

    read_by = at_once([lambda person=person: read(person) for person in people])  # type: ignore[misc]

    assert Counter(number for numbers in read_by for number in numbers) == dict.fromkeys(
        range(1, 51), quota
    )
    for person, numbers in zip(people, read_by, strict=True):
        log = log_of(database, team, person)
        assert [row.pick for row in log] == list(range(1, len(log) + 1))
        assert len({row.record_number for row in log}) == len(log), "nothing twice"
        assert {row.record_number for row in log} == set(numbers)
    with database.read() as session:
        assert len(session.scalars(select(Decision.id)).all()) == 50 * quota
