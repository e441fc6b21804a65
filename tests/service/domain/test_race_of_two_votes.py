"""Two reviewers decide one record at the same instant, again and again."""

from collections import Counter
from itertools import cycle, islice
from threading import Barrier

import pytest

import effort
from service.domain.tables import assert_in_step, conflicts, event_types, ledger
from service.domain.threads import PATIENCE, at_once
from tandem.db.session import Database
from tandem.screening.models import ConflictState
from tandem.screening.rules import Status
from world import Person, Team, World

pytestmark = pytest.mark.both_engines

N_RECORDS = effort.examples(200)

PAIRS = {
    ("include", "include"): Status.INCLUDED,
    ("include", "exclude"): Status.CONFLICT,
    ("exclude", "exclude"): Status.EXCLUDED,
    ("exclude", "include"): Status.CONFLICT,
    ("maybe", "include"): Status.INCLUDED,
    ("exclude", "maybe"): Status.CONFLICT,
}
PLAN = dict(enumerate(islice(cycle(PAIRS), N_RECORDS), start=1))
DIFFERING = [number for number, pair in PLAN.items() if PAIRS[pair] is Status.CONFLICT]


def race(world: World, team: Team, *turns: tuple[Person, dict[int, str]]) -> None:
    """Let each person cast their votes in order, all waiting for all before each vote."""
    ready = Barrier(len(turns))

    def vote(person: Person, verdicts: dict[int, str]) -> None:
        try:
            for number, verdict in verdicts.items():
                ready.wait(timeout=PATIENCE)
                world.decide(team.review_id, person, number, verdict)
        except BaseException:
            ready.abort()
            raise

    at_once([lambda turn=turn: vote(*turn) for turn in turns])  # type: ignore[misc]


def votes(of: int) -> dict[int, str]:
    return {number: pair[of] for number, pair in PLAN.items()}


def test_every_outcome_is_right_and_every_difference_is_flagged_once(
    world: World, database: Database
) -> None:
    team = world.team(n_records=N_RECORDS)

    race(world, team, (team.ann, votes(0)), (team.ben, votes(1)))

    judged = {number: world.status(team.review_id, number) for number in PLAN}
    assert judged == {number: PAIRS[pair] for number, pair in PLAN.items()}
    found = conflicts(database, team.review_id)
    assert [row.record_number for row in found] == DIFFERING
    assert {row.state for row in found} == {ConflictState.OPEN}
    assert Counter(event_types(database, team.review_id)) == {
        "decision.recorded": 2 * N_RECORDS,
        "conflict.opened": len(DIFFERING),
        "record.included": sum(PAIRS[pair] is Status.INCLUDED for pair in PLAN.values()),
        "record.excluded": sum(PAIRS[pair] is Status.EXCLUDED for pair in PLAN.values()),
    }
    entries = {
        (int(entry.record_number), entry.reviewer_id): str(entry.verdict)
        for entry in ledger(database, team.review_id)
    }
    assert len(entries) == len(ledger(database, team.review_id)) == 2 * N_RECORDS
    for number, (ann, ben) in PLAN.items():
        assert (entries[number, team.ann.id], entries[number, team.ben.id]) == (ann, ben)
    assert_in_step(database, team.review_id)


def test_two_who_change_their_votes_at_once_leave_no_half_conflict(
    world: World, database: Database
) -> None:
    team = world.team(n_records=30)
    for number in range(1, 31):
        world.decide(team.review_id, team.ann, number, "include")
        world.decide(team.review_id, team.ben, number, "exclude")

    race(
        world,
        team,
        (team.ann, dict.fromkeys(range(1, 31), "exclude")),
        (team.ben, dict.fromkeys(range(1, 31), "include")),
    )

    found = conflicts(database, team.review_id)
    assert [row.state for row in found] == [ConflictState.OPEN] * 30
    # The first to come agreed with the other for a moment, so each was closed and opened again.
    assert event_types(database, team.review_id).count("conflict.reopened") == 30
    assert_in_step(database, team.review_id)
