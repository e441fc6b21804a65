"""Endpoints: new secrets, tests and deliveries by hand, who answers for one, slow ones."""

import queue
from contextlib import suppress
from datetime import timedelta
from functools import partial
from threading import Event

import pytest
from standardwebhooks import Webhook as Verifier

from service.domain.clocks import Clock
from service.domain.hooks import RULES, Hook, add, refusing, still_clock
from service.domain.receivers import OK, Receiver
from service.domain.tables import events
from service.domain.threads import PATIENCE
from tandem.accounts.models import User
from tandem.events import positions
from tandem.ids import WebhookId
from tandem.reviews import service as reviews
from tandem.reviews.models import Role
from tandem.webhooks import deliveries, delivery, endpoints
from tandem.webhooks.delivery import Held
from tandem.webhooks.models import DeliveryKind, DeliveryState, DisabledReason
from tandem.webhooks.sending import Answer
from tandem_worker.outbound import Deliverers, send_signed
from world import Person

pytestmark = pytest.mark.both_engines


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> type[Clock]:
    return still_clock(monkeypatch)


class TestRotation:
    def test_both_secrets_sign_for_a_day(self, hook: Hook, clock: type[Clock]) -> None:
        with hook.world.entered(hook.team.review_id, hook.team.owner) as (
            session,
            review,
            _,
        ):
            webhook = endpoints.lock(session, review_id=review.id, webhook_id=hook.webhook_id)
            endpoints.rotate(session, review, webhook, by=hook.team.owner.id)
            new = webhook.secret
        hook.work()  # the rotation itself is an event
        clock.at += timedelta(hours=24)
        hook.happen()
        hook.work()

        during, after = hook.receiver.received
        assert new != hook.secret
        for key in (new, hook.secret):
            Verifier(key).verify(during.body, during.headers)
        assert during.headers["webhook-signature"].count("v1,") == 2
        assert after.headers["webhook-signature"].count("v1,") == 1


class TestByHand:
    def test_a_test_is_sent_outside_of_the_log_even_to_one_that_is_off(self, hook: Hook) -> None:
        hook.change(enabled=False)
        before = hook.last_seq(), hook.position()

        hook.by_hand()
        assert hook.work() == 1

        [message] = hook.receiver.received
        assert message.event["type"] == deliveries.TEST_TYPE
        assert message.event["data"] == {"webhook_id": str(hook.webhook_id)}
        assert "sequence" not in message.event
        assert (hook.last_seq(), hook.position()) == before
        Verifier(hook.secret).verify(message.body, message.headers)

    def test_what_was_delivered_is_sent_again_with_its_id(self, hook: Hook) -> None:
        hook.happen(2)
        hook.work()

        hook.by_hand(1)
        assert hook.work() == 1

        first, _, again = hook.receiver.received
        assert (again.id, again.body) == (first.id, first.body)
        assert hook.log()[0].kind is DeliveryKind.REDELIVERY
        assert hook.position() == hook.last_seq()

    def test_a_hand_made_failure_is_noted_and_not_tried_again(self, hook: Hook) -> None:
        hook.happen()
        hook.work()
        hook.receiver.answer = lambda _: (410, {}, b"")
        hook.by_hand(1)
        hook.by_hand()
        assert hook.work() == 2

        assert [sent.state for sent in hook.log()][:2] == [DeliveryState.FAILED] * 2
        assert hook.webhook().disabled_at is None

    def test_what_waits_for_its_next_attempt_is_tried_now(
        self, hook: Hook, clock: type[Clock]
    ) -> None:
        hook.receiver.answer = refusing
        hook.happen(2)
        hook.work()
        hook.receiver.answer = lambda _: OK

        hook.by_hand(1)
        assert hook.work() == 2

        assert [len(sent.attempts) for sent in hook.log()] == [1, 2]


class TestWhoAnswersForIt:
    def demote(self, hook: Hook) -> Person:
        team = hook.team
        with hook.world.entered(team.review_id, team.owner) as (session, review, _):
            reviews.set_member(session, review, user_id=team.judge.id, role=Role.OWNER)
            reviews.set_member(session, review, user_id=team.owner.id, role=Role.REVIEWER)
        return team.judge

    def test_nothing_is_sent_for_somebody_who_is_no_owner_any_more(self, hook: Hook) -> None:
        hook.happen(2)
        self.demote(hook)

        assert hook.due() == []
        assert delivery.claim(hook.database, hook.webhook_id) is None
        with hook.database.read() as session:
            [(review_id, webhook_id)] = delivery.abandoned(session)
        for _ in range(2):
            delivery.switch_off_abandoned(hook.database, review_id, webhook_id)

        assert hook.webhook().disabled_reason is DisabledReason.OWNER_LEFT
        found = [e.detail.get("webhook") for e in events(hook.database, hook.team.review_id)]
        assert found.count("switched off") == 1
        assert hook.receiver.received == []

    def test_nothing_is_sent_for_somebody_who_is_switched_off(self, hook: Hook) -> None:
        hook.happen(2)
        with hook.database.write.begin() as session:
            session.get_one(User, hook.team.owner.id).is_active = False

        assert hook.due() == []
        with hook.database.read() as session:
            [(review_id, webhook_id)] = delivery.abandoned(session)
        delivery.switch_off_abandoned(hook.database, review_id, webhook_id)
        assert hook.webhook().disabled_reason is DisabledReason.OWNER_LEFT

    def test_a_turn_that_has_begun_ends_when_they_are_no_owner_any_more(self, hook: Hook) -> None:
        hook.happen(3)
        held = hook.claim()
        self.demote(hook)

        assert delivery.settle(hook.database, held, Answer(0.1, 200)) is None

        assert hook.work() == 0
        assert hook.webhook().lease_until is None
        [sent] = hook.log()
        assert sent.state is DeliveryState.DELIVERED

    def test_who_names_another_url_answers_for_it(self, hook: Hook) -> None:
        team = hook.team
        with hook.world.entered(team.review_id, team.owner) as (session, review, _):
            reviews.set_member(session, review, user_id=team.judge.id, role=Role.OWNER)
        hook.change(team.judge, url=hook.receiver.url + "/of-the-judge")
        with hook.world.entered(team.review_id, team.owner) as (session, review, _):
            reviews.set_member(session, review, user_id=team.judge.id, role=Role.REVIEWER)

        hook.happen()

        assert hook.work() == 0

    def test_a_review_that_is_long_at_work_holds_back_no_other(
        self, hook: Hook, receiver: Receiver
    ) -> None:
        other = hook.world.team(n_records=2)
        add(hook.world, other, receiver.url)
        self.demote(hook)
        hook.world.decide(other.review_id, other.ann, 1, "include")
        sender = Deliverers(
            hook.database, partial(send_signed, rules=RULES), threads=2, again=lambda: None
        )
        try:
            with hook.database.write.begin() as session:
                reviews.lock(session, hook.team.review_id)
                if not hook.database.is_sqlite:  # there nobody writes meanwhile
                    sender.look()
                    # Shorter than PostgreSQL waits for a lock: who waits for it comes too late.
                    receiver.wait_for(1, seconds=12)
            sender.look()
            receiver.wait_for(1)
        finally:
            sender.stop(within=PATIENCE)

    def test_another_owner_may_take_it_over(self, hook: Hook) -> None:
        judge = self.demote(hook)
        delivery.switch_off_abandoned(hook.database, hook.team.review_id, hook.webhook_id)
        hook.happen()

        hook.change(judge, enabled=True)

        assert hook.webhook().owner_id == judge.id
        assert hook.work() > 0


def test_slow_endpoints_leave_threads_to_the_others(
    hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, go_on = hook.world.team(n_records=9), Event()
    slow_ids = {add(hook.world, slow, hook.receiver.url).id for _ in range(6)}
    sent: queue.SimpleQueue[WebhookId] = queue.SimpleQueue()

    def send(held: Held) -> Answer:
        sent.put(held.webhook_id)
        if held.webhook_id not in slow_ids:
            return Answer(0.1, 204)
        go_on.wait()
        return Answer(14.0, 204)

    def are_up_to_date() -> bool:
        with hook.database.read() as session:
            last = reviews.get_review(session, slow.review_id).last_seq
            return all(
                positions.get(session, f"webhook:{each}", slow.review_id) == last
                for each in slow_ids
            )

    sender = Deliverers(hook.database, send, threads=4, again=lambda: None)
    try:
        hook.world.decide(slow.review_id, slow.ann, 1, "include")
        hook.world.decide(slow.review_id, slow.ann, 2, "include")
        go_on.set()  # nobody knows yet that they are slow
        while not are_up_to_date():
            sender.look()
            with suppress(queue.Empty):
                assert sent.get(timeout=0.05) in slow_ids
        while not sent.empty():
            sent.get()
        go_on.clear()
        hook.world.decide(slow.review_id, slow.ann, 3, "include")
        n_sent = 0
        while n_sent < 2:
            sender.look()
            with suppress(queue.Empty):
                assert sent.get(timeout=0.05) in slow_ids
                n_sent += 1

        hook.happen()
        sender.look()

        assert sent.get(timeout=PATIENCE) == hook.webhook_id
    finally:
        go_on.set()
        sender.stop(within=PATIENCE)


class TestChangedMeanwhile:
    def test_another_place_is_not_overwritten_by_what_was_under_way(self, hook: Hook) -> None:
        hook.happen(3)
        held = hook.claim()
        hook.change(after=2)

        following = delivery.settle(hook.database, held, Answer(0.1, 200))

        assert following is not None
        assert '"sequence":3' in following.body
        assert hook.position() == 2
        assert hook.log()[-1].state is DeliveryState.CANCELLED

    def test_what_the_url_before_answers_does_not_switch_another_one_off(self, hook: Hook) -> None:
        hook.happen()
        held = hook.claim()
        hook.change(url=hook.receiver.url + "/new")

        delivery.settle(hook.database, held, Answer(0.1, 410), go_on=False)

        assert hook.webhook().disabled_at is None
        assert hook.due() == [hook.webhook_id]

    def test_removed_while_under_way(self, hook: Hook) -> None:
        hook.happen()
        held = hook.claim()
        with hook.world.entered(hook.team.review_id, hook.team.owner) as (
            session,
            review,
            _,
        ):
            webhook = endpoints.lock(session, review_id=review.id, webhook_id=hook.webhook_id)
            endpoints.remove(session, review, webhook, by=hook.team.owner.id)

        assert delivery.settle(hook.database, held, Answer(0.1, 200)) is None
        assert hook.due() == []
        assert hook.position() == 0

    def test_only_the_last_thousand_deliveries_are_kept(
        self, hook: Hook, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(deliveries, "KEPT", 5)
        hook.happen(8)
        hook.work()

        assert [sent.number for sent in hook.log()] == [8, 7, 6, 5, 4]
