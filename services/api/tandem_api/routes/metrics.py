"""Figures for Prometheus."""

from fastapi import Response
from fastapi.responses import PlainTextResponse

from tandem.operations.figures import event_figures, figures
from tandem.operations.jobs import screens_in
from tandem_api.deps import Here, OptionalUser
from tandem_api.exposition import CONTENT_TYPE, Scrape, text
from tandem_api.routing import Router

router = Router(tags=["health"])


@router.get(
    "/metrics",
    response_class=PlainTextResponse,
    responses={
        200: {
            "description": "In Prometheus' text format.",
            "content": {"text/plain": {"schema": {"type": "string"}}},
        }
    },
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
            seen, here.nudges.broker_figures(), here.bells.n_clients, storage, single, events
        )
    return Response(text(scrape), headers={"Content-Type": CONTENT_TYPE})
