"""An import is taken back of whose records something was said before or beside decisions."""

from collections.abc import Callable

import pytest
from sqlalchemy import select

from prepared import Prepared
from service.domain.tables import assert_in_step
from tandem.audit import trail, verify
from tandem.ids import ImportId, RecordNumber
from tandem.operations import taking_back
from tandem.operations.taking_back import ImportInUse
from tandem.records.imports import Found
from tandem.records.models import Import, Record
from tandem.records.origin import FoundBy
from tandem.reports.facts import load_retrievals
from tandem.studies import ratings, separate
from tandem.studies import service as studies
from world import Team, World

pytestmark = pytest.mark.both_engines

Work = Callable[[World, Team], object]


@pytest.fixture
def team(world: World, prepared: Prepared) -> Team:
    return prepared(build, world)


def build(world: World) -> Team:
    """Records 1 and 2, then 3 and 4 of another import; all of them start at full text."""
    team = world.team(n_records=0)
    for _ in range(2):
        world.records(team.review_id, team.owner, 2, found=Found(FoundBy.CITATION))
    return team


def take_back(world: World, team: Team, number: int) -> Import:
    """Take back the import that brought this record."""
    with world.entered(team.review_id, team.owner) as (session, review, viewer):
        record = session.get_one(Record, (review.id, number))
        import_id = ImportId(record.import_id)
        return taking_back.take_back(session, review, viewer, import_id=import_id)


def numbers(world: World, team: Team) -> list[int]:
    with world.database.read() as session:
        query = select(Record.number).where(Record.review_id == team.review_id)
        return [int(number) for number in session.scalars(query.order_by(Record.number))]


def assert_trail_holds(world: World, team: Team) -> None:
    exported = trail.lines(world.database, review_id=team.review_id, user_id=team.owner.id)
    assert verify.check(exported).difference is None


def retrieve(world: World, team: Team) -> object:
    return world.retrieve(team.review_id, team.ann, 3)


def add_text(world: World, team: Team) -> object:
    return world.unread_text(team.review_id, team.owner, 3)


def group(world: World, team: Team) -> object:
    with world.entered(team.review_id, team.owner) as (session, review, viewer):
        both = [RecordNumber(1), RecordNumber(3)]
        return studies.create(session, review, viewer, numbers=both, primary=both[1])


def rate(world: World, team: Team) -> None:
    with world.entered(team.review_id, team.ann) as (session, review, viewer):
        number = RecordNumber(3)
        ratings.rate(session, review, viewer, number=number, richness=4, relevance=None)


def say_separate(world: World, team: Team) -> None:
    with world.entered(team.review_id, team.ann) as (session, review, viewer):
        both = [RecordNumber(1), RecordNumber(3)]
        separate.separate(session, review, viewer, numbers=both, is_separate=True)


WORK = [retrieve, add_text, group, say_separate, rate]


@pytest.mark.parametrize("work", WORK)
def test_what_people_did_for_its_full_texts_is_never_removed(
    work: Work, world: World, team: Team
) -> None:
    work(world, team)

    with pytest.raises(ImportInUse, match=r"^The full texts of 1 of its records"):
        take_back(world, team, 3)

    assert numbers(world, team) == [1, 2, 3, 4]
    assert_trail_holds(world, team)


def test_a_retrieval_that_another_import_keeps_stands_in_no_ones_way(
    world: World, team: Team
) -> None:
    world.merge(team.review_id, team.owner, 1, 3)
    world.retrieve(team.review_id, team.ann, 1)

    take_back(world, team, 3)

    with world.database.read() as session:
        kept = load_retrievals(session, team.review_id)
    assert [int(number) for number in kept] == [1]
    assert_in_step(world.database, team.review_id)
    assert_trail_holds(world, team)


def test_a_removal_before_screening_goes_with_its_record(world: World, team: Team) -> None:
    world.remove(team.review_id, team.owner, 3)

    take_back(world, team, 3)

    assert numbers(world, team) == [1, 2]
    assert_trail_holds(world, team)


def test_a_trail_of_when_such_work_still_went_with_its_records_holds(
    world: World, team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taking_back, "_n_at_full_text", lambda *_: 0)
    for work in WORK:
        work(world, team)

    take_back(world, team, 3)

    assert numbers(world, team) == [1, 2]
    assert_trail_holds(world, team)
