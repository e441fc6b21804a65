"""`python -m tandem_worker.relay`: finds work whose message got lost, and asks for it again.

It also brings events out of the house; see `outbound`.

Everything that is due stands in the database. So the loss of every message, of the broker or
of a worker costs one round of this loop, and nothing else.
"""

import signal
import threading
from collections.abc import Callable, Collection, Mapping
from types import FrameType
from typing import Any
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError

from tandem import heartbeat
from tandem.accounts import idempotency
from tandem.config import settings
from tandem.db.session import Database
from tandem.log import configure, logger
from tandem.operations import removal
from tandem.operations.jobs import KINDS
from tandem.tasks import BULK, QUEUE, QUEUES, TaskSignals
from tandem_worker.outbound import WaysOut

ENOUGH_WAITING = 200
"""While so many messages wait, no worker takes them or all are busy: more would not help, and
would only pile up in the broker."""

_Ask = Callable[[TaskSignals, Any], object]

_ASKED: Mapping[str, tuple[str, _Ask]] = {
    "ranking": (QUEUE, lambda task_signals, review_id: task_signals.changed(review_id)),
    "import": (BULK, lambda task_signals, import_id: task_signals.uploaded(import_id)),
    "encoding": (BULK, lambda task_signals, review_id: task_signals.to_encode(review_id)),
    "second_looks": (BULK, lambda task_signals, review_id: task_signals.to_look_again(review_id)),
    "text": (BULK, lambda task_signals, review_id: task_signals.to_read(review_id)),
}
"""By kind of work: the queue in which it waits for a worker, and how a worker is asked."""

_log = logger(__name__)


def sweep(
    database: Database, task_signals: TaskSignals, queues: Collection[str] = tuple(QUEUES.values())
) -> int:
    """Ask for everything that is due and held by nobody; return how much that is.

    `queues`: those in which there is room, so that one that is full holds nothing else back.
    """
    found: list[tuple[_Ask, UUID]] = []
    with database.glance() as session:
        for kind in KINDS:
            queue, ask = _ASKED[kind.name]
            if queue in queues:
                found += [(ask, target) for target in kind.waiting(session)]
        deleted = removal.due(session) if BULK in queues else ()
    for ask, target in found:
        ask(task_signals, target)
    for review_id in deleted:
        task_signals.deleted(review_id)
    return len(found) + len(deleted)


def main() -> None:
    config = settings()
    configure(config, process="relay")
    database, task_signals = (
        Database(config.resolved_database_url()),
        TaskSignals(config.resolved_redis_url()),
    )
    stopping = threading.Event()

    def stop(_: int, __: FrameType | None) -> None:
        stopping.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    _log.info("relay started", every_seconds=config.sweep_seconds)
    with database.write.begin() as session:
        idempotency.forget_old(session)
    outbound = WaysOut(config, database)
    while not stopping.wait(config.sweep_seconds):
        try:
            queues = [
                each for each in QUEUES.values() if task_signals.backlog(each) < ENOUGH_WAITING
            ]
            sweep(database, task_signals, queues)
            heartbeat.beat("relay")
        except SQLAlchemyError as error:
            _log.error("sweep failed; trying again", error=str(error))
    outbound.close()
    task_signals.close()
    database.close()


if __name__ == "__main__":
    main()
