"""Webhooks over HTTP: for owners, with a secret that is shown once."""

from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from standardwebhooks import Webhook as Verifier

from application import application
from service.domain.tables import events
from tandem.config import Settings
from tandem.ids import WebhookId
from tandem.webhooks import delivery
from tandem.webhooks.endpoints import MOST_WEBHOOKS
from tandem.webhooks.sending import Answer
from world import Person, Team, World

API = "/api/v1"
URL = "https://9.9.9.9/hook"


@pytest.fixture
def team(world: World) -> Team:
    return world.team(n_records=5)


def root(team: Team) -> str:
    return f"{API}/reviews/{team.review_id}/webhooks"


def add(client: TestClient, team: Team, **body: Any) -> Any:
    return client.post(root(team), json={"url": URL} | body, headers=team.owner.auth)


def added(client: TestClient, team: Team, **body: Any) -> dict[str, Any]:
    answer = add(client, team, **body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def test_a_secret_is_shown_once(client: TestClient, team: Team) -> None:
    made = added(client, team, types=["tandem.record.included"], description="Warehouse")

    assert made["secret"].startswith("whsec_")
    Verifier(made["secret"])
    shown = client.get(f"{root(team)}/{made['id']}", headers=team.owner.auth).json()
    assert shown == {name: value for name, value in made.items() if name != "secret"}
    listed = client.get(root(team), headers=team.owner.auth)
    assert listed.json()["items"] == [shown]
    assert "whsec_" not in listed.text
    assert (shown["enabled"], shown["types"]) == (True, ["tandem.record.included"])
    assert shown["owner_id"] == str(team.owner.id)


def test_owners_find_a_note_where_they_look_for_progress(
    client: TestClient, team: Team, world: World
) -> None:
    made, _ = added(client, team), added(client, team, description="in order")

    def notes(who: Person = team.owner) -> Any:
        path = f"{API}/reviews/{team.review_id}/progress"
        return client.get(path, headers=who.auth).json()["webhooks"]

    def fails_with(status: int) -> None:
        held = delivery.claim(world.database, WebhookId(UUID(made["id"])))
        assert held is not None
        delivery.settle(world.database, held, Answer(0.1, status), go_on=False)

    assert notes() is None
    world.decide(team.review_id, team.ann, 1, "include")
    fails_with(500)
    (note,) = notes()
    assert (note["id"], note["url"], note["state"], note["reason"]) == (
        made["id"], URL, "failing", None,
    )  # fmt: skip

    client.patch(f"{root(team)}/{made['id']}", json={"enabled": True}, headers=team.owner.auth)
    fails_with(410)
    (note,) = notes()
    assert (note["state"], note["reason"]) == ("off", "gone")
    assert notes(team.ann) is None

    client.patch(f"{root(team)}/{made['id']}", json={"enabled": False}, headers=team.owner.auth)
    client.patch(f"{root(team)}/{made['id']}", json={"enabled": True}, headers=team.owner.auth)
    assert notes() is None


def test_it_begins_now_or_where_it_is_asked_to(
    client: TestClient, team: Team, world: World
) -> None:
    now, first = added(client, team), added(client, team, after=0)

    last = events(world.database, team.review_id)[-1].seq
    assert (now["delivered_to"], first["delivered_to"]) == (last - 1, 0)
    future = add(client, team, after=last + 100)
    assert (future.status_code, future.json()["errors"][0]["field"]) == (422, "after")


@pytest.mark.parametrize(
    "url",
    [
        "http://9.9.9.9/hook",
        "https://127.0.0.1/hook",
        "https://localhost:8000/hook",
        "https://10.0.0.1/",
        "https://169.254.169.254/latest/meta-data/",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://user:word@9.9.9.9/",
    ],
)
def test_where_nothing_may_be_sent_is_refused_at_once(
    client: TestClient, team: Team, url: str
) -> None:
    answer = add(client, team, url=url)
    assert (answer.status_code, answer.json()["code"]) == (422, "unsafe_url")
    assert answer.json()["errors"][0]["field"] == "url"

    made = added(client, team)
    path = f"{root(team)}/{made['id']}"
    changed = client.patch(path, json={"url": url}, headers=team.owner.auth)
    assert (changed.status_code, changed.json()["code"]) == (422, "unsafe_url")
    assert client.get(path, headers=team.owner.auth).json()["url"] == URL


def test_an_installation_may_allow_more(settings: Settings, team: Team) -> None:
    allowing = settings.model_copy(
        update={"webhooks_allow_private": True, "webhooks_allow_http": True}
    )
    with TestClient(application(allowing)) as client:
        assert add(client, team, url="http://127.0.0.1:9/hook").status_code == 201
        assert add(client, team, url="http://169.254.169.254/").status_code == 422


def test_who_is_no_owner_cannot_have_a_name_looked_up(
    client: TestClient, team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(
        "tandem.webhooks.addresses.socket.getaddrinfo", lambda *a, **_: asked.append(a[0])
    )

    body = {"url": "https://hooks.example.org/"}
    assert client.post(root(team), json=body, headers=team.ann.auth).status_code == 403
    assert asked == []


def test_types_must_be_there(client: TestClient, team: Team) -> None:
    answer = add(client, team, types=["tandem.record.included", "tandem.nothing.happened"])

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert answer.json()["errors"][0]["field"] == "types"


def test_there_are_not_many(client: TestClient, team: Team) -> None:
    for _ in range(MOST_WEBHOOKS):
        added(client, team)

    answer = add(client, team)
    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_webhooks")


def test_an_idempotency_key_does_not_keep_the_secret(client: TestClient, team: Team) -> None:
    keyed = team.owner.auth | {"Idempotency-Key": "once"}
    first = client.post(root(team), json={"url": URL}, headers=keyed)
    again = client.post(root(team), json={"url": URL}, headers=keyed)

    assert first.status_code == 201
    assert (again.status_code, again.json()["code"]) == (409, "idempotency_key_reused")
    listed = client.get(root(team), headers=team.owner.auth).json()["items"]
    assert [item["id"] for item in listed] == [first.json()["id"]]


def test_switched_off_and_on_and_described_again(client: TestClient, team: Team) -> None:
    made = added(client, team, description="Old")
    path = f"{root(team)}/{made['id']}"

    def change(**body: Any) -> Any:
        return client.patch(path, json=body, headers=team.owner.auth).json()

    off = change(enabled=False)
    assert (off["enabled"], off["disabled_reason"], off["description"]) == (
        False,
        "by_owner",
        "Old",
    )
    on = change(enabled=True, description=None)
    assert (on["enabled"], on["disabled_at"], on["description"]) == (True, None, None)
    assert change(url=None, types=None)["url"] == URL


def test_removed_it_is_gone(client: TestClient, team: Team) -> None:
    path = f"{root(team)}/{added(client, team)['id']}"

    assert client.delete(path, headers=team.owner.auth).status_code == 204
    assert client.get(path, headers=team.owner.auth).status_code == 404
    assert client.get(root(team), headers=team.owner.auth).json()["items"] == []


def test_a_new_secret_leaves_the_old_one_a_day(client: TestClient, team: Team) -> None:
    made = added(client, team)

    answer = client.post(f"{root(team)}/{made['id']}/secret", headers=team.owner.auth)

    assert answer.status_code == 200
    assert answer.json()["secret"] not in ("", made["secret"])
    assert answer.json()["old_secret_until"] is not None


class TestDeliveries:
    @pytest.fixture
    def path(self, client: TestClient, team: Team, world: World) -> str:
        """Return the path of a webhook to which five events were sent."""
        made = added(client, team)
        for number in range(1, 5):
            world.decide(team.review_id, team.ann, number, "include")
        with world.database.read() as session:
            [webhook_id] = delivery.due(session, limit=10)
        held = delivery.claim(world.database, webhook_id)
        while held is not None:
            held = delivery.settle(world.database, held, Answer(0.5, 200, "thank you"))
        return f"{root(team)}/{made['id']}"

    def get(self, client: TestClient, team: Team, path: str) -> Any:
        answer = client.get(path, headers=team.owner.auth)
        assert answer.status_code == 200
        return answer.json()

    def test_the_newest_come_first_page_by_page(
        self, client: TestClient, team: Team, path: str
    ) -> None:
        whole = self.get(client, team, f"{path}/deliveries")["items"]
        sequences = [item["sequence"] for item in whole]
        assert sequences == sorted(sequences, reverse=True)
        assert len(whole) == 4
        assert {item["state"] for item in whole} == {"delivered"}
        [attempt] = whole[0]["attempts"]
        assert (attempt["status"], attempt["answer"], attempt["seconds"]) == (200, "thank you", 0.5)

        first = self.get(client, team, f"{path}/deliveries?limit=3")
        # What comes in between moves nothing on the pages behind.
        client.post(f"{path}/test", headers=team.owner.auth)
        cursor = first["next_cursor"]
        second = self.get(client, team, f"{path}/deliveries?limit=3&cursor={cursor}")
        assert first["items"] + second["items"] == whole
        assert second["next_cursor"] is None

    def test_a_test_and_a_redelivery_wait_to_be_sent(
        self, client: TestClient, team: Team, path: str
    ) -> None:
        sent = self.get(client, team, f"{path}/deliveries")["items"][-1]

        test = client.post(f"{path}/test", headers=team.owner.auth)
        again = client.post(f"{path}/deliveries/{sent['id']}/redeliver", headers=team.owner.auth)

        assert (test.status_code, again.status_code) == (202, 202)
        assert (test.json()["kind"], test.json()["sequence"]) == ("test", None)
        assert test.json()["event_type"] == "tandem.webhook.test"
        assert again.json()["kind"] == "redelivery"
        assert again.json()["event_id"] == sent["event_id"]
        assert again.json()["state"] == "pending"


def test_the_blinded_see_the_same_whether_there_are_webhooks_or_not(
    client: TestClient, team: Team, world: World
) -> None:
    def seen() -> str:
        text: str = client.get(
            f"{API}/reviews/{team.review_id}/events?limit=500", headers=team.ann.auth
        ).text
        return text

    before = seen()
    made = added(client, team)
    client.patch(f"{root(team)}/{made['id']}", json={"enabled": False}, headers=team.owner.auth)
    assert len(events(world.database, team.review_id)) > 8

    assert seen() == before
