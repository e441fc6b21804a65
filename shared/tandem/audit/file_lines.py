"""Lines about the files of full texts, for the audit trail: digests of the stored files."""

import hashlib
from collections.abc import Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from tandem.artifacts import Artifacts
from tandem.audit.record_lines import Line
from tandem.ids import ReviewId, TextId
from tandem.texts.models import ReportText, TextFile

_PIECE = 1 << 20


def lines(session: Session, artifacts: Artifacts | None, review_id: ReviewId) -> Iterator[Line]:
    """Yield a line for each text of a report.

    `stored` is the digest of the bytes that are stored now: null where the file is gone, left out
    without a store. `plain_sha256` is the digest of the text that was extracted from the file.
    """
    query = (
        select(ReportText, TextFile.id, TextFile.sha256)
        .join(TextFile, TextFile.id == ReportText.file_id)
        .where(ReportText.review_id == review_id)
        .order_by(ReportText.record_number, ReportText.id)
    )
    stored: dict[str, str | None] = {}
    for text, file_id, sha256 in session.execute(query).all():
        plain = session.scalar(select(TextFile.plain).where(TextFile.id == file_id))
        line: Line = {
            "file": str(text.id),
            "record": str(text.record_number),
            "kind": text.kind,
            "sha256": sha256,
            "plain_sha256": None if plain is None else _digest(plain.encode()),
        }
        if artifacts is not None:
            if sha256 not in stored:
                stored[sha256] = _stored(artifacts, f"texts/{review_id}/{sha256}")
            # One that was removed since this session began is gone by right.
            if stored[sha256] is not None or _is_there_now(session, text.id):
                line["stored"] = stored[sha256]
        yield line


def _is_there_now(session: Session, id: TextId) -> bool:
    with Session(session.get_bind()) as now:
        return now.get(ReportText, id) is not None


def _stored(artifacts: Artifacts, key: str) -> str | None:
    digest = hashlib.sha256()
    try:
        with artifacts.open(key) as file:
            while piece := file.read(_PIECE):
                digest.update(piece)
    except FileNotFoundError:
        return None
    return digest.hexdigest()


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
