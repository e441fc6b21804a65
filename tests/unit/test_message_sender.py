"""Many messages about one thing become few, and the last one is always sent."""

import threading
import time
from collections import defaultdict
from collections.abc import Iterator

import pytest

from tandem.message_sender import Key, MessageSender

LONG = 3600.0
PATIENCE = 240.0


class Away(Exception):
    """The broker is not there."""


class Sent:
    """Notes what was sent, and lets a test wait for it."""

    def __init__(self) -> None:
        self.sender = MessageSender(unreachable=(Away,))
        self.by_key: dict[Key, list[int]] = defaultdict(list)
        self._came = threading.Condition()

    def put(self, key: Key, number: int, every: float = 0.0) -> None:
        def send() -> None:
            with self._came:
                self.by_key[key].append(number)
                self._came.notify_all()

        self.sender.put(key, send, every)

    def wait_for(self, key: Key, number: int) -> None:
        with self._came:
            assert self._came.wait_for(lambda: number in self.by_key[key], timeout=PATIENCE)


@pytest.fixture
def sent() -> Iterator[Sent]:
    opened = Sent()
    yield opened
    opened.sender.close()


def test_the_first_is_sent_at_once_and_the_last_at_the_end(sent: Sent) -> None:
    key = ("rank", "a")
    sent.put(key, 0, LONG)
    sent.wait_for(key, 0)
    for number in range(1, 100):
        sent.put(key, number, LONG)

    sent.sender.close()

    assert sent.by_key[key] == [0, 99]


def test_the_last_is_sent_when_its_time_has_come(sent: Sent) -> None:
    key, every = ("rank", "a"), 0.05
    began = time.monotonic()
    for number in range(1000):
        sent.put(key, number, every)

    sent.wait_for(key, 999)

    assert len(sent.by_key[key]) <= 2 + (time.monotonic() - began) / every


def test_one_that_has_to_wait_holds_no_other_back(sent: Sent) -> None:
    waiting, others = ("rank", "a"), [("rank", "b"), ("tell", "a")]
    for number in (1, 2):
        sent.put(waiting, number, LONG)
        sent.wait_for(waiting, 1)

    for other in others:
        sent.put(other, 3)

    for other in others:
        sent.wait_for(other, 3)
    assert sent.by_key[waiting] == [1]


def test_one_that_is_lost_keeps_nothing_from_being_sent(sent: Sent) -> None:
    def fail() -> None:
        raise Away

    sent.sender.put(("rank", "a"), fail, LONG)
    sent.put(("rank", "b"), 1)

    sent.wait_for(("rank", "b"), 1)


def test_one_that_fails_does_not_hold_back_those_behind_it(sent: Sent) -> None:
    failed = threading.Event()

    def fail() -> None:
        failed.set()
        raise ValueError("nobody expects this")

    sent.sender.put(("rank", "a"), fail)
    assert failed.wait(PATIENCE)
    sent.put(("rank", "b"), 1)
    sent.wait_for(("rank", "b"), 1)
