"""Lists of records: by one's own verdicts and decisions, brief, and counted."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from prepared import Prepared
from world import Person, Team, World


class Api:
    def __init__(self, client: TestClient, team: Team) -> None:
        self.client, self.root = client, f"/api/v1/reviews/{team.review_id}/records"

    def __call__(self, who: Person, query: str, expect: int = 200) -> Any:
        answer = self.client.get(f"{self.root}?{query}", headers=who.auth)
        assert answer.status_code == expect, answer.text
        return answer.json()

    def ids(self, who: Person, query: str) -> list[str]:
        return [item["id"] for item in self(who, query)["items"]]


@pytest.fixture
def team(world: World, prepared: Prepared) -> Team:
    return prepared(build, world)


def build(world: World) -> Team:
    """Ann decided 4, 2, 5, 1 and 2 again, in this order; Ben the others, and 1."""
    team = world.team(n_records=7)
    said = ((4, "include"), (2, "exclude"), (5, "maybe"), (1, "exclude"), (2, "include"))
    for number, verdict in said:
        world.decide(team.review_id, team.ann, number, verdict)
    for number in (3, 6, 1):
        world.decide(team.review_id, team.ben, number, "include")
    return team


@pytest.fixture
def api(client: TestClient, team: Team) -> Api:
    return Api(client, team)


@pytest.mark.both_engines
def test_by_my_own_verdict(api: Api, team: Team) -> None:
    assert api.ids(team.ann, "my_verdict=include") == ["2", "4"]
    assert api.ids(team.ann, "my_verdict=exclude") == ["1"]
    assert api.ids(team.ben, "my_verdict=include&order=year") == ["1", "3", "6"]
    assert api.ids(team.ann, "my_verdict=maybe&order=rank") == ["5"]
    assert api.ids(team.owner, "my_verdict=include") == []
    assert api.ids(team.ann, "my_verdict=include&q=4") == ["4"]
    assert api(team.ann, "my_verdict=perhaps", expect=422)["errors"][0]["field"] == "my_verdict"


@pytest.mark.both_engines
def test_what_i_decided_last_comes_first(api: Api, team: Team, world: World) -> None:
    assert api.ids(team.ann, "order=decided") == ["2", "1", "5", "4"]
    assert api.ids(team.ann, "order=decided&my_verdict=include") == ["2", "4"]
    assert api.ids(team.ann, "order=decided&status=done&q=title") == ["2", "1", "5", "4"]
    assert api.ids(team.ben, "order=decided") == ["1", "6", "3"]
    assert api.ids(team.eve, "order=decided") == []
    world.withdraw(team.review_id, team.ann, 5)
    assert api.ids(team.ann, "order=decided") == ["2", "1", "4"]


def test_its_pages_stay_where_they_are_whatever_is_decided_again(
    api: Api, team: Team, world: World
) -> None:
    first = api(team.ann, "order=decided&limit=2")
    # 2, the last one on the page before, and 5, which would be the first on the next.
    world.decide(team.review_id, team.ann, 2, "exclude")
    world.decide(team.review_id, team.ann, 1, "include")

    second = api(team.ann, f"order=decided&limit=1&cursor={first['next_cursor']}")
    third = api(team.ann, f"order=decided&limit=1&cursor={second['next_cursor']}")

    shown = [item["id"] for page in (first, second, third) for item in page["items"]]
    assert shown == ["2", "1", "5", "4"]
    assert third["next_cursor"] is None
    for cursor in ("MQ==", "x"):
        problem = api(team.ann, f"order=decided&cursor={cursor}", expect=422)
        assert problem["errors"][0]["field"] == "cursor"


def test_a_cursor_of_somebody_else_leads_nowhere(api: Api, team: Team) -> None:
    cursor = api(team.ben, "order=decided&limit=1")["next_cursor"]

    assert api.ids(team.ann, f"order=decided&cursor={cursor}") == []


def test_a_brief_list_has_no_abstracts(api: Api, team: Team) -> None:
    for order in ("added", "rank", "year", "decided"):
        whole = api(team.ann, f"order={order}")["items"]
        brief = api(team.ann, f"order={order}&fields=brief")["items"]

        assert all(item.pop("abstract") for item in whole)
        assert brief == whole
    assert api.ids(team.ann, "fields=brief&q=abstract&limit=1") == ["1"], (
        "it is searched all the same"
    )


@pytest.mark.both_engines
def test_the_list_says_how_many_it_has(api: Api, team: Team, world: World) -> None:
    world.merge(team.review_id, team.owner, 6, 7)

    def n(who: Person, query: str) -> Any:
        return api(who, f"{query}&limit=1&count=true")["n_matching"]

    assert api(team.ann, "limit=1")["n_matching"] is None
    assert n(team.ann, "order=added") == n(team.ann, "order=rank") == 6
    assert n(team.ann, "status=done") == n(team.ann, "order=decided") == 4
    assert n(team.ann, "my_verdict=include") == n(team.ann, "my_verdict=include&order=decided") == 2
    assert n(team.ann, "status=unscreened") == 2
    assert n(team.owner, "status=conflict") == 1
    assert n(team.ann, "status=conflict") == n(team.ann, "q=nowhere") == 0
    page = api(team.ann, "limit=2&count=true")
    assert api(team.ann, f"limit=2&count=true&cursor={page['next_cursor']}")["n_matching"] == 6


@pytest.mark.both_engines
def test_by_year_and_by_what_lacks_an_abstract(api: Api, team: Team) -> None:
    said: dict[int, dict[str, Any]] = {
        1: {"year": 2001},
        2: {"year": 2010, "abstract": ""},
        3: {"year": 2020},
        4: {"year": None, "abstract": None},
    }
    for number, changes in said.items():
        answer = api.client.patch(f"{api.root}/{number}", json=changes, headers=team.owner.auth)
        assert answer.status_code == 200, answer.text
    for number in (5, 6, 7):
        body = {"year": 2030}
        api.client.patch(f"{api.root}/{number}", json=body, headers=team.owner.auth)

    assert api.ids(team.ann, "year_to=2010") == ["1", "2"]
    assert api.ids(team.ann, "year_from=2010&year_to=2020&order=year") == ["3", "2"]
    assert api.ids(team.ann, "year_from=2021&year_to=2029") == []
    assert api.ids(team.ann, "has_abstract=false") == ["2", "4"]
    assert api.ids(team.ann, "has_abstract=true&year_to=2020&order=rank") == ["1", "3"]
    assert api(team.ann, "has_abstract=false&count=true")["n_matching"] == 2
    assert api.ids(team.ann, "my_verdict=include&has_abstract=false") == ["2", "4"]
    assert api(team.ann, "year_to=-1", expect=422)["errors"][0]["field"] == "year_to"
