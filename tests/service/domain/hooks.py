"""A review with a webhook to a receiver that is really there."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select

from service.domain.clocks import Clock
from service.domain.receivers import Received, Receiver, Reply
from service.domain.tables import events
from tandem.db.session import Database
from tandem.events import positions
from tandem.ids import WebhookId
from tandem.webhooks import deliveries, delivery, endpoints
from tandem.webhooks.addresses import Rules
from tandem.webhooks.delivery import Held
from tandem.webhooks.models import Webhook, WebhookDelivery
from tandem_worker.outbound import send_signed
from world import Person, Team, World

RULES = Rules(allow_private=True, allow_http=True)

LEASE = delivery.LEASE

SWITCHED_OFF = "tandem.review.changed"


@dataclass
class Hook:
    """A review, its team, and one webhook to a receiver that is really there."""

    world: World
    team: Team
    receiver: Receiver
    webhook_id: WebhookId
    secret: str
    numbers: Iterator[int] = field(default_factory=lambda: iter(range(1, 1000)))

    @property
    def database(self) -> Database:
        return self.world.database

    def happen(self, n: int = 1) -> None:
        """Append `n` events: as many decisions by one of two reviewers."""
        for _ in range(n):
            self.world.decide(self.team.review_id, self.team.ann, next(self.numbers), "include")

    def work(self) -> int:
        """Send what is due until nothing is; return how many messages that were."""
        n_sent = 0
        while due := self.due():
            for webhook_id in due:
                held = delivery.claim(self.database, webhook_id)
                while held is not None:
                    answer = send_signed(held, rules=RULES)
                    n_sent += 1
                    held = delivery.settle(self.database, held, answer)
        return n_sent

    def due(self) -> list[WebhookId]:
        with self.database.read() as session:
            return list(delivery.due(session, limit=100))

    def claim(self) -> Held:
        held = delivery.claim(self.database, self.webhook_id)
        assert held is not None
        return held

    def webhook(self) -> Webhook:
        with self.database.read() as session:
            return session.get_one(Webhook, self.webhook_id)

    def log(self) -> list[WebhookDelivery]:
        """Return the deliveries, the newest first."""
        with self.database.read() as session:
            return list(deliveries.page(session, self.webhook(), limit=500).items)

    def change(self, by: Person | None = None, **changes: Any) -> None:
        who = by or self.team.owner
        with self.world.entered(self.team.review_id, who) as (session, review, _):
            webhook = endpoints.lock(session, review_id=review.id, webhook_id=self.webhook_id)
            said = endpoints.Changes(**changes)  # type: ignore[typeddict-item]  # as a route does
            endpoints.change(session, review, webhook, said, by=who.id, rules=RULES)

    def by_hand(self, number: int | None = None) -> None:
        """Ask for a test, or for one more delivery of this number."""
        with self.world.entered(self.team.review_id, self.team.owner) as (session, review, _):
            webhook = endpoints.lock(session, review_id=review.id, webhook_id=self.webhook_id)
            if number is None:
                deliveries.ask_for_test(session, webhook)
                return
            query = select(WebhookDelivery).where(WebhookDelivery.number == number)
            deliveries.redeliver(session, webhook, session.scalars(query).one())

    def position(self) -> int:
        with self.database.read() as session:
            return positions.get(session, f"webhook:{self.webhook_id}", self.team.review_id)

    def last_seq(self) -> int:
        return events(self.database, self.team.review_id)[-1].seq


def add(world: World, team: Team, url: str, **options: Any) -> Webhook:
    with world.entered(team.review_id, team.owner) as (session, review, viewer):
        return endpoints.add(
            session, review, owner_id=viewer.user_id, url=url, rules=RULES, **options
        )


def refusing(_: Received) -> Reply:
    return 503, {}, b"away"


def with_webhook(world: World, receiver: Receiver) -> Hook:
    team = world.team(n_records=30)
    webhook = add(world, team, receiver.url)
    return Hook(world, team, receiver, webhook.id, webhook.secret)


def still_clock(monkeypatch: pytest.MonkeyPatch) -> type[Clock]:
    """Stand the clock still, and let no chance lengthen the waits."""
    Clock.at = datetime.now(UTC)
    monkeypatch.setattr("tandem.db.base.datetime", Clock)
    monkeypatch.setattr("tandem.webhooks.delivery.random.random", lambda: 0.0)
    return Clock
