"""Whether anybody may settle: said when a review is made, as long as it is so, and when refused."""

from typing import Any
from uuid import UUID

from fastapi.testclient import TestClient

from service.api.scene import API
from tandem.ids import ReviewId
from tandem.reviews import service as reviews
from tandem.reviews.models import Role
from world import Person, World


def codes(answer: Any) -> list[str]:
    assert answer.status_code in (200, 201), answer.text
    return [warning["code"] for warning in answer.json()["warnings"]]


def join(world: World, review_id: Any, person: Person, role: Role) -> None:
    with world.database.write.begin() as session:
        reviews.set_member(session, reviews.lock(session, review_id), user_id=person.id, role=role)


def test_a_team_of_two_reads_that_nobody_may_settle_and_both_ways_out(
    client: TestClient, world: World
) -> None:
    owner, ann, judge = world.people("owner", "ann", "judge")
    made = client.post(f"{API}/reviews", json={"title": "Ours"}, headers=owner.auth)
    path = f"{API}/reviews/{made.json()['id']}"
    assert codes(made) == ["nobody_may_settle"]
    review_id = ReviewId(UUID(made.json()["id"]))

    join(world, review_id, ann, Role.REVIEWER)
    found = client.get(path, headers=owner.auth)
    assert codes(found) == ["nobody_may_settle"]
    message = found.json()["warnings"][0]["message"]
    for way in ("/invitations", "resolution: consensus", "voter_may_adjudicate: true"):
        assert way in message

    join(world, review_id, judge, Role.OBSERVER)
    assert codes(client.get(path, headers=owner.auth)) == ["nobody_may_settle"]
    join(world, review_id, judge, Role.ADJUDICATOR)
    assert codes(client.get(path, headers=owner.auth)) == []


def test_either_change_of_the_policy_is_a_way_out(client: TestClient, world: World) -> None:
    owner = world.person()
    for part in ({"resolution": "consensus"}, {"voter_may_adjudicate": True}):
        policy = dict.fromkeys(("title_abstract", "full_text"), part)
        made = client.post(
            f"{API}/reviews", json={"title": "Ours", "policy": policy}, headers=owner.auth
        )
        assert codes(made) == []


def test_a_voter_who_may_not_settle_reads_what_to_do(client: TestClient, world: World) -> None:
    owner, ann = world.people("owner", "ann")
    review_id = world.review(owner)
    join(world, review_id, ann, Role.REVIEWER)
    world.records(review_id, owner, 1)
    world.decide(review_id, owner, 1, "include")
    world.decide(review_id, ann, 1, "exclude")
    path = f"{API}/reviews/{review_id}/conflicts"
    (conflict,) = client.get(path, headers=owner.auth).json()["items"]

    refused = client.post(
        f"{path}/{conflict['id']}/resolution", json={"verdict": "include"}, headers=owner.auth
    )

    assert (refused.status_code, refused.json()["code"]) == (403, "own_conflict")
    for way in ("/invitations", "resolution: consensus", "voter_may_adjudicate: true"):
        assert way in refused.json()["detail"]
