"""How long after a key the next record is painted, in Chromium, over 200 decisions.

    python benchmarks/page_speed.py http://127.0.0.1:8000 rosa@demo.example PASSWORD

Screens that many records of the first review of this account: take a demo's. The time is from the
key's event to the frame after the one that shows the next record. The processor time is that of the
page's main thread, which another program's load does not change much.
"""

import argparse
import os
import shutil
import statistics
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from playwright.sync_api import Browser, Page, Playwright, sync_playwright

SLIP_MS = 320
"""A little longer than what the page takes for a slip."""

_MEASURE = """() => {
  window.took = [];
  const begin = (event) => {
    const isAnswer = event.type === "keydown" ? event.key === "x" : event.target.closest(".answer");
    if (!isAnswer) return;
    const before = document.querySelector(".article-title")?.textContent;
    const begun = event.timeStamp;
    const look = () => requestAnimationFrame(() => {
      if (document.querySelector(".article-title")?.textContent === before) return look();
      requestAnimationFrame(() => window.took.push(performance.now() - begun));
    });
    look();
  };
  addEventListener("keydown", begin, true);
  addEventListener("click", begin, true);
}"""


@dataclass(frozen=True)
class Speed:
    """What so many decisions took.

    Attributes:
        painted: Milliseconds from a decision to the painted next record, in ascending order.
        busy: Milliseconds of the main thread for one decision, all that happens beside it included.
    """

    painted: Sequence[float]
    busy: float

    @property
    def median(self) -> float:
        return statistics.median(self.painted)

    @property
    def p95(self) -> float:
        return self.painted[int(0.95 * len(self.painted))]

    def __str__(self) -> str:
        return (
            f"{len(self.painted)} decisions: median {self.median:.0f}, p95 {self.p95:.0f}, "
            f"longest {self.painted[-1]:.0f} ms; {self.busy:.1f} ms of the main thread each"
        )


def chromium(playwright: Playwright) -> Browser:
    """Return Debian's Chromium, or end the program."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        sys.exit("chromium is not there")
    return playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])


def measured(page: Page, n: int, decide: Callable[[Page], None]) -> Speed:
    """Decide `n` records, one after the other, each once it could be read."""
    page.wait_for_selector(".article-title")
    page.evaluate(_MEASURE)
    devtools = page.context.new_cdp_session(page)
    devtools.send("Performance.enable", {"timeDomain": "threadTicks"})
    before = _busy(devtools.send("Performance.getMetrics"))
    for number in range(n):
        page.wait_for_timeout(SLIP_MS)
        decide(page)
        page.wait_for_function("n => window.took.length > n", arg=number)
    spent = _busy(devtools.send("Performance.getMetrics")) - before
    return Speed(sorted(page.evaluate("window.took")), 1000 * spent / n)


def _busy(found: dict[str, list[dict[str, float]]]) -> float:
    """Return the seconds that the main thread has worked."""
    (seconds,) = (one["value"] for one in found["metrics"] if str(one["name"]) == "TaskDuration")
    return seconds


def press_x(page: Page) -> None:
    page.keyboard.press("x")


def first_paint(page: Page) -> float:
    """Return the milliseconds until something was painted."""
    name = "first-contentful-paint"
    found: float = page.evaluate("name => performance.getEntriesByName(name)[0].startTime", name)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("email")
    parser.add_argument("password")
    parser.add_argument("--n", type=int, default=200)
    asked = parser.parse_args()
    with sync_playwright() as playwright:
        browser = chromium(playwright)
        page = browser.new_page()
        page.goto(asked.url)
        page.get_by_label("E-mail").fill(asked.email)
        page.get_by_label("Password", exact=True).fill(asked.password)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_selector("h1")
        paint = first_paint(page)
        page.get_by_role("link", name="Screen", exact=True).first.click()
        speed = measured(page, asked.n, press_x)
        browser.close()
    print(f"first paint {paint:.0f} ms; load {os.getloadavg()[0]:.1f}")
    print(f"key to painted next record, {speed}")


if __name__ == "__main__":
    main()
