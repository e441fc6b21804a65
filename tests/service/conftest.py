"""What tests of the API and of commands share: a real server."""

from collections.abc import Iterator

import pytest

from engines import Broker
from service.live import Live, serve
from tandem.config import Settings
from tandem.tasks import TaskSignals


@pytest.fixture
def live(settings: Settings) -> Iterator[Live]:
    """Yield a server without a broker: events come by looking, a second later."""
    with serve(settings) as running:
        yield running


@pytest.fixture
def task_signals(broker: Broker) -> Iterator[TaskSignals]:
    opened = TaskSignals(broker.url)
    yield opened
    opened.close()
