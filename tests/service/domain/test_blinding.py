"""What somebody may see of a record, and of many: `view` and its twin in SQL say the same."""

from collections.abc import Iterator
from itertools import product

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tandem.ids import RecordNumber
from tandem.records.models import Record
from tandem.reviews.models import Role
from tandem.reviews.policy import Policy, Stage
from tandem.reviews.service import Viewer
from tandem.screening.blinding import sql
from tandem.screening.blinding.view import hides_votes, is_unblinded, needs_history, view
from tandem.screening.ledger.conflict_history import histories
from tandem.screening.ledger.loading import load
from tandem.screening.ledger.state import RecordKey, RecordState
from tandem.screening.models import Conflict
from world import TA, Person, Team, World


@pytest.fixture
def team(world: World) -> Team:
    """A review with a record in every state, with and without a vote of Ann's.

    Each vote has its reviewer's name as a label.
    """
    team = world.team(n_records=14, policy={"resolution": "consensus"})
    ann, ben, eve = team.ann, team.ben, team.eve
    votes: dict[int, dict[str, tuple[Person, ...]]] = {
        2: {"include": (ann,)},
        3: {"include": (ben,)},
        4: {"include": (ann, ben)},
        5: {"include": (ben, eve)},
        6: {"exclude": (ann, ben)},
        7: {"exclude": (ben, eve)},
        8: {"include": (ann,), "exclude": (ben,)},
        9: {"include": (ben,), "exclude": (eve,)},
        10: {"include": (ann,), "exclude": (ben,)},
        11: {"include": (ben,), "exclude": (eve,)},
        12: {"include": (ann,), "exclude": (ben,)},
        13: {"include": (ann, eve), "exclude": (ben,)},
    }
    for number, cast in votes.items():
        for verdict, people in cast.items():
            for person in people:
                world.decide(team.review_id, person, number, verdict, labels=[person.name])
    world.resolve(team.review_id, team.judge, 10, "include")
    world.resolve(team.review_id, team.judge, 11, "exclude")
    world.withdraw(team.review_id, ben, 12)
    return team


def viewers(team: Team) -> Iterator[Viewer]:
    """Everybody there could be: Ann and one who has no vote, in each role, by each policy."""
    for person, role, blind, sees, resolution, may in product(
        (team.ann, team.observer),
        Role,
        (True, False),
        ("nothing", "anonymous", "all"),
        ("adjudicator", "consensus"),
        (True, False),
    ):
        policy = Policy.model_validate(
            {
                "blind": blind,
                "adjudicator_sees": sees,
                "resolution": resolution,
                "voter_may_adjudicate": may,
            }
        )
        yield Viewer(team.review_id, person.id, role, dict.fromkeys(Stage, policy))


def states(session: Session, team: Team) -> dict[RecordNumber, RecordState]:
    keys = [RecordKey(team.review_id, TA, RecordNumber(number)) for number in range(1, 15)]
    return {key.record_number: load(session, key) for key in keys}


@pytest.mark.both_engines
def test_lists_say_of_each_record_what_it_says_itself(world: World, team: Team) -> None:
    with world.database.read() as session:
        there = states(session, team)
        conflicts = {
            found.conflict.record_number: found
            for found in histories(session, session.scalars(select(Conflict)).all())
        }
        n_seen = 0
        for viewer in viewers(team):
            views = {
                number: view(
                    viewer,
                    state,
                    conflicts[number] if needs_history(viewer, TA, state.status) else None,
                )
                for number, state in there.items()
            }
            label = sql.carries_visible_label(viewer, TA, "ben").label("has")
            rows = session.execute(
                sql.with_status(
                    select(Record.number, label),
                    viewer,
                    TA,
                    Record.review_id,
                    Record.number,
                ).where(Record.review_id == team.review_id)
            ).all()
            known = session.scalars(
                select(Conflict.record_number).where(sql.conflict_is_visible(viewer))
            )

            assert {row.number: row.shown_status for row in rows} == {
                number: one.status for number, one in views.items()
            }
            assert {row.number for row in rows if row.has} == {
                number
                for number, one in views.items()
                if one.others_labels and team.ben.id in there[number].votes
            }
            assert set(known) == {
                number
                for number, one in views.items()
                if one.knows_conflict and number in conflicts
            }
            assert set(sql.hidden_records(session, viewer, TA)) == {
                number
                for number, state in there.items()
                if state.row is not None and hides_others(viewer, state)
            }
            n_seen += sum(one.is_status_open for one in views.values())
    assert n_seen


def hides_others(viewer: Viewer, state: RecordState) -> bool:
    """Whether figures of decisions leave a record out: of the blinded as if they had decided it."""
    if is_unblinded(viewer, TA):
        return hides_votes(viewer, TA, state.status)
    votes = {viewer.user_id: next(iter(state.votes.values()))}
    voted = RecordState.of(state.key, votes, None, state.conflict, state.row)
    return not view(viewer, voted).is_status_open


def test_who_has_not_decided_is_shown_nothing_of_others(world: World, team: Team) -> None:
    with world.database.read() as session:
        for viewer in viewers(team):
            for state in states(session, team).values():
                if is_unblinded(viewer, TA) or viewer.user_id in state.votes:
                    continue
                seen = view(viewer, state)
                assert (seen.status, seen.votes) == ("unscreened", ())
                assert not any((seen.is_status_open, seen.knows_conflict, seen.others_labels))
