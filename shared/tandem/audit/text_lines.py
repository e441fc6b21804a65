"""Lines about the texts of records, for the audit trail: digests, page by page."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from tandem.audit.record_lines import PAGE, Line
from tandem.ids import ReviewId
from tandem.records import judged_text
from tandem.records.models import Record


def lines(session: Session, review_id: ReviewId) -> Iterator[Line]:
    """Yield lines about the texts of records, by number: a line has records of one import.

    `sealed` are the digests of the texts as they came, None where it was not kept; `now` has the
    digest of the present text where that differs, or where none was kept.
    """
    columns = [getattr(Record, name) for name in judged_text.FIELDS]
    after = 0
    while True:
        query = (
            select(Record.number, Record.import_id, Record.text_digest, *columns)
            .where(Record.review_id == review_id, Record.number > after)
            .order_by(Record.number)
            .limit(PAGE)
        )
        line: Line | None = None
        n_rows = 0
        for row in session.execute(query):
            n_rows, after = n_rows + 1, row.number
            if line is None or line["texts_of"] != str(row.import_id):
                if line is not None:
                    yield line
                line = {"texts_of": str(row.import_id), "numbers": [], "sealed": [], "now": {}}
            _add(line, row)
        if line is not None:
            yield line
        if n_rows < PAGE:
            return


def _add(line: Line, row: Any) -> None:
    now = judged_text.digest(row._mapping)
    line["numbers"].append(row.number)
    line["sealed"].append(None if row.text_digest is None else row.text_digest.hex())
    if now != row.text_digest:
        line["now"][str(row.number)] = now.hex()
