"""The review's records and decisions as files."""

import re
import unicodedata
from collections.abc import Iterator
from itertools import chain
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Query, Response
from fastapi.responses import StreamingResponse

from tandem.audit import trail
from tandem.records.export.names import ExportFormat
from tandem.records.export.writing import FILE_TYPES, write_decisions, write_records, write_trail
from tandem.reviews import service as reviews
from tandem.reviews.policy import Stage
from tandem.screening.export import Selection, exported_records
from tandem.screening.export_ledger import exported_entries
from tandem_api.deps import Here, InReview, Me
from tandem_api.problems import errors
from tandem_api.routing import Router
from tandem_api.schemas.decisions import ScreeningStage
from tandem_api.schemas.words import StatusFilter

router = Router(prefix="/reviews/{review_id}/export", tags=["records"])

_LONGEST_NAME = 60

_EXAMPLES: dict[ExportFormat, Any] = {
    "ris": "TY  - JOUR\r\nID  - 17\r\nTI  - What peer workers say about their work\r\nER  - \r\n",
    "bibtex": "@article{moran2012-17,\n  title = {{What peer workers say about their work}}\n}\n",
    "csv": "record_id,title\r\n17,What peer workers say about their work\r\n",
    "xlsx": "PK…",
    "csl_json": [{"id": "17", "title": "What peer workers say about their work"}],
    "jsonl": '{"id": "17", "title": "What peer workers say about their work"}\n',
}


def _content() -> dict[str, Any]:
    """Describe what is answered, by media type, for the OpenAPI document."""
    found = {}
    for format, example in _EXAMPLES.items():
        schema: dict[str, Any] = {"type": "string"}
        if isinstance(example, list):
            schema = {"type": "array", "items": {"type": "object"}}
        media_type = FILE_TYPES[format].media_type.partition(";")[0]
        found[media_type] = {"schema": schema, "example": example}
    return found


@router.get(
    "",
    response_class=StreamingResponse,
    responses={
        200: {"description": "The file, as it is made.", "content": _content()},
        **errors(403),
    },
)
def export_records(
    me: Me,
    review_id: InReview,
    here: Here,
    format: Annotated[
        ExportFormat,
        Query(
            description="`decisions`: the whole ledger, as CSV. `trail`, for owners only: the "
            "audit trail, which `tandem verify` checks; always of the whole review."
        ),
    ],
    status: Annotated[
        StatusFilter | None, Query(description="Only records that you see with this status.")
    ] = None,
    stage: Annotated[
        ScreeningStage | None,
        Query(description="Left out: title_abstract; for `decisions` all stages."),
    ] = None,
    include_duplicates: Annotated[
        bool, Query(description="Linked duplicates, too, each as a record of its own.")
    ] = False,
) -> Response:
    """Export records with their screening as you may see it, or all decisions, as a file.

    Those who may see all get everybody's decisions by name, blinded reviewers their own. Rows
    are read while they are sent: what changes meanwhile may be in the file or not.
    """
    with here.database.read() as session:
        reviews.viewer(session, review_id=review_id, user_id=me.id)
        title = reviews.get_review(session, review_id).title
    if format == "decisions":
        entries = exported_entries(
            here.database, review_id=review_id, user_id=me.id, stage=stage, status=status
        )
        parts = write_decisions(entries)
    elif format == "trail":
        lines = trail.lines(
            here.database, review_id=review_id, user_id=me.id, artifacts=here.artifacts
        )
        parts = write_trail(lines)
    else:
        selection = Selection(stage or Stage.TITLE_ABSTRACT, status, include_duplicates)
        found = exported_records(
            here.database, review_id=review_id, user_id=me.id, selection=selection
        )
        parts = write_records(format, found)
    named = format if format in ("decisions", "trail") else "records"
    what = "-".join(filter(None, [named, None if format == "trail" else status]))
    return _file(parts, title, what, format)


def _file(parts: Iterator[bytes], title: str, what: str, format: ExportFormat) -> Response:
    # The first part is made before the answer begins: a failure until then becomes a problem
    # response.
    first = next(parts, b"")
    kind = FILE_TYPES[format]
    headers = {
        "Content-Disposition": attachment(title, f"{what}.{kind.suffix}"),
        "Cache-Control": "no-store",
        "X-Accel-Buffering": "no",
    }
    return StreamingResponse(chain([first], parts), media_type=kind.media_type, headers=headers)


def attachment(title: str, rest: str) -> str:
    """Name the file after the review: in plain letters, and in its own script by RFC 6266."""
    name = f"{_slug(title)}-{rest}"
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode()
    return (
        f"attachment; filename=\"{_slug(plain)}-{rest}\"; filename*=UTF-8''{quote(name, safe='')}"
    )


def _slug(title: str) -> str:
    words = re.sub(r"\W+", "-", title).strip("-_").lower()
    return words[:_LONGEST_NAME].rstrip("-_") or "review"
