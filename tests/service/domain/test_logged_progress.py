"""What is read of the log once is not read again, and is forgotten where the log is another one."""

from contextlib import suppress

import pytest
from sqlalchemy import update

from tandem.db.session import Database
from tandem.events.log import Event
from tandem.ids import RecordNumber, ReviewId
from tandem.reviews.policy import Stage
from tandem.screening import decisions
from tandem.screening.ledger.entries import DecisionInput
from tandem.screening.logged_progress import CurvePoint, LoggedStage, logged_progress
from tandem.screening.rules import Verdict
from world import World


class Undone(Exception):
    """Nothing of the transaction is committed."""


TA = Stage.TITLE_ABSTRACT
pytestmark = pytest.mark.both_engines


def everywhere(number: RecordNumber) -> bool:
    return True


def derived(database: Database, review_id: ReviewId) -> LoggedStage:
    with database.read() as session:
        return logged_progress(session, review_id)[TA]


def test_later_calls_count_what_was_added(world: World, database: Database) -> None:
    team = world.team(n_records=4)
    r = team.review_id
    world.decide(r, team.ann, 1, "include")
    before = derived(database, r)
    world.decide(r, team.ben, 1, "include")
    world.decide(r, team.ann, 2, "exclude")

    after = derived(database, r)

    assert before.curve(everywhere) == [CurvePoint(0, 0)]
    assert after.curve(everywhere) == [CurvePoint(0, 0), CurvePoint(2, 1)]
    assert after.curve(lambda number: number != 1) == [CurvePoint(0, 0)]
    assert after.n_decisions == 3
    assert {who: sum(days.values()) for who, days in after.days.items()} == {
        team.ann.id: 2,
        team.ben.id: 1,
    }


def test_what_was_read_is_not_read_again(world: World, database: Database) -> None:
    team = world.team(n_records=4)
    r = team.review_id
    world.decide(r, team.ann, 1, "include")
    world.decide(r, team.ann, 2, "include")
    assert derived(database, r).n_decisions == 2
    with database.write.begin() as session:  # so that reading it again would show
        first = Event.subject == "1"
        session.execute(update(Event).where(Event.review_id == r, first).values(type="unknown"))
    world.decide(r, team.ann, 3, "include")

    assert derived(database, r).n_decisions == 3


def test_a_log_that_goes_on_in_another_way_is_read_from_its_begin(
    world: World, database: Database
) -> None:
    team = world.team(n_records=4)
    r = team.review_id
    world.decide(r, team.ann, 1, "exclude")
    with suppress(Undone), world.entered(r, team.ann) as (session, review, viewer):
        decisions.record_decision(
            session,
            review=review,
            viewer=viewer,
            record_number=RecordNumber(2),
            stage=TA,
            given=DecisionInput(Verdict.EXCLUDE),
        )
        assert logged_progress(session, r)[TA].n_decisions == 2
        raise Undone
    world.decide(r, team.ben, 1, "exclude")

    found = derived(database, r)

    assert {who: sum(days.values()) for who, days in found.days.items()} == {
        team.ann.id: 1,
        team.ben.id: 1,
    }


def test_a_session_that_began_earlier_counts_what_it_sees(world: World, database: Database) -> None:
    team = world.team(n_records=4)
    r = team.review_id
    world.decide(r, team.ann, 1, "include")
    with database.read() as session:
        assert logged_progress(session, r)[TA].n_decisions == 1
        world.decide(r, team.ann, 2, "include")
        assert derived(database, r).n_decisions == 2

        assert logged_progress(session, r)[TA].n_decisions == 1
    assert derived(database, r).n_decisions == 2
