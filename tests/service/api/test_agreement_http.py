"""Agreement, its picture, second looks and a reviewer's record, as clients see them."""

from typing import Any
from xml.etree import ElementTree

import pytest
from fastapi.testclient import TestClient

from prepared import Prepared
from service.api.scene import API
from tandem.artifacts import Artifacts
from tandem.config import Settings
from tandem.ids import ReviewId
from tandem.ranking import second_look_scores
from tandem.reviews import members
from tandem.reviews import service as reviews
from tandem.reviews.models import Role
from tandem.screening.people import interests, pilot
from world import Person, Team, World

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def team(world: World, prepared: Prepared) -> Team:
    return prepared(build, world)


def build(world: World) -> Team:
    """Of four records Ann and Ben agree on 1, 2 and 4, where Ben says maybe; on 3 they differ."""
    team = world.team(n_records=4)
    votes = [("include", "include"), ("exclude", "exclude")]
    votes += [("include", "exclude"), ("include", "maybe")]
    for number, (ann, ben) in enumerate(votes, 1):
        world.decide(team.review_id, team.ann, number, ann)
        world.decide(team.review_id, team.ben, number, ben)
    return team


def get(client: TestClient, team: Team, path: str, who: Person, expect: int = 200) -> Any:
    answer = client.get(f"{API}/reviews/{team.review_id}/{path}", headers=who.auth)
    assert answer.status_code == expect, answer.text
    return answer.json()


def test_agreement_overall_by_month_and_per_pair(client: TestClient, team: Team) -> None:
    found = get(client, team, "agreement", team.judge)

    overall = found["overall"]
    (pair,) = found["pairs"]
    (month,) = found["by_month"]
    assert (found["basis"], found["on"], found["n_readers"]) == ("first_decisions", "all", 2)
    assert (overall["n"], overall["n_maybe"], overall["n_informed"]) == (4, 1, 0)
    assert overall["table"]["a"] == 2
    assert overall["table"]["d"] == 1
    assert overall["percent"]["value"] == 0.75
    # pe = (3·2 + 1·2)/16 = .5.
    assert overall["kappa"]["value"] == 0.5
    assert overall["positive_agreement"]["value"] == 0.8
    assert 0 < overall["percent"]["low"] < 0.75 < overall["percent"]["high"] < 1
    assert "fewer than 30" in overall["note"]
    assert pair["agreement"] == month["agreement"] == overall
    assert {pair["first"]["name"], pair["second"]["name"]} == {"ann", "ben"}
    assert overall["independent"]["n"] == 4


def test_before_anybody_has_read_it_is_empty_and_null(client: TestClient, world: World) -> None:
    team = world.team(n_records=1)
    found = get(client, team, "agreement", team.owner)

    assert (found["pairs"], found["by_month"], found["overall"]["n"]) == ([], [], 0)
    assert found["overall"]["kappa"] == {"value": None, "low": None, "high": None}
    assert get_svg(client, found["plot"], team.owner) is not None


def get_svg(client: TestClient, path: str, who: Person) -> ElementTree.Element:
    answer = client.get(path, headers=who.auth)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/svg+xml"
    return ElementTree.fromstring(answer.text)


def test_the_picture_can_be_read_aloud(client: TestClient, team: Team) -> None:
    plot = get(client, team, "agreement", team.owner)["plot"]
    root = get_svg(client, plot, team.owner)

    title, description = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert title is not None
    assert description is not None
    named = {title.get("id"), description.get("id")}
    assert set((root.get("aria-labelledby") or "").split()) == named
    assert root.get("role") == "img"
    assert "kappa 0.50" in (description.text or "")
    texts = ["".join(text.itertext()).strip() for text in root.iter(f"{SVG}text")]
    assert {"kappa", "AC1", "positive agreement", "first reviewer"} <= set(texts)
    assert (
        client.get(plot, headers=team.owner.auth).text
        == client.get(plot, headers=team.owner.auth).text
    )


@pytest.mark.parametrize("path", ["agreement", "plots/agreement.svg", "second-looks"])
def test_the_blinded_are_refused_with_the_reason(path: str, client: TestClient, team: Team) -> None:
    for who in (team.ann, team.eve, team.observer):
        reported = get(client, team, path, who, expect=403)
        assert reported["code"] == "forbidden"
        assert "owners and adjudicators" in reported["detail"]


@pytest.mark.parametrize(
    "path",
    [
        "agreement?on=some",
        "agreement?stage=none",
        "agreement?as_basis=last",
        "plots/agreement.svg?on=some",
        "plots/agreement.svg?stage=none",
        "second-looks?limit=0",
        "second-looks?stage=none",
        "second-looks?cursor=x",
    ],
)
def test_what_there_is_not_to_choose_is_refused(path: str, client: TestClient, team: Team) -> None:
    assert get(client, team, path, team.owner, expect=422)["code"] == "invalid"


def test_second_looks_are_asked_for_worked_out_and_listed(
    client: TestClient, team: Team, world: World, settings: Settings
) -> None:
    url = f"{API}/reviews/{team.review_id}/second-looks"
    before = get(client, team, "second-looks", team.judge)
    assert (before["state"], before["items"], before["made_at"]) == ("none", [], None)

    assert client.post(url, headers=team.ann.auth).status_code == 403
    asked = client.post(url, headers=team.judge.auth)
    assert (asked.status_code, asked.json()) == (202, {"state": "asked"})
    assert get(client, team, "second-looks", team.judge)["state"] == "asked"
    artifacts = Artifacts(settings.resolved_artifact_url())
    assert second_look_scores.make(
        world.database, artifacts, settings.data_dir / "cache", team.review_id
    )

    found = get(client, team, "second-looks", team.judge)
    assert (found["state"], found["is_stale"], found["n_scored"]) == ("ready", False, 1)
    (item,) = found["items"]
    assert (item["record"]["id"], item["n_decisions"]) == ("2", 2)
    assert 0 <= item["likeness"] <= 1
    world.decide(team.review_id, team.ann, 2, "exclude", note="Sure.")
    assert get(client, team, "second-looks", team.owner)["is_stale"]


def test_a_reviewers_record(client: TestClient, team: Team) -> None:
    path = f"reviewers/{team.ben.id}/record"
    own, whole = get(client, team, path, team.ben), get(client, team, path, team.owner)

    assert (own["n_read"], own["includes"]["n"], own["includes"]["of"]) == (4, 2, 4)
    assert own["against_outcome"] is None
    assert whole["against_outcome"]["missed_of_excludes"]["of"] == 1
    assert {**whole, "against_outcome": None} == own
    assert get(client, team, path, team.judge, expect=403)["code"] == "forbidden"
    nobody = f"reviewers/{team.review_id}/record"
    assert get(client, team, nobody, team.owner, expect=404)["code"] == "not_found"


PILOT = 3


def piloted(world: World, team: Team, bens: str, *, done_by_eve: int) -> ReviewId:
    """Make a review of the team's people whose pilot round is over.

    Ann and Ben have decided all of it, Eve some; beyond it Ben has decided everything
    as the caller says.
    """
    review_id = world.review(team.owner)
    with world.database.write.begin() as session:
        review = reviews.lock(session, review_id)
        for person in (team.ann, team.ben, team.eve):
            members.set_member(session, review, user_id=person.id, role=Role.REVIEWER)
    numbers = world.records(review_id, team.owner, 6)
    with world.entered(review_id, team.owner) as (session, review, viewer):
        pilot.begin(session, review, viewer, PILOT)
        chosen = pilot.record_numbers(session, review)
    for place, number in enumerate(chosen):
        world.decide(review_id, team.ann, number, "include")
        world.decide(review_id, team.ben, number, "include" if place else "exclude")
        if place < done_by_eve:
            world.decide(review_id, team.eve, number, "include")
    for number in set(numbers) - set(chosen):
        world.decide(review_id, team.ben, number, bens)
    with world.entered(review_id, team.owner) as (session, review, viewer):
        pilot.end(session, review, viewer)
    return review_id


def test_a_pilot_round_shows_the_blinded_only_what_they_have_decided(
    client: TestClient, team: Team, world: World
) -> None:
    ids = [piloted(world, team, verdict, done_by_eve=2) for verdict in ("include", "exclude")]

    def reported(who: Person, path: str) -> list[tuple[int, str]]:
        answers = [
            client.get(
                f"{API}/reviews/{review_id}/{path}",
                headers=who.auth | {"X-Request-ID": "same"},
            )
            for review_id in ids
        ]
        return [
            (answer.status_code, answer.text.replace(str(review_id), "r"))
            for review_id, answer in zip(ids, answers, strict=True)
        ]

    for path in ("agreement?on=pilot", "plots/agreement.svg?on=pilot"):
        anns, eves = reported(team.ann, path), reported(team.eve, path)
        assert anns[0] == anns[1]
        assert anns[0][0] == 200
        assert eves[0] == eves[1]
        assert eves[0][0] == 403
    for path in ("agreement", "agreement?on=random"):
        assert {status for status, _ in reported(team.ann, path)} == {403}
    owners = reported(team.owner, "reviewers/" + str(team.ben.id) + "/record")
    assert owners[0] != owners[1]  # the two do differ for who may see it


def piloted_with_own_paper(world: World, team: Team, bens: str | None) -> ReviewId:
    """Make a review whose pilot round is over, one record of which is Ann's own paper.

    She has decided the other two, Ben and Eve as well; Ben has decided hers as the caller
    says, if at all.
    """
    review_id = world.review(team.owner)
    with world.database.write.begin() as session:
        review = reviews.lock(session, review_id)
        for person in (team.ann, team.ben, team.eve):
            members.set_member(session, review, user_id=person.id, role=Role.REVIEWER)
    world.records(review_id, team.owner, PILOT)
    with world.entered(review_id, team.owner) as (session, review, viewer):
        pilot.begin(session, review, viewer, PILOT)
        own, *others = pilot.record_numbers(session, review)
    with world.entered(review_id, team.ann) as (session, review, viewer):
        interests.declare(
            session, review=review, viewer=viewer, record_number=own, has_interest=True
        )
    for number in others:
        for person in (team.ann, team.ben, team.eve):
            world.decide(review_id, person, number, "include")
    if bens is not None:
        world.decide(review_id, team.ben, own, bens)
        world.decide(review_id, team.eve, own, "include")
    with world.entered(review_id, team.owner) as (session, review, viewer):
        pilot.end(session, review, viewer)
    return review_id


def test_an_own_paper_does_not_keep_its_author_from_the_pilots_agreement_nor_is_it_in_there(
    client: TestClient, team: Team, world: World
) -> None:
    worlds = [piloted_with_own_paper(world, team, bens) for bens in ("include", "exclude", None)]

    for path in ("agreement?on=pilot", "plots/agreement.svg?on=pilot"):
        answers = [
            client.get(f"{API}/reviews/{review_id}/{path}", headers=team.ann.auth)
            for review_id in worlds
        ]
        assert {answer.status_code for answer in answers} == {200}
        bodies = {
            answer.text.replace(str(review_id), "r")
            for answer, review_id in zip(answers, worlds, strict=True)
        }
        assert len(bodies) == 1
    found = client.get(f"{API}/reviews/{worlds[0]}/agreement?on=pilot", headers=team.ann.auth)
    pairs = {
        frozenset((pair["first"]["name"], pair["second"]["name"])): pair["agreement"]["n"]
        for pair in found.json()["pairs"]
    }
    assert pairs == {
        frozenset(names): 2 for names in (("ann", "ben"), ("ann", "eve"), ("ben", "eve"))
    }
    # Those who have not withheld it are named.
    ben = client.get(f"{API}/reviews/{worlds[0]}/agreement?on=pilot", headers=team.ben.auth)
    assert {pair["agreement"]["n"] for pair in ben.json()["pairs"]} == {2, 3}


def test_who_decided_nothing_of_a_pilot_round_cannot_claim_all_of_it(
    client: TestClient, team: Team, world: World
) -> None:
    review_id = piloted(world, team, "include", done_by_eve=0)
    with world.entered(review_id, team.eve) as (session, review, viewer):
        for number in pilot.record_numbers(session, review):
            interests.declare(
                session, review=review, viewer=viewer, record_number=number, has_interest=True
            )

    answer = client.get(f"{API}/reviews/{review_id}/agreement?on=pilot", headers=team.eve.auth)

    assert answer.status_code == 403
