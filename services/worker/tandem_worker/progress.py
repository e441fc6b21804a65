"""How far running work is, for pages that show a bar rather than a spinner.

These messages are in no log and have no number. They tell a blinded reviewer nothing: of imports
they say what every member reads in `GET …/imports`; of rankings that one was begun and finished,
which every change of the review leads to, whatever the verdict.
"""

from typing import Literal

from tandem.ids import ReviewId
from tandem.records.models import Import
from tandem.tasks import Nudges

IMPORT = "tandem.import.progress"
RANKING = "tandem.ranking.progress"


def of_import(nudges: Nudges, row: Import) -> None:
    data = {
        "import_id": str(row.id),
        "state": row.state,
        "step": row.step,
        "n_read": row.n_read,
        "n_total": row.n_total,
        "n_added": row.n_added,
        "n_duplicates": row.n_duplicates,
        "n_rejected": row.n_rejected,
    }
    nudges.progress(row.review_id, IMPORT, data, about=f"import {row.id}")


def of_ranking(nudges: Nudges, review_id: ReviewId, what: Literal["started", "finished"]) -> None:
    if what == "finished":
        nudges.told(review_id)
    nudges.progress(review_id, RANKING, {"ranking": what}, about=f"ranking {review_id}")
