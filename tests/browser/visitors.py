"""People before the page: what they see and do, and what went over the wire."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from playwright.sync_api import ConsoleMessage, Error, Page, Response, expect

from browser.windows import TIMEOUT_MS, Windows
from tandem.accounts import service as accounts
from tandem_api.deps import COOKIE
from world import Person, World

expect.set_options(timeout=TIMEOUT_MS)

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
        with self.page.expect_response(_is_a_yes):
            button.click()

    def signed_out(self) -> Callable[[], None]:
        """End the session as the browser knows it; what is returned brings it back."""
        context = self.page.context
        (kept,) = context.cookies()
        context.clear_cookies()
        name, value = kept["name"], kept["value"]
        return lambda: context.add_cookies([{"name": name, "value": value, "url": self.base}])

    def note_answer(self, answer: Response) -> None:
        if answer.status != 503:  # of a busy machine; the page asks again
            self.traffic.append((answer.request.method, answer.url.removeprefix(self.base)))

    def note_error(self, error: Error) -> None:
        self.faults.append(str(error))

    def note_complaint(self, said: ConsoleMessage) -> None:
        if said.type == "error" and "Failed to load resource" not in said.text:
            self.faults.append(said.text)

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


def _is_a_yes(answer: Response) -> bool:
    return answer.request.method != "GET" and answer.ok and "dry_run" not in answer.url


class Visitors:
    def __init__(self, windows: Windows, base: str, world: World) -> None:
        self._windows, self._base, self._world = windows, base, world
        self._visitors = list[Visitor]()

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
        page = self._windows.open(width=width, theme=theme, is_new=clock, worker=worker)
        if person is not None:
            page.context.add_cookies(
                [{"name": COOKIE, "value": session_of(self._world, person), "url": self._base}]
            )
        visitor = Visitor(page, self._base)
        page.on("response", visitor.note_answer)
        page.on("pageerror", visitor.note_error)
        page.on("console", visitor.note_complaint)
        self._visitors.append(visitor)
        if clock:
            page.clock.install()
        visitor.go(path)
        return visitor

    def close(self) -> None:
        for one in self._visitors:
            one.page.remove_listener("response", one.note_answer)
            one.page.remove_listener("pageerror", one.note_error)
            one.page.remove_listener("console", one.note_complaint)
            self._windows.take_back(one.page, self._base)
        faults = [fault for one in self._visitors for fault in one.faults]
        assert faults == [], "the page fell over, or its security policy forbade something"
