"""Deliveries as the log of a review grows: in order, again until taken, and never forgotten."""

from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import event
from standardwebhooks import Webhook as Verifier

from service.domain.clocks import Clock
from service.domain.hooks import (
    LEASE,
    RULES,
    SWITCHED_OFF,
    Hook,
    add,
    refusing,
    still_clock,
)
from service.domain.receivers import OK, answering, listening
from service.domain.tables import events
from service.domain.threads import PATIENCE, at_once
from tandem.db.session import Database
from tandem.events.envelope import Envelope
from tandem.webhooks import delivery
from tandem.webhooks.models import DeliveryState, DisabledReason, Webhook
from tandem.webhooks.retries import WAITS
from tandem.webhooks.sending import Answer
from tandem_worker.outbound import Deliverers, send_signed
from world import World

pytestmark = pytest.mark.both_engines


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> type[Clock]:
    return still_clock(monkeypatch)


class TestInOrder:
    def test_what_happens_from_now_on_is_sent_as_owners_see_it(self, hook: Hook) -> None:
        hook.world.decide(hook.team.review_id, hook.team.ann, 1, "include")
        hook.world.decide(hook.team.review_id, hook.team.ben, 1, "exclude")

        assert hook.work() == 3

        log = events(hook.database, hook.team.review_id)[-3:]
        assert [message.event["type"] for message in hook.receiver.received] == [
            "tandem.decision.recorded",
            "tandem.decision.recorded",
            "tandem.conflict.opened",
        ]
        for message, found in zip(hook.receiver.received, log, strict=True):
            assert message.body == Envelope.of(found).as_text()
            assert message.id == str(found.id)
            Verifier(hook.secret).verify(message.body, message.headers)
        assert hook.due() == []
        assert hook.position() == hook.last_seq()

    def test_from_any_place_of_the_log(self, hook: Hook) -> None:
        hook.happen(3)
        hook.work()
        hook.receiver.received.clear()

        hook.change(after=0)
        hook.work()

        assert hook.receiver.sequences == list(range(1, hook.last_seq() + 1))

    def test_only_the_types_asked_for(self, hook: Hook) -> None:
        hook.change(types=["tandem.conflict.opened"])
        hook.happen(2)
        hook.world.decide(hook.team.review_id, hook.team.ben, 1, "exclude")
        hook.happen(1)

        assert hook.work() == 1

        assert hook.receiver.received[0].event["type"] == "tandem.conflict.opened"
        assert hook.position() == hook.last_seq()

    def test_an_event_that_is_not_taken_holds_back_the_later_ones(
        self, hook: Hook, clock: type[Clock]
    ) -> None:
        hook.happen(3)
        bad = hook.last_seq() - 1
        hook.receiver.answer = lambda message: (
            (500, {}, b"no") if message.event["sequence"] == bad else OK
        )

        hook.work()
        assert hook.receiver.sequences == [bad - 1, bad]
        assert hook.position() == bad - 1

        hook.receiver.answer = lambda _: OK
        clock.at += WAITS[0]
        hook.work()
        assert hook.receiver.sequences == [bad - 1, bad, bad, bad + 1]
        ids = [message.id for message in hook.receiver.received]
        assert ids[1] == ids[2]

    def test_other_webhooks_and_reviews_do_not_wait_for_it(self, hook: Hook, world: World) -> None:
        hook.receiver.answer = refusing
        with listening() as other:
            beside = add(world, hook.team, other.url)
            elsewhere = world.team(n_records=2)
            add(world, elsewhere, other.url)
            hook.happen(2)
            world.decide(elsewhere.review_id, elsewhere.ann, 1, "include")
            hook.work()

            assert len(hook.receiver.received) == 1
            assert len(other.received) == 3
        assert hook.webhook().n_failures == 1
        with hook.database.read() as session:
            assert session.get_one(Webhook, beside.id).n_failures == 0

    def test_what_commits_while_the_end_of_the_log_is_looked_for_is_not_passed_over(
        self, hook: Hook
    ) -> None:
        if hook.database.is_sqlite:
            pytest.skip("on SQLite nothing commits while another transaction writes")
        hook.change(types=["tandem.decision.recorded"])
        writer = Database(hook.database.engine.url.render_as_string(hide_password=False))
        beside, happened = World(writer), list[str]()

        def happen(_: object, __: object, statement: str, *___: object) -> None:
            if "FROM event " in statement and not happened:
                happened.append(statement)
                beside.decide(hook.team.review_id, hook.team.ann, 1, "include")

        event.listen(hook.database.engine, "after_cursor_execute", happen)
        # Of what it looks at first nothing is wanted: the change of the webhook itself.
        hook.work()
        event.remove(hook.database.engine, "after_cursor_execute", happen)
        hook.work()
        writer.close()

        assert len(happened) == 1
        assert [message.event["subject"] for message in hook.receiver.received] == ["1"]


class TestAgainUntilTaken:
    def test_the_times_are_those_of_the_schedule(self, hook: Hook, clock: type[Clock]) -> None:
        hook.receiver.answer = refusing
        hook.happen()
        hook.work()
        for n, wait in enumerate(WAITS, start=1):
            assert hook.webhook().next_attempt_at == clock.at + wait
            assert len(hook.receiver.received) == n
            clock.at += wait - timedelta(milliseconds=1)
            assert hook.due() == []
            clock.at += timedelta(milliseconds=1)
            assert hook.work() == 1

        assert len({message.id for message in hook.receiver.received}) == 1
        assert len({message.headers["webhook-timestamp"] for message in hook.receiver.received}) > 8

    def test_days_of_failure_switch_it_off_and_say_so(self, hook: Hook, clock: type[Clock]) -> None:
        hook.receiver.answer = refusing
        hook.happen(2)
        before = hook.last_seq()
        for wait in (timedelta(0), *WAITS):
            clock.at += wait
            hook.work()

        webhook, [sent] = hook.webhook(), hook.log()
        assert (webhook.disabled_at, webhook.disabled_reason) == (clock.at, DisabledReason.FAILING)
        assert clock.at - (webhook.failing_since or clock.at) > timedelta(days=3)
        assert (sent.state, len(sent.attempts)) == (DeliveryState.FAILED, 10)
        assert {(a["status"], a["answer"]) for a in sent.attempts} == {(503, "away")}
        last = events(hook.database, hook.team.review_id)[-1]
        assert (last.seq, last.type) == (before + 1, SWITCHED_OFF)
        assert last.data == {"changed": ["webhooks"]}
        clock.at += timedelta(days=9)
        assert hook.due() == []

    def test_switched_on_again_it_goes_on_where_it_was(
        self, hook: Hook, clock: type[Clock]
    ) -> None:
        hook.receiver.answer = refusing
        hook.happen(2)
        for wait in (timedelta(0), *WAITS):
            clock.at += wait
            hook.work()
        hook.receiver.received.clear()
        hook.receiver.answer = lambda _: OK
        first = hook.position() + 1

        hook.change(enabled=True)
        hook.work()

        assert hook.receiver.sequences == list(range(first, hook.last_seq() + 1))
        assert hook.webhook().disabled_at is None

    def test_gone_switches_it_off_at_once(self, hook: Hook) -> None:
        hook.receiver.answer = lambda _: (410, {}, b"")
        hook.happen(2)
        position = hook.position()

        assert hook.work() == 1

        assert hook.webhook().disabled_reason is DisabledReason.GONE
        assert hook.position() == position
        assert events(hook.database, hook.team.review_id)[-1].type == SWITCHED_OFF

    def test_who_is_blinded_does_not_hear_of_it(self, hook: Hook) -> None:
        hook.receiver.answer = lambda _: (410, {}, b"")
        hook.happen()
        hook.work()

        found = [e for e in events(hook.database, hook.team.review_id) if e.type == SWITCHED_OFF]
        assert len(found) == 2  # added, and switched off
        assert {e.open_seq for e in found} == {None}
        assert [e.detail["webhook"] for e in found] == ["added", "switched off"]

    def test_a_redirect_and_an_endpoint_that_is_away_are_failures(
        self, hook: Hook, clock: type[Clock]
    ) -> None:
        hook.receiver.answer = lambda m: (307, {"Location": hook.receiver.url}, b"")
        hook.happen()
        hook.work()
        hook.change(url="http://127.0.0.1:1/")
        hook.work()

        [sent] = hook.log()
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
        self, hook: Hook, clock: type[Clock], answer: bytes
    ) -> None:
        hook.happen()
        with answering(answer) as url:
            hook.change(url=url)
            hook.work()

        [sent] = hook.log()
        assert [attempt["status"] for attempt in sent.attempts] == [None]
        assert hook.webhook().n_failures == 1
        assert hook.due() == []

    @pytest.mark.parametrize("back", [timedelta(minutes=2), timedelta(days=300)])
    def test_a_clock_that_was_set_back_keeps_it_waiting_no_longer(
        self, hook: Hook, clock: type[Clock], back: timedelta
    ) -> None:
        hook.receiver.answer = refusing
        hook.happen()
        hook.work()
        clock.at -= back
        assert hook.due() == [hook.webhook_id]
        held = hook.claim()

        clock.at -= back
        assert hook.due() == [hook.webhook_id], "who sends it is taken for dead"
        assert delivery.settle(hook.database, held, Answer(0.1, 200)) is None
        assert hook.position() == hook.last_seq()

    def test_another_url_is_tried_at_once(self, hook: Hook, clock: type[Clock]) -> None:
        hook.receiver.answer = refusing
        hook.happen()
        hook.work()
        with listening() as other:
            hook.change(url=other.url)
            assert hook.work() == 2  # and what tells of the change

            assert other.received[0].id == hook.receiver.received[0].id


class TestKilled:
    def test_between_sending_and_noting_it_is_sent_again_with_the_same_id(
        self, hook: Hook, clock: type[Clock]
    ) -> None:
        hook.happen(2)
        send_signed(hook.claim(), rules=RULES)
        # Here the process is killed: its claim stays, and nothing is noted.
        assert hook.due() == []
        clock.at += LEASE + timedelta(seconds=1)
        hook.work()

        first, again, following = hook.receiver.received
        assert first.id == again.id != following.id
        assert [sent.state for sent in hook.log()] == [DeliveryState.DELIVERED] * 2

    def test_who_comes_too_late_notes_nothing(self, hook: Hook, clock: type[Clock]) -> None:
        hook.happen(2)
        late = hook.claim()
        clock.at += LEASE + timedelta(seconds=1)
        now_held = hook.claim()

        assert delivery.settle(hook.database, late, Answer(0.1, 200)) is None
        assert hook.position() < hook.last_seq() - 1
        following = delivery.settle(hook.database, now_held, Answer(0.1, 200))
        assert following is not None
        assert len(hook.log()[-1].attempts) == 1

    def test_of_many_that_claim_one_has_it(self, hook: Hook) -> None:
        hook.happen(5)
        claims = at_once([lambda: delivery.claim(hook.database, hook.webhook_id)] * 8)

        assert len([held for held in claims if held is not None]) == 1

    def test_two_relays_send_everything_once_and_in_order(
        self, hook: Hook, database: Database
    ) -> None:
        other = Database(database.engine.url.render_as_string(hide_password=False))
        start = hook.last_seq()
        relays = [
            Deliverers(at, partial(send_signed, rules=RULES), threads=4, again=lambda: None)
            for at in (database, other)
        ]

        def decide() -> None:
            hook.happen(20)

        def look(relay: Deliverers) -> None:
            while len(hook.receiver.received) < 20:
                relay.look()
                with hook.receiver.came:
                    hook.receiver.came.wait(0.02)

        at_once([decide, lambda: look(relays[0]), lambda: look(relays[1])])
        for relay in relays:
            relay.stop(within=PATIENCE)
        other.close()

        assert hook.receiver.sequences == list(range(start + 1, start + 21))
