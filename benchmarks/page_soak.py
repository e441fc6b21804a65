"""What the page must bear, in Chromium against a real installation with the demo's 1,528 records.

    python benchmarks/page_soak.py [--only NAME,NAME] [--n 200]

Each line of the table is somebody of their own who screens the demo review: how many decisions the
ledger has in the end, and what was measured. Exit code 1 where something is lost, doubled, out of
order, or slower than expected.
"""

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from playwright.sync_api import Page, expect, sync_playwright
from sqlalchemy import select

import page_looks
from browser.line import Line
from browser.visitors import Visitor, Visitors
from browser.windows import Windows
from installation import Installation, running
from page_speed import SLIP_MS, chromium, first_paint, measured, press_x
from tandem.accounts import service as accounts
from tandem.config import Settings
from tandem.db.session import Database
from tandem.demo.loading import load
from tandem.demo.making import DEMO_REVIEW
from tandem.ids import RecordNumber, ReviewId, UserId
from tandem.records.models import Record
from tandem.reviews import service as reviews
from tandem.reviews.models import Member, Role
from tandem.screening.models import Decision
from tandem_api import built_page
from world import Person, World

PASSWORD = "correct horse battery staple"
SLOW_4G = {"latency": 562.5, "downloadThroughput": 180_000, "uploadThroughput": 84_375}
"""As Chromium's own tools name it: milliseconds, and bytes a second."""


@dataclass
class Soak:
    here: Installation
    database: Database
    world: World
    review: ReviewId
    windows: Windows
    owner: UserId
    n: int

    @property
    def screen(self) -> str:
        return f"/r/{self.review}/screen"

    def reviewer(self, name: str, role: Role = Role.REVIEWER) -> Person:
        person = self.world.person(name)
        with self.database.write.begin() as session:
            review, _ = reviews.enter(session, review_id=self.review, user_id=self.owner)
            reviews.set_member(session, review, user_id=person.id, role=role)
            accounts.set_password(accounts.get_user(session, person.id), PASSWORD)
        return person

    @contextmanager
    def visit(
        self, person: Person, base: str | None = None, path: str | None = None, **how: object
    ) -> Iterator[Visitor]:
        visitors = Visitors(self.windows, base or self.here.url, self.world)
        try:
            yield visitors.opened(person, self.screen if path is None else path, **how)  # type: ignore[arg-type]  # what `opened` takes
        finally:
            visitors.close()

    def ledger(self, person: Person) -> list[RecordNumber]:
        """Return the records of somebody's entries, in the order in which they arrived."""
        of = (Decision.review_id == self.review, Decision.reviewer_id == person.id)
        with self.database.read() as session:
            query = select(Decision.record_number).where(*of).order_by(Decision.labels_seq)
            return list(session.scalars(query))

    def numbers(self, titles: list[str]) -> list[RecordNumber]:
        """Return the numbers of records by their titles: no two of the demo's have the same."""
        shown = (Record.review_id == self.review, Record.duplicate_of.is_(None))
        with self.database.read() as session:
            query = select(Record.title, Record.number).where(*shown)
            known = {one.title: one.number for one in session.execute(query)}
        return [known[title] for title in titles]


@dataclass(frozen=True)
class Outcome:
    did: str
    is_right: bool


def by_keyboard(soak: Soak) -> Outcome:
    """The first 200 of the demo by keyboard alone, from the list of reviews on."""
    rosa = soak.reviewer("keyboard")
    with soak.visit(rosa, path="/") as visitor:
        page = visitor.page
        expect(page.get_by_role("link", name="Screen", exact=True)).to_be_visible()
        paint = first_paint(page)
        while page.evaluate("document.activeElement?.textContent?.trim()") != "Screen":
            page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        speed = measured(page, soak.n, press_x)
        visitor.saved()
    kept = soak.ledger(rosa)
    is_right = len(kept) == len(set(kept)) == soak.n
    is_fast = speed.median <= 50 and speed.p95 <= 100 and paint <= 1000
    return Outcome(
        f"{len(kept)} in the ledger; first paint {paint:.0f} ms; {speed}", is_right and is_fast
    )


def tap_exclude(page: Page) -> None:
    page.locator(".answer.exclude:not(.reasons)").tap()


def by_touch(soak: Soak) -> Outcome:
    """The first 200 of the demo by touch, 360 pixels wide."""
    remy = soak.reviewer("touch")
    with soak.visit(remy, width=360) as visitor:
        speed = measured(visitor.page, soak.n, tap_exclude)
        width = visitor.page.evaluate("document.documentElement.scrollWidth")
        visitor.saved()
    kept = soak.ledger(remy)
    is_right = len(kept) == len(set(kept)) == soak.n and width <= 360
    return Outcome(f"{len(kept)} in the ledger; page {width} px wide; {speed}", is_right)


def quick(visitor: Visitor, n: int, key: str = "x") -> list[str]:
    """Decide so many records as fast as the page takes decisions; the titles."""
    titles = []
    for _ in range(n):
        visitor.page.wait_for_timeout(SLIP_MS)
        titles.append(visitor.title())
        visitor.page.keyboard.press(key)
        expect(visitor.page.locator(".article-title")).not_to_have_text(titles[-1])
    return titles


def killed(soak: Soak) -> Outcome:
    """The API is killed (kill -9) in a burst of 50 quick decisions, and the tab closed."""
    person = soak.reviewer("killed")
    with soak.visit(person) as visitor:
        expect(visitor.page.locator(".article-title")).to_be_visible()
        taken_along(visitor)
        titles = quick(visitor, 25)
        soak.here.kill("api")
        arrived = len(soak.ledger(person))
        titles += quick(visitor, 25)
        context = visitor.page.context
        visitor.page.close()
        soak.here.start("api")
        visitor.page = context.new_page()
        visitor.go(soak.screen)
        expect(visitor.page.locator(".article-title")).to_be_visible()
        visitor.saved()
    kept = soak.ledger(person)
    return Outcome(
        f"{arrived} had arrived at the kill; {len(kept)} in the ledger, {len(set(kept))} records",
        kept == soak.numbers(titles),
    )


def taken_along(visitor: Visitor) -> None:
    visitor.page.keyboard.press("?")
    visitor.button("Take 100 along").click()
    visitor.sees("100 records are kept in this browser")
    visitor.button("Close").click()


def offline(soak: Soak) -> Outcome:
    """100 taken along, 60 decided without a connection, reloaded twice, connected again."""
    person = soak.reviewer("offline")
    line = Line(soak.here.settings.port)
    try:
        with soak.visit(person, base=line.url, worker=True) as visitor:
            page = visitor.page
            expect(page.locator(".article-title")).to_be_visible()
            page.evaluate("navigator.serviceWorker.ready.then(() => true)")
            taken_along(visitor)
            line.cut(is_cut=True)
            page.context.set_offline(True)
            titles = quick(visitor, 30)
            page.reload()
            visitor.sees("These records were kept in this browser")
            titles += quick(visitor, 30, "a")
            page.reload()
            visitor.sees("Not connected")
            before = len(soak.ledger(person))
            line.cut(is_cut=False)
            page.context.set_offline(False)
            visitor.saved()
    finally:
        line.close()
    kept = soak.ledger(person)
    return Outcome(
        f"{before} before, {len(kept)} in the ledger after", kept == soak.numbers(titles)
    )


def eight_tabs(soak: Soak) -> Outcome:
    """Eight tabs of one browser, five decisions in each, none closed before the last is done."""
    person = soak.reviewer("tabs")
    with soak.visit(person) as visitor:
        context = visitor.page.context
        titles, opened = [], []
        for at in range(8):
            if at > 0:
                visitor.page = context.new_page()
            begun = visitor.page.evaluate("performance.timeOrigin + performance.now()")
            visitor.go(soak.screen)
            expect(visitor.page.locator(".article-title")).to_be_visible()
            opened.append(
                visitor.page.evaluate("performance.timeOrigin + performance.now()") - begun
            )
            titles += quick(visitor, 5)
            visitor.saved()
    kept = soak.ledger(person)
    times = f"first record after {opened[0]:.0f} ms in the first, {opened[-1]:.0f} ms in the eighth"
    return Outcome(
        f"{len(kept)} in the ledger, {len(set(kept))} records; {times}",
        len(set(kept)) == len(kept) == 40 and sorted(kept) == sorted(soak.numbers(titles)),
    )


def slow(soak: Soak) -> Outcome:
    """A connection as slow as slow 4G, from the first request on."""
    person = soak.reviewer("slow")
    n = 40
    with soak.visit(person, path="/me") as visitor:
        page = visitor.page
        devtools = page.context.new_cdp_session(page)
        devtools.send("Network.enable")
        devtools.send("Network.setCacheDisabled", {"cacheDisabled": True})
        devtools.send("Network.emulateNetworkConditions", {"offline": False, **SLOW_4G})
        visitor.go(soak.screen)
        expect(page.locator(".article-title")).to_be_visible()
        shown = page.evaluate("performance.now()")
        paint = first_paint(page)
        speed = measured(page, n, press_x)
        visitor.saved()
    kept = soak.ledger(person)
    return Outcome(
        f"first paint {paint:.0f} ms, first record {shown:.0f} ms; "
        f"{len(kept)} in the ledger; {speed}",
        len(kept) == len(set(kept)) == n and paint <= 2500,
    )


def signed_out(soak: Soak) -> Outcome:
    """The session ends in the middle of 40 decisions; the person signs in where they are."""
    person = soak.reviewer("signed_out")
    with soak.visit(person) as visitor:
        expect(visitor.page.locator(".article-title")).to_be_visible()
        titles = quick(visitor, 20)
        visitor.page.context.clear_cookies()
        dialog = visitor.page.get_by_role("dialog")
        titles.append(visitor.title())
        visitor.page.wait_for_timeout(SLIP_MS)
        visitor.page.keyboard.press("x")
        expect(dialog.get_by_role("heading", name="Sign in again")).to_be_visible()
        dialog.get_by_label("Password", exact=True).fill(PASSWORD)
        dialog.get_by_role("button", name="Sign in", exact=True).click()
        expect(dialog).to_have_count(0)
        titles += quick(visitor, 19)
        visitor.saved()
    kept = soak.ledger(person)
    return Outcome(f"{len(kept)} in the ledger, in order", kept == soak.numbers(titles))


def looks(soak: Soak) -> Outcome:
    """Each view at 200 % zoom, with reduced motion and forced colours: axe, widths, focus."""
    person = soak.reviewer("looks", Role.OWNER)
    with soak.visit(person, path="/") as visitor:
        faults, n = page_looks.faults(visitor, str(soak.review))
    for fault in faults:
        print(f"  {fault}")
    return Outcome(f"{n} looks, {len(faults)} faults", not faults)


CASES: dict[str, Callable[[Soak], Outcome]] = {
    one.__name__: one
    for one in (by_keyboard, by_touch, killed, offline, eight_tabs, slow, signed_out, looks)
}


def prepared(here: Installation, windows: Windows, n: int) -> Soak:
    """Load the demo review."""
    load(here.settings, made=lambda _: None, on_progress=lambda _: None)
    database = here.open_database()
    with database.read() as session:
        of_demo = (Member.review_id == DEMO_REVIEW, Member.role == Role.OWNER)
        (owner,) = session.scalars(select(Member.user_id).where(*of_demo))
    return Soak(here, database, World(database), DEMO_REVIEW, windows, owner, n)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", help=f"of {', '.join(CASES)}")
    parser.add_argument("--n", type=int, default=200, help="decisions by keyboard, and by touch")
    asked = parser.parse_args()
    names = asked.only.split(",") if asked.only else list(CASES)
    if not (built_page.folder(Settings()) / "index.html").exists():
        sys.exit("The page is not built: run `make page` first.")
    wrong = []
    with running("sqlite") as here, sync_playwright() as playwright:
        browser = chromium(playwright)
        soak = prepared(here, Windows(browser, hands_on=False), asked.n)
        print("| case | what came of it | load |\n|---|---|---|")
        for name in names:
            try:
                outcome = CASES[name](soak)
            except AssertionError as error:
                outcome = Outcome(str(error).partition("\n")[0], False)
            if not outcome.is_right:
                wrong.append(name)
            mark = "" if outcome.is_right else "**NOT AS EXPECTED** "
            print(f"| {name} | {mark}{outcome.did} | {os.getloadavg()[0]:.1f} |", flush=True)
        browser.close()
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
