"""Ann's account, and what tests of accounts do with it."""

import pytest
from fastapi.testclient import TestClient

from world import Person

API = "/api/v1"


PASSWORD, NEW = "correct horse battery", "staple orbit lantern"


ANN = {"email": "ann@example.org", "name": "Ann", "password": PASSWORD}


both_engines = pytest.mark.both_engines


def add_ann(client: TestClient, admin: Person) -> str:
    made = client.post(f"{API}/users", json=ANN, headers=admin.auth)
    assert made.status_code == 201
    return str(made.json()["id"])


def sign_in(client: TestClient, password: str = PASSWORD) -> int:
    body = {"email": ANN["email"], "password": password}
    return client.post(f"{API}/auth/login", json=body).status_code
