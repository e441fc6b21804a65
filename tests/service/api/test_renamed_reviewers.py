"""Own papers are not served, also where a name or a record's authors have changed since."""

from threading import Thread

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from service.api.scene import API
from tandem.accounts.models import User
from tandem.reviews import service as reviews
from tandem.reviews.models import Member
from tandem.screening.lease_models import Lease
from tandem.screening.people import interests
from tandem.screening.people.interests import OwnPapers
from world import Person, Team, World


@pytest.fixture
def team(world: World) -> Team:
    return world.team(n_records=6)


def served(client: TestClient, team: Team, who: Person, limit: int) -> list[str]:
    url = f"{API}/reviews/{team.review_id}/queue"
    queue = client.post(url, json={"limit": limit}, headers=who.auth).json()
    return [item["record"]["id"] for item in queue["items"]]


def rename(client: TestClient, who: Person, name: str) -> None:
    answer = client.patch(f"{API}/me", json={"name": name}, headers=who.auth)
    assert answer.status_code == 200, answer.text


def test_what_was_put_off_comes_last_under_another_name_too(client: TestClient, team: Team) -> None:
    assert served(client, team, team.ann, 1) == ["1"]
    put_off = f"{API}/reviews/{team.review_id}/queue/1"
    assert client.delete(put_off, headers=team.ann.auth).status_code == 204
    rename(client, team.ann, "Zed Q. Zebra")
    assert served(client, team, team.ann, 6)[-1] == "1"


def test_a_name_that_stays_lets_nothing_go(client: TestClient, team: Team, world: World) -> None:
    assert len(served(client, team, team.ann, 2)) == 2
    admin = world.person("admin", is_admin=True)
    with world.database.read() as session:
        name = session.get_one(User, team.ann.id).name
    user = f"{API}/users/{team.ann.id}"
    assert client.patch(user, json={"name": name}, headers=admin.auth).status_code == 200
    with world.database.read() as session:
        assert len(session.scalars(select(Lease)).all()) == 2


def test_a_held_record_whose_authors_are_corrected_is_not_served_again(
    client: TestClient, team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interests, "STEP", 1)
    rename(client, team.ben, "Ben Ng")
    assert len(served(client, team, team.ben, 6)) == 6
    record = f"{API}/reviews/{team.review_id}/records/5"
    corrected = client.patch(record, json={"authors": ["Ng, Ben"]}, headers=team.owner.auth)
    assert corrected.status_code == 200
    assert "5" not in served(client, team, team.ben, 6)


@pytest.mark.both_engines
def test_a_request_under_the_old_name_does_not_count_for_the_new_one(
    client: TestClient, team: Team, world: World
) -> None:
    """Every record is by Lee, Ann; a request that has read another name is under way."""
    renaming = Thread(target=rename, args=(client, team.ann, "Ann Lee"))
    with world.database.write.begin() as session:
        review, _ = reviews.enter(session, review_id=team.review_id, user_id=team.ann.id)
        member = session.get_one(Member, (team.review_id, team.ann.id))
        compared = OwnPapers(session, review, member)
        assert not compared.numbers
        renaming.start()
        renaming.join(0.2)  # it waits, or it is in time for nothing
    renaming.join()
    assert served(client, team, team.ann, 6) == []
