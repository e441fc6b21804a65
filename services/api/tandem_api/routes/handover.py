"""What a team takes along after screening: its included reports, and the report of its methods."""

from itertools import chain
from typing import Annotated, Any

from fastapi import Query, Response
from fastapi.responses import StreamingResponse

from tandem.handover import service
from tandem.handover.service import HandoverFormat
from tandem_api.deps import Here, InReview, Me
from tandem_api.problems import errors
from tandem_api.routes.export import attachment
from tandem_api.routing import Router

router = Router(prefix="/reviews/{review_id}", tags=["flow"])

_ZIP = "application/zip"
_XML = "application/xml"
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
            "1.5). `qdc`: its code book, which is empty. `zip`: full texts, references that link "
            "to them, tables of studies and of excluded reports."
        ),
    ],
    texts: Annotated[
        bool | None, Query(description="With the full texts. Left out: with them.")
    ] = None,
) -> Response:
    """Hand the included reports over to the tools of the synthesis (not the blinded).

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
        "Content-Disposition": attachment(made.title, f"handover.{format}"),
        "Cache-Control": "no-store",
        "X-Accel-Buffering": "no",
    }
    return StreamingResponse(chain([first], made.parts), media_type=_TYPES[format], headers=headers)
