"""The installation's figures as Prometheus reads them.

People who may not see others' verdicts can reach `/metrics`: everybody gets only sums over
all reviews, of things that come about whatever the verdict. Figures of single reviews, and all that
count events, are for administrators.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

from tandem.heartbeat import SILENCE_SECONDS
from tandem.operations.figures import EventFigures, Figures
from tandem.operations.storage import Storage
from tandem.tasks import QUEUES, BrokerFigures
from tandem.work.jobs import JobKind, JobState

Key = TypeVar("Key", bound=tuple[str, ...])
"""Values of labels."""

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

PROCESSES = ("worker", "worker-rankings", "worker-large", "worker-bulk", "relay")

PUBLIC = {
    "tandem_reviews": "Reviews in this installation.",
    "tandem_reviews_stale": "Reviews whose newest ranking does not count every change.",
    "tandem_staleness_oldest_seconds": "How long ago the first change came that a ranking, of "
    "any review, does not count.",
    "tandem_training_mean_seconds": "How long the newest rankings took, on average.",
    "tandem_training_longest_seconds": "How long the slowest of the newest rankings took.",
    "tandem_jobs": "Background work that is not done, by kind and state.",
    "tandem_job_oldest_due_seconds": "How long the oldest work waits that nobody holds, by kind.",
    "tandem_broker_up": "1 if the broker answers, else 0.",
    "tandem_broker_messages": "Messages that wait for a worker, by queue.",
    "tandem_sse_clients": "Clients that follow an event stream of this API process.",
    "tandem_storage_free_bytes": "Bytes that may still be written, by folder of this API process.",
    "tandem_storage_size_bytes": "Bytes of the whole disk that the folder is on.",
    "tandem_storage_writable": "1 if the database and all folders take writes, else 0.",
    "tandem_processes_alive": "Machines on which a process does its work, by process.",
    "tandem_heartbeat_age_seconds": "How long ago the newest heartbeat of a process came.",
}
"""What everybody may read, with its meaning."""

PRIVATE = {
    "tandem_staleness_largest_changes": "Most changes (decisions, resolutions, new records) that "
    "the ranking of one review does not count.",
    "tandem_review_staleness_seconds": "How long ago the first change came that a review's "
    "ranking does not count.",
    "tandem_review_staleness_changes": "Changes that a review's ranking does not count.",
    "tandem_review_training_seconds": "How long a review's newest ranking took.",
    "tandem_event_lag_events": "Events that a consumer has still to get, over all reviews.",
    "tandem_event_lag_seconds": "How old the oldest of these events is.",
    "tandem_webhook_deliveries": "Deliveries that webhooks remember (the last 1,000 of each), by "
    "outcome.",
    "tandem_webhooks": "Webhooks that are behind or were switched off, by state.",
}
"""What only administrators may read."""

_SHOWN_KINDS = tuple(kind for kind in JobKind if kind is not JobKind.WEBHOOK)


@dataclass(frozen=True, slots=True)
class Scrape:
    """All that one answer tells.

    Administrators only: `single`, whose reviews are listed one by one, and `events`.
    """

    figures: Figures
    broker: BrokerFigures | None
    n_clients: int
    storage: Storage
    single: Figures | None = None
    events: EventFigures | None = None


def text(scrape: Scrape) -> bytes:
    """Return the answer to a scrape."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Once(scrape))
    return generate_latest(registry)


class _Once(Collector):
    def __init__(self, scrape: Scrape) -> None:
        self._scrape = scrape

    def describe(self) -> list[GaugeMetricFamily]:
        return []  # Else everything would be read a second time, to look for names twice given.

    def collect(self) -> Iterator[GaugeMetricFamily]:
        yield from _of_rankings(self._scrape.figures)
        yield from _of_jobs(self._scrape.figures)
        yield from _of_processes(self._scrape)
        yield from _of_storage(self._scrape.storage)
        if self._scrape.single is not None:
            yield from _of_single_reviews(self._scrape.single)
        if self._scrape.events is not None:
            yield from _of_events(self._scrape.events)


def _of_rankings(figures: Figures) -> Iterator[GaugeMetricFamily]:
    taken = figures.training_seconds
    yield _gauge("tandem_reviews", len(figures.reviews))
    yield _gauge("tandem_reviews_stale", figures.n_stale)
    yield _gauge("tandem_staleness_oldest_seconds", figures.oldest_staleness)
    yield _gauge("tandem_training_mean_seconds", sum(taken) / len(taken) if taken else 0.0)
    yield _gauge("tandem_training_longest_seconds", max(taken, default=0.0))


def _of_jobs(figures: Figures) -> Iterator[GaugeMetricFamily]:
    counted = {
        (kind, state): figures.jobs.get((kind, state), 0)
        for kind in _SHOWN_KINDS
        for state in JobState
    }
    yield _gauges("tandem_jobs", ("kind", "state"), counted)
    oldest = {(kind,): figures.oldest_due.get(kind, 0.0) for kind in _SHOWN_KINDS}
    yield _gauges("tandem_job_oldest_due_seconds", ("kind",), oldest)


def _of_processes(scrape: Scrape) -> Iterator[GaugeMetricFamily]:
    yield _gauge("tandem_sse_clients", scrape.n_clients)
    yield _gauge("tandem_broker_up", scrape.broker is not None)
    if scrape.broker is None:
        return
    waiting = {(queue,): scrape.broker.waiting.get(queue, 0) for queue in QUEUES}
    yield _gauges("tandem_broker_messages", ("queue",), waiting)
    ages = scrape.broker.heartbeats
    alive = {
        (process,): sum(age < SILENCE_SECONDS for age in ages.get(process, ()))
        for process in PROCESSES
    }
    yield _gauges("tandem_processes_alive", ("process",), alive)
    newest = {(process,): min(known) for process, known in ages.items() if process in PROCESSES}
    yield _gauges("tandem_heartbeat_age_seconds", ("process",), newest)


def _of_storage(storage: Storage) -> Iterator[GaugeMetricFamily]:
    free = {(place.name,): place.free for place in storage.places}
    size = {(place.name,): place.size for place in storage.places}
    yield _gauges("tandem_storage_free_bytes", ("folder",), free)
    yield _gauges("tandem_storage_size_bytes", ("folder",), size)
    yield _gauge("tandem_storage_writable", not storage.problems)


def _of_single_reviews(figures: Figures) -> Iterator[GaugeMetricFamily]:
    # Resolutions are among the changes: their number tells that votes differed.
    yield _gauge("tandem_staleness_largest_changes", figures.largest_staleness)
    reviews = {(str(review.review_id),): review for review in figures.reviews}
    stale = {key: review.stale_seconds for key, review in reviews.items()}
    changes = {key: review.n_changes for key, review in reviews.items()}
    taken = {
        key: review.training_seconds
        for key, review in reviews.items()
        if review.training_seconds is not None
    }
    yield _gauges("tandem_review_staleness_seconds", ("review",), stale)
    yield _gauges("tandem_review_staleness_changes", ("review",), changes)
    yield _gauges("tandem_review_training_seconds", ("review",), taken)


def _of_events(events: EventFigures) -> Iterator[GaugeMetricFamily]:
    behind = {(consumer,): lag.n_events for consumer, lag in events.lags.items()}
    age = {(consumer,): lag.seconds for consumer, lag in events.lags.items()}
    delivered = {(state,): n for state, n in events.deliveries.items()}
    webhooks = {(state,): events.webhooks.get(state, 0) for state in JobState}
    yield _gauges("tandem_event_lag_events", ("consumer",), behind)
    yield _gauges("tandem_event_lag_seconds", ("consumer",), age)
    yield _gauges("tandem_webhook_deliveries", ("outcome",), delivered)
    yield _gauges("tandem_webhooks", ("state",), webhooks)


def _gauge(name: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, _HELP[name], value=float(value))


def _gauges(name: str, labels: Sequence[str], values: Mapping[Key, float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, _HELP[name], labels=labels)
    for key, value in values.items():
        family.add_metric(list(key), float(value))
    return family


_HELP = PUBLIC | PRIVATE
