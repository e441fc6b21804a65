"""Lines about a review's flow, for the audit trail: sources, studies, every box."""

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from tandem.audit.record_lines import Line
from tandem.ids import ReviewId
from tandem.records import batch
from tandem.records.models import Import, Record, Removal, Wave
from tandem.reporting import gathering
from tandem.reporting.boxes import Item
from tandem.reporting.flow import Flow, flow
from tandem.reports.models import Study
from tandem.reviews.service import get_review
from tandem.studies.service import numbers_of


def lines(session: Session, review_id: ReviewId) -> Iterator[Line]:
    """Yield the stored sources, removals, waves and studies, then the boxes of the flow."""
    imports = select(Import).where(
        Import.review_id == review_id,
        Import.id.in_(select(Record.import_id).where(Record.review_id == review_id)),
    )
    for row in session.scalars(imports.order_by(Import.id)):
        yield {"import_of": str(row.id)} | batch.sealed_origin(session, row)
    removals = select(Removal).where(Removal.review_id == review_id)
    for gone in session.scalars(removals.order_by(Removal.record_number)):
        yield {
            "removal": str(gone.record_number),
            "kind": gone.kind,
            "reason": gone.reason,
            "tool": gone.tool,
        }
    for wave in session.scalars(select(Wave).where(Wave.review_id == review_id)):
        yield {"opened": wave.number, "label": wave.label, "kind": wave.kind}
    studies = select(Study).where(Study.review_id == review_id)
    for study in session.scalars(studies.order_by(Study.id)):
        yield {
            "study": str(study.id),
            "numbers": numbers_of(session, study),
            "label": study.label,
            "primary": study.primary_number,
            "fields": study.fields,
            "sampled": study.sampled,
            "note": study.sampling_note,
        }
    reasons = get_review(session, review_id).exclusion_reasons
    yield {"flow": boxes(flow(gathering.facts(session, review_id), reasons=reasons))}


def boxes(made: Flow) -> dict[str, Any]:
    """Return the number and a digest of the records in every box, and the number in each part."""
    return {
        key: {
            "n": box.n,
            "digest": _digest(box.items),
            "parts": {part.label: part.n for part in box.parts},
        }
        for key, box in made.boxes.items()
    }


def _digest(items: Sequence[Item]) -> str:
    texts = (str(item) if isinstance(item, int) else f"{item.id}/{item.report}" for item in items)
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()
