"""The API: routes, and nothing that a domain function could do."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from fastapi import FastAPI

from tandem import __version__
from tandem.artifacts import Artifacts
from tandem.config import Settings
from tandem.db.session import Database
from tandem.operations.storage import Watch
from tandem.tasks import TaskSignals
from tandem_api import addresses, errors, headers, middleware, openapi
from tandem_api.hashing import Passwords
from tandem_api.routes import (
    account_forms,
    agreement,
    audit,
    audits,
    conflicts,
    criteria,
    decisions,
    duplicates,
    events,
    export,
    handover,
    health,
    imports,
    interests,
    invitations,
    jobs,
    join,
    me,
    members,
    metrics,
    pages,
    pilot,
    plots,
    prisma,
    progress,
    queue,
    rankings,
    ratings,
    records,
    reports,
    reviews,
    sign_in,
    sources,
    stopping,
    studies,
    synthesis,
    text_batches,
    texts,
    users,
    vocabulary,
    webhooks,
)
from tandem_api.runtime import Runtime
from tandem_api.stream_limits import StreamLimits
from tandem_api.streams import EventStreams
from tandem_api.uses import Uses

PREFIX = "/api/v1"


def create_app(settings: Settings) -> FastAPI:
    """Build the application; it opens database and broker when it starts."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        database = Database(settings.resolved_database_url(), patience=settings.busy_seconds)
        redis_url = settings.resolved_redis_url()
        task_signals = TaskSignals(redis_url)
        event_streams = EventStreams(database, redis_url, StreamLimits(settings))
        artifacts = Artifacts(settings.resolved_artifact_url())
        watch = Watch(settings, database)
        passwords = Passwords(database)
        uses = Uses(database, idle=timedelta(hours=settings.session_idle_hours))
        app.state.runtime = Runtime(
            settings, database, artifacts, task_signals, event_streams, watch, passwords, uses
        )
        event_streams.start()
        uses.start()
        yield
        await event_streams.stop()
        await uses.stop()
        passwords.close()
        task_signals.close()
        database.close()

    app = FastAPI(
        title="Tandem",
        version=__version__,
        description=openapi.DESCRIPTION,
        lifespan=lifespan,
        servers=[{"url": settings.path_prefix}] if settings.path_prefix else None,
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=openapi.operation_id,
    )
    # Routers are tried one after the other: what reviewers ask for all day comes first.
    slices = (
        decisions,
        queue,
        sign_in,
        me,
        users,
        reviews,
        members,
        invitations,
        pilot,
        interests,
        imports,
        duplicates,
        records,
        reports,
        texts,
        text_batches,
        audit,
        export,
        conflicts,
        progress,
        plots,
        handover,
        prisma,
        sources,
        studies,
        ratings,
        synthesis,
        stopping,
        audits,
        agreement,
        criteria,
        vocabulary,
    )
    for part in (*slices, rankings, events, webhooks, jobs):
        app.include_router(part.router, prefix=PREFIX)
    app.include_router(health.router)
    app.include_router(metrics.router)
    app.include_router(join.router)
    app.include_router(pages.router)
    app.include_router(account_forms.router)
    errors.install(app)
    app.add_middleware(
        middleware.BodyLimit, upload_mb=settings.max_upload_mb, other_mb=settings.max_body_mb
    )
    app.add_middleware(headers.Compression)
    app.add_middleware(middleware.InFlight, settings=settings)
    app.add_middleware(middleware.RequestLog)
    app.add_middleware(headers.SecurityHeaders, settings=settings)
    if settings.other_origins:
        app.add_middleware(headers.for_other_origins, settings=settings)
    app.add_middleware(addresses.Proxies, settings=settings)
    app.openapi = lambda: openapi.document(app)  # type: ignore[method-assign]
    return app
