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
from service.domain.stored import events
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
from tandem_worker.ways_out import Deliverers, send_signed
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
class Office:
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
def office(world: World, receiver: Receiver) -> Office:
    team = world.team(n_records=30)
    webhook = add(world, team, receiver.url)
    return Office(world, team, receiver, webhook.id, webhook.secret)


def refusing(_: Received) -> Reply:
    return 503, {}, b"away"


class TestInOrder:
    def test_what_happens_from_now_on_is_sent_as_owners_see_it(self, office: Office) -> None:
        office.world.decide(office.team.review_id, office.team.ann, 1, "include")
        office.world.decide(office.team.review_id, office.team.ben, 1, "exclude")

        assert office.work() == 3

        log = events(office.database, office.team.review_id)[-3:]
        assert [message.event["type"] for message in office.receiver.received] == [
            "tandem.decision.recorded",
            "tandem.decision.recorded",
            "tandem.conflict.opened",
        ]
        for message, told in zip(office.receiver.received, log, strict=True):
            assert message.body == Envelope.of(told).as_text()
            assert message.id == str(told.id)
            Verifier(office.secret).verify(message.body, message.headers)
        assert office.due() == []
        assert office.position() == office.last_seq()

    def test_from_any_place_of_the_log(self, office: Office) -> None:
        office.happen(3)
        office.work()
        office.receiver.received.clear()

        office.change(after=0)
        office.work()

        assert office.receiver.sequences == list(range(1, office.last_seq() + 1))

    def test_only_the_types_asked_for(self, office: Office) -> None:
        office.change(types=["tandem.conflict.opened"])
        office.happen(2)
        office.world.decide(office.team.review_id, office.team.ben, 1, "exclude")
        office.happen(1)

        assert office.work() == 1

        assert office.receiver.received[0].event["type"] == "tandem.conflict.opened"
        assert office.position() == office.last_seq()

    def test_an_event_that_is_not_taken_holds_back_the_later_ones(
        self, office: Office, clock: type[Clock]
    ) -> None:
        office.happen(3)
        bad = office.last_seq() - 1
        office.receiver.answer = lambda message: (
            (500, {}, b"no") if message.event["sequence"] == bad else OK
        )

        office.work()
        assert office.receiver.sequences == [bad - 1, bad]
        assert office.position() == bad - 1

        office.receiver.answer = lambda _: OK
        clock.at += WAITS[0]
        office.work()
        assert office.receiver.sequences == [bad - 1, bad, bad, bad + 1]
        ids = [message.id for message in office.receiver.received]
        assert ids[1] == ids[2]

    def test_other_webhooks_and_reviews_do_not_wait_for_it(
        self, office: Office, world: World
    ) -> None:
        office.receiver.answer = refusing
        with listening() as other:
            beside = add(world, office.team, other.url)
            elsewhere = world.team(n_records=2)
            add(world, elsewhere, other.url)
            office.happen(2)
            world.decide(elsewhere.review_id, elsewhere.ann, 1, "include")
            office.work()

            assert len(office.receiver.received) == 1
            assert len(other.received) == 3
        assert office.webhook().n_failures == 1
        with office.database.read() as session:
            assert session.get_one(Webhook, beside.id).n_failures == 0

    def test_what_commits_while_the_end_of_the_log_is_looked_for_is_not_passed_over(
        self, office: Office
    ) -> None:
        if office.database.is_sqlite:
            pytest.skip("on SQLite nothing commits while another transaction writes")
        office.change(types=["tandem.decision.recorded"])
        writer = Database(office.database.engine.url.render_as_string(hide_password=False))
        beside, happened = World(writer), list[str]()

        def happen(_: object, __: object, statement: str, *___: object) -> None:
            if "FROM event " in statement and not happened:
                happened.append(statement)
                beside.decide(office.team.review_id, office.team.ann, 1, "include")

        event.listen(office.database.engine, "after_cursor_execute", happen)
        # Of what it looks at first nothing is wanted: the change of the webhook itself.
        office.work()
        event.remove(office.database.engine, "after_cursor_execute", happen)
        office.work()
        writer.close()

        assert len(happened) == 1
        assert [message.event["subject"] for message in office.receiver.received] == ["1"]


class TestAgainUntilTaken:
    def test_the_times_are_those_of_the_schedule(self, office: Office, clock: type[Clock]) -> None:
        office.receiver.answer = refusing
        office.happen()
        office.work()
        for n, wait in enumerate(WAITS, start=1):
            assert office.webhook().next_attempt_at == clock.at + wait
            assert len(office.receiver.received) == n
            clock.at += wait - timedelta(milliseconds=1)
            assert office.due() == []
            clock.at += timedelta(milliseconds=1)
            assert office.work() == 1

        assert len({message.id for message in office.receiver.received}) == 1
        assert (
            len({message.headers["webhook-timestamp"] for message in office.receiver.received}) > 8
        )

    def test_days_of_failure_switch_it_off_and_say_so(
        self, office: Office, clock: type[Clock]
    ) -> None:
        office.receiver.answer = refusing
        office.happen(2)
        before = office.last_seq()
        for wait in (timedelta(0), *WAITS):
            clock.at += wait
            office.work()

        webhook, [sent] = office.webhook(), office.log()
        assert (webhook.disabled_at, webhook.disabled_reason) == (clock.at, DisabledReason.FAILING)
        assert clock.at - (webhook.failing_since or clock.at) > timedelta(days=3)
        assert (sent.state, len(sent.attempts)) == (DeliveryState.FAILED, 10)
        assert {(a["status"], a["answer"]) for a in sent.attempts} == {(503, "away")}
        last = events(office.database, office.team.review_id)[-1]
        assert (last.seq, last.type) == (before + 1, SWITCHED_OFF)
        assert last.data == {"changed": ["webhooks"]}
        clock.at += timedelta(days=9)
        assert office.due() == []

    def test_switched_on_again_it_goes_on_where_it_was(
        self, office: Office, clock: type[Clock]
    ) -> None:
        office.receiver.answer = refusing
        office.happen(2)
        for wait in (timedelta(0), *WAITS):
            clock.at += wait
            office.work()
        office.receiver.received.clear()
        office.receiver.answer = lambda _: OK
        first = office.position() + 1

        office.change(enabled=True)
        office.work()

        assert office.receiver.sequences == list(range(first, office.last_seq() + 1))
        assert office.webhook().disabled_at is None

    def test_gone_switches_it_off_at_once(self, office: Office) -> None:
        office.receiver.answer = lambda _: (410, {}, b"")
        office.happen(2)
        position = office.position()

        assert office.work() == 1

        assert office.webhook().disabled_reason is DisabledReason.GONE
        assert office.position() == position
        assert events(office.database, office.team.review_id)[-1].type == SWITCHED_OFF

    def test_who_is_blinded_does_not_hear_of_it(self, office: Office) -> None:
        office.receiver.answer = lambda _: (410, {}, b"")
        office.happen()
        office.work()

        told = [e for e in events(office.database, office.team.review_id) if e.type == SWITCHED_OFF]
        assert len(told) == 2  # added, and switched off
        assert {e.open_seq for e in told} == {None}
        assert [e.detail["webhook"] for e in told] == ["added", "switched off"]

    def test_a_redirect_and_an_endpoint_that_is_away_are_failures(
        self, office: Office, clock: type[Clock]
    ) -> None:
        office.receiver.answer = lambda m: (307, {"Location": office.receiver.url}, b"")
        office.happen()
        office.work()
        office.change(url="http://127.0.0.1:1/")
        office.work()

        [sent] = office.log()
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
        self, office: Office, clock: type[Clock], answer: bytes
    ) -> None:
        office.happen()
        with answering(answer) as url:
            office.change(url=url)
            office.work()

        [sent] = office.log()
        assert [attempt["status"] for attempt in sent.attempts] == [None]
        assert office.webhook().n_failures == 1
        assert office.due() == []

    @pytest.mark.parametrize("back", [timedelta(minutes=2), timedelta(days=300)])
    def test_a_clock_that_was_set_back_keeps_it_waiting_no_longer(
        self, office: Office, clock: type[Clock], back: timedelta
    ) -> None:
        office.receiver.answer = refusing
        office.happen()
        office.work()
        clock.at -= back
        assert office.due() == [office.webhook_id]
        held = office.claim()

        clock.at -= back
        assert office.due() == [office.webhook_id], "who sends it is taken for dead"
        assert delivery.settle(office.database, held, Answer(0.1, 200)) is None
        assert office.position() == office.last_seq()

    def test_another_url_is_tried_at_once(self, office: Office, clock: type[Clock]) -> None:
        office.receiver.answer = refusing
        office.happen()
        office.work()
        with listening() as other:
            office.change(url=other.url)
            assert office.work() == 2  # and what tells of the change

            assert other.received[0].id == office.receiver.received[0].id


class TestKilled:
    def test_between_sending_and_noting_it_is_sent_again_with_the_same_id(
        self, office: Office, clock: type[Clock]
    ) -> None:
        office.happen(2)
        send_signed(office.claim(), rules=RULES)
        # Here the process is killed: its claim stays, and nothing is noted.
        assert office.due() == []
        clock.at += LEASE + timedelta(seconds=1)
        office.work()

        first, again, following = office.receiver.received
        assert first.id == again.id != following.id
        assert [sent.state for sent in office.log()] == [DeliveryState.DELIVERED] * 2

    def test_who_comes_too_late_notes_nothing(self, office: Office, clock: type[Clock]) -> None:
        office.happen(2)
        late = office.claim()
        clock.at += LEASE + timedelta(seconds=1)
        now_held = office.claim()

        assert delivery.settle(office.database, late, Answer(0.1, 200)) is None
        assert office.position() < office.last_seq() - 1
        following = delivery.settle(office.database, now_held, Answer(0.1, 200))
        assert following is not None
        assert len(office.log()[-1].attempts) == 1

    def test_of_many_that_claim_one_has_it(self, office: Office) -> None:
        office.happen(5)
        claims = at_once([lambda: delivery.claim(office.database, office.webhook_id)] * 8)

        assert len([held for held in claims if held is not None]) == 1

    def test_two_relays_send_everything_once_and_in_order(
        self, office: Office, database: Database
    ) -> None:
        other = Database(database.engine.url.render_as_string(hide_password=False))
        start = office.last_seq()
        relays = [
            Deliverers(at, partial(send_signed, rules=RULES), threads=4, again=lambda: None)
            for at in (database, other)
        ]

        def decide() -> None:
            office.happen(20)

        def look(relay: Deliverers) -> None:
            while len(office.receiver.received) < 20:
                relay.look()
                with office.receiver.came:
                    office.receiver.came.wait(0.02)

        at_once([decide, lambda: look(relays[0]), lambda: look(relays[1])])
        for relay in relays:
            relay.stop(within=10)
        other.close()

        assert office.receiver.sequences == list(range(start + 1, start + 21))


class TestRotation:
    def test_both_secrets_sign_for_a_day(self, office: Office, clock: type[Clock]) -> None:
        with office.world.entered(office.team.review_id, office.team.owner) as (session, review, _):
            webhook = endpoints.lock(session, review_id=review.id, webhook_id=office.webhook_id)
            endpoints.rotate(session, review, webhook, by=office.team.owner.id)
            new = webhook.secret
        office.work()  # the rotation itself is told of
        clock.at += timedelta(hours=24)
        office.happen()
        office.work()

        during, after = office.receiver.received
        assert new != office.secret
        for key in (new, office.secret):
            Verifier(key).verify(during.body, during.headers)
        assert during.headers["webhook-signature"].count("v1,") == 2
        assert after.headers["webhook-signature"].count("v1,") == 1


class TestByHand:
    def test_a_test_is_sent_outside_of_the_log_even_to_one_that_is_off(
        self, office: Office
    ) -> None:
        office.change(enabled=False)
        before = office.last_seq(), office.position()

        office.by_hand()
        assert office.work() == 1

        [message] = office.receiver.received
        assert message.event["type"] == deliveries.TEST_TYPE
        assert message.event["data"] == {"webhook_id": str(office.webhook_id)}
        assert "sequence" not in message.event
        assert (office.last_seq(), office.position()) == before
        Verifier(office.secret).verify(message.body, message.headers)

    def test_what_was_delivered_is_sent_again_with_its_id(self, office: Office) -> None:
        office.happen(2)
        office.work()

        office.by_hand(1)
        assert office.work() == 1

        first, _, again = office.receiver.received
        assert (again.id, again.body) == (first.id, first.body)
        assert office.log()[0].kind is DeliveryKind.REDELIVERY
        assert office.position() == office.last_seq()

    def test_a_hand_made_failure_is_noted_and_not_tried_again(self, office: Office) -> None:
        office.happen()
        office.work()
        office.receiver.answer = lambda _: (410, {}, b"")
        office.by_hand(1)
        office.by_hand()
        assert office.work() == 2

        assert [sent.state for sent in office.log()][:2] == [DeliveryState.FAILED] * 2
        assert office.webhook().disabled_at is None

    def test_what_waits_for_its_next_attempt_is_tried_now(
        self, office: Office, clock: type[Clock]
    ) -> None:
        office.receiver.answer = refusing
        office.happen(2)
        office.work()
        office.receiver.answer = lambda _: OK

        office.by_hand(1)
        assert office.work() == 2

        assert [len(sent.attempts) for sent in office.log()] == [1, 2]


class TestWhoAnswersForIt:
    def demote(self, office: Office) -> Person:
        team = office.team
        with office.world.entered(team.review_id, team.owner) as (session, review, _):
            reviews.set_member(session, review, user_id=team.judge.id, role=Role.OWNER)
            reviews.set_member(session, review, user_id=team.owner.id, role=Role.REVIEWER)
        return team.judge

    def test_nothing_is_sent_for_somebody_who_is_no_owner_any_more(self, office: Office) -> None:
        office.happen(2)
        self.demote(office)

        assert office.due() == []
        assert delivery.claim(office.database, office.webhook_id) is None
        with office.database.read() as session:
            [(review_id, webhook_id)] = delivery.abandoned(session)
        for _ in range(2):
            delivery.switch_off_abandoned(office.database, review_id, webhook_id)

        assert office.webhook().disabled_reason is DisabledReason.OWNER_LEFT
        told = [e.detail.get("webhook") for e in events(office.database, office.team.review_id)]
        assert told.count("switched off") == 1
        assert office.receiver.received == []

    def test_a_turn_that_has_begun_ends_when_they_are_no_owner_any_more(
        self, office: Office
    ) -> None:
        office.happen(3)
        held = office.claim()
        self.demote(office)

        assert delivery.settle(office.database, held, Answer(0.1, 200)) is None

        assert office.work() == 0
        assert office.webhook().lease_until is None
        [sent] = office.log()
        assert sent.state is DeliveryState.DELIVERED

    def test_who_names_another_url_answers_for_it(self, office: Office) -> None:
        team = office.team
        with office.world.entered(team.review_id, team.owner) as (session, review, _):
            reviews.set_member(session, review, user_id=team.judge.id, role=Role.OWNER)
        office.change(team.judge, url=office.receiver.url + "/of-the-judge")
        with office.world.entered(team.review_id, team.owner) as (session, review, _):
            reviews.set_member(session, review, user_id=team.judge.id, role=Role.REVIEWER)

        office.happen()

        assert office.work() == 0

    def test_a_review_that_is_long_at_work_holds_back_no_other(
        self, office: Office, receiver: Receiver
    ) -> None:
        other = office.world.team(n_records=2)
        add(office.world, other, receiver.url)
        self.demote(office)
        office.world.decide(other.review_id, other.ann, 1, "include")
        sender = Deliverers(
            office.database, partial(send_signed, rules=RULES), threads=2, again=lambda: None
        )
        try:
            with office.database.write.begin() as session:
                reviews.lock(session, office.team.review_id)
                if not office.database.is_sqlite:  # there nobody writes meanwhile
                    sender.look()
                    receiver.wait_for(1, seconds=5)
            sender.look()
            receiver.wait_for(1, seconds=5)
        finally:
            sender.stop(within=5)

    def test_another_owner_may_take_it_over(self, office: Office) -> None:
        judge = self.demote(office)
        delivery.switch_off_abandoned(office.database, office.team.review_id, office.webhook_id)
        office.happen()

        office.change(judge, enabled=True)

        assert office.webhook().owner_id == judge.id
        assert office.work() > 0


def test_slow_endpoints_leave_threads_to_the_others(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, go_on = office.world.team(n_records=9), Event()
    slow_ids = {add(office.world, slow, office.receiver.url).id for _ in range(6)}
    sent: queue.SimpleQueue[WebhookId] = queue.SimpleQueue()

    def send(held: Held) -> Answer:
        sent.put(held.webhook_id)
        if held.webhook_id not in slow_ids:
            return Answer(0.1, 204)
        go_on.wait()
        return Answer(14.0, 204)

    def are_up_to_date() -> bool:
        with office.database.read() as session:
            last = reviews.get_review(session, slow.review_id).last_seq
            return all(
                positions.get(session, f"webhook:{each}", slow.review_id) == last
                for each in slow_ids
            )

    sender = Deliverers(office.database, send, threads=4, again=lambda: None)
    try:
        office.world.decide(slow.review_id, slow.ann, 1, "include")
        office.world.decide(slow.review_id, slow.ann, 2, "include")
        go_on.set()  # nobody knows yet that they are slow
        while not are_up_to_date():
            sender.look()
            with suppress(queue.Empty):
                assert sent.get(timeout=0.05) in slow_ids
        while not sent.empty():
            sent.get()
        go_on.clear()
        office.world.decide(slow.review_id, slow.ann, 3, "include")
        n_sent = 0
        while n_sent < 2:
            sender.look()
            with suppress(queue.Empty):
                assert sent.get(timeout=0.05) in slow_ids
                n_sent += 1

        office.happen()
        sender.look()

        assert sent.get(timeout=10) == office.webhook_id
    finally:
        go_on.set()
        sender.stop(within=5)


class TestChangedMeanwhile:
    def test_another_place_is_not_overwritten_by_what_was_under_way(self, office: Office) -> None:
        office.happen(3)
        held = office.claim()
        office.change(after=2)

        following = delivery.settle(office.database, held, Answer(0.1, 200))

        assert following is not None
        assert '"sequence":3' in following.body
        assert office.position() == 2
        assert office.log()[-1].state is DeliveryState.CANCELLED

    def test_what_the_url_before_answers_does_not_switch_another_one_off(
        self, office: Office
    ) -> None:
        office.happen()
        held = office.claim()
        office.change(url=office.receiver.url + "/new")

        delivery.settle(office.database, held, Answer(0.1, 410), go_on=False)

        assert office.webhook().disabled_at is None
        assert office.due() == [office.webhook_id]

    def test_removed_while_under_way(self, office: Office) -> None:
        office.happen()
        held = office.claim()
        with office.world.entered(office.team.review_id, office.team.owner) as (session, review, _):
            webhook = endpoints.lock(session, review_id=review.id, webhook_id=office.webhook_id)
            endpoints.remove(session, review, webhook, by=office.team.owner.id)

        assert delivery.settle(office.database, held, Answer(0.1, 200)) is None
        assert office.due() == []
        assert office.position() == 0

    def test_only_the_last_thousand_deliveries_are_kept(
        self, office: Office, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(deliveries, "KEPT", 5)
        office.happen(8)
        office.work()

        assert [sent.number for sent in office.log()] == [8, 7, 6, 5, 4]
