"""How long after a key the next record is painted, in Chromium, over 200 decisions.

    python benchmarks/page_speed.py http://127.0.0.1:8000 rosa@demo.example PASSWORD

Screens that many records of the first review of this account: take a demo's. The time is from the
key's event to the frame after the one that shows the next record.
"""

import argparse
import shutil
import statistics
import sys

from playwright.sync_api import Page, sync_playwright

MEASURE = """() => {
  window.took = [];
  addEventListener("keydown", (event) => {
    if (event.key !== "x") return;
    const before = document.querySelector(".article-title")?.textContent;
    const begun = event.timeStamp;
    const look = () => requestAnimationFrame(() => {
      if (document.querySelector(".article-title")?.textContent === before) return look();
      requestAnimationFrame(() => window.took.push(performance.now() - begun));
    });
    look();
  }, true);
}"""


def screen(page: Page, n: int) -> list[float]:
    page.get_by_role("link", name="Screen", exact=True).first.click()
    page.wait_for_selector(".article-title")
    page.evaluate(MEASURE)
    for number in range(n):
        page.wait_for_timeout(320)
        page.keyboard.press("x")
        page.wait_for_function("n => window.took.length > n", arg=number)
    found: list[float] = page.evaluate("window.took")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("email")
    parser.add_argument("password")
    parser.add_argument("--n", type=int, default=200)
    said = parser.parse_args()
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        sys.exit("chromium is not there")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(said.url)
        page.get_by_label("E-mail").fill(said.email)
        page.get_by_label("Password", exact=True).fill(said.password)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_selector("h1")
        paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
        took = sorted(screen(page, said.n))
        browser.close()
    print(f"first paint {paint:.0f} ms")
    print(
        f"key to painted next record, {len(took)} decisions: median {statistics.median(took):.0f}, "
        f"p95 {took[int(0.95 * len(took))]:.0f}, longest {took[-1]:.0f} ms"
    )


if __name__ == "__main__":
    main()
