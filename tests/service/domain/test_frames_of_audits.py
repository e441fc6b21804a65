"""What no draw could have found is outside of an audit's frame: no draw tells anything of it."""

from typing import Any

import numpy as np
import pytest
from sqlalchemy import event, select, update

from prepared import Prepared
from service.domain.importing import Importer, titled
from service.domain.tables import assert_in_step
from service.domain.trails import checked, exported
from tandem.artifacts import Artifacts
from tandem.audit.past_flow import flow_at
from tandem.config import Settings
from tandem.ids import RecordNumber
from tandem.records import importing
from tandem.records.models import Import
from tandem.records.origin import FoundBy, StartsAt
from tandem.reporting import service as reporting
from tandem.reporting.boxes import LEFT_UNREAD
from tandem.reviews import service as reviews
from tandem.screening import sources
from tandem.screening.duplicates import deduplication
from tandem.stopping import audit_queries, audits, display, frame, states, words
from tandem.stopping.counting import Outside
from tandem.stopping.models import AuditDraw, Serving
from tandem.stopping.states import AuditState, Shown
from world import TA, Team, World

REMOVED = tuple(range(21, 31))


@pytest.fixture
def team(world: World, prepared: Prepared) -> Team:
    return prepared(build, world)


def build(world: World) -> Team:
    """Ten of 30 records are included, ten are removed; an audit of the others is open."""
    team = world.team(n_records=30, policy={"reviewers_per_record": 1})
    for number in range(1, 11):
        world.decide(team.review_id, team.ann, number, "include")
    for number in REMOVED:
        world.remove(team.review_id, team.owner, number)
    register(world, team, n_records=30)
    return team


def register(world: World, team: Team, *, n_records: int) -> None:
    world.rank(team.review_id, *range(1, n_records + 1))
    with world.entered(team.review_id, team.owner) as (session, review, viewer):
        audit = audits.register(
            session, review, viewer, stage=TA, target=0.9, confidence=0.8, note=None
        )
        audits.change(session, review, viewer, audit, serving=Serving.DRAWS_ONLY)


def draw(world: World, team: Team, verdict: str = "exclude") -> RecordNumber:
    drawn = world.draw(team, team.ann)
    assert drawn is not None
    world.decide(team.review_id, team.ann, drawn, verdict)
    return drawn


def restore(world: World, team: Team, *numbers: int) -> None:
    for number in numbers:
        with world.entered(team.review_id, team.owner) as (session, review, viewer):
            sources.restore(session, review, viewer, number=RecordNumber(number))


def shown(world: World, team: Team) -> Shown:
    with world.entered(team.review_id, team.owner) as (session, review, _):
        audit = audit_queries.in_force(session, team.review_id, TA)
        assert audit is not None
        states.follow(session, review, audit)
        return states.shown(session, audit)


@pytest.mark.both_engines
def test_what_is_restored_between_two_draws_is_not_certified_by_those_before(
    world: World, team: Team
) -> None:
    """All ten might be included: a recall of .5, where .9 would have been certified."""
    while shown(world, team).now.e < 4:  # it is 4.5 then, and 5 is needed
        draw(world, team)
    restore(world, team, *REMOVED)
    drawn = draw(world, team)

    found = shown(world, team)

    assert found.state is not AuditState.CERTIFIED
    is_theirs = drawn in REMOVED
    assert found.ledger.outside == Outside(settled=is_theirs, unsettled=10 - is_theirs)
    assert not found.now.can_certify
    assert words.sentences(found)[-1].startswith("Records that came since could hold too many")
    assert_in_step(world.database, team.review_id)


def test_what_came_later_counts_once_it_is_screened(world: World, team: Team) -> None:
    while shown(world, team).now.e < 4:
        draw(world, team)
    restore(world, team, 21, 22)
    draw(world, team)  # it may be one of the two
    for number in (21, 22):
        world.decide(team.review_id, team.ann, number, "include")

    found = shown(world, team)

    assert found.ledger.outside == Outside(settled=2, includes=2)
    assert found.now.found == 10
    assert_in_step(world.database, team.review_id)


def left_unread(world: World, team: Team, as_of: int | None = None) -> set[int]:
    """Return the records that the flow counts as left unread under a certificate."""
    with world.database.read() as session:
        viewer = reviews.viewer(session, review_id=team.review_id, user_id=team.owner.id)
        if as_of is None:
            made = reporting.shown(session, viewer=viewer).flow
        else:
            made = flow_at(session, viewer=viewer, as_of=as_of).flow
    parts = {part.label: part.items for part in made.boxes["excluded_automatic"].parts}
    return {number for number in parts.get(LEFT_UNREAD, ()) if isinstance(number, int)}


@pytest.mark.both_engines
def test_the_flow_leaves_unread_what_a_certificate_is_about_and_nothing_else(
    world: World, team: Team
) -> None:
    """What was removed at every draw was in no pool: it is to be screened once it is back."""
    while shown(world, team).state is not AuditState.CERTIFIED:
        draw(world, team)
    certified = left_unread(world, team)
    assert certified
    assert certified.isdisjoint(REMOVED)

    restore(world, team, 21, 22)

    assert left_unread(world, team) == certified
    with world.database.read() as session:
        last = reviews.get_review(session, team.review_id).last_seq
    assert left_unread(world, team, as_of=last) == certified
    assert_in_step(world.database, team.review_id)


def test_so_it_is_where_a_certificate_needs_no_draw(world: World) -> None:
    team = world.team(n_records=12, policy={"reviewers_per_record": 1})
    for number in range(1, 11):
        world.decide(team.review_id, team.ann, number, "include")
    world.remove(team.review_id, team.owner, 12)
    register(world, team, n_records=12)
    assert shown(world, team).state is AuditState.CERTIFIED  # one record is too few to miss it
    assert left_unread(world, team) == {11}

    restore(world, team, 12)

    assert left_unread(world, team) == {11}
    assert_in_step(world.database, team.review_id)


def test_what_was_drawn_before_it_left_is_in_the_frame_when_it_is_back(
    world: World, team: Team
) -> None:
    first = world.draw(team, team.ann)
    assert first is not None
    world.remove(team.review_id, team.owner, first)
    draw(world, team)
    restore(world, team, first)
    world.decide(team.review_id, team.ann, first, "include")

    found = shown(world, team)

    assert found.ledger.outside == Outside()
    assert found.now.hits == 1
    assert_in_step(world.database, team.review_id)


def test_a_draw_misses_what_a_file_that_is_being_read_holds(
    world: World, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They start at full text, and are corrected to be screened from the start."""
    team = world.team(n_records=20, policy={"reviewers_per_record": 1})
    world.decide(team.review_id, team.ann, 1, "include")
    importer = Importer(world, Artifacts(settings.resolved_artifact_url()))
    importer.owner, importer.review_id = team.owner, team.review_id
    import_id = importer.accept(titled(range(101, 109)))
    with world.database.write.begin() as session:
        row = session.get_one(Import, import_id)
        row.found_by, row.starts_at = FoundBy.CITATION, StartsAt.FULL_TEXT
    with world.database.read() as session:
        display.display(session, team.review_id, TA)

    def link(*args: Any) -> None:
        register(world, team, n_records=28)
        draw(world, team)
        deduplication.run(*args)

    importing.run(world.database, importer.artifacts, import_id, link=link)
    with world.entered(team.review_id, team.owner) as (session, review, viewer):
        database = {"found_by": FoundBy.DATABASE, "starts_at": StartsAt.TITLE_ABSTRACT}
        sources.change_import(session, review, viewer, import_id=import_id, changes=database)

    assert shown(world, team).ledger.outside == Outside(unsettled=8)
    draw(world, team)
    assert_in_step(world.database, team.review_id)


def test_what_a_draw_misses_is_found_without_reading_the_whole_ledger(
    world: World, team: Team
) -> None:
    """The review is locked meanwhile, and others wait to decide."""
    asked: list[str] = []

    def note(_: object, __: object, statement: str, *___: object) -> None:
        asked.append(statement)

    with world.entered(team.review_id, team.owner) as (session, _, __):
        audit = audit_queries.in_force(session, team.review_id, TA)
        assert audit is not None
        event.listen(world.database.engine, "before_cursor_execute", note)
        missed = frame.note_missed(session, audit)

    assert tuple(missed) == REMOVED
    (of_ledger,) = (one for one in asked if "FROM decision" in one)
    assert "decision.record_number IN" in of_ledger


def test_a_pool_that_was_made_smaller_is_found(world: World, team: Team) -> None:
    draw(world, team)
    draw(world, team)
    assert_in_step(world.database, team.review_id)

    with world.database.write.begin() as session:
        session.execute(
            update(AuditDraw).where(AuditDraw.place == 2).values(pool=AuditDraw.pool - 1)
        )

    assert "a pool of" in str(checked(exported(world, team)).difference)


def test_a_pool_that_was_made_smaller_as_if_records_had_come_later_is_found(
    world: World, team: Team
) -> None:
    """One record did come later: it was restored behind the first draw."""
    draw(world, team)
    restore(world, team, 21)
    draw(world, team)
    assert_in_step(world.database, team.review_id)

    with world.database.write.begin() as session:
        audit = audit_queries.in_force(session, team.review_id, TA)
        assert audit is not None
        drawn = session.scalars(select(AuditDraw.record_number)).all()
        others = sorted({*range(11, 21)} - {*drawn})
        audit.missed = np.union1d(frame.missed(audit), others[:2]).astype("<i4").tobytes()
        session.execute(update(AuditDraw).values(pool=AuditDraw.pool - 2))

    assert "3 records outside of the frame" in str(checked(exported(world, team)).difference)
