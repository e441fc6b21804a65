"""Deliveries as the log of a review grows: in order, again until taken, and never forgotten."""

import queue
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from threading import Event
from typing import Any

import pytest
from sqlalchemy import event, select
from standardwebhooks import Webhook as Verifier

from service.domain.clocks import Clock
from service.domain.receivers import OK, Received, Receiver, Reply, answering, listening
from service.domain.tables import events
from service.domain.threads import at_once
from tandem.db.session import Database
from tandem.events import positions
from tandem.events.envelope import Envelope
from tandem.ids import WebhookId
from tandem.reviews import service as reviews
from tandem.reviews.models import Role
from tandem.webhooks import deliveries, delivery, endpoints
from tandem.webhooks.addresses import Rules
from tandem.webhooks.delivery import Held
from tandem.webhooks.models import (
    DeliveryKind,
    DeliveryState,
    DisabledReason,
    Webhook,
    WebhookDelivery,
)
from tandem.webhooks.retries import WAITS
from tandem.webhooks.sending import Answer
from tandem_worker.outbound import Deliverers, send_signed
from world import Person, Team, World

pytestmark = pytest.mark.both_engines

RULES = Rules(allow_private=True, allow_http=True)
LEASE = delivery.LEASE
SWITCHED_OFF = "tandem.review.changed"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> type[Clock]:
    """Stand the clock still, and let no chance lengthen the waits."""
    Clock.at = datetime.now(UTC)
    monkeypatch.setattr("tandem.db.base.datetime", Clock)
    monkeypatch.setattr("tandem.webhooks.delivery.random.random", lambda: 0.0)
    return Clock


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with listening() as running:
        yield running


@dataclass
class Importer:
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


@pytest.fixture
def importer(world: World, receiver: Receiver) -> Importer:
    team = world.team(n_records=30)
    webhook = add(world, team, receiver.url)
    return Importer(world, team, receiver, webhook.id, webhook.secret)


def refusing(_: Received) -> Reply:
    return 503, {}, b"away"


class TestInOrder:
    def test_what_happens_from_now_on_is_sent_as_owners_see_it(self, importer: Importer) -> None:
        importer.world.decide(importer.team.review_id, importer.team.ann, 1, "include")
        importer.world.decide(importer.team.review_id, importer.team.ben, 1, "exclude")

        assert importer.work() == 3

        log = events(importer.database, importer.team.review_id)[-3:]
        assert [message.event["type"] for message in importer.receiver.received] == [
            "tandem.decision.recorded",
            "tandem.decision.recorded",
            "tandem.conflict.opened",
        ]
        for message, found in zip(importer.receiver.received, log, strict=True):
            assert message.body == Envelope.of(found).as_text()
            assert message.id == str(found.id)
            Verifier(importer.secret).verify(message.body, message.headers)
        assert importer.due() == []
        assert importer.position() == importer.last_seq()

    def test_from_any_place_of_the_log(self, importer: Importer) -> None:
        importer.happen(3)
        importer.work()
        importer.receiver.received.clear()

        importer.change(after=0)
        importer.work()

        assert importer.receiver.sequences == list(range(1, importer.last_seq() + 1))

    def test_only_the_types_asked_for(self, importer: Importer) -> None:
        importer.change(types=["tandem.conflict.opened"])
        importer.happen(2)
        importer.world.decide(importer.team.review_id, importer.team.ben, 1, "exclude")
        importer.happen(1)

        assert importer.work() == 1

        assert importer.receiver.received[0].event["type"] == "tandem.conflict.opened"
        assert importer.position() == importer.last_seq()

    def test_an_event_that_is_not_taken_holds_back_the_later_ones(
        self, importer: Importer, clock: type[Clock]
    ) -> None:
        importer.happen(3)
        bad = importer.last_seq() - 1
        importer.receiver.answer = lambda message: (
            (500, {}, b"no") if message.event["sequence"] == bad else OK
        )

        importer.work()
        assert importer.receiver.sequences == [bad - 1, bad]
        assert importer.position() == bad - 1

        importer.receiver.answer = lambda _: OK
        clock.at += WAITS[0]
        importer.work()
        assert importer.receiver.sequences == [bad - 1, bad, bad, bad + 1]
        ids = [message.id for message in importer.receiver.received]
        assert ids[1] == ids[2]

    def test_other_webhooks_and_reviews_do_not_wait_for_it(
        self, importer: Importer, world: World
    ) -> None:
        importer.receiver.answer = refusing
        with listening() as other:
            beside = add(world, importer.team, other.url)
            elsewhere = world.team(n_records=2)
            add(world, elsewhere, other.url)
            importer.happen(2)
            world.decide(elsewhere.review_id, elsewhere.ann, 1, "include")
            importer.work()

            assert len(importer.receiver.received) == 1
            assert len(other.received) == 3
        assert importer.webhook().n_failures == 1
        with importer.database.read() as session:
            assert session.get_one(Webhook, beside.id).n_failures == 0

    def test_what_commits_while_the_end_of_the_log_is_looked_for_is_not_passed_over(
        self, importer: Importer
    ) -> None:
        if importer.database.is_sqlite:
            pytest.skip("on SQLite nothing commits while another transaction writes")
        importer.change(types=["tandem.decision.recorded"])
        writer = Database(importer.database.engine.url.render_as_string(hide_password=False))
        beside, happened = World(writer), list[str]()

        def happen(_: object, __: object, statement: str, *___: object) -> None:
            if "FROM event " in statement and not happened:
                happened.append(statement)
                beside.decide(importer.team.review_id, importer.team.ann, 1, "include")

        event.listen(importer.database.engine, "after_cursor_execute", happen)
        # Of what it looks at first nothing is wanted: the change of the webhook itself.
        importer.work()
        event.remove(importer.database.engine, "after_cursor_execute", happen)
        importer.work()
        writer.close()

        assert len(happened) == 1
        assert [message.event["subject"] for message in importer.receiver.received] == ["1"]


class TestAgainUntilTaken:
    def test_the_times_are_those_of_the_schedule(
        self, importer: Importer, clock: type[Clock]
    ) -> None:
        importer.receiver.answer = refusing
        importer.happen()
        importer.work()
        for n, wait in enumerate(WAITS, start=1):
            assert importer.webhook().next_attempt_at == clock.at + wait
            assert len(importer.receiver.received) == n
            clock.at += wait - timedelta(milliseconds=1)
            assert importer.due() == []
            clock.at += timedelta(milliseconds=1)
            assert importer.work() == 1

        assert len({message.id for message in importer.receiver.received}) == 1
        assert (
            len({message.headers["webhook-timestamp"] for message in importer.receiver.received})
            > 8
        )

    def test_days_of_failure_switch_it_off_and_say_so(
        self, importer: Importer, clock: type[Clock]
    ) -> None:
        importer.receiver.answer = refusing
        importer.happen(2)
        before = importer.last_seq()
        for wait in (timedelta(0), *WAITS):
            clock.at += wait
            importer.work()

        webhook, [sent] = importer.webhook(), importer.log()
        assert (webhook.disabled_at, webhook.disabled_reason) == (clock.at, DisabledReason.FAILING)
        assert clock.at - (webhook.failing_since or clock.at) > timedelta(days=3)
        assert (sent.state, len(sent.attempts)) == (DeliveryState.FAILED, 10)
        assert {(a["status"], a["answer"]) for a in sent.attempts} == {(503, "away")}
        last = events(importer.database, importer.team.review_id)[-1]
        assert (last.seq, last.type) == (before + 1, SWITCHED_OFF)
        assert last.data == {"changed": ["webhooks"]}
        clock.at += timedelta(days=9)
        assert importer.due() == []

    def test_switched_on_again_it_goes_on_where_it_was(
        self, importer: Importer, clock: type[Clock]
    ) -> None:
        importer.receiver.answer = refusing
        importer.happen(2)
        for wait in (timedelta(0), *WAITS):
            clock.at += wait
            importer.work()
        importer.receiver.received.clear()
        importer.receiver.answer = lambda _: OK
        first = importer.position() + 1

        importer.change(enabled=True)
        importer.work()

        assert importer.receiver.sequences == list(range(first, importer.last_seq() + 1))
        assert importer.webhook().disabled_at is None

    def test_gone_switches_it_off_at_once(self, importer: Importer) -> None:
        importer.receiver.answer = lambda _: (410, {}, b"")
        importer.happen(2)
        position = importer.position()

        assert importer.work() == 1

        assert importer.webhook().disabled_reason is DisabledReason.GONE
        assert importer.position() == position
        assert events(importer.database, importer.team.review_id)[-1].type == SWITCHED_OFF

    def test_who_is_blinded_does_not_hear_of_it(self, importer: Importer) -> None:
        importer.receiver.answer = lambda _: (410, {}, b"")
        importer.happen()
        importer.work()

        found = [
            e for e in events(importer.database, importer.team.review_id) if e.type == SWITCHED_OFF
        ]
        assert len(found) == 2  # added, and switched off
        assert {e.open_seq for e in found} == {None}
        assert [e.detail["webhook"] for e in found] == ["added", "switched off"]

    def test_a_redirect_and_an_endpoint_that_is_away_are_failures(
        self, importer: Importer, clock: type[Clock]
    ) -> None:
        importer.receiver.answer = lambda m: (307, {"Location": importer.receiver.url}, b"")
        importer.happen()
        importer.work()
        importer.change(url="http://127.0.0.1:1/")
        importer.work()

        [sent] = importer.log()
        assert [attempt["status"] for attempt in sent.attempts] == [307, None]
        assert "refused" in sent.attempts[1]["error"]

    @pytest.mark.parametrize(
        "answer",
        [
            b"\x00\x1b[31mno HTTP at all\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n",
        ],
    )
    def test_an_answer_that_is_no_http_is_a_failure_like_any_other(
        self, importer: Importer, clock: type[Clock], answer: bytes
    ) -> None:
        importer.happen()
        with answering(answer) as url:
            importer.change(url=url)
            importer.work()

        [sent] = importer.log()
        assert [attempt["status"] for attempt in sent.attempts] == [None]
        assert importer.webhook().n_failures == 1
        assert importer.due() == []

    @pytest.mark.parametrize("back", [timedelta(minutes=2), timedelta(days=300)])
    def test_a_clock_that_was_set_back_keeps_it_waiting_no_longer(
        self, importer: Importer, clock: type[Clock], back: timedelta
    ) -> None:
        importer.receiver.answer = refusing
        importer.happen()
        importer.work()
        clock.at -= back
        assert importer.due() == [importer.webhook_id]
        held = importer.claim()

        clock.at -= back
        assert importer.due() == [importer.webhook_id], "who sends it is taken for dead"
        assert delivery.settle(importer.database, held, Answer(0.1, 200)) is None
        assert importer.position() == importer.last_seq()

    def test_another_url_is_tried_at_once(self, importer: Importer, clock: type[Clock]) -> None:
        importer.receiver.answer = refusing
        importer.happen()
        importer.work()
        with listening() as other:
            importer.change(url=other.url)
            assert importer.work() == 2  # and what tells of the change

            assert other.received[0].id == importer.receiver.received[0].id


class TestKilled:
    def test_between_sending_and_noting_it_is_sent_again_with_the_same_id(
        self, importer: Importer, clock: type[Clock]
    ) -> None:
        importer.happen(2)
        send_signed(importer.claim(), rules=RULES)
        # Here the process is killed: its claim stays, and nothing is noted.
        assert importer.due() == []
        clock.at += LEASE + timedelta(seconds=1)
        importer.work()

        first, again, following = importer.receiver.received
        assert first.id == again.id != following.id
        assert [sent.state for sent in importer.log()] == [DeliveryState.DELIVERED] * 2

    def test_who_comes_too_late_notes_nothing(self, importer: Importer, clock: type[Clock]) -> None:
        importer.happen(2)
        late = importer.claim()
        clock.at += LEASE + timedelta(seconds=1)
        now_held = importer.claim()

        assert delivery.settle(importer.database, late, Answer(0.1, 200)) is None
        assert importer.position() < importer.last_seq() - 1
        following = delivery.settle(importer.database, now_held, Answer(0.1, 200))
        assert following is not None
        assert len(importer.log()[-1].attempts) == 1

    def test_of_many_that_claim_one_has_it(self, importer: Importer) -> None:
        importer.happen(5)
        claims = at_once([lambda: delivery.claim(importer.database, importer.webhook_id)] * 8)

        assert len([held for held in claims if held is not None]) == 1

    def test_two_relays_send_everything_once_and_in_order(
        self, importer: Importer, database: Database
    ) -> None:
        other = Database(database.engine.url.render_as_string(hide_password=False))
        start = importer.last_seq()
        relays = [
            Deliverers(at, partial(send_signed, rules=RULES), threads=4, again=lambda: None)
            for at in (database, other)
        ]

        def decide() -> None:
            importer.happen(20)

        def look(relay: Deliverers) -> None:
            while len(importer.receiver.received) < 20:
                relay.look()
                with importer.receiver.came:
                    importer.receiver.came.wait(0.02)

        at_once([decide, lambda: look(relays[0]), lambda: look(relays[1])])
        for relay in relays:
            relay.stop(within=10)
        other.close()

        assert importer.receiver.sequences == list(range(start + 1, start + 21))


class TestRotation:
    def test_both_secrets_sign_for_a_day(self, importer: Importer, clock: type[Clock]) -> None:
        with importer.world.entered(importer.team.review_id, importer.team.owner) as (
            session,
            review,
            _,
        ):
            webhook = endpoints.lock(session, review_id=review.id, webhook_id=importer.webhook_id)
            endpoints.rotate(session, review, webhook, by=importer.team.owner.id)
            new = webhook.secret
        importer.work()  # the rotation itself is an event
        clock.at += timedelta(hours=24)
        importer.happen()
        importer.work()

        during, after = importer.receiver.received
        assert new != importer.secret
        for key in (new, importer.secret):
            Verifier(key).verify(during.body, during.headers)
        assert during.headers["webhook-signature"].count("v1,") == 2
        assert after.headers["webhook-signature"].count("v1,") == 1


class TestByHand:
    def test_a_test_is_sent_outside_of_the_log_even_to_one_that_is_off(
        self, importer: Importer
    ) -> None:
        importer.change(enabled=False)
        before = importer.last_seq(), importer.position()

        importer.by_hand()
        assert importer.work() == 1

        [message] = importer.receiver.received
        assert message.event["type"] == deliveries.TEST_TYPE
        assert message.event["data"] == {"webhook_id": str(importer.webhook_id)}
        assert "sequence" not in message.event
        assert (importer.last_seq(), importer.position()) == before
        Verifier(importer.secret).verify(message.body, message.headers)

    def test_what_was_delivered_is_sent_again_with_its_id(self, importer: Importer) -> None:
        importer.happen(2)
        importer.work()

        importer.by_hand(1)
        assert importer.work() == 1

        first, _, again = importer.receiver.received
        assert (again.id, again.body) == (first.id, first.body)
        assert importer.log()[0].kind is DeliveryKind.REDELIVERY
        assert importer.position() == importer.last_seq()

    def test_a_hand_made_failure_is_noted_and_not_tried_again(self, importer: Importer) -> None:
        importer.happen()
        importer.work()
        importer.receiver.answer = lambda _: (410, {}, b"")
        importer.by_hand(1)
        importer.by_hand()
        assert importer.work() == 2

        assert [sent.state for sent in importer.log()][:2] == [DeliveryState.FAILED] * 2
        assert importer.webhook().disabled_at is None

    def test_what_waits_for_its_next_attempt_is_tried_now(
        self, importer: Importer, clock: type[Clock]
    ) -> None:
        importer.receiver.answer = refusing
        importer.happen(2)
        importer.work()
        importer.receiver.answer = lambda _: OK

        importer.by_hand(1)
        assert importer.work() == 2

        assert [len(sent.attempts) for sent in importer.log()] == [1, 2]


class TestWhoAnswersForIt:
    def demote(self, importer: Importer) -> Person:
        team = importer.team
        with importer.world.entered(team.review_id, team.owner) as (session, review, _):
            reviews.set_member(session, review, user_id=team.judge.id, role=Role.OWNER)
            reviews.set_member(session, review, user_id=team.owner.id, role=Role.REVIEWER)
        return team.judge

    def test_nothing_is_sent_for_somebody_who_is_no_owner_any_more(
        self, importer: Importer
    ) -> None:
        importer.happen(2)
        self.demote(importer)

        assert importer.due() == []
        assert delivery.claim(importer.database, importer.webhook_id) is None
        with importer.database.read() as session:
            [(review_id, webhook_id)] = delivery.abandoned(session)
        for _ in range(2):
            delivery.switch_off_abandoned(importer.database, review_id, webhook_id)

        assert importer.webhook().disabled_reason is DisabledReason.OWNER_LEFT
        found = [
            e.detail.get("webhook") for e in events(importer.database, importer.team.review_id)
        ]
        assert found.count("switched off") == 1
        assert importer.receiver.received == []

    def test_a_turn_that_has_begun_ends_when_they_are_no_owner_any_more(
        self, importer: Importer
    ) -> None:
        importer.happen(3)
        held = importer.claim()
        self.demote(importer)

        assert delivery.settle(importer.database, held, Answer(0.1, 200)) is None

        assert importer.work() == 0
        assert importer.webhook().lease_until is None
        [sent] = importer.log()
        assert sent.state is DeliveryState.DELIVERED

    def test_who_names_another_url_answers_for_it(self, importer: Importer) -> None:
        team = importer.team
        with importer.world.entered(team.review_id, team.owner) as (session, review, _):
            reviews.set_member(session, review, user_id=team.judge.id, role=Role.OWNER)
        importer.change(team.judge, url=importer.receiver.url + "/of-the-judge")
        with importer.world.entered(team.review_id, team.owner) as (session, review, _):
            reviews.set_member(session, review, user_id=team.judge.id, role=Role.REVIEWER)

        importer.happen()

        assert importer.work() == 0

    def test_a_review_that_is_long_at_work_holds_back_no_other(
        self, importer: Importer, receiver: Receiver
    ) -> None:
        other = importer.world.team(n_records=2)
        add(importer.world, other, receiver.url)
        self.demote(importer)
        importer.world.decide(other.review_id, other.ann, 1, "include")
        sender = Deliverers(
            importer.database, partial(send_signed, rules=RULES), threads=2, again=lambda: None
        )
        try:
            with importer.database.write.begin() as session:
                reviews.lock(session, importer.team.review_id)
                if not importer.database.is_sqlite:  # there nobody writes meanwhile
                    sender.look()
                    receiver.wait_for(1, seconds=5)
            sender.look()
            receiver.wait_for(1, seconds=5)
        finally:
            sender.stop(within=5)

    def test_another_owner_may_take_it_over(self, importer: Importer) -> None:
        judge = self.demote(importer)
        delivery.switch_off_abandoned(
            importer.database, importer.team.review_id, importer.webhook_id
        )
        importer.happen()

        importer.change(judge, enabled=True)

        assert importer.webhook().owner_id == judge.id
        assert importer.work() > 0


def test_slow_endpoints_leave_threads_to_the_others(
    importer: Importer, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, go_on = importer.world.team(n_records=9), Event()
    slow_ids = {add(importer.world, slow, importer.receiver.url).id for _ in range(6)}
    sent: queue.SimpleQueue[WebhookId] = queue.SimpleQueue()

    def send(held: Held) -> Answer:
        sent.put(held.webhook_id)
        if held.webhook_id not in slow_ids:
            return Answer(0.1, 204)
        go_on.wait()
        return Answer(14.0, 204)

    def are_up_to_date() -> bool:
        with importer.database.read() as session:
            last = reviews.get_review(session, slow.review_id).last_seq
            return all(
                positions.get(session, f"webhook:{each}", slow.review_id) == last
                for each in slow_ids
            )

    sender = Deliverers(importer.database, send, threads=4, again=lambda: None)
    try:
        importer.world.decide(slow.review_id, slow.ann, 1, "include")
        importer.world.decide(slow.review_id, slow.ann, 2, "include")
        go_on.set()  # nobody knows yet that they are slow
        while not are_up_to_date():
            sender.look()
            with suppress(queue.Empty):
                assert sent.get(timeout=0.05) in slow_ids
        while not sent.empty():
            sent.get()
        go_on.clear()
        importer.world.decide(slow.review_id, slow.ann, 3, "include")
        n_sent = 0
        while n_sent < 2:
            sender.look()
            with suppress(queue.Empty):
                assert sent.get(timeout=0.05) in slow_ids
                n_sent += 1

        importer.happen()
        sender.look()

        assert sent.get(timeout=10) == importer.webhook_id
    finally:
        go_on.set()
        sender.stop(within=5)


class TestChangedMeanwhile:
    def test_another_place_is_not_overwritten_by_what_was_under_way(
        self, importer: Importer
    ) -> None:
        importer.happen(3)
        held = importer.claim()
        importer.change(after=2)

        following = delivery.settle(importer.database, held, Answer(0.1, 200))

        assert following is not None
        assert '"sequence":3' in following.body
        assert importer.position() == 2
        assert importer.log()[-1].state is DeliveryState.CANCELLED

    def test_what_the_url_before_answers_does_not_switch_another_one_off(
        self, importer: Importer
    ) -> None:
        importer.happen()
        held = importer.claim()
        importer.change(url=importer.receiver.url + "/new")

        delivery.settle(importer.database, held, Answer(0.1, 410), go_on=False)

        assert importer.webhook().disabled_at is None
        assert importer.due() == [importer.webhook_id]

    def test_removed_while_under_way(self, importer: Importer) -> None:
        importer.happen()
        held = importer.claim()
        with importer.world.entered(importer.team.review_id, importer.team.owner) as (
            session,
            review,
            _,
        ):
            webhook = endpoints.lock(session, review_id=review.id, webhook_id=importer.webhook_id)
            endpoints.remove(session, review, webhook, by=importer.team.owner.id)

        assert delivery.settle(importer.database, held, Answer(0.1, 200)) is None
        assert importer.due() == []
        assert importer.position() == 0

    def test_only_the_last_thousand_deliveries_are_kept(
        self, importer: Importer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(deliveries, "KEPT", 5)
        importer.happen(8)
        importer.work()

        assert [sent.number for sent in importer.log()] == [8, 7, 6, 5, 4]
