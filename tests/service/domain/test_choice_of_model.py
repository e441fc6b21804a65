"""Which recipe a worker ranks with: ours, or the one that its installation names."""

from pathlib import Path
from unittest.mock import create_autospec

import pytest

from service.domain.workshop import HOUR, MINUTE, about_sleep, newest
from tandem.artifacts import Artifacts
from tandem.config import Settings
from tandem.db.session import Database
from tandem.ranking.recipes import DEFAULT_MODEL, UnknownModel
from tandem.ranking.rerank import Timing
from tandem.tasks import Nudges
from tandem_worker import tasks
from tandem_worker.runtime import Runtime
from world import World


def runtime(database: Database, folder: Path, model: str | None) -> Runtime:
    return Runtime(
        settings=Settings(data_dir=folder, ranking_model=model),
        database=database,
        artifacts=Artifacts(str(folder / "artifacts")),
        cache=folder / "cache",
        timing=Timing(lease=MINUTE, pause=HOUR),
        nudges=create_autospec(Nudges),
    )


@pytest.mark.parametrize("model", [None, "elas-u4", "tandem-1-words"])
def test_the_installation_chooses(
    world: World,
    database: Database,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    model: str | None,
) -> None:
    team = about_sleep(world)
    monkeypatch.setattr(tasks, "runtime", lambda: runtime(database, tmp_path, model))

    tasks.rerank(str(team.review_id))

    ranking = newest(database, team.review_id)
    assert ranking.model == ranking.preset["name"] == (model or DEFAULT_MODEL)


def test_one_that_is_not_there_is_named(database: Database, tmp_path: Path) -> None:
    with pytest.raises(UnknownModel, match=r"'theirs-1'.*elas-u4"):
        _ = runtime(database, tmp_path, "theirs-1").recipe
