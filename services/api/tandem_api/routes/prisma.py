"""The PRISMA 2020 flow: as data, as pictures, as a table, and the records behind each number."""

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Depends, Query, Request, Response

from tandem.audit.past_flow import flow_at
from tandem.reporting import service
from tandem.reporting.flow import Template
from tandem.reporting.layout import Layout, layout
from tandem.reporting.png import png
from tandem.reporting.service import ShownFlow
from tandem.reporting.svg import svg
from tandem.reporting.table import table
from tandem_api.addresses import public_path
from tandem_api.deps import AsViewer, Here, Limit, PageFrom, Read
from tandem_api.problems import errors
from tandem_api.routes.agreement import SvgResponse
from tandem_api.routes.agreement import svg as answers_svg
from tandem_api.routes.audit import AsOf
from tandem_api.routing import Router
from tandem_api.schemas.base import PlainText
from tandem_api.schemas.prisma import FlowItemOut, FlowItemsOut, Href, PrismaOut
from tandem_api.visible_audits import bring_up_to_date

router = Router(prefix="/reviews/{review_id}/prisma", tags=["flow"])

_FRESH = {"Cache-Control": "no-store"}

Wave = Annotated[
    int | None,
    Query(
        ge=1,
        le=2**31 - 1,
        description="Only what this wave found; what earlier waves included is previous.",
    ),
]
Drawn = Annotated[
    Template | None,
    Query(description="Which of PRISMA's diagrams; left out: the smallest that shows all."),
]


class PngResponse(Response):
    media_type = "image/png"


class CsvResponse(Response):
    media_type = "text/csv; charset=utf-8"


def _found(
    here: Here,
    session: Read,
    viewer: AsViewer,
    wave: Wave = None,
    template: Drawn = None,
    as_of: AsOf = None,
) -> ShownFlow:
    if as_of is None:
        # What a certificate allows to leave unread is a number of the flow.
        service.require_sight(viewer)
        bring_up_to_date(here, session, viewer.review_id)
        return service.shown(session, viewer=viewer, wave=wave, template=template)
    return flow_at(session, viewer=viewer, as_of=as_of, wave=wave, template=template)


Found = Annotated[ShownFlow, Depends(_found)]


def _href(request: Request, viewer: AsViewer, found: ShownFlow, as_of: AsOf = None) -> Href:
    wave = found.flow.wave

    def href(key: str, part: str | None) -> str:
        path = public_path(request, "list_flow_items", review_id=str(viewer.review_id), key=key)
        asked: dict[str, Any] = {"part": part, "wave": wave, "as_of": as_of}
        query = urlencode({name: value for name, value in asked.items() if value is not None})
        return f"{path}?{query}" if query else path

    return href


def _layout(found: ShownFlow) -> Layout:
    return layout(found.flow, found.template, heading=found.title)


def _answers(media_type: str, example: str) -> dict[int | str, dict[str, Any]]:
    return {200: {"content": {media_type: {"example": example}}}}


@router.get("", responses=errors(403))
def get_flow(request: Request, viewer: AsViewer, found: Found, as_of: AsOf = None) -> PrismaOut:
    """Count the review's flow, each number with the list of its records (not the blinded)."""
    return PrismaOut.of(found, _href(request, viewer, found, as_of))


@router.get(".json", responses=errors(403))
def get_flow_json(
    request: Request, viewer: AsViewer, found: Found, as_of: AsOf = None
) -> PrismaOut:
    """Count the review's flow, as the address without an ending does (not the blinded)."""
    return PrismaOut.of(found, _href(request, viewer, found, as_of))


@router.get(
    ".svg",
    response_class=SvgResponse,
    responses=answers_svg("PRISMA 2020 flow diagram") | errors(403),
)
def draw_flow_svg(request: Request, viewer: AsViewer, found: Found, as_of: AsOf = None) -> Response:
    """Draw the flow diagram; each number links to its records (not the blinded).

    Dashed boxes are not PRISMA's: what is not finished, and eligible reports not included.
    """
    drawn = svg(_layout(found), _href(request, viewer, found, as_of))
    return SvgResponse(drawn, headers=_FRESH)


@router.get(
    ".png",
    response_class=PngResponse,
    responses=_answers("image/png", "\x89PNG") | errors(403),
)
def draw_flow_png(viewer: AsViewer, found: Found) -> Response:
    """Draw the flow diagram for a text processor (not the blinded)."""
    return PngResponse(png(_layout(found)), headers=_FRESH)


@router.get(
    ".csv",
    response_class=CsvResponse,
    responses=_answers(CsvResponse.media_type, "data,node,box,description,boxtext,…") | errors(403),
)
def export_flow_csv(viewer: AsViewer, found: Found) -> Response:
    """Give the flow as the table that the R package PRISMA2020 reads (not the blinded)."""
    return CsvResponse(table(found.flow), headers=_FRESH)


@router.get("/boxes/{key}", responses=errors(403))
def list_flow_items(
    key: str,
    here: Here,
    session: Read,
    viewer: AsViewer,
    page: PageFrom,
    part: Annotated[
        PlainText | None,
        Query(max_length=600, description="Only those of this part, by its label."),
    ] = None,
    wave: Wave = None,
    as_of: AsOf = None,
    limit: Limit = 100,
) -> FlowItemsOut:
    """List the records or studies behind a number of the flow (not the blinded)."""
    made = _found(here, session, viewer, wave, None, as_of)
    box, n, found = service.items(
        session, viewer=viewer, made=made, key=key, part=part, cursor=page, limit=limit
    )
    return FlowItemsOut(
        key=box.key,
        label=box.label,
        n=n,
        items=[FlowItemOut.of(item) for item in found.items],
        next_cursor=found.next_cursor,
    )
