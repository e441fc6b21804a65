"""The API: routes, and nothing that a domain function could do."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi

from tandem import __version__
from tandem.artifacts import Artifacts
from tandem.config import Settings
from tandem.db.session import Database
from tandem.tasks import Nudges
from tandem_api import errors, middleware
from tandem_api.errors import Problem
from tandem_api.routes import (
    accounts,
    conflicts,
    decisions,
    events,
    health,
    imports,
    progress,
    queue,
    rankings,
    records,
    reviews,
)
from tandem_api.runtime import Runtime
from tandem_api.schemas.decisions import DecisionItemIn
from tandem_api.streams import Bells

PREFIX = "/api/v1"
DESCRIPTION = """Two people screen each record independently; a ranking that learns from their
decisions brings the likely ones first; where they differ, a third person decides.

Errors are `application/problem+json` with a stable `code`. Writes accept an `Idempotency-Key`.
A review that you are not a member of does not exist for you: 404."""


def create_app(settings: Settings) -> FastAPI:
    """Build the application; it opens database and broker when it starts."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        database = Database(settings.resolved_database_url())
        redis_url = settings.resolved_redis_url()
        nudges, bells = Nudges(redis_url), Bells(database, redis_url)
        artifacts = Artifacts(settings.resolved_artifact_url())
        app.state.runtime = Runtime(settings, database, artifacts, nudges, bells)
        bells.start()
        yield
        await bells.stop()
        nudges.close()
        database.close()

    app = FastAPI(
        title="Tandem",
        version=__version__,
        description=DESCRIPTION,
        lifespan=lifespan,
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    api = APIRouter(prefix=PREFIX)
    slices = (accounts, reviews, imports, records, queue, decisions, conflicts, progress)
    for part in (*slices, rankings, events):
        api.include_router(part.router)
    app.include_router(api)
    app.include_router(health.router)
    errors.install(app)
    app.add_middleware(
        middleware.BodyLimit, upload_mb=settings.max_upload_mb, other_mb=settings.max_body_mb
    )
    app.add_middleware(middleware.RequestLog)
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]
    return app


def _openapi(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        schema = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes
        )
        # Named by hand: the routes refer to them without a model of FastAPI's own.
        for model in (Problem, DecisionItemIn):
            made = model.model_json_schema(ref_template="#/components/schemas/{model}")
            defined = made.pop("$defs", {})
            schema["components"]["schemas"].update({model.__name__: made} | defined)
        app.openapi_schema = schema
    return app.openapi_schema
