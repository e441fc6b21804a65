"""The page of an invitation's link, as a browser meets it."""

import re
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update

from service.api.scene import API
from tandem.db.base import now
from tandem.log import without_secrets
from tandem.reviews.models import Invitation
from world import Team, World

PASSWORD = "correct horse battery"
NEW = {"way": "create", "name": "Cy <b>Stone", "email": "cy@example.org", "password": PASSWORD}


@pytest.fixture
def team(world: World) -> Team:
    return world.team(n_records=0, title="Sleep & <i>memory</i>")


def link(client: TestClient, team: Team, **said: Any) -> str:
    answer = client.post(
        f"{API}/reviews/{team.review_id}/invitations",
        json={"role": "reviewer"} | said,
        headers=team.owner.auth,
    )
    found: str = answer.json()["link"]
    assert "/join/" in found
    return re.sub(r"^https?://[^/]+", "", found)


def names(client: TestClient, team: Team) -> list[str]:
    path = f"{API}/reviews/{team.review_id}/members"
    return [one["name"] for one in client.get(path, headers=team.owner.auth).json()["items"]]


def test_a_link_shows_what_it_invites_to_and_nothing_of_it_leaks(
    client: TestClient, team: Team
) -> None:
    path = link(client, team)
    page = client.get(path)

    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert page.headers["referrer-policy"] == "same-origin"
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert "Sleep &amp; &lt;i&gt;memory&lt;/i&gt;" in page.text
    assert "owner invites you as <strong>a reviewer</strong>" in page.text
    assert "<script" not in page.text
    assert not re.search(r"https?://", page.text)
    assert without_secrets(path) == "/join/***"


def test_somebody_new_makes_an_account_and_is_in_and_signed_in(
    client: TestClient, team: Team
) -> None:
    path = link(client, team)
    assert 'value="create"' in client.get(path).text

    joined = client.post(path, data=NEW)

    assert joined.status_code == 200, joined.text
    assert "You are in" in joined.text
    assert f'href="/r/{team.review_id}/screen"' in joined.text
    assert NEW["name"] in names(client, team)
    assert client.get(f"{API}/me").json()["email"] == NEW["email"]
    assert client.post(path, data=NEW).status_code == 404
    again = client.get(path)
    assert (again.status_code, "does not exist" in again.text) == (404, True)
    assert '<a href="/">sign in</a>' in again.text


def test_with_an_account_one_signs_in_or_only_accepts(client: TestClient, team: Team) -> None:
    client.post(link(client, team), data=NEW)
    path = link(client, team, role="adjudicator", email="cy@example.org")
    shown = client.get(path).text
    assert "Join as Cy &lt;b&gt;Stone" in shown
    client.cookies.clear()
    shown = client.get(path).text
    assert ('value="sign_in"' in shown, 'value="create"' in shown) == (True, False)

    wrong = client.post(path, data={"way": "sign_in", "email": NEW["email"], "password": "wrong"})
    assert (wrong.status_code, "is wrong" in wrong.text) == (401, True)
    gone = client.post(path, data={"way": "present"})
    assert gone.status_code == 401
    said = {"way": "sign_in", "email": NEW["email"], "password": PASSWORD}
    assert client.post(path, data=said).status_code == 200
    third = link(client, team)
    assert client.post(third, data={"way": "present"}).status_code == 200


def test_a_link_that_somebody_else_opens_says_whose_browser_it_is(
    client: TestClient, team: Team, world: World
) -> None:
    cy = link(client, team, email="cy@example.org")
    client.post(cy, data=NEW)
    for_anybody, for_dee = link(client, team), link(client, team, email="dee@example.org")

    shown = client.get(for_dee).text
    assert "signed in here as Cy &lt;b&gt;Stone (cy@example.org)" in shown
    assert "This link is for\n<strong>dee@example.org</strong>" in shown
    assert 'value="present"' not in shown
    assert 'value="create"' in shown

    shown = client.get(for_anybody).text
    assert "are in this review already, as\na reviewer" in shown
    assert f'href="/r/{team.review_id}/screen"' in shown
    assert 'value="present"' not in shown  # it would use the link up for nothing
    assert "<summary>I am not Cy &lt;b&gt;Stone</summary>" in shown
    dee = NEW | {"name": "Dee", "email": "dee@example.org"}
    assert client.post(for_anybody, data=dee).status_code == 200
    assert {NEW["name"], "Dee"} <= set(names(client, team))
    assert client.get(f"{API}/me").json()["name"] == "Dee"


def test_a_higher_role_is_taken_by_who_is_in_already(client: TestClient, team: Team) -> None:
    client.post(link(client, team), data=NEW)
    shown = client.get(link(client, team, role="adjudicator")).text
    assert 'value="present"' in shown


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"name": " "}, "Give your name"),
        ({"password": "12345678"}, "password"),
        ({"email": "nobody"}, "not an e-mail"),
    ],
)
def test_what_is_wrong_is_said_in_the_page_and_nobody_is_in(
    client: TestClient, team: Team, changed: dict[str, str], says: str
) -> None:
    path = link(client, team)
    refused = client.post(path, data=NEW | changed)

    assert refused.status_code == 422
    assert says in refused.text
    assert PASSWORD not in refused.text
    assert client.get(path).status_code == 200


def test_another_sites_form_is_refused(client: TestClient, team: Team) -> None:
    path = link(client, team)
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
        assert client.post(path, data=NEW, headers=headers).status_code == 403
    assert NEW["name"] not in names(client, team)


def test_links_that_do_not_work_say_one_sentence(
    client: TestClient, team: Team, world: World
) -> None:
    expired = link(client, team)
    with world.database.write.begin() as session:
        session.execute(update(Invitation).values(expires_at=now() - timedelta(days=1)))
    withdrawn = link(client, team)
    items = client.get(
        f"{API}/reviews/{team.review_id}/invitations", headers=team.owner.auth
    ).json()["items"]
    for item in items:
        path = f"{API}/reviews/{team.review_id}/invitations/{item['id']}"
        client.delete(path, headers=team.owner.auth)
    pages = {client.get(path).text for path in (expired, withdrawn, "/join/nonsense")}
    assert len(pages) == 1
    assert "Ask an owner of the review for a new link." in pages.pop()
