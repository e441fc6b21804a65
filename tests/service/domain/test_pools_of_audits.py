"""Records come back into the pool of an audit between two draws: an honest trail holds."""

import pytest

from prepared import Prepared
from service.domain.tables import assert_in_step
from service.domain.trails import checked, exported
from tandem.ids import ImportId, RecordNumber
from tandem.operations import taking_back
from tandem.records.imports import Found
from tandem.records.models import Record
from tandem.records.origin import FoundBy, StartsAt
from tandem.reviews.service import get_review
from tandem.screening import sources
from tandem.stopping import audit_queries, audits, display, random_order, states
from tandem.stopping.counting import Outside
from tandem.stopping.models import Serving
from world import TA, Team, World

pytestmark = pytest.mark.both_engines


@pytest.fixture
def team(world: World, prepared: Prepared) -> Team:
    return prepared(build, world)


def build(world: World) -> Team:
    """Records 1 to 3 of 12 are included; all else that is served is drawn at random."""
    team = world.team(n_records=12)
    begin(world, team)
    return team


def begin(world: World, team: Team) -> None:
    for number in (1, 2, 3):
        for who in (team.ann, team.ben):
            world.decide(team.review_id, who, number, "include")
    with world.database.read() as session:
        last = get_review(session, team.review_id).last_record_number
    world.rank(team.review_id, *range(1, last + 1))
    with world.entered(team.review_id, team.owner) as (session, review, viewer):
        audit = audits.register(
            session, review, viewer, stage=TA, target=0.9, confidence=0.8, note=None
        )
        audits.change(
            session, review, viewer, audit, serving=Serving.DRAWS_ONLY, target=None, abandon=False
        )


def draw(world: World, team: Team) -> None:
    """Serve Ann the next draw; both exclude it."""
    drawn = world.draw(team, team.ann)
    assert drawn is not None
    for who in (team.ann, team.ben):
        world.decide(team.review_id, who, drawn, "exclude")


def order_of(world: World, team: Team) -> list[int]:
    with world.database.read() as session:
        audit = audit_queries.in_force(session, team.review_id, TA)
        assert audit is not None
        order = random_order.order(audit.seed, audit.stage, audit.last_number)
    return [int(number) for number in order]


def last_of_the_order(world: World, team: Team) -> tuple[int, int]:
    last, before, *_ = (number for number in reversed(order_of(world, team)) if number > 3)
    return last, before


def test_records_that_are_parted_come_back(world: World, team: Team) -> None:
    group = world.merge(team.review_id, team.owner, *last_of_the_order(world, team))
    draw(world, team)
    world.split(team.review_id, team.owner, group)
    draw(world, team)

    assert_in_step(world.database, team.review_id)


def test_a_record_that_is_restored_comes_back(world: World, team: Team) -> None:
    number = RecordNumber(last_of_the_order(world, team)[0])
    world.remove(team.review_id, team.owner, number)
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


def test_records_that_databases_find_as_well_come_in(world: World) -> None:
    """Citations had found them, so they started at full text."""
    team = world.team(n_records=12)
    world.records(team.review_id, team.owner, 8, found=Found(FoundBy.CITATION, StartsAt.FULL_TEXT))
    begin(world, team)
    draw(world, team)
    cited = [number for number in order_of(world, team) if number > 12]
    for number, copy in zip(cited[-2:], world.records(team.review_id, team.owner, 2), strict=True):
        world.merge(team.review_id, team.owner, number, copy)
    draw(world, team)

    assert_in_step(world.database, team.review_id)


def test_records_come_back_when_an_import_of_earlier_reports_is_taken_back(
    world: World, team: Team
) -> None:
    earlier = world.records(team.review_id, team.owner, 3, found=Found(FoundBy.PREVIOUS))
    last = [number for number in order_of(world, team) if number > 3][-3:]
    for number, report in zip(last, earlier, strict=True):
        world.merge(team.review_id, team.owner, number, report)
    draw(world, team)
    with world.entered(team.review_id, team.owner) as (session, review, viewer):
        import_id = ImportId(session.get_one(Record, (review.id, earlier[0])).import_id)
        taking_back.take_back(session, review, viewer, import_id=import_id)
    draw(world, team)

    assert_in_step(world.database, team.review_id)


def test_what_came_back_before_an_audit_lets_no_pool_of_it_grow(world: World) -> None:
    team = world.team(n_records=12)
    for _ in range(3):
        world.split(team.review_id, team.owner, world.merge(team.review_id, team.owner, 11, 12))
    begin(world, team)
    for _ in range(2):
        draw(world, team)

    lines = exported(world, team)
    (audit,) = (line for line in lines if "audit" in line)
    audit["draws"][1][1] += 2
    assert "pool that grows" in str(checked(lines).difference)


def team_with_a_resolution_alone(world: World) -> Team:
    """Return a team of 12 records: record 12 is included by a resolution, its votes withdrawn."""
    team = world.team(n_records=10)
    world.records(team.review_id, team.owner, texts=[("A title", "Text"), ("A title", "")])
    for who, verdict in ((team.ann, "include"), (team.ben, "exclude")):
        world.decide(team.review_id, who, 12, verdict)
    world.resolve(team.review_id, team.judge, 12, "include")
    for who in (team.ann, team.ben):
        world.withdraw(team.review_id, who, 12)
    return team


def test_a_record_that_a_resolution_alone_settles_has_left_the_pool(world: World) -> None:
    """It came with a record whose votes were withdrawn; nobody decided the one that is shown."""
    team = team_with_a_resolution_alone(world)
    begin(world, team)

    group = world.merge(team.review_id, team.owner, 11, 12)
    assert world.status(team.review_id, 11) == "included"
    with world.database.read() as session:
        audit = audit_queries.in_force(session, team.review_id, TA)
        assert audit is not None
        assert states.shown(session, audit).now.found == 4
        assert display.display(session, team.review_id, TA).n_included == 4
    assert_in_step(world.database, team.review_id)

    # A draw that is made meanwhile misses it, as it would be undecided if the two were parted.
    draw(world, team)
    with world.database.read() as session:
        audit = audit_queries.in_force(session, team.review_id, TA)
        assert audit is not None
        assert states.shown(session, audit).ledger.outside == Outside(settled=1, includes=1)
    world.split(team.review_id, team.owner, group)
    draw(world, team)
    assert_in_step(world.database, team.review_id)


def test_what_a_resolution_had_settled_before_an_audit_began_is_outside_of_its_frame(
    world: World,
) -> None:
    """It never left the screening, so that the log has nothing of its coming back."""
    team = team_with_a_resolution_alone(world)
    world.merge(team.review_id, team.owner, 11, 12)
    begin(world, team)

    draw(world, team)

    (audit,) = (line for line in exported(world, team) if "audit" in line)
    assert audit["came_later"] == [11]
    assert_in_step(world.database, team.review_id)
    world.reopen(team.review_id, team.judge, 11)
    assert checked(exported(world, team)).difference is None
