"""The Celery application, and what each task's log lines carry."""

import time
import warnings
from importlib import import_module
from math import inf
from typing import Any

import structlog
from celery.exceptions import SecurityWarning
from celery.platforms import EX_OK
from celery.signals import (
    heartbeat_sent,
    setup_logging,
    task_postrun,
    task_prerun,
    worker_ready,
)
from celery.worker import state
from redis import Redis
from redis.exceptions import RedisError

from tandem import heartbeat
from tandem.config import settings
from tandem.loading import loading
from tandem.log import configure
from tandem.tasks import QUEUES, celery_app

app = celery_app(settings().resolved_redis_url())
app.conf.update(imports=["tandem_worker.tasks"])


_OF_WORKERS = ("celery.apps.worker", "celery.bin.worker", "celery.concurrency.prefork")
_OF_RANKINGS = "tandem.ranking.rerank"


def load() -> None:
    """Import what every task needs, before the processes are forked that share it."""
    app.loader.import_default_modules()
    app.finalize()
    for module in _OF_WORKERS:
        import_module(module)


class Idleness:
    """How long this worker has had no task, neither at work nor waiting for its time.

    It counts from `begin` on: how long a start takes is nobody's idleness.
    """

    def __init__(self) -> None:
        self._n_received, self._since = 0, inf

    def begin(self) -> None:
        self._since = time.monotonic()

    def seconds(self) -> float:
        n_received = sum(state.total_count.values())
        is_waiting = state.reserved_requests or state.scheduled_requests
        if is_waiting or n_received != self._n_received:
            self._n_received, self._since = n_received, time.monotonic()
        return time.monotonic() - self._since


def serve(name: str) -> None:
    """Be the worker of one queue, until somebody asks for the end or nothing is to be done."""
    config = settings()
    if name in ("rankings", "large"):
        with loading():  # for all slots at once
            import_module(_OF_RANKINGS)
    slots = {
        "rankings": config.worker_concurrency,
        "large": config.worker_large_concurrency,
        "bulk": config.worker_bulk_concurrency,
    }
    app.conf.worker_concurrency = slots[name]
    # Of the superuser: it is about messages that hold code; ours are JSON, and nothing else is
    # accepted. In containers it would be logged at every start.
    warnings.filterwarnings("ignore", category=SecurityWarning)
    idleness, broker = Idleness(), Redis.from_url(config.resolved_redis_url(), socket_timeout=5)

    @worker_ready.connect(weak=False)  # type: ignore[untyped-decorator]  # Celery has no types
    def begin(**_: Any) -> None:
        idleness.begin()

    @heartbeat_sent.connect(weak=False)  # type: ignore[untyped-decorator]  # Celery has no types
    def show_life(**_: Any) -> None:
        # Sent by the loop that takes tasks from the broker: if that hangs, this stops too.
        heartbeat.beat(f"worker-{name}")
        if idleness.seconds() > config.worker_idle_seconds and not _waits(broker, QUEUES[name]):
            state.should_stop = EX_OK

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


def _waits(broker: Redis, queue: str) -> bool:
    """Whether a message waits, as far as anybody knows: else this worker would be started again."""
    try:
        return broker.llen(queue) > 0
    except (RedisError, OSError):
        return True


@setup_logging.connect(weak=False)  # type: ignore[untyped-decorator]  # Celery has no types
def configure_logging(**_: Any) -> None:
    configure(settings(), process="worker")


@task_prerun.connect(weak=False)  # type: ignore[untyped-decorator]  # Celery has no types
def bind_task(task_id: str, task: Any, **_: Any) -> None:
    structlog.contextvars.bind_contextvars(task_id=task_id, task=task.name)


@task_postrun.connect(weak=False)  # type: ignore[untyped-decorator]  # Celery has no types
def unbind_task(**_: Any) -> None:
    structlog.contextvars.clear_contextvars()
