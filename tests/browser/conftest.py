"""A real Chromium and a real server with the built page; skipped where one is missing."""

import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from browser.visitors import Visitor, Visitors
from browser.windows import Windows
from service.live import Live, serve
from tandem.config import Settings
from tandem_api import built_page
from world import Person, World

NAMES = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser for a module's tests.

    Not for the session: while it is open, no other test of this process may run an event loop.
    """
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        pytest.skip("chromium is not there; on Debian: apt-get install chromium")
    if not (built_page.folder(Settings()) / "index.html").exists():
        pytest.skip("the page is not built; `make page` builds it")
    with sync_playwright() as playwright:
        # A container has no place for Chromium's sandbox; it meets our own pages only.
        opened = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def windows(chromium: Browser) -> Windows:
    return Windows(chromium)


@pytest.fixture
def live(settings: Settings) -> Iterator[Live]:
    """A server with the built page."""
    with serve(settings.model_copy(update={"page_folder": None})) as running:
        yield running


@pytest.fixture
def visit(windows: Windows, live: Live, world: World) -> Iterator[Callable[..., Visitor]]:
    """Open the page as somebody: `visit(team.ann, "/r/…/screen", width=360, theme="dark")`."""
    visitors = Visitors(windows, live.url, world)

    def opened(person: Person | None, path: str = "/", **how: Any) -> Visitor:
        return visitors.opened(person, path, **how)

    yield opened
    visitors.close()
