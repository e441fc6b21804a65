"""How long rankings have waited for a change, and for how many."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from service.domain.ranked_review import (
    RankedReview,
    about_sleep,
    let_the_pause_pass,
)
from tandem.db.base import now
from tandem.db.session import Database
from tandem.ids import ReviewId
from tandem.operations.figures import figures
from tandem.ranking import (
    from_ledger,
)
from tandem.reviews.models import Review
from world import World

pytestmark = pytest.mark.both_engines


class TestStaleness:
    def test_it_counts_from_the_first_change_that_is_not_ranked(
        self, world: World, database: Database, ranked_review: RankedReview
    ) -> None:
        team = about_sleep(world)
        ranked_review.rerank(team.review_id)
        assert self.of(database).oldest_staleness == 0
        assert self.of(database).largest_staleness == 0

        world.decide(team.review_id, team.ann, 1, "include")
        self.long_ago(database, team.review_id)
        world.decide(team.review_id, team.ann, 2, "exclude")

        seen = self.of(database)
        assert (seen.n_stale, seen.largest_staleness) == (1, 2)
        assert 3600 <= seen.oldest_staleness < 3700, "the second one has not made it younger"

        let_the_pause_pass(database, team.review_id)
        ranked_review.rerank(team.review_id)
        assert (self.of(database).n_stale, self.of(database).oldest_staleness) == (0, 0)

    def test_a_change_during_a_training_counts_from_its_begin(
        self,
        world: World,
        database: Database,
        ranked_review: RankedReview,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        team = about_sleep(world)
        really = from_ledger.rank_review

        def rank_slowly(*given: Any) -> Any:
            made = really(*given)
            world.decide(team.review_id, team.ann, 1, "include")
            self.long_ago(database, team.review_id)
            return made

        monkeypatch.setattr(from_ledger, "rank_review", rank_slowly)
        held = now()
        ranked_review.rerank_once(team.review_id)

        with database.read() as session:
            since = session.get_one(Review, team.review_id).stale_since
        assert since is not None
        assert held - timedelta(seconds=1) <= since <= now()

    def of(self, database: Database) -> Any:
        with database.read() as session:
            return figures(session)

    def long_ago(self, database: Database, review_id: ReviewId) -> None:
        with database.write.begin() as session:
            session.execute(
                update(Review)
                .where(Review.id == review_id)
                .values(stale_since=now() - timedelta(hours=1))
            )
