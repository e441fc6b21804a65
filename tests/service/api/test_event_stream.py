"""Server-sent events through a real server: resuming, living on, and ending."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest
from fastapi import FastAPI
from redis import Redis

from engines import Broker
from service.installation.stand_ins import free_port
from service.live import API, NO_TLS, SOON, Live, listed, listen, listen_by, serve, take
from tandem.accounts import service as accounts
from tandem.accounts.shown_secrets import Secret
from tandem.config import Settings
from tandem.tasks import PROGRESS
from tandem_api import feeds, streams
from tandem_api.feeds import Follower
from world import Team, World


@pytest.fixture
def team(world: World) -> Team:
    return world.team(n_records=6)


def test_a_stream_begins_with_the_first_event_and_says_what_the_list_says(
    live: Live, team: Team
) -> None:
    in_list = listed(live, team, team.owner)

    with listen(live, team, team.owner) as messages:
        received = take(messages, len(in_list))

    assert [message["id"] for message in received] == [str(event["sequence"]) for event in in_list]
    assert [message["event"] for message in received] == [event["type"] for event in in_list]
    for message, event in zip(received, in_list, strict=True):
        told_event = json.loads(message["data"])
        assert told_event == {name: value for name, value in event.items() if value is not None}


def test_a_stream_resumes_behind_the_last_event_that_arrived(live: Live, team: Team) -> None:
    with listen(live, team, team.owner) as messages:
        first = take(messages, 3)

    with listen(live, team, team.owner, **{"Last-Event-ID": first[-1]["id"]}) as messages:
        assert next(messages)["id"] == str(int(first[-1]["id"]) + 1)


def test_latest_begins_now_in_the_numbering_of_each_reader(live: Live, team: Team) -> None:
    live.put(team, team.ann, 1)
    live.put(team, team.ben, 1, "exclude")
    for who in (team.owner, team.eve):
        last = len(listed(live, team, who))
        with listen(live, team, who, "?after=latest") as messages:
            live.put(team, team.ann, 2 if who is team.owner else 3)
            received = next(messages)
        assert (received["id"], received["event"]) == (str(last + 1), "tandem.decision.recorded")


def test_a_decision_arrives_while_a_client_listens(live: Live, team: Team) -> None:
    last = str(len(listed(live, team, team.owner)))
    with listen(live, team, team.owner, **{"Last-Event-ID": last}) as messages:
        live.put(team, team.ann, 1)
        live.put(team, team.ben, 1, "exclude")

        received = [message["event"] for message in take(messages, 3)]

    assert received == [
        "tandem.decision.recorded",
        "tandem.decision.recorded",
        "tandem.conflict.opened",
    ]


def test_a_blinded_listener_gets_no_outcome_and_no_gap(live: Live, team: Team) -> None:
    last = str(len(listed(live, team, team.eve)))
    with listen(live, team, team.eve, **{"Last-Event-ID": last}) as messages:
        live.put(team, team.ann, 1)
        live.put(team, team.ben, 1, "exclude")
        live.put(team, team.ann, 2)

        received = take(messages, 3)

    assert {message["event"] for message in received} == {"tandem.decision.recorded"}
    assert [int(message["id"]) - int(last) for message in received] == [1, 2, 3]


def test_a_long_log_comes_whole(
    live: Live, team: Team, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tandem_api.feeds.PAGE", 4)
    for number in range(1, 7):
        world.decide(team.review_id, team.ann, number, "include")

    with listen(live, team, team.owner) as messages:
        received = take(messages, len(listed(live, team, team.owner)))

    assert [message["id"] for message in received] == [str(n) for n in range(1, len(received) + 1)]


def test_silence_is_broken_by_heartbeats_and_holds_no_connection(
    live: Live, team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "HEARTBEAT_SECONDS", 0.3)
    pool = live.app.state.runtime.database.engine.pool
    last = str(len(listed(live, team, team.owner)))
    with listen(live, team, team.owner, **{"Last-Event-ID": last}) as messages:
        for _ in range(3):
            assert next(messages) == {"": "ping"}
            # It looks for events after each beat; a connection held for good is never given back.
            given_up = time.monotonic() + SOON
            while pool.checkedout():
                assert time.monotonic() < given_up
                time.sleep(0.01)


def test_who_is_removed_gets_no_more_events(live: Live, team: Team) -> None:
    last = str(len(listed(live, team, team.eve)))
    with listen(live, team, team.eve, **{"Last-Event-ID": last}) as messages:
        removed = httpx.delete(
            f"{live.url}{API}/reviews/{team.review_id}/members/{team.eve.id}",
            headers=team.owner.auth,
            timeout=SOON,
        )

        assert removed.status_code == 204
        assert list(messages) == []


def test_who_is_switched_off_gets_no_more_events_at_once(
    live: Live, team: Team, world: World
) -> None:
    """Not only with the next heartbeat, which is 15 seconds away."""
    admin = world.person("admin", is_admin=True)
    last = str(len(listed(live, team, team.eve)))
    with listen(live, team, team.eve, **{"Last-Event-ID": last}) as messages:
        off = httpx.patch(
            f"{live.url}{API}/users/{team.eve.id}",
            json={"is_active": False},
            headers=admin.auth,
            timeout=SOON,
        )

        assert off.status_code == 200
        assert list(messages) == []


@pytest.mark.parametrize("how", ["token", "session"])
def test_who_signs_out_gets_no_more_events(
    how: str, live: Live, team: Team, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "HEARTBEAT_SECONDS", 0.2)
    last = str(len(listed(live, team, team.eve)))
    with world.database.write.begin() as session:
        lasting = timedelta(hours=1)
        token, secret = accounts.add_token(session, user_id=team.eve.id, name="x", expires_at=None)
        cookie = accounts.sign_in(session, user_id=team.eve.id, lasting=lasting).secret
    headers = {"Authorization": f"Bearer {secret}"}
    if how == "session":
        headers = {"Cookie": f"tandem_session={cookie}"}
    with listen_by(live, team, headers | {"Last-Event-ID": last}) as messages:
        assert next(messages) == {"": "ping"}
        if how == "token":
            path = f"{API}/me/tokens/{token.id}"
            assert httpx.delete(live.url + path, headers=headers, timeout=SOON).status_code == 204
        else:
            out = httpx.post(f"{live.url}{API}/auth/logout", headers=headers, timeout=SOON)
            assert out.status_code == 204

        assert all(message == {"": "ping"} for message in messages)


def test_who_reads_from_far_behind_gets_less_at_a_time_the_more_they_are(
    live: Live, team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All are read for in one look: who waits for what happens now waits for that."""
    monkeypatch.setattr("tandem_api.feeds._AT_ONCE", 6)
    monkeypatch.setattr("tandem_api.feeds._LEAST", 1)
    database, secret = live.app.state.runtime.database, Secret.of_token(team.eve.token)

    def look(*places: int) -> list[tuple[int, bool]]:
        pages = feeds.look(database, team.review_id, [Follower(secret, at) for at in places])
        return [(one.follower.after, one.is_behind) for one in pages if one is not None]

    assert look(0) == [(6, True)]
    assert look(0, 1, 2) == [(2, True), (3, True), (4, True)]
    assert look(*range(7)) == [(at + 1, True) for at in range(7)]


@pytest.mark.parametrize("who", ["stranger", "nobody"])
def test_a_stream_is_for_members(who: str, live: Live, team: Team, world: World) -> None:
    auth = world.person().auth if who == "stranger" else {}
    answer = httpx.get(
        f"{live.url}{API}/reviews/{team.review_id}/events",
        headers=auth | {"Accept": "text/event-stream"},
        timeout=SOON,
    )

    assert answer.status_code == (404 if who == "stranger" else 401)
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.processes
def test_with_a_broker_an_event_comes_at_once(
    settings: Settings, broker: Broker, team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "LOOK_SECONDS", 60.0)
    with serve(settings.model_copy(update={"redis_url": broker.url})) as live:
        last = str(len(listed(live, team, team.owner)))
        with listen(live, team, team.owner, **{"Last-Event-ID": last}) as messages:
            live.put(team, team.ann, 1)
            assert next(messages)["event"] == "tandem.decision.recorded"


@pytest.mark.processes
@pytest.mark.parametrize("message", ["{}", "no JSON", "[]"])
def test_what_is_not_understood_does_not_silence_the_notifier(
    message: str, settings: Settings, broker: Broker, team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "LOOK_SECONDS", 60.0)
    with serve(settings.model_copy(update={"redis_url": broker.url})) as live:
        last = str(len(listed(live, team, team.owner)))
        with listen(live, team, team.owner, **{"Last-Event-ID": last}) as messages:
            live.put(team, team.ann, 1)
            next(messages)
            with Redis.from_url(broker.url) as redis:
                redis.publish(PROGRESS, message)
            live.put(team, team.ann, 2)
            assert next(messages)["event"] == "tandem.decision.recorded"


@pytest.mark.processes
@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_the_server_stops_while_streams_are_open(
    sign: signal.Signals, settings: Settings, team: Team
) -> None:
    named = {
        "TANDEM_DATABASE_URL": settings.database_url,
        "TANDEM_REDIS_URL": settings.redis_url,
        "TANDEM_ARTIFACT_URL": settings.artifact_url,
        "TANDEM_DATA_DIR": str(settings.data_dir),
        "TANDEM_PORT": str(free_port()),
    }
    env = {**os.environ, **{name: value for name, value in named.items() if value}}
    with subprocess.Popen(
        [sys.executable, "-m", "tandem_api"], env=env, stderr=subprocess.DEVNULL
    ) as process:
        try:
            live = Live(f"http://127.0.0.1:{named['TANDEM_PORT']}", FastAPI())
            _wait_for(live, process)
            with listen(live, team, team.owner) as messages:
                next(messages)
                process.send_signal(sign)
                # A stream that the server does not end, but cuts off in the end, is an error here.
                for _ in messages:
                    pass
                code = process.wait(SOON)
        finally:
            process.kill()

    assert code in (0, -sign)


def _wait_for(live: Live, process: "subprocess.Popen[bytes]") -> None:
    given_up = time.monotonic() + SOON
    while time.monotonic() < given_up:
        assert process.poll() is None
        try:
            if httpx.get(f"{live.url}/healthz", timeout=SOON, verify=NO_TLS).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise AssertionError("the API does not answer")


@pytest.mark.parametrize("streamed", [False, True])
def test_who_sends_too_much_is_refused(streamed: bool, settings: Settings, team: Team) -> None:
    """Over a real connection: the answer must not be lost while the client still sends."""
    tiny = settings.model_copy(update={"max_upload_mb": 1})
    path = f"{API}/reviews/{team.review_id}/imports"
    headers = team.owner.auth | {"Content-Type": "multipart/form-data; boundary=cut"}

    def parts() -> Iterator[bytes]:
        yield b'--cut\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'
        for _ in range(20):
            yield b"x" * (1 << 20)

    with serve(tiny) as live:
        content = parts() if streamed else b"".join(parts())
        answer = httpx.post(live.url + path, content=content, headers=headers, timeout=SOON)

    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
