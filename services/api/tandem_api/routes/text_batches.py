"""Many full texts at once: taken, placed at their reports, settled where that is unsure."""

from typing import Annotated

from fastapi import File, Path, Response, UploadFile
from sqlalchemy.orm import Session

from tandem.accounts import service as accounts
from tandem.errors import Invalid, TandemError
from tandem.ids import TextBatchId, parse_record_number, parse_uuid
from tandem.reviews import service as reviews
from tandem.texts import batches, maps, service, uploads
from tandem.texts.batches import Sent
from tandem.texts.models import TextItemState
from tandem.texts.placing import Targets
from tandem_api.deps import AsViewer, Here, InReview, Limit, Me, PageFrom, Read
from tandem_api.paging import Page
from tandem_api.routes.texts import bounds
from tandem_api.routing import Router
from tandem_api.schemas.texts import TextBatchOut, TextItemIn, TextItemOut, WholeTextBatchOut
from tandem_api.writing import Write

router = Router(prefix="/reviews/{review_id}", tags=["full text"])


@router.post("/texts", status_code=202, response_model=WholeTextBatchOut)
def send_texts(
    files: Annotated[
        list[UploadFile],
        File(
            description="PDFs, Word documents, plain texts, and zips of these.", examples=[["PK…"]]
        ),
    ],
    me: Me,
    review_id: InReview,
    here: Here,
    write: Write,
    map: Annotated[
        UploadFile | None,
        File(
            description="Which file is of which record: RIS with `L1`, EndNote's XML, BibTeX with "
            "`file`, or CSV with a column `file` beside `record`, `doi`, `pmid` or `title`.",
        ),
    ] = None,
) -> Response:
    """Send many files at once. A worker reads each and places it where it is certain whose it is.

    Follow the batch until it is `done`; then settle those files that are `proposed` or `unmatched`.
    """
    with here.database.read() as session:
        service.require_right(reviews.viewer(session, review_id=review_id, user_id=me.id))
    given = _map(map)
    limits = bounds(here)
    sent = batches.receive(
        here.database,
        here.artifacts,
        review_id=review_id,
        files=[(file.filename or "", file.file) for file in files],
        bounds=limits,
    )
    digests = batches.digests_of(sent.files)
    try:
        answer = _accept(sent, given, me, review_id, here, write, digests)
    except TandemError:
        uploads.forget_unused(here.database, here.artifacts, review_id, *digests)
        raise
    if "Idempotency-Replayed" in answer.headers:  # their texts may have been removed since
        uploads.forget_unused(here.database, here.artifacts, review_id, *digests)
    here.task_signals.to_read(review_id)
    return answer


def _map(sent: UploadFile | None) -> bytes | None:
    if sent is None:
        return None
    content = sent.file.read(maps.LARGEST + 1)
    if len(content) > maps.LARGEST:
        raise Invalid("The map is larger than 50 MB.", field="map")
    return content


def _accept(
    sent: Sent,
    given: bytes | None,
    me: Me,
    review_id: InReview,
    here: Here,
    write: Write,
    digests: list[str],
) -> Response:
    content = given if given is not None else sent.map
    file_map = batches.read_map(here.database, review_id, content)
    targets, batch_id = Targets(here.database, review_id), batches.new_batch_id()

    def work(session: Session) -> WholeTextBatchOut:
        review, viewer = reviews.enter(session, review_id=review_id, user_id=me.id)
        batches.accept(
            session,
            here.artifacts,
            sent,
            review=review,
            viewer=viewer,
            file_map=file_map,
            bounds=bounds(here),
            targets=targets,
            batch_id=batch_id,
        )
        return _shown(session, review_id, batch_id)

    digest = f"{digests} {[one.path for one in sent.files]} {content!r}"
    return write(work, status=202, changed=review_id, content_digest=digest)


@router.get("/text-batches")
def list_text_batches(
    session: Read, viewer: AsViewer, page: PageFrom, limit: Limit = 100
) -> Page[TextBatchOut]:
    """List the batches of full texts, the newest first."""
    found = batches.list_batches(session, review_id=viewer.review_id, limit=limit, cursor=page)
    counts = batches.counts(session, [batch.id for batch in found.items])
    names = accounts.names_of(session, (batch.created_by for batch in found.items))
    return Page.of(
        found.map(lambda batch: TextBatchOut.of(batch, counts[batch.id], names[batch.created_by]))
    )


@router.get("/text-batches/{batch_id}")
def get_text_batch(batch_id: str, session: Read, viewer: AsViewer) -> WholeTextBatchOut:
    """Show a batch of full texts: each file, and where it is."""
    return _shown(session, viewer.review_id, _id(batch_id))


@router.post("/text-batches/{batch_id}/items/{position}", response_model=TextItemOut)
def settle_text(
    batch_id: str,
    position: Annotated[int, Path(ge=1, le=100_000)],
    body: TextItemIn,
    me: Me,
    review_id: InReview,
    here: Here,
    write: Write,
) -> Response:
    """Say whose text a file of a batch is, or that it is nobody's. You may say so again otherwise.

    A file that was placed goes from the one report to the other.
    """
    unused: list[str] = []

    def work(session: Session) -> TextItemOut:
        review, viewer = reviews.enter(session, review_id=review_id, user_id=me.id)
        item, file = batches.settle(
            session,
            review=review,
            viewer=viewer,
            batch_id=_id(batch_id),
            position=position,
            number=None if body.record_id is None else parse_record_number(body.record_id),
        )
        if item.state is TextItemState.SET_ASIDE:
            unused.append(file.sha256)
        return TextItemOut.of(item, batches.titles(session, review_id, [item]))

    answer = write(work, changed=review_id)
    if unused:
        uploads.forget_unused(here.database, here.artifacts, review_id, *unused)
    return answer


def _shown(session: Session, review_id: InReview, batch_id: TextBatchId) -> WholeTextBatchOut:
    batch = batches.get(session, review_id=review_id, batch_id=batch_id)
    items = batches.items(session, batch.id)
    titles = batches.titles(session, review_id, items)
    names = accounts.names_of(session, [batch.created_by])
    shown = [TextItemOut.of(item, titles) for item in items]
    return WholeTextBatchOut.of_items(batch, shown, names[batch.created_by])


def _id(batch_id: str) -> TextBatchId:
    return TextBatchId(parse_uuid(batch_id, kind="batch"))
