"""What a worker process holds: one database, one artefact store."""

from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path

from tandem.artifacts import Artifacts
from tandem.config import Settings, settings
from tandem.db.session import Database
from tandem.ranking.pace import Timing
from tandem.ranking.recipes import DEFAULT_MODEL
from tandem.tasks import TaskSignals


@dataclass(frozen=True, slots=True)
class Runtime:
    settings: Settings
    database: Database
    artifacts: Artifacts
    cache: Path
    timing: Timing
    task_signals: TaskSignals

    @property
    def model(self) -> str:
        """Return the name of the recipe by which reviews are ranked here."""
        return self.settings.ranking_model or DEFAULT_MODEL


@cache
def runtime() -> Runtime:
    """Return this process's runtime, opened at first use.

    Celery forks its task processes: a connection opened before the fork would be shared by
    them, so nothing may call this in the parent.
    """
    config = settings()
    return Runtime(
        settings=config,
        database=Database(config.resolved_database_url()),
        artifacts=Artifacts(config.resolved_artifact_url()),
        cache=config.data_dir / "cache",
        timing=Timing(
            lease=timedelta(seconds=config.ranking_lease_seconds),
            pause=timedelta(seconds=config.ranking_pause_seconds),
        ),
        task_signals=TaskSignals(config.resolved_redis_url()),
    )
