"""Full texts: files of reports, what they say, and what they look like."""

from collections.abc import Iterator
from typing import Annotated, Any, BinaryIO
from urllib.parse import quote

from fastapi import File, Form, Path, Query, Request, Response, UploadFile
from fastapi.responses import StreamingResponse
from pydantic import Field
from sqlalchemy.orm import Session

from tandem.errors import TandemError
from tandem.ids import TextId, parse_record_number, parse_uuid
from tandem.reviews import service as reviews
from tandem.texts import finding, pages, service, uploads
from tandem.texts.kinds import MediaType, safe_name
from tandem.texts.models import TextKind
from tandem.texts.service import ShownText
from tandem.texts.uploads import Bounds
from tandem_api.deps import AsViewer, Here, InReview, Me, Read
from tandem_api.paging import Page
from tandem_api.problems import errors
from tandem_api.routing import Router
from tandem_api.runtime import Runtime
from tandem_api.schemas.base import PlainText
from tandem_api.schemas.texts import PassageOut, TextOut
from tandem_api.writing import Write

router = Router(prefix="/reviews/{review_id}", tags=["full text"])

_PIECE = 1 << 18
_WIDEST = 2000

_FILES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The file as it was sent.",
        "content": {
            kind.value: {"schema": {"type": "string"}, "example": "…"} for kind in MediaType
        },
    }
}
_PICTURES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The page.",
        "content": {"image/png": {"schema": {"type": "string"}, "example": "…"}},
    },
    304: {"description": "The picture with the `ETag` that you sent is still right."},
}
_PLAIN: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The text, in UTF-8.",
        "content": {"text/plain": {"schema": {"type": "string"}, "example": "Background. We …"}},
    }
}


def bounds(here: Runtime) -> Bounds:
    settings = here.settings
    return Bounds(
        file=settings.text_max_mb * uploads.MIB, review=settings.text_quota_mb * uploads.MIB
    )


@router.post("/reports/{report_id}/texts", status_code=202, response_model=TextOut)
def add_text(
    report_id: str,
    file: Annotated[
        UploadFile,
        File(
            description="A PDF, a Word document (.docx) or plain text (.txt).", examples=["%PDF-…"]
        ),
    ],
    me: Me,
    review_id: InReview,
    here: Here,
    write: Write,
    kind: Annotated[TextKind, Form(description="What it is beside the report.")] = TextKind.MAIN,
) -> Response:
    """Add a file to a report; `main` and `translation` set it `retrieved`. A worker reads it.

    The very same file again changes nothing.
    """
    number = parse_record_number(report_id)
    with here.database.read() as session:
        service.require_right(reviews.viewer(session, review_id=review_id, user_id=me.id))
    limits = bounds(here)
    stored = uploads.store(
        here.artifacts,
        review_id=review_id,
        file=file.file,
        filename=safe_name(file.filename or ""),
        bounds=limits,
    )

    def work(session: Session) -> TextOut:
        review, viewer = reviews.enter(session, review_id=review_id, user_id=me.id)
        text = service.add(
            session,
            here.artifacts,
            stored,
            review=review,
            viewer=viewer,
            number=number,
            kind=kind,
            bounds=limits,
        )
        return TextOut.of(service.get(session, viewer=viewer, text_id=text.id))

    try:
        answer = write(
            work, status=202, changed=review_id, content_digest=f"{stored.sha256} {kind}"
        )
    except TandemError:
        uploads.forget_unused(here.database, here.artifacts, review_id, stored.sha256)
        raise
    if "Idempotency-Replayed" in answer.headers:  # its text may have been removed since
        uploads.forget_unused(here.database, here.artifacts, review_id, stored.sha256)
    here.task_signals.to_read(review_id)
    return answer


@router.get("/reports/{report_id}/texts")
def list_texts(report_id: str, session: Read, viewer: AsViewer) -> Page[TextOut]:
    """List the files of a report, the oldest first; those of records linked to it, too."""
    number = parse_record_number(report_id)
    found = service.list_of(session, viewer=viewer, number=number)
    return Page(items=[TextOut.of(one) for one in found])


@router.get("/texts/{text_id}")
def get_text(text_id: str, session: Read, viewer: AsViewer) -> TextOut:
    """Show a file of a report: how far it is read, and what is wrong with it."""
    return TextOut.of(service.get(session, viewer=viewer, text_id=_id(text_id)))


@router.delete("/texts/{text_id}", status_code=204)
def remove_text(text_id: str, me: Me, review_id: InReview, here: Here, write: Write) -> Response:
    """Remove a file from a report: by those who added it, and by owners.

    The retrieval state of the report stays the same.
    """
    removed: list[str] = []

    def work(session: Session) -> None:
        review, viewer = reviews.enter(session, review_id=review_id, user_id=me.id)
        file = service.remove(session, review=review, viewer=viewer, text_id=_id(text_id))
        removed.append(file.sha256)

    answer = write(work, status=204, changed=review_id)
    if "Idempotency-Replayed" not in answer.headers:
        uploads.forget_unused(here.database, here.artifacts, review_id, *removed)
    return answer


@router.get(
    "/texts/{text_id}/file",
    response_class=StreamingResponse,
    responses={**_FILES, **errors(409)},
)
def get_text_file(text_id: str, here: Here, me: Me, review_id: InReview) -> Response:
    """Serve a file as it was sent, once it was read and scanned. It is never served as a page."""
    shown = _find(here, me, review_id, text_id)
    pages.require_served(shown.file)
    source = here.artifacts.open(shown.file.artifact)
    is_shown = shown.file.media_type is MediaType.PDF
    headers = {
        "Content-Disposition": _disposition("inline" if is_shown else "attachment", shown),
        "Content-Length": str(shown.file.n_bytes),
    }
    return StreamingResponse(_pieces(source), media_type=shown.file.media_type, headers=headers)


@router.get(
    "/texts/{text_id}/plain",
    response_class=Response,
    responses={**_PLAIN, **errors(409)},
)
def get_plain_text(text_id: str, session: Read, viewer: AsViewer) -> Response:
    """Serve the text that was taken out of a file, with LF. It never changes.

    Positions rest on it. Pages are joined by one LF; `GET …/highlights` says where on which page
    something stands.
    """
    shown = service.get(session, viewer=viewer, text_id=_id(text_id))
    return Response(
        pages.plain(session, shown.file).encode(), media_type="text/plain; charset=utf-8"
    )


@router.get(
    "/texts/{text_id}/pages/{page}.png",
    response_class=Response,
    responses={**_PICTURES, **errors(409)},
)
def get_page(
    request: Request,
    text_id: str,
    page: Annotated[int, Path(ge=1, le=100_000)],
    here: Here,
    me: Me,
    review_id: InReview,
    width: Annotated[
        int, Query(ge=100, le=_WIDEST, description="Of the picture, in pixels.")
    ] = 1000,
) -> Response:
    """Draw a page of a PDF. Pages count from 1."""
    shown = _find(here, me, review_id, text_id)
    tag = f'"{shown.file.sha256[:16]}-{page}-{width}"'
    # Kept by the browser, but never shown by it without asking here who asks.
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if request.headers.get("if-none-match") == tag and shown.file.is_served:
        return Response(status_code=304, headers=headers)
    drawn = pages.picture(here.artifacts, shown.file, page=page, width=width)
    return Response(drawn, media_type="image/png", headers=headers)


@router.get("/texts/{text_id}/highlights", responses=errors(409))
def list_highlights(
    text_id: str,
    here: Here,
    me: Me,
    review_id: InReview,
    terms: Annotated[
        list[Annotated[PlainText, Field(max_length=finding.LONGEST_TERM)]],
        Query(
            min_length=1,
            max_length=finding.MOST_TERMS,
            description="Words or phrases, in any case. A `*` at the end stands for any ending.",
            examples=[["peer worker*"]],
        ),
    ],
) -> Page[PassageOut]:
    """List where terms stand in a text, and where on its pages; the first 500 passages."""
    with here.database.read() as session:
        viewer = reviews.viewer(session, review_id=review_id, user_id=me.id)
        shown = service.get(session, viewer=viewer, text_id=_id(text_id))
        text = pages.plain(session, shown.file)
    found = pages.passages(here.artifacts, shown.file, text, terms)
    return Page(items=[PassageOut.of(one) for one in found])


def _find(here: Runtime, me: Me, review_id: InReview, text_id: str) -> ShownText:
    """Return a text; no session is open any more while it is sent or drawn."""
    with here.database.read() as session:
        viewer = reviews.viewer(session, review_id=review_id, user_id=me.id)
        return service.get(session, viewer=viewer, text_id=_id(text_id))


def _id(text_id: str) -> TextId:
    return TextId(parse_uuid(text_id, kind="text"))


def _disposition(how: str, shown: ShownText) -> str:
    """Return the header that names the file, in ASCII and as RFC 8187 has it."""
    name = safe_name(shown.text.filename, shown.file.media_type)
    plain = "".join(c if c.isascii() and c not in "%;'" else "_" for c in name)
    return f"{how}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _pieces(source: BinaryIO) -> Iterator[bytes]:
    with source:
        while piece := source.read(_PIECE):
            yield piece
