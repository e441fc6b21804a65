"""One message to an endpoint: signed, to the address that was looked at, and nothing besides."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook as Verifier
from standardwebhooks import WebhookVerificationError

from service.domain.receivers import Received, Receiver, Reply, answering, listening
from service.domain.threads import PATIENCE
from tandem.webhooks import sending, signing
from tandem.webhooks.addresses import Rules

CERTIFICATE = Path(__file__).parent / "certificates" / "hooks.example.org.pem"
"""For that name, signed by itself, good for a hundred years."""

OPEN = Rules(allow_private=True, allow_http=True)
HERE = ["127.0.0.1"]


def send(url: str, **options: Any) -> sending.Answer:
    return sending.post(url, "{}", {}, **({"rules": OPEN} | options))


def test_a_message_is_posted_and_its_answer_returned(receiver: Receiver) -> None:
    receiver.answer = lambda _: (201, {}, b"thank you")

    answer = sending.post(f"{receiver.url}?key=1", '{"a":"ä"}', {"webhook-id": "7"}, rules=OPEN)

    assert (answer.status, answer.excerpt, answer.error) == (201, "thank you", None)
    assert answer.is_taken
    [message] = receiver.received
    assert (message.path, message.body, message.id) == ("/hook?key=1", '{"a":"ä"}', "7")
    assert message.headers["content-type"] == "application/cloudevents+json; charset=utf-8"


@pytest.mark.parametrize("status", [200, 299])
def test_any_2xx_is_good(receiver: Receiver, status: int) -> None:
    receiver.answer = lambda _: (status, {}, b"")
    assert send(receiver.url).is_taken


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirects_are_not_followed(receiver: Receiver, status: int) -> None:
    with listening() as elsewhere:
        receiver.answer = lambda _: (status, {"Location": elsewhere.url}, b"")
        answer = send(receiver.url)

        assert (answer.status, answer.is_taken) == (status, False)
        assert elsewhere.received == []


def test_no_proxy_of_the_environment_is_used(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    with listening() as proxy:
        for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        assert send(receiver.url).is_taken

        assert len(receiver.received) == 1
        assert proxy.received == []


def test_of_the_answer_a_kilobyte_is_kept_as_plain_text(receiver: Receiver) -> None:
    receiver.answer = lambda _: (500, {}, b"\x00\x1b[31m\xff" + b"x" * 100_000)

    answer = send(receiver.url)

    assert len(answer.excerpt.encode(errors="strict")) < 1100
    assert "\x00" not in answer.excerpt
    assert "\x1b" not in answer.excerpt
    assert answer.excerpt.endswith("x")


def test_of_an_answer_that_is_no_http_no_more_is_kept() -> None:
    with answering(b"\x00\x1b[31m" + b"x" * 60_000 + b"\r\n\r\n") as url:
        answer = send(url)

    assert answer.status is None
    assert answer.error is not None
    assert "\x00" not in answer.error
    assert "\x1b" not in answer.error
    assert "xxx" in answer.error
    assert len(answer.error) < 300


def test_a_broken_number_in_the_answer_is_a_failure() -> None:
    with answering(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n") as url:
        answer = send(url)

    assert not answer.is_taken
    assert answer.error


@pytest.mark.parametrize("interim", [b"100 Continue", b"102 Processing", b"103 Early Hints"])
def test_what_comes_before_the_answer_is_passed_over(interim: bytes) -> None:
    raw = b"HTTP/1.1 %b\r\nLink: </a>\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n" % interim
    with answering(raw) as url:
        assert send(url).status == 204


def test_a_name_server_that_is_silent_is_not_waited_for_longer() -> None:
    over = threading.Event()

    def silent(_: str, __: int) -> list[str]:
        over.wait(2 * PATIENCE)
        return HERE

    answer = send("http://hooks.example.org/", resolve=silent, limit_seconds=0.3)
    over.set()

    assert answer.error == "no answer within 0.3 seconds"
    assert answer.seconds < PATIENCE


def test_an_endpoint_that_drips_is_cut_off(receiver: Receiver) -> None:
    over = threading.Event()

    def drip(connection: socket.socket) -> None:
        with connection:
            connection.recv(10_000)
            connection.sendall(b"HTTP/1.1 200 OK\r\n")
            while not over.wait(0.05):
                try:
                    connection.sendall(b"X-A: b\r\n")
                except OSError:
                    return

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=lambda: drip(server.accept()[0]))
        thread.start()
        answer = send(f"http://127.0.0.1:{server.getsockname()[1]}/", limit_seconds=0.5)
        over.set()
        thread.join()

    assert (answer.status, answer.error) == (None, "no answer within 0.5 seconds")
    assert 0.4 < answer.seconds < PATIENCE


def test_a_body_that_never_ends_is_a_failure_too(receiver: Receiver) -> None:
    over = threading.Event()

    def hang(_: Received) -> Reply:
        over.wait(2 * PATIENCE)
        return 200, {}, b""

    receiver.answer = hang
    answer = send(receiver.url, limit_seconds=0.3)
    over.set()

    assert answer.error == "no answer within 0.3 seconds"
    assert not answer.is_taken


def test_nobody_listens(receiver: Receiver) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        answer = send(f"http://127.0.0.1:{unused.getsockname()[1]}/")

    assert answer.status is None
    assert "refused" in (answer.error or "")


def test_a_private_address_is_not_even_connected_to(receiver: Receiver) -> None:
    answer = send(receiver.url, rules=Rules(allow_http=True))

    assert (answer.status, receiver.received) == (None, [])
    assert "public" in (answer.error or "")


def test_a_name_is_asked_for_once_whatever_it_would_say_the_second_time(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, tried = list[str](), list[str]()

    def rebinding(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["9.9.9.9"] if len(asked) == 1 else HERE

    def connect(address: tuple[str, int], **_: object) -> socket.socket:
        tried.append(address[0])
        raise ConnectionRefusedError("nothing leaves this test")

    monkeypatch.setattr("tandem.webhooks.sending.socket.create_connection", connect)
    url = f"http://hooks.example.org:{receiver.port}/hook"
    answer = send(url, rules=Rules(allow_http=True), resolve=rebinding)

    assert (asked, tried) == (["hooks.example.org"], ["9.9.9.9"])
    assert answer.error == "nothing leaves this test"
    assert receiver.received == []


def test_the_request_goes_to_the_address_and_names_the_host(receiver: Receiver) -> None:
    url = f"http://hooks.example.org:{receiver.port}/hook"

    assert send(url, resolve=lambda _, __: HERE).is_taken

    assert receiver.received[0].headers["host"] == f"hooks.example.org:{receiver.port}"


def test_an_address_that_does_not_answer_is_passed_over(receiver: Receiver) -> None:
    url = f"http://hooks.example.org:{receiver.port}/hook"

    # Nobody listens at the second address of this machine.
    assert send(url, resolve=lambda _, __: ["127.0.0.2", "127.0.0.1"]).is_taken


@contextmanager
def trusting(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """Run a receiver with a certificate for hooks.example.org, which this process trusts."""
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    theirs.load_cert_chain(CERTIFICATE)
    ours = ssl.create_default_context(cafile=str(CERTIFICATE))
    monkeypatch.setattr("tandem.webhooks.sending._tls", lambda: ours)
    with listening(theirs) as running:
        yield running


def test_tls_is_for_the_name_though_the_connection_is_to_an_address(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with trusting(monkeypatch) as receiver:
        url = f"https://hooks.example.org:{receiver.port}/hook"
        answer = send(url, rules=Rules(allow_private=True), resolve=lambda _, __: HERE)

        assert answer.error is None
        assert answer.is_taken
        assert receiver.names == ["hooks.example.org"]


def test_a_certificate_for_another_name_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with trusting(monkeypatch) as receiver:
        url = f"https://other.example.org:{receiver.port}/hook"
        answer = send(url, rules=Rules(allow_private=True), resolve=lambda _, __: HERE)

        assert "certificate" in (answer.error or "").lower()
        assert receiver.received == []


def test_signatures_are_those_of_the_specification() -> None:
    secret, other = signing.new_secret(), signing.new_secret()
    headers = signing.headers('{"a":1}', event_id="7", at=datetime.now(UTC), keys=[secret])

    assert Verifier(secret).verify('{"a":1}', headers) == {"a": 1}
    for key, body, said in (
        (other, '{"a":1}', {}),
        (secret, '{"a":2}', {}),
        (secret, '{"a":1}', {"webhook-id": "8"}),
    ):
        with pytest.raises(WebhookVerificationError):
            Verifier(key).verify(body, headers | said)


def test_during_a_rotation_either_secret_verifies() -> None:
    new, old = signing.new_secret(), signing.new_secret()
    headers = signing.headers("{}", event_id="7", at=datetime.now(UTC), keys=[new, old])

    assert headers["webhook-signature"].count("v1,") == 2
    assert Verifier(new).verify("{}", headers) == {}
    assert Verifier(old).verify("{}", headers) == {}


def test_signed_is_the_time_in_utc_whatever_the_zone() -> None:
    at = datetime.now(timezone(timedelta(hours=5)))
    secret = signing.new_secret()

    assert (
        Verifier(secret).verify("{}", signing.headers("{}", event_id="7", at=at, keys=[secret]))
        == {}
    )
