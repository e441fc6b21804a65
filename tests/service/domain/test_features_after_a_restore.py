"""A database is restored beside features of a state that it no longer has."""

import sqlite3
from pathlib import Path

import pytest

from service.domain.ranked_review import RankedReview, about_sleep, order_of
from tandem.artifacts import Artifacts
from tandem.db.session import Database
from world import World

CLAY = [("Clay", "Clay in the soil."), ("Gravel", "Gravel roads.")]
SLEEP = [("Sleep, naps, memory", "Does sleep help memory? Sleep helped."), ("Gravel", "Roads.")]


@pytest.mark.parametrize(
    ("before", "after"),
    [("file://{}/artifacts",) * 2, ("memory://before", "memory://after")],
    ids=["artefacts", "cache"],
)
def test_what_came_after_the_backup_is_not_taken_for_what_came_after_the_restore(
    world: World, database: Database, tmp_path: Path, before: str, after: str
) -> None:
    """Artefacts are copied after the database, and a worker keeps its cache."""
    ranked_review = RankedReview(database, Artifacts(before.format(tmp_path)), tmp_path / "cache")
    team = about_sleep(world)
    ranked_review.rerank(team.review_id)
    copy = tmp_path / "backup.sqlite3"
    with sqlite3.connect(database.engine.url.database or "") as connection:
        connection.execute("VACUUM INTO ?", (str(copy),))
    world.records(team.review_id, team.owner, texts=CLAY)
    ranked_review.rerank(team.review_id)

    restored = Database(f"sqlite:///{copy}")
    World(restored).records(team.review_id, team.owner, texts=SLEEP)
    RankedReview(restored, Artifacts(after.format(tmp_path)), tmp_path / "cache").rerank(
        team.review_id
    )

    assert order_of(restored, team.review_id)[0] == 9
    restored.close()
