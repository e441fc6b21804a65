"""When to stop: what it costs, an audit from its beginning to its end, and its certificate."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from browser.test_page_views import faults_of
from browser.views import AXE
from browser.visitors import Visitor
from world import Team, World

Visit = Callable[..., Visitor]
N, N_INCLUDED = 12, 8


@pytest.fixture
def team(world: World) -> Team:
    made = world.team(n_records=N)
    for number in range(1, N_INCLUDED + 1):
        both(world, made, number, "include")
    return made


def both(world: World, team: Team, number: int, verdict: str) -> None:
    for person in (team.ann, team.ben):
        world.decide(team.review_id, person, number, verdict)


def test_an_audit_from_its_cost_to_its_certificate(visit: Visit, team: Team, world: World) -> None:
    if not AXE.exists():
        pytest.skip("axe-core is not there; `make page` fetches it")
    stopping = f"/r/{team.review_id}/stopping"
    owner = visit(team.owner, stopping)
    owner.page.get_by_label("Find at least").select_option("0.8")
    owner.page.get_by_label("With a confidence of").select_option("0.8")
    owner.sees("To show with 80 % confidence that you have at least 80 %")
    owner.button("Register the target…").click()
    owner.sees("is fixed now and sealed")
    assert faults_of(owner) == {}
    owner.button("Register").click()
    owner.sees("Registered")

    owner.button("Open it: random order now…").click()
    owner.sees("Everybody is given the records that others have begun first")
    owner.button("Open the audit").click()
    owner.sees("Open: random order")
    ann = visit(team.ann, f"/r/{team.review_id}/screen")
    ann.sees("Records now come in random order.")
    ann.go(stopping)
    ann.sees("4 records are left for you to screen.")
    assert ann.page.get_by_text("Evidence").count() == 0

    world.decide(team.review_id, team.ann, 9, "exclude")
    owner.sees("What it waits for")
    world.decide(team.review_id, team.ben, 9, "exclude")
    for number in (10, 11, 12):
        both(world, team, number, "exclude")
    owner.sees("Certified")
    owner.page.get_by_role("link", name="The certificate").first.click()
    owner.sees("Certificate of recall")
    owner.sees("It says nothing of records that both reviewers would misjudge")
    assert faults_of(owner) == {}
    with owner.page.expect_download() as download:
        owner.page.get_by_role("link", name="Download as Markdown").click()
    assert download.value.path().read_text(encoding="utf-8").startswith("# Certificate of recall")
    owner.page.emulate_media(media="print")
    expect(owner.button("Print")).to_be_hidden()
    expect(owner.page.get_by_role("navigation")).to_be_hidden()
    owner.page.emulate_media(media="screen")

    owner.go(stopping)
    owner.button("End it…").click()
    owner.sees("This cannot be undone.")
    owner.button("End the audit").click()
    owner.sees("Audits that are over")
    owner.page.get_by_role("link", name="The certificate").click()
    owner.sees("Certificate of recall")


def test_before_anything_is_included_no_audit_is_offered(visit: Visit, world: World) -> None:
    team = world.team(n_records=3)
    owner = visit(team.owner, f"/r/{team.review_id}/stopping")
    owner.sees("Nothing is included yet")
    expect(owner.button("Register the target…")).to_have_count(0)


@pytest.fixture(autouse=True)
def _one_engine(database_url: str) -> None:
    assert database_url.startswith("sqlite")
