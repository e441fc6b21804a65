"""Large reviews, whose trainings are long, never take all slots of a worker."""

import fcntl
import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tandem.ids import ReviewId
from tandem.ranking import training
from tandem.reviews import service as reviews
from tandem_worker.runtime import Runtime

LARGE = 50_000
"""Records. A training of so many takes seconds, of the largest reviews minutes; of the usual few
thousand some hundredths."""


@contextmanager
def slot_for(here: Runtime, review_id: ReviewId) -> Iterator[bool]:
    """Hold a place for this review's training; False where it is large and there is none.

    Neither is there where another large one has waited longer: who trains all the time is back at
    the place first. Then the relay asks again in its next round. A worker with a single slot has
    no other to keep free.
    """
    with here.database.read() as session:
        is_large = reviews.get_review(session, review_id).last_record_number >= LARGE
        is_next = not (is_large and training.waits_longer(session, review_id, n_records=LARGE))
    if not is_next:
        yield False
        return
    if not is_large:
        yield True
        return
    n_places = max(1, here.settings.worker_concurrency - 1)
    for place in range(n_places):
        with file_of(here, place).open("ab") as file:
            try:
                # A file lock: it is free again when its process dies, however that comes about.
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            yield True
            return
    yield False


def file_of(here: Runtime, place: int) -> Path:
    """Return the file of a place: the workers of one machine share them."""
    url = here.settings.resolved_database_url()
    name = hashlib.sha256(url.encode()).hexdigest()[:12]
    folder = Path(tempfile.gettempdir())
    return folder / f"tandem-{os.getuid()}-{name}-large-{place}.lock"
