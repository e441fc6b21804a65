"""Full texts in the browser: a file is added and read page by page, and a report is decided."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from browser.visitors import Visitor
from world import World

Visit = Callable[..., Visitor]


def test_a_report_is_sought_and_excluded_for_a_reason(visit: Visit, world: World) -> None:
    team = world.team(n_records=3, exclusion_reasons=["wrong population"])
    for person in (team.ann, team.ben):
        world.decide(team.review_id, person, 2, "include")
    ann = visit(team.ann, f"/r/{team.review_id}/reports")
    expect(ann.page.locator(".chip").first).to_have_text("Being sought")
    ann.page.get_by_role("link", name="Title 2").click()
    ann.sees("No file yet")
    ann.page.get_by_label("State").select_option("requested")
    ann.page.get_by_label("How it is got").select_option("ill")
    ann.button("Save the retrieval").click()
    ann.sees("Requested, this minute")

    ann.page.get_by_label("Add a PDF or another file").set_input_files(
        {"name": "title-2.txt", "mimeType": "text/plain", "buffer": b"Twelve peer workers spoke."}
    )
    ann.sees("title-2.txt")
    ann.page.get_by_text("Exclude", exact=True).last.click()
    ann.page.get_by_label("Reason to exclude").select_option("wrong population")
    ann.button("Save the decision").click()
    ann.sees("You have decided")
    expect(ann.page.locator(".verdict.exclude")).to_be_visible()


@pytest.fixture(autouse=True)
def _one_engine(database_url: str) -> None:
    assert database_url.startswith("sqlite")
