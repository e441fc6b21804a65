"""Wherever an answer has the id of a person, it has their name, and nowhere else."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.api.scene import API, Scene, build
from service.api.test_document import NO_IDS
from tandem.accounts import service as accounts
from world import Person, World

OF_PEOPLE = re.compile("(user|owner|author|reviewer|resolver|member)_id|.+_by")
WORDS = {field for _, field in NO_IDS}
ID = re.compile("[0-9a-f]{8}-[0-9a-f-]{27}")


@pytest.fixture
def scene(world: World) -> Scene:
    made = build(world)
    world.resolve(made.team.review_id, made.team.judge, 1, "include")
    return made


def named(value: Any) -> Iterator[tuple[str, str | None, str | None]]:
    """Yield each field for the id of a person, with the id and the name beside it."""
    if isinstance(value, list):
        for item in value:
            yield from named(item)
    if not isinstance(value, dict):
        return
    for field, inside in value.items():
        yield from named(inside)
        is_id = inside is None or (isinstance(inside, str) and ID.fullmatch(inside))
        if OF_PEOPLE.fullmatch(field) and is_id and not (inside is None and field in WORDS):
            base = field.removesuffix("_id")
            beside = [f"{base}_name", base, "name"] if base != field else [f"{base}_name"]
            there = [value[name] for name in beside if name in value]
            yield field, inside, there[0] if there else None


def answers(scene: Scene, client: TestClient, who: Person) -> Iterator[tuple[str, Any]]:
    described = client.get(f"{API}/openapi.json").json()["paths"]
    for path, operations in described.items():
        # Events are thin: ids and no more.
        if "get" not in operations or path.endswith(("/export", "/events")):
            continue
        answer = client.get(scene.path(path), headers=who.auth)
        if answer.status_code == 200 and answer.headers["content-type"] == "application/json":
            yield path, answer.json()


@pytest.mark.parametrize("role", ["owner", "ann", "observer"])
def test_who_may_see_an_id_gets_the_name(
    role: str, scene: Scene, client: TestClient, world: World
) -> None:
    with world.database.read() as session:
        everybody = {str(user.id): user.name for user in accounts.list_users(session).items}
    fields = set()
    for path, answer in answers(scene, client, getattr(scene.team, role)):
        for field, id, name in named(answer):
            if id is not None:
                fields.add(field)
                assert name == everybody[id], (path, field)
            elif field in ("resolver_id", "taken_back_by", "settled_by", "accepted_by"):
                assert name is None, (path, field)

    if role == "owner":
        assert fields >= {"user_id", "reviewer_id", "resolver_id", "invited_by", "owner_id"}
        assert "created_by" in fields
