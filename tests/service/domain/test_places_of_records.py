"""Where a record belongs: each condition of a query says what the same rule says of one record."""

from itertools import product
from typing import Any

import pytest
from sqlalchemy import bindparam, insert, select
from sqlalchemy.orm import Session

from tandem.db.base import now
from tandem.ids import RecordNumber
from tandem.records.models import Record
from tandem.records.origin import NotScreened
from tandem.records.shown import n_shown, n_unlinked
from tandem.reports.facts import load_facts
from tandem.reports.rules import Standing, standing
from tandem.reviews import service as reviews
from tandem.screening.full_text import population
from tandem.screening.full_text.models import Retrieval, RetrievalState
from tandem.screening.full_text.population import Gate
from tandem.screening.hidden_records import hidden_numbers
from tandem.screening.models import ScreenedRecord
from tandem.screening.rules import Status
from world import FT, TA, Team, World

pytestmark = pytest.mark.both_engines

FIRST = (
    None,
    (Status.EXCLUDED, 2, True),
    (Status.UNSCREENED, 0, False),
    (Status.INCLUDED, 1, False),
    (Status.INCLUDED, 2, True),
)
"""What title and abstract made of a record: its status, its decisions, whether it was through."""

GOT, LOST = RetrievalState.RETRIEVED, RetrievalState.NOT_RETRIEVED
RETRIEVALS = ((), (GOT,), (LOST,), (GOT, LOST), (LOST, GOT))
KINDS = [*product((None, *NotScreened), FIRST, RETRIEVALS, (True, False))]
"""All that decides where a record belongs; the last: its retrieval is that of a linked one."""


@pytest.fixture
def team(world: World) -> Team:
    """A review with a record of each kind, then as many that are linked to one of these."""
    team = world.team(n_records=2 * len(KINDS))
    first, retrievals = list[dict[str, Any]](), list[dict[str, Any]]()
    with world.database.write.begin() as session:
        for number, (why, came, states, is_of_linked) in enumerate(KINDS, start=1):
            session.get_one(Record, (team.review_id, number)).not_screened_because = why
            linked = session.get_one(Record, (team.review_id, number + len(KINDS)))
            linked.duplicate_of = RecordNumber(number)
            linked.not_screened_because = NotScreened.FULL_TEXT if came else None  # says nothing
            at = {"review_id": team.review_id, "record_number": number}
            if came is not None:
                values = zip(("status", "n_decisions", "has_advanced"), came, strict=True)
                first.append({**at, "stage": TA, **dict(values)})
            of = at | {"record_number": linked.number if is_of_linked else number}
            told = {"by_id": team.owner.id, "created_at": now(), "via": None, "note": None}
            retrievals += [
                {**of, "seq": seq, "state": state, **told}
                for seq, state in enumerate(states, start=1)
            ]
        session.flush()
        session.execute(insert(ScreenedRecord), first)
        session.execute(insert(Retrieval), retrievals)
    return team


def numbers(session: Session, team: Team, condition: Any) -> set[int]:
    query = select(Record.number).where(Record.review_id == team.review_id, condition)
    return set(session.scalars(query, {"review_id": team.review_id}))


def test_of_a_row_and_over_rows_the_names_say_the_same(world: World, team: Team) -> None:
    with world.database.read() as session:
        rows = session.scalars(select(Record).where(Record.review_id == team.review_id)).all()
        for name in (
            "is_shown",
            "is_left_out",
            "is_in_screening",
            "is_previous",
            "starts_at_full_text",
        ):
            due = {row.number for row in rows if getattr(row, name)}
            assert numbers(session, team, getattr(Record, name)) == due, name
            others = {row.number for row in rows} - due
            if name in ("is_shown", "is_left_out", "is_in_screening"):  # the others may be null
                assert numbers(session, team, ~getattr(Record, name)) == others, name
        shown_as = select(Record.number, Record.shown_as).where(Record.review_id == team.review_id)
        assert dict(session.execute(shown_as).all()) == {row.number: row.shown_as for row in rows}
        screened = {row.number for row in rows if row.is_in_screening}
        assert n_shown(session, team.review_id) == len(screened) == len(FIRST) * 2 * len(RETRIEVALS)
        assert n_unlinked(session, team.review_id) == sum(row.is_shown for row in rows)
        hidden = hidden_numbers(session, team.review_id).tolist()
        assert set(hidden) == {row.number for row in rows} - screened
        for through in (Gate(0), Gate(2)):
            assert numbers(session, team, population.in_stage(TA, through)) == screened
            assert numbers(session, team, population.is_of_stage(TA, through)) == screened
            there = numbers(session, team, population.is_there(TA, through, Record.number))
            assert there & set(range(1, len(KINDS) + 1)) == screened


@pytest.mark.parametrize("through", [Gate(0), Gate(2)])
def test_at_full_text_is_what_stands_there(world: World, team: Team, through: Gate) -> None:
    with world.database.read() as session:
        facts = load_facts(session, reviews.get_review(session, team.review_id))
        stands = {number: standing(of) for number, of in facts.items()}
        is_open = {
            number
            for number, (why, came, *_) in enumerate(KINDS, start=1)
            if why is NotScreened.FULL_TEXT or (came is not None and came[1] >= through.n_decisions)
        }
        reports = {
            number
            for number, one in stands.items()
            if one not in (None, Standing.PREVIOUS, Standing.NOT_SOUGHT) and number in is_open
        }
        assessed = {n for n in reports if (one := stands[n]) is not None and one.is_assessed}
        assert reports > assessed > set()

        shown = Record.is_shown
        assert numbers(session, team, population.is_report(through) & shown) == reports
        assert numbers(session, team, population.is_at_full_text(through) & shown) == assessed
        assert numbers(session, team, population.is_of_stage(FT, through)) == assessed
        assert numbers(session, team, population.in_stage(FT, through)) == assessed
        there = population.is_there(FT, through, Record.number)
        assert numbers(session, team, there) == assessed
        assert population.population(session, team.review_id, through) == assessed
        many = population.in_reviews(through, bindparam("reviews", expanding=True))
        of_many = session.execute(many, {"reviews": [team.review_id]}).all()
        assert sorted(of_many) == [(team.review_id, number) for number in sorted(assessed)]
        assert population.n_in_stage(session, team.review_id, FT, through) == len(assessed)


def test_what_was_at_full_text_may_come_back(world: World, team: Team) -> None:
    with world.database.read() as session:
        reached = numbers(session, team, population.has_reached() & Record.is_shown)
    assert reached == {
        number
        for number, (why, came, *_) in enumerate(KINDS, start=1)
        if why is NotScreened.FULL_TEXT or (why is None and came is not None and came[2])
    }
