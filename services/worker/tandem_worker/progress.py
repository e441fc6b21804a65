"""Tells those who follow a review how far its work is; see `tandem.events.progress`."""

from tandem.events.progress import ImportProgress, RankingProgress
from tandem.ids import ReviewId
from tandem.records.models import Import
from tandem.tasks import Nudges


def of_import(nudges: Nudges, row: Import) -> None:
    made = ImportProgress(
        import_id=str(row.id),
        state=row.state.value,
        step=row.step.value if row.step is not None else None,
        percent=row.percent,
        n_read=row.n_read,
        n_total=row.n_total,
        n_added=row.n_added,
        n_duplicates=row.n_duplicates,
        n_rejected=row.n_rejected,
    )
    nudges.progress(row.review_id, made.type, made.model_dump(), about=f"import {row.id}")


def of_ranking(nudges: Nudges, review_id: ReviewId, made: RankingProgress) -> None:
    if made.ranking == "finished":
        nudges.has_new_events(review_id)
    nudges.progress(review_id, made.type, made.model_dump(), about=f"ranking {review_id}")
