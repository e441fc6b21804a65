"""What reviewers differ in, where they spell one thing in several ways."""

import pytest
from sqlalchemy import select

from service.domain.tables import assert_in_step
from tandem.db.session import Database
from tandem.records.models import Record
from tandem.reviews import service as reviews
from tandem.screening.conflicts import service as conflicts
from tandem.screening.conflicts.disagreements import Disagreements, disagreements
from tandem.screening.export_ledger import exported_entries
from tandem.screening.ledger.entries import ResolutionInput
from tandem.screening.models import Conflict
from tandem.screening.rules import Status, Verdict
from world import TA, Team, World

STRICT = {"reasons_must_match": True}


def differ_in_reasons(world: World, team: Team, number: int, anns: str, bens: str) -> None:
    world.decide(team.review_id, team.ann, number, "exclude", reasons=[anns])
    world.decide(team.review_id, team.ben, number, "exclude", reasons=[bens])


def settle(world: World, team: Team, number: int, verdict: str, criterion: str) -> None:
    with world.entered(team.review_id, team.judge) as (session, review, viewer):
        conflict = session.scalars(
            select(Conflict).where(
                Conflict.review_id == review.id, Conflict.record_number == number
            )
        ).one()
        conflicts.resolve_conflict(
            session,
            review=review,
            viewer=viewer,
            conflict_id=conflict.id,
            given=ResolutionInput(Verdict(verdict), criterion=criterion),
        )


def counted(database: Database, team: Team) -> Disagreements:
    with database.read() as session:
        viewer = reviews.viewer(session, review_id=team.review_id, user_id=team.judge.id)
        return disagreements(session, viewer=viewer)[TA]


@pytest.mark.both_engines
def test_what_was_settled_once_counts_once_when_its_record_is_linked_to_another(
    world: World, database: Database
) -> None:
    team = world.team(n_records=2)
    for person, verdict in ((team.ann, "include"), (team.ben, "exclude")):
        world.decide(team.review_id, person, 2, verdict)
    settle(world, team, 2, "include", "Adults")
    before = counted(database, team)
    with database.write.begin() as session:  # else the one that was screened is shown
        session.get_one(Record, (team.review_id, 2)).abstract = ""

    group = world.merge(team.review_id, team.owner, 1, 2)

    assert world.status(team.review_id, 1) is Status.INCLUDED
    assert counted(database, team) == before
    assert in_force(database, team) == [("1", "ann"), ("1", "ben"), ("1", "judge")]
    world.split(team.review_id, team.owner, group)
    assert counted(database, team).by_criterion == before.by_criterion
    assert in_force(database, team) == [("2", "ann"), ("2", "ben"), ("2", "judge")]


def in_force(database: Database, team: Team) -> list[tuple[str, str | None]]:
    """Return of what entries of the exported ledger nothing has taken the place."""
    entries = exported_entries(
        database, review_id=team.review_id, user_id=team.owner.id, stage=TA, status=None
    )
    return sorted((one.record_id, one.reviewer) for one in entries if one.in_force)


def test_a_reason_in_another_spelling_is_no_conflict(world: World, database: Database) -> None:
    team = world.team(policy=STRICT)

    differ_in_reasons(world, team, 1, "Wrong population", "wrong  population.")

    assert world.status(team.review_id, 1) is Status.EXCLUDED
    assert not counted(database, team).by_kind
    assert_in_step(database, team.review_id)


@pytest.mark.parametrize(
    ("of_the_review", "written"),
    [([], "wrong design"), (["Wrong Design."], "Wrong Design.")],
)
def test_pairs_of_reasons_are_counted_whatever_their_spelling(
    world: World, database: Database, of_the_review: list[str], written: str
) -> None:
    team = world.team(policy=STRICT, exclusion_reasons=of_the_review)
    differ_in_reasons(world, team, 1, "No study", "wrong design")
    differ_in_reasons(world, team, 2, "WRONG DESIGN", "No study")
    differ_in_reasons(world, team, 3, "wrong design", "No study")

    assert counted(database, team).reasons == {tuple(sorted(["No study", written])): 3}


@pytest.mark.parametrize(
    ("of_the_review", "written"), [([], "adults only"), (["Adults only."], "Adults only.")]
)
def test_criteria_are_counted_whatever_their_spelling(
    world: World, database: Database, of_the_review: list[str], written: str
) -> None:
    team = world.team(n_records=4, include=of_the_review)
    said = [("Adults Only", "include"), ("adults only", "exclude"), ("adults only", "include")]
    for number, (criterion, verdict) in enumerate([*said, ("in English", "include")], start=1):
        world.decide(team.review_id, team.ann, number, "include")
        world.decide(team.review_id, team.ben, number, "exclude")
        settle(world, team, number, verdict, criterion)

    found = counted(database, team).by_criterion

    assert {text: (n.n_include, n.n_exclude) for text, n in found.items()} == {
        written: (2, 1),
        "in English": (1, 0),
    }
