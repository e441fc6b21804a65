"""The tasks: each reads what to do from the database, and may be run twice or never."""

from uuid import UUID

from tandem.ids import ImportId, ReviewId
from tandem.ranking.rerank import rerank as train
from tandem.records import importing
from tandem.tasks import IMPORT, RERANK
from tandem_worker.app import app
from tandem_worker.runtime import runtime


@app.task(name=RERANK)  # type: ignore[untyped-decorator]  # Celery has no types
def rerank(review_id: str) -> None:
    """Rank the review anew if anything has changed since its newest ranking."""
    here, review = runtime(), ReviewId(UUID(review_id))
    made = train(
        here.database,
        here.artifacts,
        here.cache,
        review,
        timing=here.timing,
        published=lambda: here.nudges.told(review),
    )
    if made:
        # Behind what else waits: where the turn ended too early, this review has another one.
        here.nudges.changed(review)


@app.task(name=IMPORT)  # type: ignore[untyped-decorator]  # Celery has no types
def import_records(import_id: str) -> None:
    """Read an uploaded file into its review, from where the last worker left off."""
    here = runtime()
    review = importing.run(here.database, here.artifacts, ImportId(UUID(import_id)))
    if review is not None:
        here.nudges.changed(review)
