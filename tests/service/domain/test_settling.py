"""What one session has read of the ledger does not show in another one that sees less of it."""

from collections.abc import Collection

import pytest
from sqlalchemy import select

from service.domain.tables import assert_in_step
from tandem.ids import RecordNumber
from tandem.operations import taking_back
from tandem.records.models import Record
from tandem.reviews.models import Review
from tandem.stopping import audits, draws, random_order
from tandem.stopping.loading import load
from tandem.stopping.models import Audit, AuditDraw
from tandem.stopping.settling import included_at
from world import TA, Team, World


@pytest.mark.both_engines
def test_a_session_sees_the_includes_of_its_own_moment(world: World) -> None:
    team = _audited(world)
    _both(world, team, 3, "exclude")
    with world.database.read() as before:
        assert included_at(before, team.review_id, TA) == (1, 2)
        world.withdraw(team.review_id, team.ann, 1)
        world.decide(team.review_id, team.ann, 1, "include")
        with world.database.read() as after:
            assert included_at(after, team.review_id, TA) == (1, 3)  # 2, 3, 1
        assert included_at(before, team.review_id, TA) == (1, 2)
    with world.database.read() as later:
        assert included_at(later, team.review_id, TA) == (1, 3)


def test_what_is_open_again_or_linked_has_no_place(world: World) -> None:
    team = world.team(n_records=10)
    for number, verdict in ((1, "exclude"), (2, "exclude"), (3, "exclude"), (4, "include")):
        _both(world, team, number, verdict)
    with world.database.read() as session:
        assert included_at(session, team.review_id, TA) == (4,)
    world.withdraw(team.review_id, team.ann, 1)
    with world.database.read() as session:
        assert included_at(session, team.review_id, TA) == (3,)
    world.merge(team.review_id, team.owner, 2, 3)
    with world.database.read() as session:
        # 4, then 2: the votes on 3 came to it when they were linked.
        assert included_at(session, team.review_id, TA) == (1,)


@pytest.mark.both_engines
def test_a_session_sees_the_draws_of_its_own_moment(world: World) -> None:
    team = _audited(world)
    with world.database.read() as before:
        audit = before.scalars(select(Audit)).one()
        assert [one.record_number for one in load(before, audit).draws] == []
        drawn = _draw(world, team)
        with world.database.read() as after:
            ledger = load(after, after.scalars(select(Audit)).one())
            assert [one.record_number for one in ledger.draws] == [drawn]
        assert [one.record_number for one in load(before, audit).draws] == []


@pytest.mark.both_engines
def test_draws_that_are_rolled_back_are_forgotten(world: World) -> None:
    team = _audited(world)
    with world.database.write.begin() as session:
        audit = session.scalars(select(Audit)).one()
        session.add(
            AuditDraw(
                audit_id=audit.id,
                place=1,
                record_number=9,
                pool=8,
                seq=4,
                target="0.8",
                drawn_at=audit.registered_at,
            )
        )
        assert [one.record_number for one in load(session, audit).draws] == [9]
        session.rollback()
    drawn = _draw(world, team)
    with world.database.read() as after:
        ledger = load(after, after.scalars(select(Audit)).one())
        assert [one.record_number for one in ledger.draws] == [drawn]


@pytest.mark.both_engines
def test_a_draw_whose_record_was_taken_back_is_gone(world: World) -> None:
    team = world.team(n_records=10)
    for number in (1, 2):
        _both(world, team, number, "include")
    later = world.records(team.review_id, team.owner, 5)
    _register(world, team)
    drawn = _draw(world, team, among=later)
    with world.entered(team.review_id, team.owner) as (session, review, viewer):
        import_id = session.get_one(Record, (team.review_id, drawn)).import_id
        taking_back.take_back(session, review, viewer, import_id=import_id)
    for number in range(3, 11):
        _both(world, team, number, "exclude")

    with world.database.read() as session:
        ledger = load(session, session.scalars(select(Audit)).one())
    assert (ledger.pool, ledger.waiting["drawn_undecided"]) == (0, 0)
    assert_in_step(world.database, team.review_id)


def _audited(world: World) -> Team:
    """Return a review of ten records, two of them included by both, with an audit."""
    team = world.team(n_records=10)
    for number in (1, 2):
        _both(world, team, number, "include")
    _register(world, team)
    return team


def _register(world: World, team: Team) -> None:
    with world.entered(team.review_id, team.owner) as (session, review, viewer):
        audits.register(session, review, viewer, stage=TA, target=0.8, confidence=0.8, note=None)


def _both(world: World, team: Team, number: int, verdict: str) -> None:
    for who in (team.ann, team.ben):
        world.decide(team.review_id, who, number, verdict)


def _draw(world: World, team: Team, among: Collection[int] = range(3, 11)) -> int:
    """Draw the first of these records, all undecided, that is in the random order."""
    with world.database.write.begin() as session:
        review = session.get_one(Review, team.review_id)
        audit = session.scalars(select(Audit)).one()
        order = random_order.order(audit.seed, TA, audit.last_number)
        drawn = next(RecordNumber(n) for n in order.tolist() if n in among)
        draws.draw(session, review, audit, [drawn])
        return drawn
