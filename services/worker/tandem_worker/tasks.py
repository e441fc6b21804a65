"""The tasks: each reads what to do from the database, and may be run twice or never."""

from uuid import UUID

from tandem.ids import ImportId, ReviewId
from tandem.ranking import encoding, sentences
from tandem.ranking.rerank import rerank as train
from tandem.records import importing
from tandem.screening import deduplication
from tandem.tasks import ENCODE, IMPORT, RERANK
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
    review = importing.run(
        here.database, here.artifacts, ImportId(UUID(import_id)), link=deduplication.run
    )
    if review is not None:
        here.nudges.changed(review)
        if sentences.is_installed():
            here.nudges.to_encode(review)


@app.task(name=ENCODE)  # type: ignore[untyped-decorator]  # Celery has no types
def encode(review_id: str, fence: int | None = None) -> None:
    """Make sentence vectors for a few seconds, then stand behind what else waits."""
    if not sentences.is_installed():
        return
    here, review = runtime(), ReviewId(UUID(review_id))
    following = encoding.encode_some(
        here.database,
        review,
        sentences.encode,
        fence=fence,
        finished=lambda: here.nudges.changed(review),
    )
    if following is not None:
        here.nudges.to_encode(review, following)
