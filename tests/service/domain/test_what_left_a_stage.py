"""What has left a stage is counted nowhere in it, and what starts there is counted everywhere."""

from collections.abc import Iterator
from contextlib import suppress

import pytest
from sqlalchemy import select

from service.domain.same_numbers import assert_same_everywhere
from service.domain.test_people import declare
from service.domain.test_same_numbers import become_previous, decide
from tandem.audit import past
from tandem.records.imports import Found
from tandem.records.models import Record
from tandem.records.origin import FoundBy
from tandem.reviews import service as reviews
from tandem.reviews import texts
from tandem.reviews.policy import Stage
from tandem.screening import export
from tandem.screening.agreement.reviewer import reviewer_record
from tandem.screening.conflicts import service as conflicts
from tandem.screening.conflicts.disagreements import disagreements
from tandem.screening.criteria import affected
from tandem.screening.export import Selection
from tandem.screening.export_ledger import exported_entries
from tandem.screening.models import Conflict, ConflictState, ResolvedBy
from tandem.screening.progress import progress
from tandem.screening.team import removal
from world import FT, TA, Person, Team, World

pytestmark = pytest.mark.both_engines


class Undone(Exception):
    """Nothing of the transaction is committed."""


def n_awaiting(world: World, team: Team, person: Person) -> int:
    """Return how many records would wait for another decision if somebody left."""
    found = -1
    with suppress(Undone), world.entered(team.review_id, team.owner) as (session, review, viewer):
        found = removal.leave(
            session,
            review=review,
            viewer=viewer,
            user_id=person.id,
            decisions="keep",
            since=None,
        ).n_awaiting
        raise Undone
    return found


def to_look_at(world: World, team: Team, who: Person, stage: Stage) -> list[int]:
    with world.database.read() as session:
        viewer = reviews.viewer(session, review_id=team.review_id, user_id=who.id)
        review = reviews.get_review(session, team.review_id)
        found = affected.list_affected(
            session, viewer=viewer, review=review, stage=stage, limit=100
        )
        return sorted(one.number for one in (item.record for item in found.page.items))


def cited(world: World, team: Team) -> int:
    """Return a record that starts at full text, with its text."""
    found = Found(FoundBy.CITATION)
    (number,) = world.records(team.review_id, team.owner, 1, found=found)
    world.retrieve(team.review_id, team.ann, number)
    return number


@pytest.fixture
def team(world: World) -> Team:
    return world.team(n_records=4, exclusion_reasons=["design"], exclude=["Old"])


def test_a_report_that_waits_for_a_decision_waits_while_it_is_at_full_text(
    world: World, team: Team
) -> None:
    starts_there = cited(world, team)
    world.to_full_text(team, 1, 2)
    for number in (1, 2, starts_there):
        world.decide(team.review_id, team.ann, number, "include", stage=FT)
    assert n_awaiting(world, team, team.ann) == 3

    decide(world, team, 1, "exclude", "exclude")

    assert n_awaiting(world, team, team.ann) == 2


def test_a_change_of_the_criteria_concerns_what_is_at_full_text(world: World, team: Team) -> None:
    starts_there = cited(world, team)
    world.to_full_text(team, 1, 2, 3)
    for number in (1, 2, 3, starts_there):
        world.decide(team.review_id, team.ann, number, "maybe", stage=FT)
    with world.entered(team.review_id, team.owner) as (session, review, _):
        changes = {"criteria_exclude": ["New"]}
        texts.change(session, review, changes, by=team.owner.id, criteria_note=None)
    assert to_look_at(world, team, team.ann, FT) == [1, 2, 3, starts_there]

    decide(world, team, 1, "exclude", "exclude")
    world.retrieve(team.review_id, team.ann, 2, "not_retrieved", "Asked its authors")

    assert to_look_at(world, team, team.ann, FT) == [3, starts_there]


def test_a_persons_decisions_are_held_against_what_counts(world: World, team: Team) -> None:
    world.to_full_text(team, 1, 2)
    for number in (1, 2):
        decide(world, team, number, "exclude", "include", stage=FT)
        world.resolve(team.review_id, team.judge, number, "include", stage=FT)

    def missed(stage: Stage) -> tuple[int, int]:
        with world.database.read() as session:
            viewer = reviews.viewer(session, review_id=team.review_id, user_id=team.owner.id)
            found = reviewer_record(session, viewer=viewer, user_id=team.ann.id, stage=stage)
        against = found.against_outcome
        assert against is not None
        return against.missed_of_excludes.n, against.missed_of_included.of

    assert (missed(TA), missed(FT)) == ((0, 2), (2, 2))
    decide(world, team, 1, "exclude", "exclude")
    assert missed(FT) == (1, 1)
    become_previous(world, team, 2)
    assert (missed(TA), missed(FT)) == ((0, 0), (0, 0))


def test_the_curve_ends_at_what_is_included_now(world: World, team: Team) -> None:
    world.to_full_text(team, 1, 2, 3)
    for number in (1, 2, 3):
        decide(world, team, number, "include", "include", stage=FT)

    def curves() -> Iterator[list[tuple[int, int]]]:
        with world.database.read() as session:
            viewer = reviews.viewer(session, review_id=team.review_id, user_id=team.owner.id)
            last = reviews.get_review(session, team.review_id).last_seq
            for stage in Stage:
                now = progress(session, viewer=viewer, stage=stage).recall_curve or []
                then = past.progress(session, viewer=viewer, stage=stage, as_of=last)
                assert then.recall_curve == now
                yield [(point.n_decisions, point.n_included) for point in now]

    whole = [(0, 0), (2, 1), (4, 2), (6, 3)]
    assert [*curves()] == [whole, whole]
    become_previous(world, team, 1)
    world.retrieve(team.review_id, team.ann, 2, "not_retrieved", "Lost again")
    assert [*curves()] == [[(0, 0), (4, 1), (6, 2)], [(0, 0), (6, 1)]]


def test_own_papers_are_withheld_where_they_are(world: World, team: Team) -> None:
    world.to_full_text(team, 1)
    for number in (1, 2, 3):
        declare(world, team.review_id, team.eve, number, True)
    world.remove(team.review_id, team.owner, 3)

    withheld = [world.serve(team.review_id, team.eve, stage=stage).n_withheld for stage in Stage]

    assert withheld == [2, 1]


def exported(world: World, team: Team, selection: Selection) -> list[int]:
    found = export.exported_records(
        world.database, review_id=team.review_id, user_id=team.owner.id, selection=selection
    )
    return [int(one.id) for one in found]


def ledger(world: World, team: Team, stage: Stage, status: str | None) -> set[int]:
    found = exported_entries(
        world.database,
        review_id=team.review_id,
        user_id=team.owner.id,
        stage=stage,
        status=status,
    )
    return {int(one.record_id) for one in found}


def test_an_export_by_status_has_what_the_list_of_that_status_has(world: World, team: Team) -> None:
    starts_there = cited(world, team)
    world.to_full_text(team, 1, 2, 3)
    for number in (1, 2, 3):
        decide(world, team, number, "include", "include", stage=FT)
    become_previous(world, team, 1)
    world.retrieve(team.review_id, team.ann, 2, "not_retrieved", "Lost again")

    assert exported(world, team, Selection(TA, "included")) == [2, 3]
    assert exported(world, team, Selection(TA, "unscreened")) == [4]
    assert exported(world, team, Selection(FT, "included")) == [3]
    assert ledger(world, team, TA, "included") == {2, 3}
    assert ledger(world, team, FT, "included") == {3}
    assert ledger(world, team, FT, None) == {1, 2, 3}
    assert exported(world, team, Selection(FT)) == [2, 3, starts_there]


def test_an_export_of_full_texts_with_duplicates_has_those_of_its_reports(
    world: World, team: Team
) -> None:
    world.to_full_text(team, 1)
    world.merge(team.review_id, team.owner, 1, 2)

    with_them = Selection(FT, include_duplicates=True)
    assert exported(world, team, with_them) == [1, 2]
    assert exported(world, team, Selection(TA, "included", include_duplicates=True)) == [1, 2]


def test_a_difference_that_came_and_went_with_another_record_is_counted_there_alone(
    world: World, team: Team
) -> None:
    decide(world, team, 1, "include", "exclude")
    with world.database.write.begin() as session:  # else the one that was screened is shown
        session.get_one(Record, (team.review_id, 1)).abstract = ""
    group = world.merge(team.review_id, team.owner, 1, 2)
    assert counted(world, team) == (1, 0)
    assert listed(world, team, ConflictState.OPEN) == [2]
    assert listed(world, team, ConflictState.RESOLVED) == []

    world.split(team.review_id, team.owner, group)

    assert counted(world, team) == (1, 0)
    assert listed(world, team, ConflictState.OPEN) == [1]


def test_what_was_a_difference_before_a_merge_is_one_after_it(world: World, team: Team) -> None:
    """It ended by agreement, came again with another record, and left with it."""
    decide(world, team, 1, "include", "exclude")
    decide(world, team, 2, "include", "exclude")
    world.decide(team.review_id, team.ben, 2, "include")
    with world.database.write.begin() as session:
        session.get_one(Record, (team.review_id, 1)).abstract = ""
    group = world.merge(team.review_id, team.owner, 1, 2)
    world.split(team.review_id, team.owner, group)

    assert counted(world, team) == (1, 1)
    assert_same_everywhere(world.database, team.review_id, team.owner.id)


def counted(world: World, team: Team) -> tuple[int, int]:
    """Return how many conflicts are open, and how many over."""
    with world.database.read() as session:
        viewer = reviews.viewer(session, review_id=team.review_id, user_id=team.owner.id)
        by_kind = disagreements(session, viewer=viewer)[TA].by_kind
    n_open = sum(n for (_, state), n in by_kind.items() if state is ConflictState.OPEN)
    return n_open, by_kind.total() - n_open


def listed(world: World, team: Team, state: ConflictState) -> list[int]:
    with world.database.read() as session:
        viewer = reviews.viewer(session, review_id=team.review_id, user_id=team.owner.id)
        asked = conflicts.Selection(state=state)
        found = conflicts.list_conflicts(session, viewer=viewer, selection=asked, limit=9)
        return [one.conflict.record_number for one in found.items]


def test_what_a_resolution_settled_is_settled_by_it_when_another_record_is_parted_again(
    world: World, team: Team
) -> None:
    decide(world, team, 1, "include", "exclude")
    world.resolve(team.review_id, team.judge, 1, "exclude")
    world.decide(team.review_id, team.eve, 2, "include")
    group = world.merge(team.review_id, team.owner, 1, 2)
    assert settled_by(world, team, 1) is None
    world.split(team.review_id, team.owner, group)
    assert settled_by(world, team, 1) is ResolvedBy.RESOLUTION


def settled_by(world: World, team: Team, number: int) -> ResolvedBy | None:
    with world.database.read() as session:
        found = select(Conflict.resolved_by).where(
            Conflict.review_id == team.review_id, Conflict.record_number == number
        )
        return session.scalars(found).one()
