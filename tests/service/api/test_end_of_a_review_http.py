"""A review is archived, so that nothing in it can be changed, or deleted, so that it is gone."""

from io import BytesIO
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.api.scene import API, Scene
from service.api.test_permissions import BODIES, ROUTES
from tandem.artifacts import Artifacts
from tandem.config import Settings
from tandem.records import imports
from world import World

IN_A_REVIEW = [
    (method, path) for method, path in ROUTES if path.startswith(f"{API}/reviews/{{review_id}}")
]
ENDS = {f"{API}/reviews/{{review_id}}{end}" for end in ("/archive", "/unarchive")}


def ids(client: TestClient, scene: Scene, query: str = "") -> list[str]:
    answer = client.get(f"{API}/reviews{query}", headers=scene.team.owner.auth)
    return [item["id"] for item in answer.json()["items"]]


def test_in_an_archived_review_everything_can_be_read_and_nothing_changed(
    scene: Scene, client: TestClient
) -> None:
    team = scene.team
    archived = client.post(f"{scene.review}/archive", headers=team.owner.auth)
    assert archived.status_code == 200
    assert archived.json()["archived_at"] is not None

    for method, path in IN_A_REVIEW:
        if path in ENDS or (method, path) == ("DELETE", f"{API}/reviews/{{review_id}}"):
            continue
        said = BODIES.get((method, path), {})
        if path.endswith("/decisions"):
            said = {"json": {"items": [{"record_id": "4", "verdict": "include"}]}}
        answer = client.request(method, scene.path(path), headers=team.owner.auth, **said)
        # Its audit has no certificate, and no coded project came back.
        if "/certificate" in path or (method == "GET" and "{synthesis_import_id}" in path):
            assert answer.status_code == 404, (path, answer.text)
        elif answer.status_code == 409 and answer.json()["code"] == "text_not_read":
            assert "/texts/" in path, path  # nobody has read its file yet
        elif method == "GET":
            assert answer.status_code == 200, (path, answer.text)
        elif answer.status_code == 207:
            assert [item["status"] for item in answer.json()["items"]] == [409]
        else:
            assert (answer.status_code, answer.json()["code"]) == (409, "review_archived"), path
    stranger = client.post(f"{scene.review}/queue", json={}, headers=scene.stranger.auth)
    assert stranger.status_code == 404
    accepted = client.post(
        f"{API}/invitations/{scene.ids['token']}/acceptance", headers=scene.stranger.auth
    )
    assert accepted.json()["code"] == "review_archived"


def test_an_archived_review_is_listed_among_the_archived_only_until_it_is_active_again(
    scene: Scene, client: TestClient
) -> None:
    owner, review_id = scene.team.owner, str(scene.team.review_id)
    for who in (scene.team.judge, scene.team.ann, scene.team.observer):
        refused = client.post(f"{scene.review}/archive", headers=who.auth)
        assert refused.status_code == 403
    for _ in range(2):  # the second time changes nothing
        client.post(f"{scene.review}/archive", headers=owner.auth)
    assert (ids(client, scene), ids(client, scene, "?archived=true")) == ([], [review_id])

    for _ in range(2):
        again = client.post(f"{scene.review}/unarchive", headers=owner.auth)
        assert (again.status_code, again.json()["archived_at"]) == (200, None)
    assert (ids(client, scene), ids(client, scene, "?archived=true")) == ([review_id], [])
    assert client.post(f"{scene.review}/queue", json={}, headers=owner.auth).status_code == 200
    events = client.get(f"{scene.review}/events?limit=500", headers=owner.auth).json()["items"]
    found = [event["data"]["changed"] for event in events if event["type"].endswith("changed")]
    assert found[-2:] == [["archived"], ["unarchived"]]


def test_a_review_is_not_archived_while_a_file_waits_or_is_read(
    scene: Scene, client: TestClient
) -> None:
    auth = scene.team.owner.auth
    file = {"file": ("late.ris", b"TY  - JOUR\nTI  - T\nER  - \n")}
    assert client.post(f"{scene.review}/imports", files=file, headers=auth).status_code == 202

    refused = client.post(f"{scene.review}/archive", headers=auth)

    assert (refused.status_code, refused.json()["code"]) == (409, "import_under_way")
    assert "late.ris" in refused.json()["detail"]


def test_a_review_is_deleted_by_an_owner_who_repeats_its_title(
    scene: Scene, client: TestClient
) -> None:
    team = scene.team

    def ask(title: Any, who: Any = team.owner) -> tuple[int, str]:
        answer = client.request("DELETE", scene.review, json={"title": title}, headers=who.auth)
        return answer.status_code, answer.json()["code"] if answer.content else ""

    assert ask("a review") == (422, "title_differs")
    assert ask("A review", team.judge) == (403, "forbidden")
    assert ask("A review", scene.stranger) == (404, "not_found")
    assert client.get(scene.review, headers=team.ann.auth).status_code == 200

    assert ask(" A review\n") == (204, "")

    for method, path in IN_A_REVIEW:
        said = BODIES.get((method, path), {})
        for who in (team.owner, scene.admin):
            answer = client.request(method, scene.path(path), headers=who.auth, **said)
            if method != "DELETE" or path != f"{API}/reviews/{{review_id}}":
                assert answer.status_code == 404, (method, path, answer.text)
    assert ids(client, scene) == []
    link = client.get(f"{API}/invitations/{scene.ids['token']}")
    assert (link.status_code, link.json()["code"]) == (404, "no_invitation")


def test_an_archived_review_may_be_deleted(scene: Scene, client: TestClient) -> None:
    client.post(f"{scene.review}/archive", headers=scene.team.owner.auth)
    answer = client.request(
        "DELETE", scene.review, json={"title": "A review"}, headers=scene.team.owner.auth
    )
    assert answer.status_code == 204


def test_a_file_that_was_sent_when_the_review_went_is_not_taken(
    world: World, settings: Settings
) -> None:
    team = world.team(n_records=0)
    artifacts = Artifacts(settings.resolved_artifact_url())
    upload = imports.store_upload(artifacts, review_id=team.review_id, file=BytesIO(b"x"))
    from tandem.operations import lifecycle
    from tandem.reviews.service import NoReview

    with world.entered(team.review_id, team.owner) as (session, review, viewer):
        lifecycle.delete_review(session, review, viewer, title="A review")
    with pytest.raises(NoReview), world.database.write.begin() as session:
        imports.accept(
            session,
            upload,
            review_id=team.review_id,
            user_id=team.owner.id,
            filename="late.ris",
            source=None,
            requested_format=None,
        )
