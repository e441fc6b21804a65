"""Retake the pictures of the README and of docs/using.md: `.venv/bin/python tools/pictures.py`.

Starts Tandem with the demo review in a folder of its own, lets the demo's people screen a part
of it over HTTP (`demo_team.py`), and takes the pictures in Debian's Chromium: some minutes.
With `--url URL --demo FOLDER` it takes them of a Tandem that runs, in which this was done before.
"""

import argparse
import io
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from demo_team import DemoPerson, screen_a_part, signed_in

FOLDER = Path(__file__).parents[1] / "docs" / "pictures"
LARGEST = 120_000
"""Bytes of a picture: readers of the README wait for them."""

LOAD_SECONDS = 900


@dataclass(frozen=True)
class Picture:
    """A view as somebody sees it.

    Attributes:
        name: Of the file.
        who: Of the demo's people.
        path: Of the view, below the review.
        shows: What is there once the view is ready.
        click: What is clicked first, by its CSS selector.
        choose: What is chosen then, by the label of its list; `shows` comes after it.
        scroll: What stands at the top of the picture, by its CSS selector.
    """

    name: str
    who: str
    path: str
    shows: str
    click: str | None = None
    choose: tuple[str, str] | None = None
    scroll: str | None = None
    width: int = 1280
    height: int = 800


PICTURES = (
    Picture("screen", "reviewer", "screen", ".article-title"),
    Picture("phone", "reviewer 2", "screen", ".article-title", width=360, height=740),
    Picture(
        "conflict", "adjudicator", "conflicts", ".article-title", click="main li a", height=1200
    ),
    Picture("progress", "adjudicator", "progress", "img.plot", height=1000),
    Picture("stopping", "adjudicator", "stopping", "select", height=900),
    Picture("full-text", "reviewer", "reports/screen", ".page-picture img", height=1000),
    Picture("reports", "reviewer 2", "reports", ".chip.standing", width=360, height=740),
    Picture("flow-view", "adjudicator", "flow", ".flow-diagram a", height=1150),
    Picture("hand-over", "adjudicator", "handover", ".handover-n", height=1100),
    Picture("coded-project", "adjudicator", "handover/synthesis", ".code", height=1100),
    Picture(
        "rules",
        "adjudicator",
        "settings",
        "text=What this would do",
        choose=("Conflicts are settled by", "consensus"),
        scroll="section.card.form",
        height=1200,
    ),
)


def take(browser: Browser, url: str, person: DemoPerson, picture: Picture) -> bytes:
    is_small = picture.width < 600
    context = browser.new_context(
        viewport={"width": picture.width, "height": picture.height},
        color_scheme="light",
        reduced_motion="reduce",
        has_touch=is_small,
        service_workers="block",
    )
    context.add_cookies([{"name": "tandem_session", "value": person.session, "url": url}])
    page = context.new_page()
    page.set_default_timeout(120_000)
    page.goto(f"{url}/r/{person.review}/{picture.path}")
    page.locator("h1").first.wait_for(state="attached")
    if picture.click:
        page.locator(picture.click).first.click()
    if picture.choose:
        where, what = picture.choose
        page.get_by_label(where).select_option(what)
    page.locator(picture.shows).first.wait_for()
    _settle(page)
    if picture.scroll:
        page.evaluate("(where) => document.querySelector(where).scrollIntoView()", picture.scroll)
    taken = page.screenshot()
    context.close()
    return taken


def _settle(page: Page) -> None:
    """Wait until nothing is on its way any more: no request, no picture."""
    page.wait_for_function(
        "() => document.querySelectorAll('.loading').length === 0"
        " && [...document.images].every((one) =>"
        " one.complete || one.getBoundingClientRect().top > innerHeight)"
    )
    page.wait_for_timeout(500)


def small(taken: bytes) -> bytes:
    """Return a picture with 256 colours at most, which our flat pages do not go beyond by much."""
    file = io.BytesIO()
    colours = Image.open(io.BytesIO(taken)).convert("RGB").quantize(256, dither=Image.Dither.NONE)
    colours.save(file, "PNG", optimize=True)
    return file.getvalue()


@contextmanager
def demo() -> Iterator[tuple[str, Path]]:
    """Run Tandem with a new demo review; its address, and the folder of the demo's files."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "tandem", "up", "--demo", "--data-dir", folder]
        clean = {key: value for key, value in os.environ.items() if not key.startswith("TANDEM_")}
        with subprocess.Popen(  # noqa: S603  # our own arguments, no shell
            command,
            env={**clean, "TANDEM_PORT": str(port)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as process:
            try:
                _wait_until_ready(process)
                yield f"http://127.0.0.1:{port}", Path(folder) / "demo"
            finally:
                process.terminate()
                process.communicate()


def _wait_until_ready(process: "subprocess.Popen[str]") -> None:
    assert process.stdout is not None  # noqa: S101  # it is a pipe
    until = time.monotonic() + LOAD_SECONDS
    for line in process.stdout:
        if "is ready to screen" in line:
            return
        if time.monotonic() > until:
            break
    raise RuntimeError("The demo review was not loaded.")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--url", help="of a Tandem that runs, in which the demo was screened")
    arguments.add_argument("--demo", type=Path, help="the folder `demo` of its data")
    asked = arguments.parse_args()
    if asked.url:
        photograph(asked.url, signed_in(asked.url, asked.demo))
        return
    with demo() as (url, folder):
        people = signed_in(url, folder)
        screen_a_part(people, folder)
        photograph(url, people)


def photograph(url: str, people: dict[str, DemoPerson]) -> None:
    FOLDER.mkdir(exist_ok=True)
    program = shutil.which("chromium")
    if program is None:
        raise SystemExit("chromium is not there; on Debian: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        for picture in PICTURES:
            made = small(take(browser, url, people[picture.who], picture))
            if len(made) > LARGEST:
                raise SystemExit(
                    f"{picture.name}.png has {len(made):,} bytes: {LARGEST:,} at most."
                )
            (FOLDER / f"{picture.name}.png").write_bytes(made)
            sys.stdout.write(f"{picture.name}.png  {len(made):,} bytes\n")
        browser.close()


if __name__ == "__main__":
    main()
