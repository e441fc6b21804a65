"""Which recipe a worker ranks with: ours, or the one that its installation names."""

from pathlib import Path
from unittest.mock import create_autospec

import pytest

from service.domain.ranked_review import HOUR, MINUTE, about_sleep, let_the_pause_pass, newest
from tandem.artifacts import Artifacts
from tandem.config import Settings
from tandem.db.session import Database
from tandem.operations import jobs
from tandem.ranking import rerank
from tandem.ranking.pace import Timing
from tandem.ranking.recipes import DEFAULT_MODEL, Recipe, UnknownModel, recipe
from tandem.ranking.within_memory import recipe_within
from tandem.tasks import TaskSignals
from tandem.work.attempts import MOST_TRIES
from tandem.work.jobs import JobKind, JobState
from tandem_worker import tasks
from tandem_worker.runtime import Runtime
from world import World


def runtime(
    database: Database, folder: Path, model: str | None, memory: int | None = None
) -> Runtime:
    return Runtime(
        settings=Settings(data_dir=folder, ranking_model=model, ranking_memory_mib=memory),
        database=database,
        artifacts=Artifacts(str(folder / "artifacts")),
        cache=folder / "cache",
        timing=Timing(lease=MINUTE, pause=HOUR),
        task_signals=create_autospec(TaskSignals),
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


def test_where_memory_is_short_a_smaller_one_ranks_and_says_its_name(
    world: World, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    team = about_sleep(world)
    monkeypatch.setattr(tasks, "runtime", lambda: runtime(database, tmp_path, None, memory=100))

    tasks.rerank(str(team.review_id))

    ranking = newest(database, team.review_id)
    assert ranking.model == ranking.preset["name"] == f"{DEFAULT_MODEL}-small"
    assert ranking.preset["words"]["ngram_range"] == [1, 1]
    assert ranking.n_ranked > 0


def test_linked_records_do_not_count_as_they_are_not_ranked(
    world: World, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    team = about_sleep(world)
    counted: list[int] = []

    def within(model: str, n_records: int, most_mib: int | None) -> Recipe:
        counted.append(n_records)
        return recipe_within(model, n_records, most_mib)

    monkeypatch.setattr(rerank, "recipe_within", within)
    monkeypatch.setattr(tasks, "runtime", lambda: runtime(database, tmp_path, None))
    world.merge(team.review_id, team.owner, 1, 2)
    tasks.rerank(str(team.review_id))
    assert counted == [newest(database, team.review_id).n_ranked]


def test_how_large_a_review_may_be_for_the_whole_recipe() -> None:
    assert recipe_within("tandem-3", 50_000, 700).name == "tandem-3"
    assert recipe_within("tandem-3", 1_000_000, 700) == recipe("tandem-3-small")
    assert recipe_within("tandem-3-small", 1_000_000, 700).name == "tandem-3-small"
    assert recipe_within("elas-u4", 10, None).name == "elas-u4"


def test_one_that_is_not_there_is_named_among_the_jobs_and_given_up(
    world: World, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    team = about_sleep(world)
    monkeypatch.setattr(tasks, "runtime", lambda: runtime(database, tmp_path, "theirs-1"))

    for _ in range(MOST_TRIES):
        with pytest.raises(UnknownModel, match=r"'theirs-1'.*elas-u4"):
            tasks.rerank(str(team.review_id))
        let_the_pause_pass(database, team.review_id)
    tasks.rerank(str(team.review_id))  # nobody tries any more

    with database.read() as session:
        (job,) = (job for job in jobs.unfinished(session) if job.kind is JobKind.RANKING)
    assert job.state is JobState.PARKED
    assert "theirs-1" in (job.cause or "")
