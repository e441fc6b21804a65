"""People before the page: what they see and do, and what went over the wire."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal, cast

from playwright.sync_api import Browser, BrowserContext, Page, Response, expect

from tandem.accounts import service as accounts
from tandem_api.deps import COOKIE
from world import Person, World

expect.set_options(timeout=240_000)  # of what never comes; other tests may be busy beside this one

SLIP_SECONDS = 0.3
"""A little more than what the page takes for a slip: nobody reads a record as fast."""


@dataclass
class Visitor:
    page: Page
    base: str
    traffic: list[tuple[str, str]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def go(self, path: str) -> None:
        self.page.goto(self.base + path)

    def press(self, key: str) -> None:
        """Press a key as somebody who has read the record."""
        self.page.wait_for_timeout(1000 * SLIP_SECONDS)
        self.page.keyboard.press(key)

    def title(self) -> str:
        return self.page.locator(".article-title").inner_text()

    def sees(self, text: str | re.Pattern[str]) -> None:
        expect(self.page.get_by_text(text).first).to_be_visible()

    def button(self, name: str) -> Any:
        return self.page.get_by_role("button", name=name, exact=True)

    def sends(self, button: Any) -> None:
        """Click what writes, and wait for the server's yes; leaving at once could cut it off."""
        with self.page.expect_response(lambda answer: answer.request.method != "GET" and answer.ok):
            button.click()

    def signed_out(self) -> Callable[[], None]:
        """End the session as the browser knows it; what is returned brings it back."""
        context = self.page.context
        (kept,) = context.cookies()
        context.clear_cookies()
        name, value = kept["name"], kept["value"]
        return lambda: context.add_cookies([{"name": name, "value": value, "url": self.base}])

    def saved(self) -> None:
        """Wait until everything that was decided has arrived."""
        self.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        expect(self.page.locator(".save-state.saved")).to_be_attached()


def session_of(world: World, person: Person) -> str:
    """Sign somebody in; return what their cookie says."""
    with world.database.write.begin() as session:
        made = accounts.sign_in(session, user_id=person.id, lasting=timedelta(days=1))
        secret: str = made.secret
        return secret


class Visitors:
    def __init__(self, browser: Browser, base: str, world: World) -> None:
        self._browser, self._base, self._world = browser, base, world
        self._contexts: list[BrowserContext] = []
        self._visitors: list[Visitor] = []

    def opened(
        self,
        person: Person | None,
        path: str,
        *,
        width: int = 1280,
        theme: str = "light",
        clock: bool = False,
        worker: bool = False,
    ) -> Visitor:
        """Open the page; with `clock` its time can be held and moved.

        With `worker` the browser keeps the page's files; else each test gets them from the server.
        """
        context = self._browser.new_context(
            viewport={"width": width, "height": 740 if width < 600 else 800},
            color_scheme=cast(Literal["light", "dark"], theme),
            has_touch=width < 600,
            reduced_motion="reduce",
            service_workers="allow" if worker else "block",
        )
        context.set_default_timeout(240_000)
        self._contexts.append(context)
        if person is not None:
            context.add_cookies(
                [{"name": COOKIE, "value": session_of(self._world, person), "url": self._base}]
            )
        visitor = Visitor(context.new_page(), self._base)
        visitor.page.on("response", lambda answer: _note_answer(visitor, answer))
        visitor.page.on("pageerror", lambda error: visitor.faults.append(str(error)))
        visitor.page.on(
            "console",
            lambda said: (
                visitor.faults.append(said.text)
                if said.type == "error" and "Failed to load resource" not in said.text
                else None
            ),
        )
        self._visitors.append(visitor)
        if clock:
            visitor.page.clock.install()
        visitor.go(path)
        return visitor

    def close(self) -> None:
        for context in self._contexts:
            context.close()
        faults = [fault for one in self._visitors for fault in one.faults]
        assert faults == [], "the page fell over, or its security policy forbade something"


def _note_answer(visitor: Visitor, answer: Response) -> None:
    visitor.traffic.append((answer.request.method, answer.url.removeprefix(visitor.base)))
