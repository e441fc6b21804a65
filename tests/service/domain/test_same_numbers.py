"""What is counted in several places is the same number in all of them."""

from typing import Any

import numpy as np
import pytest

from service.domain.same_numbers import assert_same_everywhere
from tandem.audit import past
from tandem.handover.gathering import gather
from tandem.ids import RecordNumber
from tandem.records.imports import Found
from tandem.records.origin import FoundBy
from tandem.reviews import service as reviews
from tandem.screening import second_look
from tandem.screening.export import Selection, exported_records
from tandem.screening.progress import progress
from world import FT, TA, Person, Team, World


def decide(world: World, team: Team, number: int, ann: str, ben: str, **said: Any) -> None:
    for person, verdict in ((team.ann, ann), (team.ben, ben)):
        reasons = ["design"] if verdict == "exclude" else []
        world.decide(team.review_id, person, number, verdict, reasons=reasons, **said)


def become_previous(world: World, team: Team, *numbers: int) -> None:
    found = Found(FoundBy.PREVIOUS)
    earlier = world.records(team.review_id, team.owner, len(numbers), found=found)
    for number, report in zip(numbers, earlier, strict=True):
        world.merge(team.review_id, team.owner, number, report)


@pytest.mark.both_engines
def test_of_records_that_leave_the_screening_after_they_were_decided(world: World) -> None:
    team = world.team(n_records=9, exclusion_reasons=["design"])
    world.to_full_text(team, 1, 2, 3)
    decide(world, team, 1, "include", "include", stage=FT)
    decide(world, team, 2, "include", "exclude", stage=FT)
    decide(world, team, 3, "exclude", "exclude", stage=FT)
    decide(world, team, 4, "include", "include")
    decide(world, team, 5, "include", "exclude")
    decide(world, team, 6, "exclude", "exclude")
    world.decide(team.review_id, team.ann, 7, "include")
    assert_same_everywhere(world.database, team.review_id, team.owner.id)

    become_previous(world, team, *range(1, 8))

    assert_same_everywhere(world.database, team.review_id, team.owner.id)
    with world.database.read() as session:
        viewer = reviews.viewer(session, review_id=team.review_id, user_id=team.owner.id)
        last = reviews.get_review(session, team.review_id).last_seq
        for stage in (TA, FT):
            then = past.progress(session, viewer=viewer, stage=stage, as_of=last)
            here = progress(session, viewer=viewer, stage=stage)
            assert (then.n_records, then.counts) == (here.n_records, here.counts)


@pytest.mark.both_engines
def test_of_reports_that_leave_full_text_after_they_were_assessed(world: World) -> None:
    team = world.team(n_records=3, exclusion_reasons=["design"])
    world.to_full_text(team, 1, 2, 3)
    decide(world, team, 1, "exclude", "exclude", stage=FT)
    decide(world, team, 2, "include", "exclude", stage=FT)
    decide(world, team, 3, "include", "include", stage=FT)
    assert_same_everywhere(world.database, team.review_id, team.owner.id)

    for number in (1, 2, 3):
        decide(world, team, number, "exclude", "exclude")

    assert_same_everywhere(world.database, team.review_id, team.owner.id)


@pytest.mark.both_engines
def test_a_report_that_a_resolution_includes_is_handed_over_whatever_the_rules_ask_for_now(
    world: World,
) -> None:
    """It has two decisions; three are asked for, and those who screen blind wait for the third."""
    team = world.team(n_records=2)
    decide(world, team, 1, "include", "exclude")
    world.resolve(team.review_id, team.judge, 1, "include")
    world.retrieve(team.review_id, team.ann, 1)
    decide(world, team, 1, "include", "include", stage=FT)

    world.change_policy(team.review_id, team.owner, reviewers_per_record=3)

    handed = gather(world.database, review_id=team.review_id, user_id=team.owner.id)
    assert [one.number for one in handed.reports] == [1]
    assert_same_everywhere(world.database, team.review_id, team.owner.id)
    assert exported(world, team, team.owner) == [1]
    assert exported(world, team, team.eve) == []


def exported(world: World, team: Team, who: Person) -> list[int]:
    found = exported_records(
        world.database, review_id=team.review_id, user_id=who.id, selection=Selection(FT)
    )
    return [int(one.id) for one in found]


def test_what_is_an_earlier_report_by_now_needs_no_second_look(world: World) -> None:
    team = world.team(n_records=3)
    for number in (1, 2):
        decide(world, team, number, "exclude", "exclude")
    become_previous(world, team, 1)

    with world.database.read() as session:
        viewer = reviews.viewer(session, review_id=team.review_id, user_id=team.owner.id)
        found = second_look.doubtful(
            session,
            viewer=viewer,
            stage=TA,
            numbers=np.array([1, 2], dtype=np.int32),
            scores=np.array([0.9, 0.8], dtype=np.float32),
            limit=9,
        )

    assert [one.shown.record.number for one in found.items] == [RecordNumber(2)]
