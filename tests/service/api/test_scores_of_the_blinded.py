"""A real ranking, and what the first verdict of a review does to the other reviewer's queue."""

from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.domain.ranked_review import RankedReview, about_sleep
from tandem.artifacts import Artifacts
from tandem.db.session import Database
from world import World


@pytest.mark.parametrize("question", ["", "Does sleep help memory?"])
def test_a_records_score_does_not_show_the_first_verdict(
    client: TestClient, world: World, database: Database, tmp_path: Path, question: str
) -> None:
    ranked_review = RankedReview(
        database, Artifacts(str(tmp_path / "artifacts")), tmp_path / "cache"
    )

    def place_and_score(verdict: str) -> tuple[Any, Any]:
        team = about_sleep(world, question=question, seed=3)
        world.decide(team.review_id, team.ann, 4, verdict)
        ranked_review.rerank(team.review_id)
        path = f"/api/v1/reviews/{team.review_id}/queue"
        queue = client.post(path, json={"limit": 100}, headers=team.ben.auth).json()
        (item,) = (item for item in queue["items"] if item["record"]["id"] == "4")
        return item["rank"], item["score"]

    assert place_and_score("include") == place_and_score("exclude")
