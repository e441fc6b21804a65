"""A worker that ranks, a review of eight records about two things, and a look at what came out."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import update

from tandem.artifacts import Artifacts
from tandem.db.base import now
from tandem.db.session import Database
from tandem.events.progress import RankingProgress
from tandem.ids import ReviewId
from tandem.ranking import rerank, serving, training
from tandem.ranking.models import Ranking, Training
from tandem.ranking.pace import Timing
from tandem.reviews import texts
from tandem.reviews.models import Review
from world import TA, Team, World

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)

SLEEP = [
    ("Sleep and memory in older adults", "Sleep helps memory. A randomised trial of sleep."),
    ("Sleep loss in nurses", "Nurses who lose sleep forget. Sleep and memory were measured."),
    ("Naps and recall of words", "A nap helps recall and memory after a night of poor sleep."),
    ("Sleep spindles", "Spindles during sleep go with memory of the day."),
]
SOIL = [
    ("Nitrogen in soil", "Soil bacteria bind nitrogen. We sampled the soil of forty fields."),
    ("Earthworms of wet meadows", "Earthworms move soil. Wet meadows have many earthworms."),
    ("Fungi and roots", "Fungi around roots bring nitrogen and water from the soil."),
    ("Ploughing and erosion", "Ploughed soil is lost to wind and rain on bare fields."),
]
TEXTS = [text for pair in zip(SOIL, SLEEP, strict=True) for text in pair]
"""Records 1, 3, 5, 7 are about soil, 2, 4, 6, 8 about sleep."""


@dataclass
class RankedReview:
    """A worker's things, and pauses that pass at once.

    `paused`: how long each pause would have been, from the begin of the training before it.
    `progress`: the messages of the trainings.
    """

    database: Database
    artifacts: Artifacts
    cache: Path
    paused: list[timedelta] = field(default_factory=list)
    progress: list[RankingProgress] = field(default_factory=list)

    def rerank(
        self, review_id: ReviewId, *, during_the_pause: Callable[[], object] = lambda: None
    ) -> int:
        """Train until nothing is stale, as messages would have it; return how often."""
        made = 0
        while next_begin := self.rerank_once(review_id):
            made += 1
            self.paused.append(next_begin - began_at(newest(self.database, review_id)))
            during_the_pause()
            let_the_pause_pass(self.database, review_id)
        return made

    def rerank_once(self, review_id: ReviewId, lease: timedelta = MINUTE) -> datetime | None:
        timing = Timing(lease=lease, pause=HOUR)
        return rerank.rerank(
            self.database,
            self.artifacts,
            self.cache,
            review_id,
            timing=timing,
            on_progress=self.progress.append,
        )


def began_at(ranking: Ranking) -> datetime:
    return ranking.created_at - timedelta(seconds=ranking.seconds)


def let_the_pause_pass(database: Database, review_id: ReviewId) -> None:
    edit_training(database, review_id, not_before=now() - timedelta(seconds=1))


def let_the_lease_run_out(database: Database, review_id: ReviewId) -> None:
    past = now() - timedelta(seconds=1)
    edit_training(database, review_id, lease_until=past, not_before=past)


def edit_training(database: Database, review_id: ReviewId, **values: object) -> None:
    with database.write.begin() as session:
        session.execute(update(Training).where(Training.review_id == review_id).values(**values))


def about_sleep(world: World, **review: object) -> Team:
    """Return a review of eight records that asks about sleep."""
    asked = {"question": "Does sleep help memory?"} | review
    team = world.team(n_records=0, policy={"reviewers_per_record": 2}, **asked)
    world.records(team.review_id, team.owner, texts=TEXTS)
    return team


def order_of(database: Database, review_id: ReviewId) -> list[int]:
    with database.read() as session:
        return [int(n) for n in serving.newest_order(session, review_id, TA).numbers]


def newest(database: Database, review_id: ReviewId) -> Ranking:
    with database.read() as session:
        return serving.list_rankings(session, review_id=review_id, limit=1)[0]


def is_stale(database: Database, review_id: ReviewId) -> bool:
    with database.read() as session:
        return review_id in training.stale_reviews(session)


def labels_seq(database: Database, review_id: ReviewId) -> int:
    with database.read() as session:
        return session.get_one(Review, review_id).labels_seq


def settle(world: World, team: Team, number: int, verdict: str) -> None:
    for person in (team.ann, team.ben):
        world.decide(team.review_id, person, number, verdict)


def settle_all(world: World, team: Team) -> None:
    for number in range(1, len(TEXTS) + 1):
        settle(world, team, number, "include")


def ask_again(world: World, team: Team) -> None:
    with world.entered(team.review_id, team.owner) as (_, review, _):
        serving.ask_for_training(review)


def ask_otherwise(world: World, team: Team) -> None:
    with world.entered(team.review_id, team.owner) as (session, review, _):
        changes = {"question": "Soil, nitrogen, earthworms, fields"}
        texts.change(session, review, changes, by=team.owner.id)


def seed(world: World, team: Team, *given: str) -> None:
    with world.entered(team.review_id, team.owner) as (session, review, _):
        texts.change(session, review, {"seed_studies": [*given]}, by=team.owner.id)
