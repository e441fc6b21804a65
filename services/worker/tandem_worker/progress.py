"""Tells those who follow a review how far its work is; see `tandem.events.progress`."""

from tandem.events.progress import ImportProgress, RankingProgress
from tandem.ids import ReviewId
from tandem.records.models import Import
from tandem.tasks import TaskSignals


def of_import(task_signals: TaskSignals, row: Import) -> None:
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
    task_signals.progress(row.review_id, made.type, made.model_dump(), about=f"import {row.id}")


def of_ranking(task_signals: TaskSignals, review_id: ReviewId, made: RankingProgress) -> None:
    if made.ranking == "finished":
        task_signals.has_new_events(review_id)
    task_signals.progress(review_id, made.type, made.model_dump(), about=f"ranking {review_id}")
