"""An administrator lets work that failed be tried again."""

import pytest

from service.domain.failing_work import (
    Poison,
    again,
    fail_as_often_as_may_be,
    fail_encodings,
    row_of,
)
from service.domain.ranked_review import (
    MINUTE,
    RankedReview,
    about_sleep,
    is_stale,
)
from tandem.db.session import Database
from tandem.errors import NotFound
from tandem.operations.jobs import NotFailed
from tandem.ranking import (
    encoding_work,
    training,
)
from tandem.work.jobs import JobState
from world import TA, World

pytestmark = pytest.mark.both_engines


class TestRetry:
    @pytest.mark.usefixtures("poison")
    def test_a_parked_training_is_due_at_once(
        self, world: World, database: Database, ranked_review: RankedReview
    ) -> None:
        team = about_sleep(world)
        fail_as_often_as_may_be(ranked_review, team.review_id)

        assert again(database, f"ranking-{team.review_id}", world).state is JobState.PARKED
        assert is_stale(database, team.review_id)
        assert row_of(database, team.review_id).attempts == 0

    @pytest.mark.usefixtures("poison")
    def test_one_that_waits_after_a_failure_waits_no_longer(
        self, world: World, database: Database, ranked_review: RankedReview
    ) -> None:
        team = about_sleep(world)
        with pytest.raises(Poison):
            ranked_review.rerank(team.review_id)
        assert not is_stale(database, team.review_id)

        again(database, f"ranking-{team.review_id}", world)

        assert is_stale(database, team.review_id)

    def test_an_encoding(self, world: World, database: Database) -> None:
        team = world.team()
        fail_encodings(database, team.review_id)

        again(database, f"encoding-{team.review_id}", world)

        with database.read() as session:
            assert encoding_work.unfinished(session) == [team.review_id]

    def test_what_waits_or_runs_is_left_alone(self, world: World, database: Database) -> None:
        team = world.team()
        with pytest.raises(NotFailed, match="queued"):
            again(database, f"ranking-{team.review_id}", world)
        training.claim(database, team.review_id, TA, lasting=MINUTE)
        with pytest.raises(NotFailed, match="running"):
            again(database, f"ranking-{team.review_id}", world)

    def test_what_is_done_or_never_was_is_not_found(self, world: World, database: Database) -> None:
        for unknown in ("ranking-", "import-17", "none", "webhook-x"):
            with pytest.raises(NotFound):
                again(database, unknown, world)
