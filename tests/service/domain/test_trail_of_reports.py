"""What `tandem verify` finds where somebody has changed the rows of the full-text stage."""

import json
from typing import Any

import pytest
from sqlalchemy import text

from prepared import Prepared
from tandem.audit import trail
from tandem.audit.checked import Checked
from tandem.audit.verify import check
from tandem.screening.rules import Classification
from world import FT, Team, World

pytestmark = pytest.mark.both_engines
Line = dict[str, Any]


@pytest.fixture
def team(world: World, prepared: Prepared) -> Team:
    return prepared(build, world)


def build(world: World) -> Team:
    """At full text: 1 is ongoing, 2 excluded, 3 settled by the judge, 4 not retrieved, 5 asleep."""
    team = world.team(n_records=6, exclusion_reasons=["design", "population"])
    r, ann, ben = team.review_id, team.ann, team.ben
    world.to_full_text(team, 1, 2, 3, 4, 5)
    for person in (ann, ben):
        kind = Classification.ONGOING
        world.decide(r, person, 1, "include", stage=FT, classification=kind)
        world.decide(r, person, 2, "exclude", stage=FT, reasons=["population"])
        world.decide(r, person, 5, "include", stage=FT)
    world.decide(r, ann, 3, "include", stage=FT)
    world.decide(r, ben, 3, "exclude", stage=FT, reasons=["design"])
    kind = Classification.AWAITING
    world.resolve(r, team.judge, 3, "include", stage=FT, classification=kind)
    world.retrieve(r, ann, 4, "not_retrieved", "The library does not have it.")
    world.withdraw(r, ben, 5)
    return team


def exported(world: World, team: Team) -> list[Line]:
    found = trail.lines(world.database, review_id=team.review_id, user_id=team.owner.id)
    return [json.loads(line) for line in found]


def checked(lines: list[Line]) -> Checked:
    return check(json.dumps(line) for line in lines)


def test_what_nobody_changed_holds(world: World, team: Team) -> None:
    lines = exported(world, team)
    found = checked(lines)
    assert found.difference is None
    assert found.n_reports == 4
    stands = {line["report"]: (line["standing"], line["final_reason"]) for line in _reports(lines)}
    assert stands == {
        "1": ("ongoing", None),
        "2": ("excluded", "population"),
        "3": ("awaiting_classification", None),
        "4": ("not_retrieved", None),
    }


def _reports(lines: list[Line]) -> list[Line]:
    return [line for line in lines if "report" in line]


@pytest.mark.parametrize(
    ("statement", "record"),
    [
        ("UPDATE retrieval SET state = 'retrieved' WHERE state = 'not_retrieved'", "4"),
        ("UPDATE retrieval SET note = 'x' WHERE record_number = 4", "4"),
        ("UPDATE retrieval SET via = 'ill' WHERE record_number = 2", "2"),
        ("UPDATE retrieval SET record_number = 6 WHERE record_number = 2", "6"),
        ("DELETE FROM retrieval WHERE record_number = 1", "1"),
        ("DELETE FROM retrieval WHERE record_number = 4 AND state = 'retrieved'", "4"),
        ("UPDATE decision SET classification = NULL WHERE record_number = 1", "1"),
        ("UPDATE decision SET reasons = '[\"design\"]' WHERE record_number = 2", "2"),
        ("UPDATE resolution SET classification = 'ongoing' WHERE record_number = 3", "3"),
        ("UPDATE screened_record SET classification = NULL WHERE record_number = 1", "1"),
        (
            "UPDATE screened_record SET status = 'excluded' "
            "WHERE record_number = 1 AND stage = 'title_abstract'",
            "1",
        ),
    ],
)
def test_the_record_is_named_whose_rows_were_changed(
    statement: str, record: str, world: World, team: Team
) -> None:
    with world.database.engine.begin() as connection:
        connection.execute(text(statement))

    difference = checked(exported(world, team)).difference

    assert difference is not None
    assert difference.at is not None
    assert difference.at.record == record


def test_lines_that_are_left_out_are_missed(world: World, team: Team) -> None:
    lines = exported(world, team)
    for name, key in (("report", "1"), ("retrieval", "4")):
        less = [line for line in lines if line.get(name) != key]
        difference = checked(less).difference
        assert difference is not None
        assert difference.at is not None
        assert difference.at.record == key


def test_a_trail_of_before_there_were_reports_holds(world: World, team: Team) -> None:
    """Version 4 has no lines about them, whatever its log tells."""
    lines = exported(world, team)
    older = [line for line in lines if "report" not in line and "retrieval" not in line]
    older[0] = older[0] | {"trail": 4}
    assert checked(older).difference is None
    assert checked(older).n_reports == 0
