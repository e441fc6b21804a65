"""A query parameter that an address does not know is refused, everywhere and for everybody."""

from collections.abc import Iterator

from fastapi.testclient import TestClient

from application import document_of_the_api
from service.api.scene import API, METHODS, Scene


def known_parameters() -> Iterator[tuple[str, str, list[str]]]:
    """Yield each route with the query parameters that the document names."""
    for path, operations in document_of_the_api()["paths"].items():
        for method in set(METHODS) & operations.keys():
            parameters = operations[method].get("parameters", [])
            yield method, path, sorted(one["name"] for one in parameters if one["in"] == "query")


def test_every_route_names_what_it_does_not_know_and_what_it_does(
    scene: Scene, client: TestClient
) -> None:
    for method, path, known in known_parameters():
        answer = client.request(
            method, scene.path(path), params={"limmit": "1"}, headers=scene.team.owner.auth
        )

        assert answer.status_code == 422, (method, path, answer.text)
        problem = answer.json()
        (error,) = problem["errors"]
        assert (problem["code"], error["location"], error["field"]) == (
            "invalid",
            "query",
            "limmit",
        )
        assert all(name in problem["detail"] for name in known), (method, path)
        assert known or "it has none" in problem["detail"]


def test_each_unknown_one_is_named(scene: Scene, client: TestClient) -> None:
    query = "limit=1&verdict=include&verdict=exclude&odd%20one=&limit=2"
    answer = client.get(f"{scene.review}/records?{query}", headers=scene.team.ann.auth)

    assert [error["field"] for error in answer.json()["errors"]] == ["verdict", "odd one"]


def test_the_name_alone_is_enough_to_be_unknown(scene: Scene, client: TestClient) -> None:
    for query in ("odd", "odd=", "LIMIT=1", "stage%5B%5D=full_text"):
        answer = client.get(f"{scene.review}/records?{query}", headers=scene.team.ann.auth)

        assert answer.status_code == 422, query


def test_nobody_learns_first_that_they_are_nobody(scene: Scene, client: TestClient) -> None:
    assert client.get(f"{scene.review}/records?odd=1").status_code == 401
    assert client.get(f"{API}/auth/login?odd=1").status_code == 405


def test_a_refused_write_has_written_nothing(scene: Scene, client: TestClient) -> None:
    address = f"{scene.review}/records/4/decision"
    refused = client.put(
        f"{address}?dryrun=true", json={"verdict": "include"}, headers=scene.team.ann.auth
    )

    assert refused.status_code == 422
    record = client.get(f"{scene.review}/records/4", headers=scene.team.ann.auth).json()
    assert record["my_decision"] is None
