"""Statements that are run all the time and give columns, no objects."""

from collections.abc import Mapping
from typing import Any, TypeVarTuple

from sqlalchemy import CursorResult
from sqlalchemy.orm import Session
from sqlalchemy.sql.selectable import TypedReturnsRows

Ts = TypeVarTuple("Ts")


def fetch(
    session: Session, statement: TypedReturnsRows[*Ts], values: Mapping[str, Any]
) -> CursorResult[*Ts]:
    """Run a statement in the session's transaction, without what the ORM does for objects.

    That takes more time than all else of a small query. What was changed in the session is
    written first, as before any query of its own.
    """
    session.flush()
    return session.connection().execute(statement, values)
