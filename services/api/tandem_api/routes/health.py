"""Whether this process lives, and whether it can do its work."""

from typing import Literal

from fastapi import Response
from pydantic import Field
from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from tandem.ranking import training
from tandem.records import import_work
from tandem_api.deps import Here
from tandem_api.routing import Router
from tandem_api.schemas.base import Out

router = Router(tags=["health"])


class AliveOut(Out):
    status: Literal["ok"] = "ok"


class ReadyOut(Out):
    """`degraded`: decisions are taken, but without the broker rankings come later."""

    status: Literal["ok", "degraded", "unavailable"]
    database: bool = Field(examples=[True])
    broker: bool = Field(examples=[True])
    n_stale_reviews: int | None = Field(examples=[0])
    n_waiting_imports: int | None = Field(examples=[0])
    problems: list[str] = Field(
        description="What is wrong with the disks and with writing, in words. Any of it makes the "
        "status `unavailable`.",
        examples=[[]],
    )


_NOT_READY = {
    "status": "unavailable",
    "database": True,
    "broker": True,
    "n_stale_reviews": 2,
    "n_waiting_imports": 0,
    "problems": ["The disk that holds the database is full."],
}


@router.get("/healthz")
@router.head("/healthz", include_in_schema=False)
def alive() -> AliveOut:
    """Answer as long as the process lives."""
    return AliveOut()


@router.head("/readyz", include_in_schema=False)
@router.get(
    "/readyz",
    responses={
        503: {
            "model": ReadyOut,
            "description": "The database does not answer, or there is no room to write.",
            "content": {"application/json": {"example": _NOT_READY}},
        }
    },
)
def ready(here: Here, response: Response) -> ReadyOut:
    """Check database, disks and broker, and count the work that waits for a worker."""
    broker = _broker_answers(here.settings.resolved_redis_url())
    problems = list(here.storage.look().problems)
    stale = waiting = None
    try:
        with here.database.read() as session:
            session.execute(text("SELECT 1"))
            stale, waiting = (
                len(training.stale_reviews(session)),
                len(import_work.unfinished(session)),
            )
    except SQLAlchemyError:
        problems = problems or ["The database does not answer."]
    if problems:
        response.status_code = 503
    good: Literal["ok", "degraded"] = "ok" if broker else "degraded"
    return ReadyOut(
        status="unavailable" if problems else good,
        database=stale is not None,
        broker=broker,
        n_stale_reviews=stale,
        n_waiting_imports=waiting,
        problems=problems,
    )


def _broker_answers(redis_url: str) -> bool:
    client = Redis.from_url(redis_url, socket_connect_timeout=1, socket_timeout=1)
    try:
        return bool(client.ping())
    except (RedisError, OSError):
        return False
    finally:
        client.close()
