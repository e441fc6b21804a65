"""What a blinded reviewer's browser gets and shows is the same, however the others voted."""

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Route, expect

from browser.visitors import Visitor, Visitors
from service.api.test_event_stream import serve
from tandem.config import Settings
from tandem.db.session import Database
from tandem.reviews.policy import Stage
from world import Team, World

VIEWS = (
    "/",
    "screen",
    "mine",
    "progress",
    "stopping",
    "records",
    "records/1",
    "records/6",
    "reports",
    "reports/1",
    "reports/screen",
    "reports/studies",
    "flow",
    "team",
    "export",
)
OF_THE_MOMENT = re.compile(
    r"\d{4}-\d\d-\d\dT[\d:.]+(Z|\+00:00)|[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{32}"
    r"|in \d+ minutes?|\d+ (minutes?|seconds?) ago|this minute"
)
"""Times, and ids that are made at random in each world."""


@contextmanager
def world_where(
    ben_says: str, file: Path, team: Team, settings: Settings, chromium: Browser
) -> Iterator[Callable[[], Visitor]]:
    """A copy of the world in which Ben has decided, all in one way, what Ann has not decided yet.

    That is titles and abstracts, and the full text of record 1.

    Where both have decided and agree, the record is settled, and everybody may see it.
    """
    copy = file.with_name(f"{ben_says}.sqlite3")
    shutil.copy(file, copy)
    database = Database(f"sqlite:///{copy}")
    world = World(database)
    for number in range(4, 9):
        world.decide(team.review_id, team.ben, number, ben_says, note=f"Clearly: {ben_says}")
    reasons = ["no interviews"] if ben_says == "exclude" else []
    world.decide(team.review_id, team.ben, 1, ben_says, stage=Stage.FULL_TEXT, reasons=reasons)
    changed = settings.model_copy(update={"database_url": f"sqlite:///{copy}", "page_folder": None})
    with serve(changed) as live:
        visitors = Visitors(chromium, live.url, world)
        yield lambda: visitors.opened(team.ann, "/me")
        visitors.close()
    database.close()


def test_the_browser_gets_and_shows_the_same_in_two_worlds(
    chromium: Browser, settings: Settings, world: World, tmp_path: Path
) -> None:
    team = world.team(n_records=12)
    for number in (1, 2, 3):
        world.decide(team.review_id, team.ann, number, "include")
    world.decide(team.review_id, team.ben, 1, "include")
    world.retrieve(team.review_id, team.ann, 1)
    file = tmp_path / "before.sqlite3"
    world.database.close()
    shutil.copy(tmp_path / "tandem.sqlite3", file)
    heard = {}
    with ExitStack() as open_worlds:
        for ben_says in ("include", "exclude"):
            opened = open_worlds.enter_context(
                world_where(ben_says, file, team, settings, chromium)
            )
            heard[ben_says] = everything(opened(), team)

    assert len(heard["include"]) > 2 * len(VIEWS)
    for one, other in zip(heard["include"], heard["exclude"], strict=True):
        assert one == other


def everything(ann: Visitor, team: Team) -> list[str]:
    """All answers that the browser got, sorted, and what each view shows."""
    bodies: list[str] = []
    said = []

    def keep(route: Route) -> None:
        asked = route.request
        answer = route.fetch()
        path = asked.url.removeprefix(ann.base)
        # A busy machine may answer with 503; the page asks again.
        if answer.status != 503:
            bodies.append(OF_THE_MOMENT.sub("·", f"{asked.method} {path} {answer.text()}"))
        route.fulfill(response=answer)

    for view in VIEWS:
        ann.page.route(re.compile("/api/v1/(?!.*/events)"), keep)
        ann.go(view if view == "/" else f"/r/{team.review_id}/{view}")
        expect(ann.page.locator("h1").first).to_be_attached()
        expect(ann.page.locator(".loading")).to_have_count(0)
        calm(ann)
        said.append(OF_THE_MOMENT.sub("·", f"{view}: {ann.page.locator('body').inner_html()}"))
        # An answer on its way is gone once its page is left.
        ann.page.unroute_all(behavior="wait")
    # A view may be read before or after the last of its answers; each is the same in itself.
    return [*sorted(set(bodies)), *said]


def calm(visitor: Visitor) -> None:
    """Wait until what is shown stays: some parts have no place of their own while they are read."""
    before, same = "", 0
    while same < 3:
        visitor.page.wait_for_timeout(400)
        now = visitor.page.locator("body").inner_html()
        before, same = now, same + 1 if now == before else 0


@pytest.fixture(autouse=True)
def _one_engine(database_url: str) -> None:
    assert database_url.startswith("sqlite")
