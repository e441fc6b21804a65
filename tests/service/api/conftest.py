"""What tests of the HTTP interface share: an administrator, and a review with one of everything."""

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from prepared import Prepared
from service.api.scene import Scene, build
from service.api.two_worlds import stand_still
from world import Person, World


@pytest.fixture
def admin(world: World) -> Person:
    return world.person("admin", is_admin=True)


@pytest.fixture
def scene(world: World, prepared: Prepared) -> Scene:
    return prepared(build, world)


@pytest.fixture
def still_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    stand_still(monkeypatch)


@pytest.fixture
def app(client: TestClient) -> FastAPI:
    made = client.app
    assert isinstance(made, FastAPI)
    return made
