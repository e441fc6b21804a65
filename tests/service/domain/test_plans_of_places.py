"""PostgreSQL finds the records of a stage once, also where it knows nothing of the review yet."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import bindparam, insert, select

from service.domain.plans import n_rows_touched, old_statistics
from tandem.db.base import now
from tandem.ids import RecordNumber
from tandem.records.models import Record
from tandem.screening.full_text import population
from tandem.screening.full_text.models import Retrieval, RetrievalState
from tandem.screening.full_text.population import Gate
from tandem.screening.models import ScreenedRecord
from tandem.screening.rules import Status
from world import FT, TA, Team, World

N_RECORDS = 1000


@pytest.fixture
def team(world: World) -> Iterator[Team]:
    """A review whose records are all at full text, filled since statistics were made."""
    if world.database.is_sqlite:
        pytest.skip("SQLite does not say how many rows it has read")
    for _ in range(3):
        world.team(n_records=4)
    with old_statistics(world.database):
        team = world.team(n_records=N_RECORDS)
        rows: dict[Any, list[dict[str, Any]]] = {ScreenedRecord: [], Retrieval: []}
        for number in map(RecordNumber, range(1, N_RECORDS + 1)):
            of: dict[str, Any] = {"review_id": team.review_id, "record_number": number}
            got = {"state": RetrievalState.RETRIEVED, "by_id": team.ann.id, "created_at": now()}
            rows[Retrieval].append(of | {"seq": number} | got)
            for stage in (TA, FT):
                status = {"status": Status.INCLUDED, "n_decisions": 2, "has_advanced": True}
                rows[ScreenedRecord].append(of | {"stage": stage} | status)
        with world.database.write.begin() as session:
            for table, values in rows.items():
                session.execute(insert(table), values)
        yield team


@pytest.mark.both_engines
def test_each_place_touches_each_record_a_few_times(world: World, team: Team) -> None:
    of_review = ScreenedRecord.review_id == bindparam("review_id")
    through = Gate(2)
    queries = [
        select(Record.number).where(
            Record.review_id == bindparam("review_id"), population.in_stage(FT, through)
        ),
        select(ScreenedRecord.record_number).where(
            of_review,
            ScreenedRecord.stage == FT,
            population.is_there(FT, through, ScreenedRecord.record_number),
        ),
    ]
    with world.database.read() as session:
        for query in queries:
            at = {"review_id": team.review_id}
            assert len(session.scalars(query, at).all()) == N_RECORDS
            # Asked again for each record, it is N_RECORDS times as much.
            assert N_RECORDS <= n_rows_touched(session, query, at) < 20 * N_RECORDS
