"""Lists that come in pages, followed to their end."""

from typing import Any

from fastapi.testclient import TestClient

from world import Person


def pages_of(client: TestClient, url: str, person: Person) -> list[list[Any]]:
    """Return the items of each page of a list; `url` has a query already."""
    found, cursor = list[list[Any]](), ""
    while True:
        page = client.get(url + cursor, headers=person.auth).json()
        found.append(page["items"])
        if page["next_cursor"] is None:
            return found
        cursor = f"&cursor={page['next_cursor']}"
