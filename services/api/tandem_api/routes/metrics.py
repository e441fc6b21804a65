"""Figures for Prometheus."""

from fastapi import Response
from fastapi.responses import PlainTextResponse

from tandem.operations.figures import event_figures, figures
from tandem.operations.jobs import screens_in
from tandem_api.deps import Here, OptionalUser
from tandem_api.exposition import CONTENT_TYPE, Scrape, text
from tandem_api.problems import errors
from tandem_api.routing import Router

router = Router(tags=["health"])

_EXAMPLE = """# HELP tandem_reviews_stale Reviews whose newest ranking does not count every change.
# TYPE tandem_reviews_stale gauge
tandem_reviews_stale 1.0
# HELP tandem_jobs Background work that is not done, by kind and state.
# TYPE tandem_jobs gauge
tandem_jobs{kind="ranking",state="parked"} 1.0
"""


@router.get(
    "/metrics",
    response_class=PlainTextResponse,
    responses={
        200: {
            "description": "In Prometheus' text format.",
            "content": {"text/plain": {"schema": {"type": "string"}, "example": _EXAMPLE}},
        },
        **errors(401, 500, 503),
    },
    openapi_extra={"security": [{}]},  # who shows nothing gets the sums
)
def read_metrics(here: Here, caller: OptionalUser) -> Response:
    """Print figures for Prometheus: sums over all reviews; for administrators more than that.

    With an administrator's token also figures of single reviews, event lag and webhooks.
    """
    storage = here.storage.look()
    with here.database.read() as session:
        seen, single, events = figures(session), None, None
        if caller is not None and caller.is_admin:
            hidden = screens_in(session, caller.id)
            single = seen.without(hidden)
            events = event_figures(session, without_events_of=hidden)
        scrape = Scrape(
            seen,
            here.task_signals.broker_figures(),
            here.event_streams.n_clients,
            storage,
            single,
            events,
        )
    return Response(text(scrape), headers={"Content-Type": CONTENT_TYPE})
