"""Records come back into the pool of an audit between two draws: an honest trail holds."""

from datetime import timedelta

import pytest

from service.domain.tables import assert_in_step
from service.domain.trails import checked, exported
from tandem.ids import RecordNumber
from tandem.ranking import serving
from tandem.records.origin import RemovalKind
from tandem.screening import sources
from tandem.screening.queue import service as queue
from tandem.stopping import audit_queries, audits, draws, random_order
from tandem.stopping.models import Serving
from world import TA, Team, World

pytestmark = pytest.mark.both_engines


@pytest.fixture
def team(world: World) -> Team:
    """Records 1 to 3 of 12 are included; all else that is served is drawn at random."""
    team = world.team(n_records=12)
    for number in (1, 2, 3):
        for who in (team.ann, team.ben):
            world.decide(team.review_id, who, number, "include")
    world.rank(team.review_id, *range(1, 13))
    with world.entered(team.review_id, team.owner) as (session, review, viewer):
        audit = audits.register(
            session, review, viewer, stage=TA, target=0.9, confidence=0.8, note=None
        )
        audits.change(
            session, review, viewer, audit, serving=Serving.DRAWS_ONLY, target=None, abandon=False
        )
    return team


def draw(world: World, team: Team) -> None:
    """Serve Ann the next draw; both exclude it."""
    with world.entered(team.review_id, team.ann) as (session, review, viewer):
        audit = draws.of_queue(session, review, TA)
        assert audit is not None
        found = queue.serve(
            session,
            review=review,
            viewer=viewer,
            stage=TA,
            order=serving.newest_order(session, review.id, TA),
            limit=1,
            lasting=timedelta(minutes=30),
            anew=False,
            sample=draws.sample_of(audit),
        )
        draws.draw(session, review, audit, found.drawn)
    for who in (team.ann, team.ben):
        world.decide(team.review_id, who, found.items[0].record_number, "exclude")


def last_of_the_order(world: World, team: Team) -> tuple[int, int]:
    with world.database.read() as session:
        audit = audit_queries.in_force(session, team.review_id, TA)
        assert audit is not None
        order = random_order.order(audit.seed, audit.stage, audit.last_number).tolist()
    last, before, *_ = (number for number in reversed(order) if number > 3)
    return last, before


def test_records_that_are_parted_come_back(world: World, team: Team) -> None:
    group = world.merge(team.review_id, team.owner, *last_of_the_order(world, team))
    draw(world, team)
    world.split(team.review_id, team.owner, group)
    draw(world, team)

    assert_in_step(world.database, team.review_id)


def test_a_record_that_is_restored_comes_back(world: World, team: Team) -> None:
    number = RecordNumber(last_of_the_order(world, team)[0])
    with world.entered(team.review_id, team.owner) as (session, review, viewer):
        kind, reason = RemovalKind.OTHER, "A retraction"
        sources.remove(session, review, viewer, number=number, kind=kind, reason=reason, tool=None)
    draw(world, team)
    with world.entered(team.review_id, team.owner) as (session, review, viewer):
        sources.restore(session, review, viewer, number=number)
    draw(world, team)

    assert_in_step(world.database, team.review_id)


def test_a_pool_that_grows_of_itself_is_found(world: World, team: Team) -> None:
    draw(world, team)
    draw(world, team)
    lines = exported(world, team)
    (audit,) = [line for line in lines if "audit" in line]
    audit["draws"][1][1] += 1

    found = checked(lines).difference

    assert found is not None
    assert "a pool that grows" in found.says
