"""The synthesis in the browser: a coded project comes back, and shows what a construct rests on."""

from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import expect

from browser.test_page_views import faults_of
from browser.views import AXE
from browser.visitors import Visitor
from coding import Coded, coded, texts
from tandem.reviews.policy import Stage
from world import Team, World

Visit = Callable[..., Visitor]


@pytest.fixture
def team(world: World) -> Team:
    """Reports 1 and 2 are included."""
    made = world.team(n_records=3)
    world.to_full_text(made, 1, 2)
    for person in (made.ann, made.ben):
        for number in (1, 2):
            world.decide(made.review_id, person, number, "include", stage=Stage.FULL_TEXT)
    return made


def test_a_coded_project_comes_back_as_constructs_with_their_passages(
    visit: Visit, team: Team, client: TestClient
) -> None:
    address = f"/api/v1/reviews/{team.review_id}/handover?format=qdpx"
    project = client.get(address, headers=team.owner.auth).content
    source, text = next(iter(texts(project).items()))
    start = text.index("Abstract of record")
    made = coded(project, [Coded(source, start, start + 18, "Trust")], [("Trust",)])

    owner = visit(team.owner, f"/r/{team.review_id}/handover")
    owner.page.get_by_role("link", name="Coded project, codes and matrix").click()
    owner.sees("No coded project came back yet")
    owner.page.get_by_label("Send a coded project").set_input_files(
        {"name": "coded.qdpx", "mimeType": "application/zip", "buffer": made}
    )
    owner.sees("1 passage was kept, 0 moved, 0 lost")
    owner.sees("Nothing is marked as this yet")
    owner.page.get_by_label("A code: Trust").select_option("construct")
    owner.page.get_by_text("1 passage", exact=True).last.click()
    expect(owner.page.locator("blockquote")).to_contain_text("Abstract of record")
    if AXE.exists():
        assert faults_of(owner) == {}
    with owner.page.expect_download() as download:
        owner.page.get_by_role("link", name="Download as CSV").click()
    assert "Trust" in download.value.path().read_text(encoding="utf-8")
    owner.button("Take back: coded.qdpx").click()
    owner.page.get_by_role("dialog").get_by_role("button", name="Take back").click()
    owner.sees("No coded project came back yet")

    ann = visit(team.ann, f"/r/{team.review_id}/handover/synthesis")
    ann.sees("Owners and adjudicators see it")


@pytest.fixture(autouse=True)
def _one_engine(database_url: str) -> None:
    assert database_url.startswith("sqlite")
