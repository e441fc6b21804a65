"""The pictures of recall and progress: what they say in words, and the same as data."""

import re
import subprocess
import sys
from typing import Any
from xml.etree import ElementTree

import pytest
from fastapi.testclient import TestClient

from prepared import Prepared
from world import Person, Team, World

TA = "title_abstract"
SVG = "{http://www.w3.org/2000/svg}"


class Api:
    def __init__(self, client: TestClient, team: Team) -> None:
        self.client, self.root = client, f"/api/v1/reviews/{team.review_id}"

    def progress(self, who: Person, query: str = "") -> Any:
        answer = self.client.get(f"{self.root}/progress{query}", headers=who.auth)
        assert answer.status_code == 200
        return answer.json()

    def picture(self, who: Person, name: str) -> str:
        path = self.progress(who)["plots"][name]
        answer = self.client.get(path, headers=who.auth)
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"].startswith("image/svg+xml")
        return answer.text


def said(svg: str) -> tuple[str, str]:
    """Return the title and the description of a picture."""
    root = ElementTree.fromstring(svg.encode())  # our own
    assert root.attrib["role"] == "img"
    title, description = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert title is not None
    assert description is not None
    return title.text or "", description.text or ""


@pytest.fixture
def team(world: World, prepared: Prepared) -> Team:
    return prepared(build, world)


def build(world: World) -> Team:
    """First decided: 3, 1, 2, 5. Included: 1. In conflict: 3. Awaiting: 2 and 5."""
    team = world.team(n_records=6)
    r, ann, ben = team.review_id, team.ann, team.ben
    for who, number, verdict in (
        (ann, 3, "exclude"),
        (ann, 1, "include"),
        (ben, 1, "include"),
        (ann, 2, "exclude"),
        (ben, 3, "include"),
        (ben, 5, "maybe"),
    ):
        world.decide(r, who, number, verdict)
    return team


@pytest.fixture
def api(client: TestClient, team: Team) -> Api:
    return Api(client, team)


@pytest.mark.both_engines
def test_the_data_of_the_team(api: Api, team: Team) -> None:
    recall = api.progress(team.owner)["stages"][TA]["recall"]

    points = [tuple(point.values()) for point in recall["points"]]
    assert recall["of"] == "team"
    assert points == [(0, 0, 0), (1, 0, 1), (2, 1, 2), (4, 1, 3)]
    assert api.progress(team.owner, "?as_of=9")["stages"][TA]["recall"] is None


@pytest.mark.both_engines
def test_the_blinded_get_their_own(api: Api, team: Team) -> None:
    found = {}
    for who in (team.ann, team.ben, team.eve, team.observer):
        recall = api.progress(who)["stages"][TA]["recall"]
        assert recall["of"] == "own"
        found[who.name] = [tuple(point.values()) for point in recall["points"]]

    assert found == {
        "ann": [(0, 0, 0), (2, 1, 1), (3, 1, 1)],
        "ben": [(0, 0, 0), (1, 1, 1), (2, 2, 2), (3, 2, 3)],
        "eve": [(0, 0, 0)],
        "observer": [(0, 0, 0)],
    }


def test_votes_that_the_policy_hides_are_not_drawn(api: Api, team: Team, world: World) -> None:
    world.change_policy(team.review_id, team.owner, adjudicator_sees="nothing")

    recall = api.progress(team.judge)["stages"][TA]["recall"]
    svg = api.picture(team.judge, "recall")

    assert [tuple(point.values()) for point in recall["points"]] == [
        (0, 0, None),
        (2, 1, None),
        (4, 1, None),
    ]
    assert "a vote keeps in" not in svg
    assert "settled as included: 1" in svg


def test_recall_is_said_in_words_and_claims_nothing_of_the_rest(api: Api, team: Team) -> None:
    title, description = said(api.picture(team.owner, "recall"))

    assert title == "Included so far: 1 of 4 screened (6 records)"
    assert description.endswith(
        "After 4 records settled as included: 1, with those awaiting or in conflict that a vote "
        "keeps in: 3."
    )
    svg = api.picture(team.owner, "recall")
    for label in ("records screened, in the order of their first decision", "found so far"):
        assert label in svg
    assert "the same finds in random order" in svg


def test_progress_is_said_in_words(api: Api, team: Team) -> None:
    title, description = said(api.picture(team.owner, "progress"))
    own, _ = said(api.picture(team.ann, "progress"))

    assert title == "5 of 6 records are not settled yet"
    assert description.startswith(
        "Records by status: included 1, excluded 0, in conflict 1, awaiting more decisions 2, "
        "not decided 2."
    )
    assert re.search(r"ann: 3 decisions on 1 days from .* ben: 3 decisions", description)
    assert own == "You have decided 3 of 6 records"
    assert "ben" not in api.picture(team.ann, "progress")


def test_equal_data_give_equal_pictures(api: Api, team: Team) -> None:
    for name in ("recall", "progress"):
        assert api.picture(team.ann, name) == api.picture(team.ann, name)


def test_an_empty_review_has_pictures_that_say_so(client: TestClient, world: World) -> None:
    team = world.team(n_records=0)
    api = Api(client, team)

    for who in (team.owner, team.ann):
        assert said(api.picture(who, "recall"))[1] == "No record is screened yet."
        svg = api.picture(who, "progress")
        assert "Nobody has decided a record yet." in svg
        assert "The review has no records yet." in svg


def test_at_full_text_the_records_are_those_at_full_text(
    client: TestClient, world: World, team: Team
) -> None:
    world.retrieve(team.review_id, team.ann, 1)
    path = f"/api/v1/reviews/{team.review_id}/plots/recall.svg?stage=full_text"
    title, _ = said(client.get(path, headers=team.owner.auth).text)
    assert title == "Included so far: 0 of 0 screened (1 records)"


def test_who_may_not_see_agreement_gets_no_link_to_it(api: Api, team: Team) -> None:
    assert api.progress(team.ann)["plots"]["agreement"] is None
    assert said(api.picture(team.owner, "agreement"))[0]


def test_the_api_draws_without_having_loaded_anything_before() -> None:
    program = (
        "import sys; from tandem.config import Settings; from tandem_api.app import create_app; "
        "create_app(Settings()); sys.exit('matplotlib' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
