"""What clients see of sentence vectors: how far they are, and how many a ranking had."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from numpy.typing import NDArray

from service.api.scene import API
from tandem.db.session import Database
from tandem.ranking import encoding
from tandem.ranking.minilm import DIMENSIONS
from tandem.ranking.models import Ranking
from tandem.ranking.sentences import MODEL
from world import Team, World


def some_vectors(texts: Sequence[tuple[str, str]]) -> NDArray[np.float32]:
    return np.eye(len(texts), DIMENSIONS, dtype=np.float32)


def progress(client: TestClient, team: Team) -> Any:
    """Return what the blinded see, which is what everybody sees."""
    blinded, owners = (
        client.get(f"{API}/reviews/{team.review_id}/progress", headers=person.auth).json()
        for person in (team.ann, team.owner)
    )
    assert blinded["sentences"] == owners["sentences"]
    return blinded["sentences"]


def test_progress_is_sent_once_an_encoder_has_begun(
    client: TestClient, world: World, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoding, "BATCH", 4)
    monkeypatch.setattr(encoding, "TURN", timedelta(0))
    team = world.team(n_records=6)
    assert progress(client, team) is None

    fence = encoding.encode_some(database, team.review_id, some_vectors)
    assert progress(client, team) == {"model": MODEL, "encoded": 4, "of": 6}
    encoding.encode_some(database, team.review_id, some_vectors, fence=fence)
    assert progress(client, team) == {"model": MODEL, "encoded": 6, "of": 6}


def test_a_ranking_tells_how_many_vectors_it_had(
    client: TestClient, world: World, database: Database
) -> None:
    team = world.team(n_records=6)
    world.rank(team.review_id, 1, 2, 3)
    with_vectors = world.rank(team.review_id, 3, 2, 1)
    with database.write.begin() as session:
        session.get_one(Ranking, with_vectors.id).n_vectors = 6

    answer = client.get(f"{API}/reviews/{team.review_id}/rankings", headers=team.ann.auth)

    assert [ranking["n_vectors"] for ranking in answer.json()["items"]] == [6, 0]
