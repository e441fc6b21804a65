"""The Celery application, and what each task's log lines carry."""

from collections.abc import Sequence
from typing import Any

import structlog
from celery.signals import heartbeat_sent, setup_logging, task_postrun, task_prerun

from tandem import heartbeat
from tandem.config import settings
from tandem.log import configure
from tandem.tasks import celery_app

app = celery_app(settings().resolved_redis_url())
app.conf.update(imports=["tandem_worker.tasks"])


def serve(name: str, *, heartbeat_as: Sequence[str]) -> None:
    """Make this process the worker of one queue; its signs of life go by the names given."""
    config = settings()
    slots = {"rankings": config.worker_concurrency, "bulk": config.worker_bulk_concurrency}
    app.conf.worker_concurrency = slots[name]

    @heartbeat_sent.connect(weak=False)  # type: ignore[untyped-decorator]  # Celery has no types
    def show_life(**_: Any) -> None:
        # Sent by the loop that takes tasks from the broker: if that hangs, this stops too.
        for each in heartbeat_as:
            heartbeat.beat(each)


@setup_logging.connect(weak=False)  # type: ignore[untyped-decorator]  # Celery has no types
def configure_logging(**_: Any) -> None:
    configure(settings(), process="worker")


@task_prerun.connect(weak=False)  # type: ignore[untyped-decorator]  # Celery has no types
def bind_task(task_id: str, task: Any, **_: Any) -> None:
    structlog.contextvars.bind_contextvars(task_id=task_id, task=task.name)


@task_postrun.connect(weak=False)  # type: ignore[untyped-decorator]  # Celery has no types
def unbind_task(**_: Any) -> None:
    structlog.contextvars.clear_contextvars()
