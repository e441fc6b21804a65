"""What keeps an installation running: accounts, webhooks, and papers of one's own."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import expect

from browser.visitors import Visitor
from service.live import Live, serve
from tandem.config import Settings
from world import World

Visit = Callable[..., Visitor]


@pytest.fixture
def live(settings: Settings) -> Iterator[Live]:
    """A server that also sends to programs on this machine."""
    allowed = {"page_folder": None, "webhooks_allow_private": True, "webhooks_allow_http": True}
    with serve(settings.model_copy(update=allowed)) as running:
        yield running


def test_an_administrator_gives_a_link_and_switches_an_account_off(
    visit: Visit, world: World
) -> None:
    world.person("walter")
    root = visit(world.person("root", is_admin=True), "/administration")
    root.sees("Everything is done")
    root.page.get_by_label("Find by name or e-mail").fill("walter")
    root.page.keyboard.press("Enter")
    expect(root.page.locator(".row")).to_have_count(1)
    root.button("Manage: walter").click()
    root.button("Link for a new password: walter").click()
    expect(root.page.locator("code.secret")).to_contain_text("/reset/")
    root.button("Switch off: walter").click()
    root.sees("Their decisions and memberships stay.")
    root.button("Switch off").click()
    root.sees("switched off")
    root.button("Switch on: walter").click()
    expect(root.button("Switch off: walter")).to_be_visible()


def test_others_read_that_it_is_not_for_them(visit: Visit, world: World) -> None:
    walter = visit(world.person("walter"), "/administration")
    walter.sees("You do not have the right to see this.")
    assert not any("/api/v1/users" in path for _, path in walter.traffic)


def test_a_webhook_shows_its_secret_once_and_what_was_sent(visit: Visit, world: World) -> None:
    team = world.team(n_records=3)
    settings = f"/r/{team.review_id}/settings"
    owner = visit(team.owner, settings)
    owner.sees("No program receives this review")
    owner.page.get_by_label("Address (https)").fill("http://127.0.0.1:9/hook")
    owner.page.get_by_text("Only certain events").click()
    owner.page.get_by_label("conflict opened").check()
    owner.button("Add the webhook").click()
    expect(owner.page.locator("code.secret")).to_contain_text("whsec_")
    owner.sees("1 kind of event")
    owner.go(settings)
    owner.button("Send a test: http://127.0.0.1:9/hook").click()
    owner.sees("tandem.webhook.test · On its way")
    expect(owner.page.locator("code.secret")).to_have_count(0)
    owner.button("Remove: http://127.0.0.1:9/hook").click()
    owner.button("Remove").last.click()
    owner.sees("No program receives this review")


def test_somebody_says_that_a_record_is_theirs_or_not(visit: Visit, world: World) -> None:
    team = world.team(n_records=3)
    ann = visit(team.ann, f"/r/{team.review_id}/records/2")
    ann.button("I am an author of it").click()
    ann.sees("It is not given to you to screen")
    ann.go(f"/r/{team.review_id}/team")
    ann.sees("says that it is theirs")
    ann.button("It is not mine: Title 2").click()
    ann.sees("given to them as any other")


@pytest.fixture(autouse=True)
def _one_engine(database_url: str) -> None:
    assert database_url.startswith("sqlite")
