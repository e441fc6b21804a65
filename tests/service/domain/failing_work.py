"""Work that fails, and what tests ask of it."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from service.domain.ranked_review import (
    RankedReview,
    let_the_pause_pass,
)
from tandem.db.base import now
from tandem.db.session import Database
from tandem.ids import ReviewId
from tandem.operations.jobs import retry, unfinished
from tandem.ranking import (
    encoding,
)
from tandem.ranking.models import Encoding, Training
from tandem.work.attempts import MOST_TRIES
from tandem.work.jobs import Job
from world import TA, Person, World


class Poison(RuntimeError):
    """What a training of these records ends in."""


def jobs(database: Database, **only: Any) -> list[Job]:
    with database.read() as session:
        return unfinished(session, **only)


def job(database: Database, **only: Any) -> Job:
    (found,) = jobs(database, **only)
    return found


def row_of(database: Database, review_id: ReviewId) -> Training:
    with database.read() as session:
        return session.get_one(Training, (review_id, TA))


def fail_as_often_as_may_be(ranked_review: RankedReview, review_id: ReviewId) -> None:
    for _ in range(MOST_TRIES):
        with pytest.raises(Poison):
            ranked_review.rerank(review_id)
        let_the_pause_pass(ranked_review.database, review_id)


def again(database: Database, job_id: str, world: World, by: Person | None = None) -> Job:
    administrator = by or world.person("admin", is_admin=True)
    with database.write.begin() as session:
        return retry(session, job_id=job_id, by=administrator.id)


def fail_encodings(database: Database, review_id: ReviewId) -> None:
    def fail(_: object) -> Any:
        raise Poison("no such instruction")

    for _ in range(MOST_TRIES):
        with pytest.raises(Poison):
            encoding.encode_some(database, review_id, fail)
        past = now() - timedelta(seconds=1)
        with database.write.begin() as session:
            session.execute(update(Encoding).values(not_before=past))
