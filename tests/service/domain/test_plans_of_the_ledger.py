"""The exported ledger by status looks each entry's record up, however many the review has."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Connection, event, insert, text

from service.domain.plans import steps
from tandem.db.base import now
from tandem.db.session import Database
from tandem.ids import DecisionId, RecordNumber, new_id
from tandem.reviews.policy import Stage
from tandem.screening.export_ledger import exported_entries
from tandem.screening.full_text.models import Retrieval, RetrievalState
from tandem.screening.models import Decision, PresentDecision, ScreenedRecord
from tandem.screening.rules import Status, Verdict
from world import FT, TA, Team, World

N_RECORDS, N_AT_FULL_TEXT = 800, 200


@pytest.fixture
def team(world: World) -> Team:
    team = world.team(n_records=N_RECORDS)
    rows: dict[Any, list[dict[str, Any]]] = {
        ScreenedRecord: [],
        Retrieval: [],
        Decision: [],
        PresentDecision: [],
    }
    for number in map(RecordNumber, range(1, N_AT_FULL_TEXT + 1)):
        of: dict[str, Any] = {"review_id": team.review_id, "record_number": number}
        told = {"by_id": team.ann.id, "created_at": now()}
        rows[Retrieval].append(of | {"seq": number, "state": RetrievalState.RETRIEVED} | told)
        for stage in (TA, FT):
            status = {"status": Status.INCLUDED, "n_decisions": 2, "has_advanced": stage is TA}
            rows[ScreenedRecord].append(of | {"stage": stage} | status)
            for person in (team.ann, team.ben):
                id = DecisionId(new_id())
                by = of | {"stage": stage, "reviewer_id": person.id}
                rows[PresentDecision].append(by | {"decision_id": id})
                made = {
                    "id": id,
                    "labels_seq": 100 + len(rows[Decision]),
                    "verdict": Verdict.INCLUDE,
                    "reasons": [],
                    "labels": [],
                    "informed": False,
                    "criteria_version": 1,
                    "created_at": now(),
                }
                rows[Decision].append(by | made)
    with world.database.write.begin() as session:
        for table in (ScreenedRecord, Retrieval, Decision, PresentDecision):
            session.execute(insert(table), rows[table])
        session.execute(text("UPDATE review SET labels_seq = 10000, last_seq = 10000"))
    with world.database.write.begin() as session:
        session.execute(text("ANALYZE"))
    return team


@pytest.mark.both_engines
@pytest.mark.parametrize("stages", [[FT], [TA, FT]])
def test_it_reads_few_records_for_each_entry(world: World, team: Team, stages: list[Stage]) -> None:
    if world.database.engine.dialect.name != "postgresql":
        pytest.skip("SQLite does not say how many rows it has read")
    for who, n_voters in ((team.owner, 2), (team.ann, 1)):
        with rows_read(world.database) as found:
            entries = list(
                exported_entries(
                    world.database,
                    review_id=team.review_id,
                    user_id=who.id,
                    stage=stages[0] if len(stages) == 1 else None,
                    status="included",
                )
            )

        assert len(entries) == N_AT_FULL_TEXT * n_voters * len(stages)
        # Each entry asks for its record once for each stage; or all records are read once.
        assert 0 < sum(found) <= N_RECORDS + 2 * len(entries)


@contextmanager
def rows_read(database: Database) -> Iterator[list[int]]:
    """Collect how many records PostgreSQL reads for each query of decisions in the block."""
    found: list[int] = []

    def explain(
        connection: Connection, _: object, statement: str, values: Any, *__: object
    ) -> None:
        if "FROM decision" in statement:
            rows = connection.connection.cursor()
            rows.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", values)
            ((plan,),) = rows.fetchall()
            found.append(sum(_n_rows(step) for step in steps(plan[0]["Plan"])))

    event.listen(database.engine, "before_cursor_execute", explain)
    try:
        yield found
    finally:
        event.remove(database.engine, "before_cursor_execute", explain)


def _n_rows(step: dict[str, Any]) -> int:
    """Return how many records a step reads, also of those that it leaves out."""
    if step.get("Relation Name") != "record":
        return 0
    left_out = step.get("Rows Removed by Filter", 0) + step.get("Rows Removed by Join Filter", 0)
    return int((step["Actual Rows"] + left_out) * step["Actual Loops"])
