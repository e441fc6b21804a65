"""The PRISMA flow over HTTP: every number opens the list that it counts."""

import csv
import io
import xml.etree.ElementTree as ElementTree
from typing import Any

import pytest
from fastapi.testclient import TestClient

from prepared import Prepared
from service.api.scene import API
from tandem.reviews.policy import Stage
from tandem.screening import policies
from world import Team, World


@pytest.fixture
def team(world: World, prepared: Prepared) -> Team:
    return prepared(build, world)


def build(world: World) -> Team:
    """Records 1 to 6: 1 and 2 included, 3 excluded, 4 in conflict, 6 linked to 5."""
    team = world.team(n_records=6)
    for number, ann, ben in ((1, "include", "include"), (2, "include", "include")):
        world.decide(team.review_id, team.ann, number, ann)
        world.decide(team.review_id, team.ben, number, ben)
    world.decide(team.review_id, team.ann, 3, "exclude")
    world.decide(team.review_id, team.ben, 3, "exclude")
    world.decide(team.review_id, team.ann, 4, "include")
    world.decide(team.review_id, team.ben, 4, "exclude")
    world.merge(team.review_id, team.judge, 5, 6)
    return team


def flow_of(client: TestClient, team: Team, query: str = "") -> Any:
    answer = client.get(f"{API}/reviews/{team.review_id}/prisma{query}", headers=team.judge.auth)
    assert answer.status_code == 200, answer.text
    return answer.json()


def listed(client: TestClient, team: Team, href: str) -> list[Any]:
    """Return all pages of a list, two items each."""
    found, cursor = list[Any](), ""
    while True:
        more = "&" if "?" in href else "?"
        answer = client.get(f"{href}{more}limit=2{cursor}", headers=team.judge.auth)
        assert answer.status_code == 200, answer.text
        found += answer.json()["items"]
        if (following := answer.json()["next_cursor"]) is None:
            return found
        cursor = f"&cursor={following}"


def test_it_counts_what_was_decided(team: Team, client: TestClient) -> None:
    made = flow_of(client, team)

    due = {
        "database_results": 6,
        "duplicates": 1,
        "records_screened": 3,
        "records_excluded": 1,
        "dbr_sought_reports": 2,
        "not_screened": 2,
    }
    assert {key: made["boxes"][key]["n"] for key in due} == due
    assert made["state"] == "unfinished"
    assert made["template"] == "new_v1"
    assert all(one["holds"] for one in made["invariants"])
    assert made["remainder"]["not_screened"] == 2


def test_every_number_opens_the_list_that_it_counts(team: Team, client: TestClient) -> None:
    made = flow_of(client, team)

    for key, box in made["boxes"].items():
        assert len(listed(client, team, box["href"])) == box["n"], key
        for part in box["parts"]:
            assert len(listed(client, team, part["href"])) == part["n"], (key, part)
    excluded = listed(client, team, made["boxes"]["records_excluded"]["href"])
    assert [(item["record_id"], item["title"]) for item in excluded] == [("3", "Title 3")]


def test_each_entry_that_it_names_is_about_that_record(team: Team, client: TestClient) -> None:
    path = f"{API}/reviews/{team.review_id}/events?limit=500"
    events = client.get(path, headers=team.judge.auth).json()["items"]
    by_seq = {int(one["sequence"]): one for one in events}

    n_named = 0
    for box in flow_of(client, team)["boxes"].values():
        for item in listed(client, team, box["href"]):
            if item["seq"] is not None:
                data = by_seq[item["seq"]]["data"]
                assert item["record_id"] in (data.get("record_id"), data.get("duplicate_id"))
                n_named += 1
    assert n_named >= 7


def test_the_picture_and_the_table_say_the_same(team: Team, client: TestClient) -> None:
    base = f"{API}/reviews/{team.review_id}/prisma"
    svg = client.get(f"{base}.svg", headers=team.judge.auth)
    table = client.get(f"{base}.csv", headers=team.judge.auth)
    png = client.get(f"{base}.png", headers=team.judge.auth)

    assert svg.headers["content-type"] == "image/svg+xml"
    text = "".join(ElementTree.fromstring(svg.text).itertext())
    assert "Records screened (n\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}3)" in text
    rows = {row["data"]: row["n"] for row in csv.DictReader(io.StringIO(table.text))}
    assert rows["database_specific_results"] == "Medline, 6"
    assert png.content.startswith(b"\x89PNG")
    assert svg.text == client.get(f"{base}.svg", headers=team.judge.auth).text


def test_a_box_that_is_not_there_says_which_are(team: Team, client: TestClient) -> None:
    base = f"{API}/reviews/{team.review_id}/prisma/boxes"
    unknown = client.get(f"{base}/nothing", headers=team.judge.auth)
    no_part = client.get(f"{base}/duplicates?part=x", headers=team.judge.auth)

    assert unknown.status_code == no_part.status_code == 404
    assert "records_screened" in unknown.json()["detail"]


@pytest.mark.parametrize("ending", ["", ".json", ".svg", ".png", ".csv", "/boxes/new_studies"])
@pytest.mark.parametrize("past", ["", "&as_of=9"])
def test_a_wave_that_was_not_opened_has_no_flow(
    team: Team, client: TestClient, ending: str, past: str
) -> None:
    base = f"{API}/reviews/{team.review_id}"
    asked = f"{base}/prisma{ending}?wave=2{past}"
    before = client.get(asked, headers=team.judge.auth)
    client.post(
        f"{base}/waves", json={"label": "Update", "reason": "update"}, headers=team.owner.auth
    )

    assert (before.status_code, before.json()["code"]) == (404, "not_found")
    assert "There is no wave 2 yet" in before.json()["detail"]
    assert client.get(asked, headers=team.judge.auth).status_code == 200


def test_one_blind_stage_closes_the_flow_to_reviewers(world: World, client: TestClient) -> None:
    """An open first stage does not open the second."""
    team = world.team(policy={"blind": False})
    with world.entered(team.review_id, team.owner) as (session, review, viewer):
        parts = {Stage.FULL_TEXT: {"blind": True}}
        policies.change(session, review=review, viewer=viewer, parts=parts)

    for person, status in ((team.ann, 403), (team.observer, 403), (team.owner, 200)):
        path = f"{API}/reviews/{team.review_id}/prisma"
        assert client.get(path, headers=person.auth).status_code == status
        assert client.get(f"{path}/boxes/duplicates", headers=person.auth).status_code == status


def test_a_template_without_the_column_says_what_it_hides(team: Team, client: TestClient) -> None:
    assert flow_of(client, team, "?template=new_v1")["warnings"] == []
    assert flow_of(client, team, "?template=updated_v2")["template"] == "updated_v2"


def test_unusable_outcome_data_is_no_reason_to_exclude(world: World, client: TestClient) -> None:
    of_design = ["No own data", "no qualitative data", "No original research data"]
    reasons = ["No usable outcome data", "No health setting", "Outcomes not reported", *of_design]
    team = world.team(exclusion_reasons=reasons)

    warnings = flow_of(client, team)["warnings"]

    assert [one["code"] for one in warnings] == ["c40", "c40"]
    assert "No usable outcome data" in warnings[0]["message"]


def test_it_shows_how_it_was_at_an_earlier_entry(
    team: Team, world: World, client: TestClient
) -> None:
    before = flow_of(client, team)
    world.decide(team.review_id, team.eve, 4, "exclude")
    world.resolve(team.review_id, team.judge, 4, "exclude")

    now, then = flow_of(client, team), flow_of(client, team, f"?as_of={before['as_of']}")

    assert now["boxes"]["records_excluded"]["n"] == 2
    numbers = {key: box["n"] for key, box in then["boxes"].items()}
    assert numbers == {key: box["n"] for key, box in before["boxes"].items()}
    href = then["boxes"]["records_excluded"]["href"]
    assert [item["record_id"] for item in listed(client, team, href)] == ["3"]
    base = f"{API}/reviews/{team.review_id}/prisma?as_of=9999"
    assert client.get(base, headers=team.judge.auth).json()["code"] == "beyond_the_end"


def test_reports_are_listed_by_study_way_and_wave(team: Team, client: TestClient) -> None:
    base = f"{API}/reviews/{team.review_id}"
    study = client.post(f"{base}/studies", json={"reports": ["1"]}, headers=team.ann.auth).json()

    def found(query: str) -> list[str]:
        answer = client.get(f"{base}/reports?{query}", headers=team.judge.auth)
        assert answer.status_code == 200, answer.text
        return [item["id"] for item in answer.json()["items"]]

    assert found("") == ["1", "2"]
    assert found(f"study={study['id']}") == ["1"]
    assert found("found_by=database&wave=1") == ["1", "2"]
    assert found("found_by=citation") == found("wave=2") == []
    shown = client.get(f"{base}/reports/1", headers=team.judge.auth).json()
    assert shown["studies"] == [study["id"]]
