"""A repeated Idempotency-Key is answered only to somebody who may still do what it did."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.api.scene import API, Scene, build, promote
from service.api.test_permissions import BODIES, ROUTES
from tandem.reviews import service as reviews
from tandem.reviews.models import Role
from world import World

ENDS_THE_REVIEW = ("/archive", "/unarchive", "{review_id}")
"""What comes after these is refused for another reason."""

WRITES = [
    (method, path)
    for method, path in ROUTES
    if "{review_id}" in path and method != "GET" and not path.endswith(ENDS_THE_REVIEW)
]


@pytest.fixture
def scene(world: World) -> Scene:
    made = build(world)
    promote(world, made, made.team.judge)  # somebody has to stay an owner
    return made


def ask(client: TestClient, scene: Scene, method: str, path: str) -> tuple[int, Any, str | None]:
    said = dict(BODIES.get((method, path), {}))
    answer = client.request(
        method,
        scene.path(path),
        headers=scene.team.owner.auth | {"Idempotency-Key": f"{method} {path}"},
        **said,
    )
    body = answer.json() if answer.content else None
    return answer.status_code, body, answer.headers.get("idempotency-replayed")


def first_answers(
    client: TestClient, scene: Scene, *, also_removing: bool = True
) -> dict[tuple[str, str], tuple[int, Any]]:
    """Do everything that an owner can do here with a key; return what was kept of it."""
    kept = {}
    for method, path in WRITES:
        if method == "DELETE" and not also_removing:
            continue
        ask(client, scene, method, path)
        status, body, replayed = ask(client, scene, method, path)
        if replayed == "true":
            kept[method, path] = status, body
    return kept


def test_who_may_still_do_it_is_answered_as_the_first_time(
    client: TestClient, scene: Scene
) -> None:
    # What is removed is not there to be changed again.
    kept = first_answers(client, scene, also_removing=False)

    assert len(kept) > len(WRITES) / 2
    for method, path in kept:
        status, body, replayed = ask(client, scene, method, path)
        assert (status, body) == kept[method, path]
        assert replayed == "true"


@pytest.mark.parametrize("left", ["removed", "demoted"])
def test_who_may_not_do_it_any_more_is_refused_and_learns_nothing(
    client: TestClient, scene: Scene, world: World, left: str
) -> None:
    kept = first_answers(client, scene)
    with world.database.write.begin() as session:
        review = reviews.lock(session, scene.team.review_id)
        if left == "removed":
            reviews.remove_member(session, review, user_id=scene.team.owner.id)
        else:
            reviews.set_member(session, review, user_id=scene.team.owner.id, role=Role.OBSERVER)
    # To a blinded observer a conflict is not there.
    expected = {404} if left == "removed" else {403, 404}

    answers = {route: ask(client, scene, *route)[0] for route in kept}

    wrong = {route: got for route, got in answers.items() if got not in expected}
    assert not wrong
    assert set(answers.values()) == expected


def test_a_key_whose_answer_held_a_secret_tells_a_stranger_nothing(
    client: TestClient, scene: Scene, world: World
) -> None:
    route = ("POST", f"{API}/reviews/{{review_id}}/invitations")
    ask(client, scene, *route)
    assert ask(client, scene, *route)[1]["code"] == "idempotency_key_reused"
    with world.database.write.begin() as session:
        review = reviews.lock(session, scene.team.review_id)
        reviews.remove_member(session, review, user_id=scene.team.owner.id)

    assert ask(client, scene, *route)[0] == 404
