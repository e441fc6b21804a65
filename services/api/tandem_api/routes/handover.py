"""What a team takes along after screening: its included reports, and the report of its methods."""

from collections.abc import Callable
from enum import StrEnum
from itertools import chain
from typing import Annotated, Any

from fastapi import Query, Response
from fastapi.responses import StreamingResponse

from tandem.handover import service
from tandem.handover.document import Document
from tandem.handover.markdown import markdown
from tandem.handover.methods import report
from tandem.handover.methods_facts import methods_facts
from tandem.handover.service import HandoverFormat
from tandem.handover.web import html
from tandem.handover.word import word
from tandem.reporting.service import require_sight
from tandem.reviews import service as reviews
from tandem.stopping import states
from tandem_api.deps import Here, InReview, Me
from tandem_api.problems import errors
from tandem_api.routes.export import attachment
from tandem_api.routing import Router

router = Router(prefix="/reviews/{review_id}", tags=["flow"])

_ZIP = "application/zip"
_XML = "application/xml"
_ENDINGS = {HandoverFormat.RO_CRATE: "crate.zip"}
_TYPES = {format: _XML if format is HandoverFormat.QDC else _ZIP for format in HandoverFormat}
_HANDOVER: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The file, as it is made.",
        "content": {
            _ZIP: {"schema": {"type": "string"}, "example": "PK…"},
            _XML: {
                "schema": {"type": "string"},
                "example": '<CodeBook xmlns="urn:QDA-XML:codebook:1.0"><Codes/></CodeBook>',
            },
        },
    }
}


@router.get("/handover", response_class=StreamingResponse, responses=_HANDOVER | errors(403))
def hand_over(
    me: Me,
    review_id: InReview,
    here: Here,
    format: Annotated[
        HandoverFormat,
        Query(
            description="`qdpx`: a project for QualCoder, NVivo, ATLAS.ti and MAXQDA (REFI-QDA "
            "1.5). `qdc`: its code book, as an owner gave it or as it came back. `zip`: full "
            "texts, references that link to them, tables of studies and of excluded reports. "
            "`rocrate`, for owners only: RO-Crate 1.2 of the audit trail, the rules, the "
            "flow, decisions and certificates."
        ),
    ],
    texts: Annotated[
        bool | None, Query(description="With the full texts. Left out: with them, but in a crate.")
    ] = None,
) -> Response:
    """Give the included reports to the tools of the synthesis (not the blinded).

    What is eligible and not sampled, ongoing or awaiting classification is not among them.
    """
    made = service.hand_over(
        here.database,
        here.artifacts,
        review_id=review_id,
        user_id=me.id,
        format=format,
        texts=texts,
    )
    # The first part is made before the answer begins: what fails until then is a problem.
    first = next(made.parts, b"")
    headers = {
        "Content-Disposition": attachment(made.title, f"handover.{_ENDINGS.get(format, format)}"),
        "Cache-Control": "no-store",
        "X-Accel-Buffering": "no",
    }
    return StreamingResponse(chain([first], made.parts), media_type=_TYPES[format], headers=headers)


class MethodsFormat(StrEnum):
    MARKDOWN = "md"
    HTML = "html"
    WORD = "docx"


_REPORTS: dict[MethodsFormat, tuple[str, Callable[[Document], str | bytes]]] = {
    MethodsFormat.MARKDOWN: ("text/markdown; charset=utf-8", markdown),
    MethodsFormat.HTML: ("text/html; charset=utf-8", html),
    MethodsFormat.WORD: (
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        word,
    ),
}
_NO_ACTIVE_CONTENT = "default-src 'none'; frame-ancestors 'none'; sandbox"
_METHODS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The report.",
        "content": {
            media_type.partition(";")[0]: {"schema": {"type": "string"}, "example": example}
            for (media_type, _), example in zip(
                _REPORTS.values(),
                ("# Methods of: Peer workers\n", "<h1>Methods of: Peer workers</h1>", "PK…"),
                strict=True,
            )
        },
    }
}


@router.get("/methods-report", response_class=Response, responses=_METHODS | errors(403))
def report_methods(
    me: Me,
    review_id: InReview,
    here: Here,
    format: Annotated[MethodsFormat, Query(description="Markdown, HTML or a Word file.")],
) -> Response:
    """Print a report of the review's methods for a manuscript (not the blinded).

    PRISMA 2020 items 5 to 8 and 16, ENTREQ, MECIR, RAISE. Each number names the event of the log
    that it comes from, or the one as of which it was counted.
    """
    with here.database.read() as session:
        viewer = reviews.viewer(session, review_id=review_id, user_id=me.id)
        require_sight(viewer, "A report of the methods")
    with states.up_to_date(here.database, review_id) as session:
        facts = methods_facts(session, viewer=viewer)
    media_type, write = _REPORTS[format]
    headers = {
        "Content-Disposition": attachment(facts.title, f"methods.{format}"),
        "Cache-Control": "no-store",
        "Content-Security-Policy": _NO_ACTIVE_CONTENT,
    }
    return Response(write(report(facts)), media_type=media_type, headers=headers)
