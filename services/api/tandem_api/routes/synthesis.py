"""The synthesis: coded projects come back, codes are marked, and passages are accounted for."""

from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Annotated, Any

from fastapi import File, Form, Query, Response, UploadFile
from fastapi.responses import JSONResponse
from sqlalchemy.orm import Session

from tandem.db.keyset import sliced
from tandem.handover import code_books
from tandem.handover.refi_xml import read_code_book
from tandem.ids import CodeId, SynthesisImportId, parse_uuid
from tandem.reporting.service import require_sight
from tandem.reviews import service as reviews
from tandem.synthesis import agreement, imports
from tandem.synthesis.account import Matrix, RowsOf, matrix, n_passages
from tandem.synthesis.placing import PassageState
from tandem.synthesis.tables import matrix_csv, passages_csv
from tandem.texts.kinds import safe_name
from tandem_api.deps import AsViewer, Here, InReview, Limit, Me, PageFrom, Read
from tandem_api.paging import Page
from tandem_api.problems import errors
from tandem_api.routes.export import attachment
from tandem_api.routing import Router
from tandem_api.schemas.coders import CodersListOut, CodersOut
from tandem_api.schemas.synthesis import (
    CodeMarkIn,
    CodeOut,
    ImportedPassageOut,
    MatrixOut,
    SynthesisImportOut,
)
from tandem_api.writing import Write

router = Router(prefix="/reviews/{review_id}/synthesis", tags=["synthesis"])

_MIB = 1 << 20


@router.post("/imports", status_code=201, response_model=SynthesisImportOut)
def import_coded_project(
    file: Annotated[
        UploadFile,
        File(description="A coded project of REFI-QDA 1.5 (.qdpx).", examples=["PK…"]),
    ],
    me: Me,
    review_id: InReview,
    here: Here,
    write: Write,
    beside: Annotated[
        bool, Form(description="Replace no earlier state of the project, also if it looks so.")
    ] = False,
) -> Response:
    """Read a coded project back (owners): each passage is `kept`, `moved` or `lost`.

    Send the project that was handed over and coded. It replaces each earlier project of the same
    name whose coders have all coded in it, too; others stand beside it, such as that of a second
    coder. The very same file again changes nothing.
    """
    sent = imports.read(
        here.database,
        review_id=review_id,
        user_id=me.id,
        file=file.file,
        filename=safe_name(file.filename or ""),
        largest=here.settings.max_upload_mb * _MIB,
    )

    def work(session: Session) -> SynthesisImportOut:
        review, viewer = reviews.enter(session, review_id=review_id, user_id=me.id)
        row = imports.add(session, review, viewer, sent, beside=beside)
        return SynthesisImportOut.of(imports.get(session, viewer, row.id))

    return write(work, status=201, changed=review_id, content_digest=f"{sent.sha256} {beside}")


@router.get("/imports", responses=errors(403))
def list_coded_projects(
    session: Read, viewer: AsViewer, page: PageFrom, limit: Limit = 100
) -> Page[SynthesisImportOut]:
    """List the coded projects that came back, the newest first (not the blinded)."""
    found = imports.page(session, viewer, cursor=page, limit=limit)
    return Page.of(found.map(SynthesisImportOut.of))


@router.get("/imports/{synthesis_import_id}", responses=errors(403))
def get_coded_project(
    synthesis_import_id: str, session: Read, viewer: AsViewer
) -> SynthesisImportOut:
    """Show a coded project: its sources, and what became of its passages (not the blinded)."""
    return SynthesisImportOut.of(imports.get(session, viewer, _import_id(synthesis_import_id)))


@router.delete("/imports/{synthesis_import_id}", status_code=204, response_class=Response)
def take_coded_project_back(
    synthesis_import_id: str, me: Me, review_id: InReview, write: Write
) -> Response:
    """Take a coded project back (owners). What it replaced counts again."""

    def work(session: Session) -> None:
        review, viewer = reviews.enter(session, review_id=review_id, user_id=me.id)
        code_books.require_right(viewer)  # before it is looked for: it may be gone
        imports.take_back(session, review, viewer, _import_id(synthesis_import_id))

    return write(work, status=204, changed=review_id)


@router.get("/imports/{synthesis_import_id}/passages", responses=errors(403))
def list_imported_passages(
    synthesis_import_id: str,
    session: Read,
    viewer: AsViewer,
    page: PageFrom,
    state: Annotated[PassageState | None, Query(description="Only those of this state.")] = None,
    limit: Limit = 100,
) -> Page[ImportedPassageOut]:
    """List the passages of a coded project in the order of the file (not the blinded)."""
    found = imports.passages(
        session, viewer, _import_id(synthesis_import_id), state=state, cursor=page, limit=limit
    )
    return Page.of(found.map(ImportedPassageOut.of))


@router.get("/codes", responses=errors(403))
def list_codes(
    session: Read, viewer: AsViewer, page: PageFrom, limit: Limit = 100
) -> Page[CodeOut]:
    """List the code book, parents before the codes below them (not the blinded).

    It is that of the coded projects that count, or the one that an owner gave since.
    """
    require_sight(viewer, "The synthesis")
    codes = code_books.codes_of(session, viewer.review_id)
    counts = n_passages(session, viewer.review_id)
    placed = [*enumerate(codes.tree.codes.values())]
    found = sliced(placed, lambda one: (one[0],), (int,), page, limit)
    return Page.of(found.map(lambda one: CodeOut.of(one[1], codes, counts)))


@router.patch("/codes/{code_id}", status_code=204, response_class=Response)
def mark_code(
    code_id: str, body: CodeMarkIn, me: Me, review_id: InReview, write: Write
) -> Response:
    """Say that a code is a theme or a construct of the synthesis (owners)."""

    def work(session: Session) -> None:
        review, viewer = reviews.enter(session, review_id=review_id, user_id=me.id)
        code_books.require_right(viewer)
        code_books.mark(session, review, viewer, _code_id(code_id), body.kind)

    return write(work, status=204, changed=review_id)


@router.put("/code-book", status_code=204, response_class=Response)
def give_code_book(
    file: Annotated[
        UploadFile,
        File(
            description="A code book of REFI-QDA (.qdc), or a list in UTF-8: a name on each line, "
            "below another code if it is indented further, with a description behind ` | `.",
            examples=["Identity\n  Reframing | How they see themselves\n"],
        ),
    ],
    me: Me,
    review_id: InReview,
    here: Here,
    write: Write,
) -> Response:
    """Give the review a code book (owners), which goes out with the hand-over.

    It takes the place of one that was given before. Codes keep what they were marked as.
    """
    with here.database.read() as session:
        code_books.require_right(reviews.viewer(session, review_id=review_id, user_id=me.id))
        reviews.require_active(session, review_id)
    content = file.file.read()
    codes = read_code_book(content)

    def work(session: Session) -> None:
        review, viewer = reviews.enter(session, review_id=review_id, user_id=me.id)
        code_books.give(session, review, viewer, codes)

    return write(work, status=204, changed=review_id, content_digest=repr(codes))


class MatrixFormat(StrEnum):
    """`json`: all of it. `csv`: the matrix, in numbers. `passages`: CSV of all passages."""

    JSON = "json"
    CSV = "csv"
    PASSAGES = "passages"


_TABLES: dict[MatrixFormat, Callable[[Matrix], Iterator[str]]] = {
    MatrixFormat.CSV: matrix_csv,
    MatrixFormat.PASSAGES: passages_csv,
}
_MATRIX: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The account.",
        "content": {
            "text/csv": {"schema": {"type": "string"}, "example": "row,path,kind,passages,studies"}
        },
    }
}


@router.get("/matrix", response_model=MatrixOut, responses=_MATRIX | errors(403))
def show_matrix(
    me: Me,
    review_id: InReview,
    here: Here,
    format: Annotated[
        MatrixFormat,
        Query(
            description="`csv`: rows × studies in numbers. `passages`: CSV with a line for each "
            "passage, in its words."
        ),
    ] = MatrixFormat.JSON,
    of: Annotated[
        RowsOf,
        Query(
            description="Rows: the codes that an owner marked as constructs, or as themes, each "
            "with all codes below it; or every code by itself."
        ),
    ] = RowsOf.CONSTRUCTS,
) -> Response:
    """Show which construct rests on which passages of which study (not the blinded).

    It also names the studies that feed none.
    """
    made = matrix(here.database, review_id=review_id, user_id=me.id, of=of)
    headers = {"Cache-Control": "no-store"}
    if (write := _TABLES.get(format)) is None:
        return JSONResponse(MatrixOut.made(made).model_dump(mode="json"), headers=headers)
    name = "matrix.csv" if format is MatrixFormat.CSV else "passages.csv"
    headers["Content-Disposition"] = attachment(made.title, name)
    return Response("".join(write(made)), media_type="text/csv; charset=utf-8", headers=headers)


@router.get("/agreement", responses=errors(403))
def compare_coders(session: Read, viewer: AsViewer) -> CodersListOut:
    """Measure how far coders used the same codes in the same reports (not the blinded).

    Only where the team wants to know it: interpretive schools reject such figures.
    """
    found = agreement.agreement(session, viewer=viewer)
    return CodersListOut(items=[CodersOut.of(one) for one in found])


def _import_id(text: str) -> SynthesisImportId:
    return SynthesisImportId(parse_uuid(text, kind="coded project"))


def _code_id(text: str) -> CodeId:
    return CodeId(parse_uuid(text, kind="code"))
