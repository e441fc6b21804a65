"""What is left and what waits, in every review of one's own and as far as one may know it."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import event, update

from service.api.scene import API
from tandem.ids import RecordNumber, ReviewId
from tandem.ranking.models import SecondLook
from tandem.records.models import Import, ImportState
from tandem.reviews.models import Member
from tandem.screening.people import interests, pilot
from world import FT, TA, Person, World

pytestmark = pytest.mark.both_engines


def listed(client: TestClient, who: Person, review_id: ReviewId) -> dict[str, Any]:
    """Return the review in somebody's list, which says the same as it does alone."""
    items = client.get(f"{API}/reviews", headers=who.auth).json()["items"]
    (found,) = [item for item in items if item["id"] == str(review_id)]
    alone = client.get(f"{API}/reviews/{review_id}/waiting", headers=who.auth).json()
    names = ("n_records", "n_decided_by_me", "remaining_for_me", "remaining_at_full_text")
    share = {name: found[name] for name in names}
    assert alone == share | found["waiting"]
    shown: dict[str, Any] = found
    return shown


def remaining(client: TestClient, who: Person, review_id: ReviewId) -> Any:
    """Return what is left by the list; the queue says the same."""
    said = listed(client, who, review_id)["remaining_for_me"]
    queue = client.post(f"{API}/reviews/{review_id}/queue", json={}, headers=who.auth)
    assert queue.json()["remaining"] == said
    return said


def test_what_is_left_is_what_the_queue_says(client: TestClient, world: World) -> None:
    team = world.team(n_records=6)
    other = world.team(n_records=4, policy={"reviewers_per_record": 1, "blind": False})
    r = team.review_id
    for number in (1, 2):
        world.decide(r, team.ann, number, "include")
        world.decide(r, team.ben, number, "exclude")
    world.decide(r, team.ann, 3, "include")
    world.decide(other.review_id, other.ann, 1, "maybe")
    world.merge(r, team.owner, 5, 6)

    found = listed(client, team.ann, r)
    assert (found["n_records"], found["n_decided_by_me"]) == (5, 3)
    assert remaining(client, team.ann, r) == 2  # 4 and the two that are one
    assert remaining(client, team.eve, r) == 3  # two are full
    assert remaining(client, other.eve, other.review_id) == 3
    assert listed(client, team.observer, r)["remaining_for_me"] is None


def test_the_full_texts_that_are_left_are_what_their_queue_says(
    client: TestClient, world: World
) -> None:
    team = world.team(n_records=4)
    r = team.review_id
    path = f"{API}/reviews/{r}"
    assert listed(client, team.ann, r)["remaining_at_full_text"] == 0
    world.to_full_text(team, 1, 2, 3)
    world.decide(r, team.ann, 2, "include", stage=FT)

    for who, left in ((team.ann, 2), (team.ben, 3), (team.observer, None)):
        assert listed(client, who, r)["remaining_at_full_text"] == left
        body = {"stage": "full_text"}
        queue = client.post(f"{path}/queue", json=body, headers=who.auth)
        assert queue.json().get("remaining") == left


def test_shares_and_interests_count_at_full_text(client: TestClient, world: World) -> None:
    """And so does which texts are there: not that of record 5, and 6 and 7 are one."""
    ours = world.team(n_records=8)
    open_one = world.team(n_records=4)
    in_the_open = {"blind": False, "reviewers_per_record": 1}
    world.change_policy(open_one.review_id, open_one.owner, stage=FT, **in_the_open)
    for team in (ours, open_one):
        world.to_full_text(team, 1, 2, 3, 4)
    r = ours.review_id
    world.to_full_text(ours, 5, 6)
    world.merge(r, ours.owner, 7, 6)
    world.retrieve(r, ours.ann, 5, "requested")
    for number, who in ((1, ours.ann), (2, ours.ann), (2, ours.ben), (3, ours.ben)):
        world.decide(r, who, number, "include", stage=FT)
    world.decide(open_one.review_id, open_one.ann, 1, "exclude", stage=FT, reasons=["Late"])
    with world.database.write.begin() as session:
        theirs = Member.user_id == ours.ben.id
        session.execute(update(Member).where(theirs).values(share=0.3))
    for who, numbers in ((ours.eve, (1, 2)), (ours.ann, (3,))):
        for number in numbers:
            with world.entered(r, who) as (session, review, viewer):
                interests.declare(
                    session,
                    review=review,
                    viewer=viewer,
                    record_number=RecordNumber(number),
                    has_interest=True,
                )

    for team, left in (
        (ours, {"ann": 2, "ben": 1, "eve": 3}),
        (open_one, {"ann": 3, "ben": 3, "eve": 3}),
    ):
        for name, n in left.items():
            who = getattr(team, name)
            assert listed(client, who, team.review_id)["remaining_at_full_text"] == n, name
            path = f"{API}/reviews/{team.review_id}/queue"
            queue = client.post(path, json={"stage": "full_text"}, headers=who.auth)
            assert queue.json()["remaining"] == n


def test_shares_interests_and_a_pilot_round_count(client: TestClient, world: World) -> None:
    team = world.team(n_records=8)
    r, ann = team.review_id, team.ann
    with world.database.write.begin() as session:
        session.execute(update(Member).where(Member.user_id == ann.id).values(share=0.25))
    assert remaining(client, ann, r) == 4
    world.decide(r, ann, 1, "include")
    assert remaining(client, ann, r) == 3

    with world.entered(r, team.ben) as (session, review, viewer):
        for number in (2, 3):
            interests.declare(
                session,
                review=review,
                viewer=viewer,
                record_number=RecordNumber(number),
                has_interest=True,
            )
    assert remaining(client, team.ben, r) == 6
    with world.entered(r, team.owner) as (session, review, viewer):
        pilot.begin(session, review, viewer, 3)
    for who in (ann, team.ben, team.eve):
        remaining(client, who, r)


def test_conflicts_are_counted_for_who_may_see_them(client: TestClient, world: World) -> None:
    policies: list[dict[str, Any]] = [
        {},
        {"resolution": "consensus"},
        {"voter_may_adjudicate": True},
        {"blind": False},
    ]
    expected: list[dict[str, int | None]] = [
        {"owner": 2, "judge": 2, "ann": None, "eve": None, "observer": None},
        {"owner": 2, "judge": 2, "ann": 2, "eve": 0, "observer": 0},
        {"owner": 2, "judge": 2, "ann": 2, "eve": 0, "observer": 0},
        {"owner": 2, "judge": 2, "ann": 2, "eve": 2, "observer": 2},
    ]
    for policy, numbers in zip(policies, expected, strict=True):
        team = world.team(n_records=3, policy=policy)
        for number in (1, 2):
            world.decide(team.review_id, team.ann, number, "include")
            world.decide(team.review_id, team.ben, number, "exclude")
        for name, wanted in numbers.items():
            who = getattr(team, name)
            assert listed(client, who, team.review_id)["waiting"]["conflicts"] == wanted
            path = f"{API}/reviews/{team.review_id}/conflicts?state=open"
            seen = client.get(path, headers=who.auth).json()["items"]
            assert len(seen) == (wanted or 0)


def test_other_things_that_wait(client: TestClient, world: World) -> None:
    team = world.team(n_records=4)
    r, path = team.review_id, f"{API}/reviews/{team.review_id}"
    world.propose(r, 1, 2)
    for number in (3, 4):
        for who in (team.ann, team.ben):
            world.decide(r, who, number, "exclude")
    with world.database.write.begin() as session:
        session.execute(
            update(Import).where(Import.review_id == r).values(state=ImportState.FAILED)
        )
        session.add(
            SecondLook(
                review_id=r,
                stage=TA,
                asked=1,
                done=1,
                fence=0,
                # Record 1 was excluded when they were made.
                numbers=b"".join(n.to_bytes(4, "little") for n in (1, 3)),
                scores=b"\0" * 8,
            )
        )
    for _ in range(2):
        client.post(f"{path}/invitations", json={"role": "reviewer"}, headers=team.owner.auth)
    (first, *_) = client.get(f"{path}/invitations", headers=team.owner.auth).json()["items"]
    client.delete(f"{path}/invitations/{first['id']}", headers=team.owner.auth)

    all_of_it: dict[str, int | None] = {
        "conflicts": 0,
        "duplicates": 1,
        "second_looks": 1,
        "imports_failed": 1,
    }
    assert listed(client, team.owner, r)["waiting"] == all_of_it | {"invitations": 1}
    assert listed(client, team.judge, r)["waiting"] == all_of_it | {"invitations": None}
    hidden = {"conflicts": None, "second_looks": None, "invitations": None}
    assert listed(client, team.ann, r)["waiting"] == all_of_it | hidden
    looks = client.get(f"{path}/second-looks", headers=team.owner.auth).json()["items"]
    assert len(looks) == 1


def test_as_many_queries_for_many_reviews_as_for_one(client: TestClient, world: World) -> None:
    owner = world.person("owner")
    asked: list[str] = []

    def count(*said: Any) -> None:
        asked.append(said[2])

    def n_queries() -> int:
        asked.clear()
        assert client.get(f"{API}/reviews", headers=owner.auth).status_code == 200
        return len(asked)

    runtime = client.app.state.runtime  # type: ignore[attr-defined]  # FastAPI's
    event.listen(runtime.database.engine, "before_cursor_execute", count)

    def begin() -> None:
        review_id = world.review(owner)
        world.records(review_id, owner, 2)
        world.change_policy(review_id, owner, reviewers_per_record=1)
        world.decide(review_id, owner, 1, "include")
        world.retrieve(review_id, owner, 1)

    begin()
    one = n_queries()
    for _ in range(9):
        begin()
    assert n_queries() == one
    assert one < 30
