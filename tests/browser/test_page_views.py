"""The views of the page: what people do in them, that all can use them, and how large they are."""

import gzip
import re
from collections.abc import Callable
from typing import Any, Literal, cast

import pytest
from playwright.sync_api import Browser, expect
from sqlalchemy import func, select

import effort
from browser.views import AXE, RUN_AXE, VIEWS
from browser.visitors import Visitor
from tandem.config import Settings
from tandem.records.models import Removal
from tandem.reviews.policy import Stage
from tandem.reviews.policy_versions import policies_in_force
from tandem.screening.models import Conflict
from tandem_api import built_page
from world import Team, World

Visit = Callable[..., Visitor]


@pytest.fixture
def team(world: World) -> Team:
    made = world.team(
        n_records=12,
        exclusion_reasons=["wrong population", "no interviews"],
        include=["paid peer workers"],
        highlights_for=["record"],
        highlights_against=["abstract*"],
    )
    for number in range(1, 5):
        world.decide(made.review_id, made.ann, number, "include", note="Paid peers")
        world.decide(made.review_id, made.ben, number, "exclude" if number < 4 else "include")
    world.retrieve(made.review_id, made.ann, 4)
    world.propose(made.review_id, 11, 12)
    return made


THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
LOOKS = [(width, theme) for width in (1280, 360) for theme in THEMES]
"""All four are looked at in a soak; else a large light one and a small dark one."""


def faults_of(visitor: Visitor) -> dict[str, list[str]]:
    """What axe finds in what is shown now, at each width and in each theme."""
    visitor.page.evaluate(AXE.read_text(encoding="utf-8"))
    found = {}
    for width, theme in LOOKS if effort.is_soak() else LOOKS[::3]:
        visitor.page.set_viewport_size({"width": width, "height": 800})
        visitor.page.emulate_media(color_scheme=theme)
        if faults := visitor.page.evaluate(RUN_AXE):
            found[f"{width} {theme}"] = faults
        if visitor.page.evaluate("document.documentElement.scrollWidth") > width:
            found[f"{width} {theme} scrolls sideways"] = []
    return found


def test_a_list_once_looked_at_fits_a_window_made_narrow(visit: Visit, world: World) -> None:
    """A browser remembers the size of rows that it does not draw; only their height may count."""
    team = world.team(n_records=50)
    owner = visit(team.owner, f"/r/{team.review_id}/records")
    rows = owner.page.locator(".record-row")
    expect(rows).to_have_count(50)
    for row in range(0, 50, 5):
        rows.nth(row).scroll_into_view_if_needed()
        expect(rows.nth(row)).to_be_in_viewport()
    rows.first.scroll_into_view_if_needed()
    expect(rows.last).not_to_be_in_viewport()
    owner.page.set_viewport_size({"width": 640, "height": 400})
    expect(rows.first).to_be_in_viewport()
    assert owner.page.evaluate("document.documentElement.scrollWidth") == 640


@pytest.mark.timeout(900)
def test_axe_finds_no_fault_in_any_view_and_none_scrolls_sideways(
    visit: Visit, team: Team, world: World
) -> None:
    if not AXE.exists():
        pytest.skip("axe-core is not there; `make page` fetches it")
    owner = visit(team.owner)
    with world.database.read() as session:
        conflict = session.scalars(select(Conflict.id)).first()
    views = [
        f"/r/{team.review_id}/{view}" for view in (*VIEWS, "reports/4", f"conflicts/{conflict}")
    ]
    found = {}
    for path in ("/", "/new", "/me", *views):
        owner.go(path)
        expect(owner.page.locator("h1").first).to_be_attached()
        expect(owner.page.locator(".loading")).to_have_count(0)
        found[path] = faults_of(owner)
    administrator = visit(world.person("root", is_admin=True), "/administration")
    expect(administrator.page.locator(".loading")).to_have_count(0)
    found["administration"] = faults_of(administrator)
    stranger = visit(None)
    expect(stranger.page.locator("form")).to_be_visible()
    found["sign in"] = faults_of(stranger)
    assert {path: faults for path, faults in found.items() if faults} == {}


def test_two_who_differ_meet_and_a_third_settles(visit: Visit, team: Team, world: World) -> None:
    screen = f"/r/{team.review_id}/screen"
    said = {}
    for person, key in ((team.ann, "a"), (team.ben, "x")):
        reviewer = visit(person, screen)
        expect(reviewer.page.locator(".article-title")).to_be_visible()
        said[person.name] = reviewer.title()
        reviewer.press(key)
        reviewer.saved()
    assert said["ann"] == said["ben"], "the half-done record comes first"

    judge = visit(team.judge, f"/r/{team.review_id}/conflicts")
    judge.page.get_by_role("link", name=said["ann"]).click()
    judge.sees("What the reviewers decided")
    judge.page.get_by_text("Include", exact=True).last.click()
    judge.sees("The record becomes: Conflict → Included")
    judge.page.get_by_label("Why did they differ?").select_option("misread")
    judge.button("Settle").click()
    judge.sees("Settled by judge")
    judge.page.get_by_role("link", name="Next conflict").click()
    judge.sees("Settled. Look at it again:")
    expect(judge.page.get_by_role("status").get_by_role("link", name=said["ann"])).to_be_visible()
    assert len([path for _, path in judge.traffic if "dry_run" in path]) == 1
    judge.go(f"/r/{team.review_id}/conflicts")
    expect(judge.page.get_by_role("link", name=said["ann"])).to_have_count(0)
    judge.page.get_by_text("Settled", exact=True).click()
    judge.sees(said["ann"])


def test_who_watches_sees_it_happen(visit: Visit, team: Team, world: World) -> None:
    judge = visit(team.judge, f"/r/{team.review_id}/conflicts")
    judge.sees("Title 1")
    assert judge.page.get_by_role("link", name="Title 9").count() == 0
    while not any("/events" in path for _, path in judge.traffic):
        judge.page.wait_for_timeout(50)  # until the stream has begun
    world.decide(team.review_id, team.ann, 9, "include")
    world.decide(team.review_id, team.ben, 9, "exclude")

    expect(judge.page.get_by_role("link", name="Title 9")).to_be_visible()


def test_tabs_of_one_person_share_one_stream_and_a_tab_of_somebody_else_has_its_own(
    visit: Visit, team: Team, world: World
) -> None:
    path = f"/r/{team.review_id}/conflicts"
    judge, owner = visit(team.judge, path), visit(team.owner)
    while not any("/events" in path for _, path in judge.traffic):
        judge.page.wait_for_timeout(50)  # until the stream has begun
    second = judge.page.context.new_page()
    asked = list[str]()
    second.on("request", lambda request: asked.append(request.url))
    second.goto(judge.base + path)
    expect(second.get_by_role("link", name="Title 1", exact=False).first).to_be_visible()
    world.decide(team.review_id, team.ann, 9, "include")
    world.decide(team.review_id, team.ben, 9, "exclude")

    expect(second.get_by_role("link", name="Title 9")).to_be_visible()
    assert not any("/events" in url for url in asked)

    judge.page.context.add_cookies(cast(Any, owner.page.context.cookies()))
    third = judge.page.context.new_page()
    with third.expect_request(re.compile("/events")):
        third.goto(judge.base + path)


def test_a_reviewer_changes_a_decision_and_takes_one_back(
    visit: Visit, team: Team, world: World
) -> None:
    ann = visit(team.ann, f"/r/{team.review_id}/mine")
    ann.page.get_by_role("button", name="Change: Title 2", exact=True).click()
    dialog = ann.page.get_by_role("dialog")
    dialog.get_by_text("Maybe", exact=True).click()
    ann.button("Save").click()
    expect(dialog).to_have_count(0)
    ann.page.get_by_role("button", name="Change: Title 3", exact=True).click()
    ann.button("Withdraw it").click()
    expect(ann.page.get_by_role("button", name="Change: Title 3", exact=True)).to_have_count(0)
    ann.page.get_by_text("Maybe", exact=True).first.click()
    ann.sees("Title 2")


def test_an_owner_makes_a_review_and_invites_and_somebody_joins(
    visit: Visit, team: Team, world: World
) -> None:
    owner = visit(team.owner, "/new")
    owner.page.get_by_label("Title", exact=True).fill("Sleep and memory")
    owner.page.get_by_label("Inclusion criteria", exact=False).fill("adults\nsleep")
    owner.button("Make the review").click()
    expect(owner.page.get_by_role("heading", name="Import", exact=True)).to_be_visible()
    owner.page.get_by_role("link", name="Team").click()
    owner.button("Make a link").click()
    link = owner.page.locator("code.secret").inner_text()

    eve = visit(team.eve, link.removeprefix(owner.base))
    eve.page.get_by_role("button", name="Join as eve").click()
    eve.sees("You are in")
    eve.page.get_by_role("link", name="Start").click()
    eve.sees("Sleep and memory")


def test_a_change_of_the_rules_shows_first_what_it_would_do(
    visit: Visit, team: Team, world: World
) -> None:
    world.decide(team.review_id, team.ann, 9, "include")
    owner = visit(team.owner, f"/r/{team.review_id}/settings")
    owner.page.get_by_label("Conflicts are settled by").select_option("consensus")
    owner.sees("No record changes its status.")
    owner.page.get_by_label("Reviewers for each record").select_option("1")
    owner.sees("1 record changes status.")
    owner.button("Change the rules").click()
    expect(owner.button("Change the rules")).to_be_disabled()
    owner.sees("Saved")

    owner.page.get_by_label("Stage").select_option("full_text")
    owner.page.get_by_label("Conflicts are settled by").select_option("consensus")
    owner.sees("No record changes its status.")
    owner.sends(owner.button("Change the rules"))  # "Saved" may still stand there from before
    with world.database.read() as session:
        policies = policies_in_force(session, team.review_id)
    assert policies[Stage.FULL_TEXT].resolution == "consensus"


def test_an_owner_removes_all_of_a_list_at_once_and_brings_them_back(
    visit: Visit, team: Team, world: World
) -> None:
    owner = visit(team.owner, f"/r/{team.review_id}/records?source=Medline&abstract=true")
    owner.sees("More filters (2)")
    owner.button("Select several").click()
    expect(owner.page.get_by_role("group", name="Several at once")).to_be_focused()
    owner.page.get_by_label("Select: Title 9", exact=True).check()
    owner.sees("1 selected")
    owner.button("Select all 12").click()
    owner.sees("12 selected")
    owner.button("Remove…").click()
    owner.page.get_by_label("Reason").fill("Not of this decade")
    owner.button("Remove 12 records").click()

    owner.sees("8 records were removed before screening.")
    owner.sees("4 were not changed:")
    owner.sees("Somebody has decided record 1,")
    assert n_removed(world, team) == 8
    expect(owner.page.locator(".record-row")).to_have_count(4)
    owner.button("Restore").click()
    owner.sees("8 records were restored.")
    expect(owner.page.locator(".record-row")).to_have_count(12)
    assert n_removed(world, team) == 0


def n_removed(world: World, team: Team) -> int:
    with world.database.read() as session:
        query = select(func.count()).where(Removal.review_id == team.review_id)
        return session.scalar(query) or 0


def test_the_page_is_small(chromium: Browser) -> None:
    """First route: what is fetched for the list of reviews. Sizes are those on the wire."""
    folder = built_page.folder(Settings())
    index = (folder / "index.html").read_text(encoding="utf-8")
    sizes = {
        path.name: len(gzip.compress(path.read_bytes(), 5))
        for path in (folder / "assets").iterdir()
    }
    first = sum(size for name, size in sizes.items() if name in index)

    assert first > 0
    assert first <= 60_000
    assert sum(sizes.values()) <= 150_000
