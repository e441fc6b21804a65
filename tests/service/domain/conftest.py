"""What tests of webhooks share: who listens, and a review with a webhook to there."""

from collections.abc import Iterator

import pytest

from service.domain.hooks import Hook, with_webhook
from service.domain.receivers import Receiver, listening
from world import World


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with listening() as running:
        yield running


@pytest.fixture
def hook(world: World, receiver: Receiver) -> Hook:
    return with_webhook(world, receiver)
