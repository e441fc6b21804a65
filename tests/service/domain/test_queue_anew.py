"""Giving back what is held, so that all that is served is from the newest ranking."""

import pytest
from sqlalchemy import select

from tandem.ids import RecordNumber
from tandem.reviews import service as reviews
from tandem.screening.lease_models import Served
from tandem.screening.people import pilot
from tandem.screening.queue import service as queue
from tandem.screening.queue.service import Queue
from tandem.screening.streams import Stream
from world import TA, Person, Team, World

ALONE = {"reviewers_per_record": 1}


def numbers(found: Queue) -> list[int]:
    return [lease.record_number for lease in found.items]


def put_off(world: World, team: Team, person: Person, number: int) -> None:
    with world.entered(team.review_id, person) as (session, review, viewer):
        queue.put_off(
            session,
            review=review,
            viewer=viewer,
            record_number=RecordNumber(number),
            stage=TA,
        )


@pytest.mark.both_engines
def test_unread_records_go_back_to_their_rank(world: World) -> None:
    team = world.team(n_records=6, policy=ALONE)
    r = team.review_id
    world.rank(r, 1, 2, 3, 4, 5, 6)
    assert numbers(world.serve(r, team.ann, limit=3)) == [1, 2, 3]
    world.decide(r, team.ann, 1, "exclude")
    newest = world.rank(r, 6, 5, 4, 3, 2, 1)
    assert numbers(world.serve(r, team.ann, limit=3))[:2] == [2, 3], "they are held"

    served = world.serve(r, team.ann, limit=3, anew=True)

    assert numbers(served) == [6, 5, 4]
    assert {lease.ranking_id for lease in served.items} == {newest.id}
    assert [lease.rank for lease in served.items] == [1, 2, 3]
    assert (served.remaining, served.workload.decided) == (5, 1)
    assert numbers(world.serve(r, team.ben, limit=9)) == [3, 2], "the others may have them now"
    again = world.serve(r, team.ann, limit=3, anew=True)
    assert numbers(again) == [6, 5, 4], "to ask again is safe"


def test_what_others_hold_stays_theirs(world: World) -> None:
    team = world.team(n_records=4, policy=ALONE)
    r = team.review_id
    world.rank(r, 1, 2, 3, 4)
    assert numbers(world.serve(r, team.ben, limit=2)) == [1, 2]

    assert numbers(world.serve(r, team.ann, limit=4, anew=True)) == [3, 4]
    assert numbers(world.serve(r, team.ben, limit=2)) == [1, 2]


@pytest.mark.both_engines
def test_what_was_put_off_stays_behind_all_else(world: World) -> None:
    team = world.team(n_records=3, policy=ALONE)
    r = team.review_id
    world.rank(r, 1, 2, 3)
    world.serve(r, team.ann, limit=3)
    put_off(world, team, team.ann, 1)

    assert numbers(world.serve(r, team.ann, limit=2, anew=True)) == [2, 3]
    assert sorted(numbers(world.serve(r, team.ann, limit=3))) == [1, 2, 3], "1 is taken up again"
    assert numbers(world.serve(r, team.ann, limit=2, anew=True)) == [2, 3], "and put off again"
    assert numbers(world.serve(r, team.ben, limit=9)) == [1]


def test_it_is_logged_as_served_once_more(world: World) -> None:
    team = world.team(n_records=2, policy=ALONE)
    world.rank(team.review_id, 1, 2)
    world.serve(team.review_id, team.ann, limit=2)
    newest = world.rank(team.review_id, 2, 1)

    world.serve(team.review_id, team.ann, limit=1, anew=True)

    with world.database.read() as session:
        log = session.scalars(select(Served).order_by(Served.pick)).all()
    assert [(one.record_number, one.rank, one.stream) for one in log] == [
        (1, 1, Stream.RANKING),
        (2, 2, Stream.RANKING),
        (2, 1, Stream.RANKING),
    ]
    assert log[-1].ranking_id == newest.id


def test_a_pilot_round_is_read_in_its_order_all_the_same(world: World) -> None:
    team = world.team(n_records=5)
    r = team.review_id
    world.rank(r, 5, 4, 3, 2, 1)
    with world.entered(r, team.owner) as (session, review, viewer):
        pilot.begin(session, review, viewer, 3)
    with world.database.read() as session:
        sample = pilot.record_numbers(session, reviews.get_review(session, r))

    first = numbers(world.serve(r, team.ann, limit=2))

    assert numbers(world.serve(r, team.ann, limit=3, anew=True)) == list(sample)
    assert first == list(sample)[:2]
