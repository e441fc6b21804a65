"""The page without a connection: it opens again, and what is decided then arrives, in order."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

import effort
from browser.line import Line
from browser.visitors import SLIP_SECONDS, Visitor, Visitors
from browser.windows import Windows
from service.live import Live
from tandem.screening.models import Decision
from world import Team, World

Visit = Callable[..., Visitor]
N_DECIDED = 60 if effort.is_soak() else 24
"""More than twenty are sent as one request."""


@pytest.fixture
def line(live: Live) -> Iterator[Line]:
    made = Line(int(live.url.rsplit(":", 1)[1]))
    yield made
    made.close()


@pytest.fixture
def visit(windows: Windows, line: Line, world: World) -> Iterator[Visit]:
    """Open the page as somebody, in a browser that keeps its files."""
    visitors = Visitors(windows, line.url, world)
    yield lambda person, path: visitors.opened(person, path, worker=True)
    visitors.close()


def offline(visitor: Visitor, line: Line, is_off: bool) -> None:
    line.cut(is_off)
    visitor.page.context.set_offline(is_off)


def kept(visitor: Visitor) -> None:
    """Wait until the browser keeps the page's files."""
    visitor.page.evaluate("navigator.serviceWorker.ready.then(() => true)")


def screening(visit: Visit, world: World, n_records: int) -> tuple[Team, Visitor]:
    """Have Ann before her first record, in a browser that keeps the page's files."""
    team = world.team(n_records=n_records)
    ann = visit(team.ann, f"/r/{team.review_id}/screen")
    expect(ann.page.locator(".article-title")).to_be_visible()
    kept(ann)
    return team, ann


def ledger(world: World, team: Team) -> list[str]:
    with world.database.read() as session:
        query = select(Decision.record_number).where(
            Decision.review_id == team.review_id, Decision.reviewer_id == team.ann.id
        )
        return [
            f"Title {number}" for number in session.scalars(query.order_by(Decision.labels_seq))
        ]


@pytest.mark.timeout(900)
def test_what_is_taken_along_and_decided_offline_arrives_in_order_after_reloads(
    visit: Visit, line: Line, world: World
) -> None:
    team, ann = screening(visit, world, n_records=120)
    ann.page.keyboard.press("?")
    ann.button("Take 100 along").click()
    ann.sees("100 records are kept in this browser")
    ann.button("Close").click()
    offline(ann, line, is_off=True)
    said = []
    for at in range(N_DECIDED):
        if at == N_DECIDED // 2:
            ann.page.reload()
            ann.sees("These records were kept in this browser")
        said.append(ann.title())
        ann.press("a" if at % 3 else "x")
        expect(ann.page.locator(".article-title")).not_to_have_text(said[-1])
    ann.page.reload()
    ann.sees("Not connected")
    expect(ann.page.locator(".article-title")).to_be_visible()
    assert ann.title() not in said
    assert ledger(world, team) == []

    offline(ann, line, is_off=False)
    ann.saved()

    assert len(set(said)) == N_DECIDED
    assert ledger(world, team) == said


DECIDE_AND_RELOAD = """
  dispatchEvent(new KeyboardEvent("keydown", { key: "x", bubbles: true }));
  location.reload();
"""


def test_a_decision_is_kept_although_the_page_is_reloaded_in_the_same_instant(
    visit: Visit, line: Line, world: World
) -> None:
    team, ann = screening(visit, world, n_records=10)
    offline(ann, line, is_off=True)
    said = []
    for _ in range(5):
        ann.page.wait_for_timeout(1000 * SLIP_SECONDS)
        said.append(ann.title())
        with ann.page.expect_navigation():
            ann.page.evaluate(DECIDE_AND_RELOAD)
        ann.sees("These records were kept in this browser")
        expect(ann.page.locator(".article-title")).to_be_visible()
        assert ann.title() not in said

    offline(ann, line, is_off=False)
    ann.saved()

    assert ledger(world, team) == said


def test_no_answer_of_the_api_is_kept_and_nothing_is_shown_after_signing_out(
    visit: Visit, line: Line, world: World
) -> None:
    team, ann = screening(visit, world, n_records=3)
    ann.page.reload()
    expect(ann.page.locator(".article-title")).to_be_visible()
    names = ann.page.evaluate(
        """async () => {
          const caches_ = await Promise.all((await caches.keys()).map((name) => caches.open(name)));
          const requests = await Promise.all(caches_.map((cache) => cache.keys()));
          return requests.flat().map((request) => new URL(request.url).pathname);
        }"""
    )
    assert "/" in names
    assert [
        name for name in names if name not in ("/", "/icon.svg") and "/assets/" not in name
    ] == []

    ann.go("/me")
    ann.page.get_by_role("button", name="Sign out", exact=True).first.click()
    ann.sees("Sign in")
    offline(ann, line, is_off=True)
    ann.go(f"/r/{team.review_id}/screen")
    ann.sees("The server cannot be reached")
    assert ann.page.get_by_text(team.ann.name, exact=True).count() == 0
    assert ann.page.get_by_text("Title ").count() == 0


def test_a_connected_browser_gets_the_newest_page(visit: Visit, world: World) -> None:
    team = world.team(n_records=3)
    ann = visit(team.ann, "/")
    kept(ann)
    ann.traffic.clear()
    ann.page.reload()
    ann.sees("Your reviews")

    assert ("GET", "/") in ann.traffic
    answer = ann.page.context.request.get(f"{ann.base}/worker.js")
    assert answer.headers["cache-control"] == "no-cache"


@pytest.fixture(autouse=True)
def _one_engine(database_url: str) -> None:
    assert database_url.startswith("sqlite")
