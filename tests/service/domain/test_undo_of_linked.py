"""An undo that arrives when its record has been linked to another one."""

import pytest

from service.domain.tables import assert_in_step
from tandem.ids import RecordNumber
from tandem.records.models import Record
from tandem.screening import decisions
from tandem.screening.client_state import Basis, NewerDecision
from tandem.screening.models import Decision
from tandem.screening.rules import Status
from world import TA, Team, World

pytestmark = pytest.mark.both_engines


@pytest.fixture
def team(world: World) -> Team:
    return world.team(n_records=2)


def slip(world: World, team: Team) -> Decision:
    made: Decision | None = world.decide(team.review_id, team.ann, 2, "exclude").decision
    assert made is not None
    return made


def undo(world: World, team: Team, known: Decision) -> None:
    """Take back what Ann has on record 1, where her client knows this decision on record 2."""
    with world.entered(team.review_id, team.ann) as (session, review, viewer):
        decisions.withdraw_decision(
            session,
            review=review,
            viewer=viewer,
            record_number=RecordNumber(1),
            stage=TA,
            basis=Basis(known.id),
        )


def test_it_takes_back_nothing_else(world: World, team: Team) -> None:
    world.decide(team.review_id, team.ann, 1, "include")
    known = slip(world, team)
    world.merge(team.review_id, team.owner, 1, 2)

    with pytest.raises(NewerDecision):
        undo(world, team, known)

    assert world.status(team.review_id, 1) is Status.AWAITING


def test_it_goes_on_to_the_record_that_the_decision_came_to(world: World, team: Team) -> None:
    """All that Ann has said of either is what she takes back."""
    known = slip(world, team)
    with world.database.write.begin() as session:
        session.get_one(Record, (team.review_id, 2)).abstract = ""  # so that record 1 is shown
    world.merge(team.review_id, team.owner, 1, 2)
    assert world.status(team.review_id, 1) is Status.AWAITING

    undo(world, team, known)

    assert world.status(team.review_id, 1) is Status.UNSCREENED
    assert_in_step(world.database, team.review_id)
