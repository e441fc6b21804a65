"""Files into the review."""

from typing import Annotated

from fastapi import Body, File, Form, Response, UploadFile
from sqlalchemy.orm import Session

from tandem.accounts import service as accounts
from tandem.errors import TandemError
from tandem.ids import ImportId, parse_uuid
from tandem.operations import taking_back
from tandem.records import imports
from tandem.records.formats.reading import Format
from tandem.records.imports import Found, Searched
from tandem.records.models import Import
from tandem.records.origin import FoundBy, StartsAt
from tandem.reviews import service as reviews
from tandem.reviews.models import Role
from tandem.screening import priors, sources
from tandem_api.deps import AsViewer, Here, InReview, Limit, Me, PageFrom, Read
from tandem_api.paging import Page
from tandem_api.routing import Router
from tandem_api.schemas.base import Day, Line, Prose
from tandem_api.schemas.imports import ImportOut
from tandem_api.schemas.sources import ImportPatch
from tandem_api.writing import Write

router = Router(prefix="/reviews/{review_id}/imports", tags=["imports"])


@router.post(
    "",
    status_code=202,
    response_model=ImportOut,
)
def upload(
    file: Annotated[
        UploadFile,
        File(
            description="As a database or program exported it.",
            examples=["TY  - JOUR\nTI  - A title\nER  - \n"],
        ),
    ],
    me: Me,
    review_id: InReview,
    here: Here,
    write: Write,
    source: Annotated[
        Line | None, Form(description="Where it comes from, e.g. Medline.", examples=["Medline"])
    ] = None,
    platform: Annotated[
        Line | None, Form(description="Where that was searched, e.g. Ovid.")
    ] = None,
    searched_on: Annotated[Day | None, Form(description="When it was searched.")] = None,
    strategy: Annotated[Prose | None, Form(description="The search as it was run.")] = None,
    format: Annotated[
        Format | None, Form(description="Left out: recognised by the content.")
    ] = None,
    found_by: Annotated[
        FoundBy, Form(description="How the records were found, in PRISMA's words.")
    ] = FoundBy.DATABASE,
    screening: Annotated[
        StartsAt | None,
        Form(
            description="Where the records start. Left out: full text for other methods than "
            "databases and registers, else title and abstract."
        ),
    ] = None,
    wave: Annotated[
        int | None, Form(ge=1, le=2**31 - 1, description="Of which search; left out: the newest.")
    ] = None,
) -> Response:
    """Take a file (owners). A worker reads it; follow the import until it is done or failed."""
    with here.database.read() as session:
        viewer = reviews.viewer(session, review_id=review_id, user_id=me.id)
        viewer.require(Role.OWNER, "import records")
    upload = imports.store_upload(here.artifacts, review_id=review_id, file=file.file)

    found = Found(found_by, screening, wave)
    fields = (source, format, platform, searched_on, strategy, found)

    def work(session: Session) -> ImportOut:
        # Once more: to store a large file takes long enough for somebody to be owner no more.
        _, viewer = reviews.enter(session, review_id=review_id, user_id=me.id)
        viewer.require(Role.OWNER, "import records")
        row = imports.accept(
            session,
            upload,
            review_id=review_id,
            user_id=me.id,
            filename=(file.filename or "unnamed").replace("\x00", "")[:255],
            source=source,
            searched=Searched(platform, searched_on, strategy),
            requested_format=format,
            found=found,
        )
        return ImportOut.of(row, {me.id: me.name})

    try:
        answer = write(work, status=202, content_digest=f"{upload.sha256} {fields}")
    except TandemError:  # nothing was committed: other failures may leave that open
        here.artifacts.remove(upload.artifact)
        raise
    if "Idempotency-Replayed" in answer.headers:  # what was stored just now is of no use
        here.artifacts.remove(upload.artifact)
    else:
        here.task_signals.uploaded(upload.import_id)
    return answer


@router.get("")
def list_imports(
    session: Read, viewer: AsViewer, page: PageFrom, limit: Limit = 100
) -> Page[ImportOut]:
    """List imports, the newest first."""
    found = imports.list_imports(session, review_id=viewer.review_id, cursor=page, limit=limit)
    names = accounts.names_of(session, (row.created_by for row in found.items))
    return Page.of(found.map(lambda row: ImportOut.of(row, names)))


@router.get("/{import_id}")
def get_import(import_id: str, session: Read, viewer: AsViewer) -> ImportOut:
    """Show an import: how far it is, and what could not be read and why."""
    found = ImportId(parse_uuid(import_id, kind="import"))
    row = imports.get_import(session, review_id=viewer.review_id, import_id=found)
    return _shown(session, row)


@router.patch("/{import_id}", response_model=ImportOut)
def correct_import(
    import_id: str,
    body: Annotated[ImportPatch, Body(default_factory=ImportPatch)],
    me: Me,
    review_id: InReview,
    write: Write,
) -> Response:
    """Correct where an import's records came from, and in which search (owners)."""
    found = ImportId(parse_uuid(import_id, kind="import"))

    def work(session: Session) -> ImportOut:
        review, viewer = reviews.enter(session, review_id=review_id, user_id=me.id)
        row = sources.change_import(
            session, review, viewer, import_id=found, changes=body.changes()
        )
        return _shown(session, row)

    return write(work, changed=review_id)


@router.post("/{import_id}/prior-decisions", response_model=ImportOut)
def take_prior_decisions(import_id: str, me: Me, review_id: InReview, write: Write) -> Response:
    """Take over the decisions that a file carries (owners), as an imported reviewer's votes.

    Those on records that are not screened are left out. Asked for again, it enters those whose
    records are screened by then.
    """
    found = ImportId(parse_uuid(import_id, kind="import"))

    def work(session: Session) -> ImportOut:
        review, viewer = reviews.enter(session, review_id=review_id, user_id=me.id)
        return _shown(session, priors.take(session, review, viewer, import_id=found))

    return write(work, changed=review_id)


def _shown(session: Session, row: Import) -> ImportOut:
    return ImportOut.of(row, accounts.names_of(session, [row.created_by]))


@router.delete("/{import_id}", response_model=ImportOut)
def take_import_back(
    import_id: str, me: Me, review_id: InReview, here: Here, write: Write
) -> Response:
    """Remove the records that an import brought, while nobody has worked on any of them (owners).

    The import stays listed, as `taken_back`. Records that other imports brought as well stay, with
    their other sources. One that is being read is broken off.
    """
    found = ImportId(parse_uuid(import_id, kind="import"))
    artifact = ""

    def work(session: Session) -> ImportOut:
        nonlocal artifact
        review, viewer = reviews.enter(session, review_id=review_id, user_id=me.id)
        row = taking_back.take_back(session, review, viewer, import_id=found)
        artifact = row.artifact
        return _shown(session, row)

    answer = write(work, changed=review_id)
    if artifact:
        here.artifacts.remove(artifact)
    return answer
