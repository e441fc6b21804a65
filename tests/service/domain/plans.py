"""What PostgreSQL does for a query, also with statistics from before a review was filled."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Executable, text
from sqlalchemy.orm import Session

from tandem.db.session import Database
from tandem.models import Base

_TABLES = [table.name for table in Base.metadata.sorted_tables]


@contextmanager
def old_statistics(database: Database) -> Iterator[None]:
    """Let PostgreSQL know no more in the block than what its tables hold now.

    So it is in the first minutes after an import. Else autovacuum could come in between.
    """
    with database.write.begin() as session:
        session.execute(text("ANALYZE"))
        _let_autovacuum(session, "SET (autovacuum_enabled = off)")
    try:
        yield
    finally:
        with database.write.begin() as session:
            _let_autovacuum(session, "RESET (autovacuum_enabled)")


def _let_autovacuum(session: Session, how: str) -> None:
    session.execute(text("; ".join(f'ALTER TABLE "{table}" {how}' for table in _TABLES)))


def n_rows_touched(session: Session, query: Executable, parameters: dict[str, Any]) -> int:
    """Run a query; return how many rows its steps give or leave out, each time that they run."""
    connection = session.connection()
    compiled = query.compile(connection.engine)  # type: ignore[attr-defined]
    values = compiled.construct_params(parameters)
    plan = connection.exec_driver_sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {compiled}", values)
    return sum(_touched(step) for step in steps(plan.scalar_one()[0]["Plan"]))


def steps(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield each step of a plan."""
    yield plan
    for part in plan.get("Plans", ()):
        yield from steps(part)


def _touched(step: dict[str, Any]) -> int:
    left_out = step.get("Rows Removed by Filter", 0) + step.get("Rows Removed by Join Filter", 0)
    return int((step["Actual Rows"] + left_out) * step["Actual Loops"])
