"""Exports an audit trail, finds its lines, and forges it."""

import json
from typing import Any

from sqlalchemy import Engine, text

from tandem.audit import trail
from tandem.audit.checked import Checked
from tandem.audit.entries import Entry
from tandem.audit.verify import check
from tandem.events import chain
from world import Person, Team, World

Line = dict[str, Any]


def exported(world: World, team: Team, who: Person | None = None) -> list[Line]:
    user_id = (who or team.owner).id
    found = trail.lines(world.database, review_id=team.review_id, user_id=user_id)
    return [json.loads(line) for line in found]


def checked(lines: list[Line], **expected: Any) -> Checked:
    return check((json.dumps(line) for line in lines), **expected)


def entry(lines: list[Line], seq: int) -> Line:
    return next(line for line in lines if line.get("seq") == seq)


def decision(lines: list[Line], record: int, number: int) -> Line:
    """Return the n-th entry about a decision on a record, from 0."""
    found = [line for line in lines if line.get("type") == "tandem.decision.recorded"]
    return [line for line in found if line["data"]["record_id"] == str(record)][number]


def status(lines: list[Line], record: int) -> Line:
    return next(line for line in lines if "status" in line and line["record"] == str(record))


def ledger(lines: list[Line], record: int) -> Line:
    return next(line for line in lines if line.get("ledger") == str(record))


def chained(lines: list[Line]) -> list[Line]:
    """Make the chain whole again, as somebody would who can write to the database."""
    before, made = chain.START, []
    for line in lines:
        if "seq" in line:
            logged = Entry.of_json(line).event
            line = line | {"seal": chain.seal(line["detail"], line["salt"])}
            before = chain.link(before, logged, line["seal"])
            line["hash"] = before
        made.append(line)
    made[0] = made[0] | {"last_hash": before}
    return made


def execute(engine: Engine, statement: str) -> None:
    with engine.begin() as connection:
        assert connection.execute(text(statement)).rowcount
