"""The first hour with `tandem up`: the first account, a review, records from a file, a decision."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from browser.visitors import Visitor
from service.installation.stand_ins import free_port

PASSWORD = "correct horse battery"
RECORDS = "\n".join(
    f"TY  - JOUR\nTI  - Peer work in study {n}\nAB  - Peers {n} were asked.\nPY  - 2020\nER  -\n"
    for n in range(1, 6)
)
LINK = re.compile(r"http://127\.0\.0\.1:\d+(/setup/\S+)")


@pytest.fixture
def up(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """A new installation: its address, and the path of its first account's link."""
    port = free_port()
    clean = {name: value for name, value in os.environ.items() if not name.startswith("TANDEM_")}
    log = tmp_path / "log"
    with (
        log.open("wb") as errors,
        subprocess.Popen(
            [sys.executable, "-m", "tandem", "up", "--data-dir", str(tmp_path / "data")],
            env={**clean, "TANDEM_PORT": str(port)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as process,
    ):
        try:
            assert process.stdout is not None
            said = ""
            for line in process.stdout:
                said += line
                if found := LINK.search(line):
                    yield f"http://127.0.0.1:{port}", found[1]
                    break
            else:
                raise AssertionError(said + log.read_text())
        finally:
            process.terminate()
            process.communicate()


@pytest.mark.processes
@pytest.mark.timeout(900)
def test_from_the_first_account_to_the_first_decision(
    chromium: Browser, up: tuple[str, str], tmp_path: Path
) -> None:
    base, setup = up
    file = tmp_path / "search.ris"
    file.write_text(RECORDS)
    page = chromium.new_context().new_page()
    page.set_default_timeout(120_000)
    owner = Visitor(page, base)

    owner.go("/")
    owner.sees("There is no account yet")
    owner.go(setup)
    page.get_by_label("Name").fill("Olga")
    page.get_by_label("E-mail address").fill("olga@example.org")
    page.get_by_label("New password").fill(PASSWORD)
    page.get_by_role("button", name="Make the account").click()
    page.get_by_role("link", name="On to Tandem").click()
    owner.sees("You are in no review yet")

    page.get_by_role("link", name="New review").click()
    page.get_by_label("Title", exact=True).fill("Peer work")
    owner.button("Make the review").click()
    page.get_by_label("Drop files here, or choose them").set_input_files(file)
    owner.button("Import 1 file").click()
    expect(page.get_by_text("5 new records · 0 duplicates")).to_be_visible(timeout=120_000)

    page.get_by_role("link", name="Screen").last.click()  # of what comes next
    expect(page.locator(".article-title")).to_contain_text("Peer work in study")
    owner.press("a")
    owner.saved()
    page.get_by_role("link", name="My decisions").click()
    owner.sees("Peer work in study")

    owner.go("/me")
    page.get_by_role("button", name="Sign out", exact=True).first.click()
    page.get_by_label("E-mail").fill("olga@example.org")
    page.get_by_label("Password", exact=True).fill("not this one")
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator(".wrong")).to_be_visible()
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    owner.sees("Peer work")
    page.context.close()
