"""Two people at one browser: what one has decided is never the other's, and never lost to them."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, expect
from sqlalchemy import select

from browser.visitors import Visitor, session_of
from tandem.screening.models import Conflict, Decision
from tandem_api.deps import COOKIE
from world import Person, Team, World

Visit = Callable[..., Visitor]

N_STORED = """() => new Promise((done) => {
  const asked = indexedDB.open("tandem");
  asked.onsuccess = () => {
    const found = asked.result.transaction("entries").objectStore("entries").getAll();
    found.onsuccess = () => { asked.result.close(); done(found.result.length); };
  };
})"""


def signs_in(world: World, context: BrowserContext, person: Person, base: str) -> None:
    context.add_cookies([{"name": COOKIE, "value": session_of(world, person), "url": base}])


def votes(world: World, team: Team) -> list[str]:
    names = {team.ann.id: "ann", team.ben.id: "ben"}
    with world.database.read() as session:
        rows = session.scalars(select(Decision).where(Decision.review_id == team.review_id))
        return [names[row.reviewer_id] for row in rows]


def test_what_ann_decided_never_becomes_bens_vote(visit: Visit, world: World) -> None:
    team = world.team(n_records=10)
    ann = visit(team.ann, f"/r/{team.review_id}/screen")
    expect(ann.page.locator(".article-title")).to_be_visible()
    ann.signed_out()
    ann.press("a")
    expect(ann.page.get_by_role("heading", name="Sign in again")).to_be_visible()
    signs_in(world, ann.page.context, team.ben, ann.base)
    with ann.page.expect_response(lambda answer: answer.request.method == "PUT") as refused:
        ann.button("Close").click()
    assert refused.value.status == 401
    assert votes(world, team) == []

    signs_in(world, ann.page.context, team.ann, ann.base)
    ann.page.reload()
    expect(ann.page.locator(".article-title")).to_be_visible()
    ann.saved()
    assert votes(world, team) == ["ann"]


def test_votes_that_one_was_shown_are_gone_when_another_signs_in(
    visit: Visit, world: World
) -> None:
    team = world.team(n_records=4)
    for person, verdict in ((team.ann, "include"), (team.ben, "exclude")):
        world.decide(team.review_id, person, 1, verdict, note=f"note of {person.name}")
    with world.database.read() as session:
        conflict = session.scalars(select(Conflict.id)).one()
    judge = visit(team.judge, f"/r/{team.review_id}/conflicts/{conflict}")
    judge.sees("note of ann")
    judge.signed_out()
    judge.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(judge.page.get_by_role("heading", name="Sign in again")).to_be_visible()
    signs_in(world, judge.page.context, team.eve, judge.base)
    judge.button("Close").click()
    expect(judge.page.get_by_text("note of ann")).to_have_count(0)
    judge.sees("eve")
    assert judge.page.get_by_text("note of").count() == 0


def test_signing_out_leaves_what_another_person_has_still_to_send(
    visit: Visit, world: World
) -> None:
    team = world.team(n_records=10)
    ann = visit(team.ann, f"/r/{team.review_id}/screen")
    expect(ann.page.locator(".article-title")).to_be_visible()
    context, base = ann.page.context, ann.base
    context.set_offline(True)
    ann.press("a")
    ann.sees("Saving")
    ann.page.close()
    context.set_offline(False)
    signs_in(world, context, team.ben, base)
    page = context.new_page()
    page.goto(f"{base}/me")
    out = page.get_by_role("button", name="Sign out", exact=True).first
    out.wait_for()
    assert page.evaluate(N_STORED) == 1
    out.click()
    expect(page.get_by_role("button", name="Sign in", exact=True)).to_be_visible()
    assert page.evaluate(N_STORED) == 1
    # A page that is closed while it only plays being offline may still have sent it, as Ann.
    assert "ben" not in votes(world, team)


@pytest.fixture(autouse=True)
def _one_engine(database_url: str) -> None:
    assert database_url.startswith("sqlite")
