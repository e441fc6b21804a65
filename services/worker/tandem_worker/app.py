"""The Celery application, and what each task's log lines carry."""

import warnings
from collections.abc import Sequence
from typing import Any

import structlog
from celery.exceptions import SecurityWarning
from celery.signals import heartbeat_sent, setup_logging, task_postrun, task_prerun

from tandem import heartbeat
from tandem.config import settings
from tandem.log import configure
from tandem.tasks import QUEUES, celery_app

app = celery_app(settings().resolved_redis_url())
app.conf.update(imports=["tandem_worker.tasks"])


def load() -> None:
    """Import all that tasks need, before the processes are forked that share it."""
    app.loader.import_default_modules()
    app.finalize()


def serve_part(name: str) -> None:
    """Be the worker of one of the queues that this machine serves."""
    serve(name, heartbeat_as=[f"worker-{name}"])


def serve(name: str, *, heartbeat_as: Sequence[str]) -> None:
    """Be the worker of one queue until somebody asks for the end.

    `heartbeat_as`: the names by which it gives signs of life.
    """
    config = settings()
    slots = {
        "rankings": config.worker_concurrency,
        "large": config.worker_large_concurrency,
        "bulk": config.worker_bulk_concurrency,
    }
    app.conf.worker_concurrency = slots[name]
    # Of the superuser: it is about messages that hold code; ours are JSON, and nothing else is
    # accepted. In containers it would be logged at every start.
    warnings.filterwarnings("ignore", category=SecurityWarning)

    @heartbeat_sent.connect(weak=False)  # type: ignore[untyped-decorator]  # Celery has no types
    def show_life(**_: Any) -> None:
        # Sent by the loop that takes tasks from the broker: if that hangs, this stops too.
        for each in heartbeat_as:
            heartbeat.beat(each)

    app.worker_main(
        [
            "--quiet",
            "worker",
            f"--loglevel={config.log_level.upper()}",
            f"--queues={QUEUES[name]}",
            # Two workers of one host must not have one name.
            f"--hostname={name}@%h",
            "--without-gossip",
            "--without-mingle",
        ]
    )


@setup_logging.connect(weak=False)  # type: ignore[untyped-decorator]  # Celery has no types
def configure_logging(**_: Any) -> None:
    configure(settings(), process="worker")


@task_prerun.connect(weak=False)  # type: ignore[untyped-decorator]  # Celery has no types
def bind_task(task_id: str, task: Any, **_: Any) -> None:
    structlog.contextvars.bind_contextvars(task_id=task_id, task=task.name)


@task_postrun.connect(weak=False)  # type: ignore[untyped-decorator]  # Celery has no types
def unbind_task(**_: Any) -> None:
    structlog.contextvars.clear_contextvars()
