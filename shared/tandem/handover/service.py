"""Hand-over: what is included, in the forms that others read."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from tandem.artifacts import Artifacts
from tandem.db.reading import OneMoment
from tandem.db.session import Database
from tandem.handover import crate, package, qde
from tandem.handover.archive import Entry, zipped
from tandem.handover.contents import Contents
from tandem.handover.gathering import gather
from tandem.handover.model import Handover
from tandem.ids import ReviewId, UserId
from tandem.reviews import service as reviews
from tandem.reviews.models import Role
from tandem.stopping import states


class HandoverFormat(StrEnum):
    """In what form the included reports are handed over.

    `qdpx`: a project for QualCoder, NVivo, ATLAS.ti and MAXQDA (REFI-QDA 1.5). `qdc`: its code
    book. `zip`: files, references and tables. `rocrate`: the trail, and what was computed from it.
    """

    QDPX = "qdpx"
    QDC = "qdc"
    ZIP = "zip"
    RO_CRATE = "rocrate"


@dataclass(frozen=True, slots=True)
class HandedOver:
    """A file as it is made. Texts are read while it is sent."""

    title: str
    parts: Iterator[bytes]


def hand_over(
    database: Database,
    artifacts: Artifacts,
    *,
    review_id: ReviewId,
    user_id: UserId,
    format: HandoverFormat,
    texts: bool | None = None,
) -> HandedOver:
    """Return a hand-over of what is included and sampled now.

    Args:
        database: Where the review is.
        artifacts: Where its full texts are.
        review_id: The review.
        user_id: Who asks.
        format: In what form.
        texts: With the full texts; None: with them, but in a crate, which is to be published.

    Raises:
        NotFound: There is no such review, or they are not a member of it.
        Forbidden: They are blinded in one of the stages; for a crate: they are no owner.
    """
    contents = Contents(database, artifacts, review_id, user_id)
    if format is HandoverFormat.RO_CRATE:
        with database.read() as session:
            viewer = reviews.viewer(session, review_id=review_id, user_id=user_id)
            viewer.require(Role.OWNER, "export its audit trail")
        with states.up_to_date(database, review_id) as session:
            found = gather(OneMoment(session), review_id=review_id, user_id=user_id)
            made = crate.computed(session, found, contents)
        return HandedOver(
            found.title, zipped(crate.entries(found, contents, made, texts=texts is True))
        )
    found = gather(database, review_id=review_id, user_id=user_id)
    with_texts = texts is not False
    if format is HandoverFormat.QDC:
        parts: Iterator[bytes] = iter([qde.code_book(found.codes)])
    elif format is HandoverFormat.QDPX:
        parts = zipped(_qdpx(found, contents, texts=with_texts))
    else:
        parts = zipped(package.entries(found, contents, texts=with_texts))
    return HandedOver(found.title, parts)


def _qdpx(found: Handover, contents: Contents, *, texts: bool) -> Iterator[Entry]:
    made = qde.project(found, texts=texts)
    yield Entry("project.qde", [made.qde])
    for one in made.files:
        yield Entry(f"Sources/{one.name}", _parts(one, contents))


def _parts(one: qde.SourceFile, contents: Contents) -> Iterator[bytes]:
    if one.file is None:
        return iter([(one.content or "").encode()])
    return contents.plain(one.file) if one.is_plain else contents.file(one.file)
