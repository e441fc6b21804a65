"""Full texts in the browser: files and their retrieval, screening, conflicts, my decisions."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import FilePayload, expect
from sqlalchemy import select

import pdfs
from browser.test_page_views import faults_of
from browser.views import AXE
from browser.visitors import Visitor
from tandem.artifacts import Artifacts
from tandem.config import Settings
from tandem.reviews.policy import Stage
from tandem.screening.models import Decision, PresentDecision
from tandem.texts import reading_work
from world import Team, World

Visit = Callable[..., Visitor]
REASONS = ["wrong population", "no interviews"]
LINES = ["Twelve peer workers spoke of their first year.", "No volunteers took part."]


@pytest.fixture
def team(world: World) -> Team:
    return world.team(
        n_records=5,
        exclusion_reasons=REASONS,
        include=["paid peer workers"],
        highlights_for=["peer worker*"],
        highlights_against=["volunteer*"],
    )


@pytest.fixture
def read(world: World, settings: Settings, team: Team) -> Callable[[], None]:
    """What a worker does with the files that were sent."""
    artifacts = Artifacts(settings.resolved_artifact_url())
    turn = timedelta(minutes=5)

    def run() -> None:
        reading_work.run(world.database, artifacts, team.review_id, scan_command=None, turn=turn)

    return run


def reports(team: Team, place: str = "") -> str:
    return f"/r/{team.review_id}/reports{place}"


def given(world: World, team: Team) -> list[tuple[int, str | None, list[str], str | None]]:
    """The decisions in force at full text, in the order of the records."""
    with world.database.read() as session:
        found = session.scalars(
            select(Decision)
            .join(PresentDecision, PresentDecision.decision_id == Decision.id)
            .where(Decision.review_id == team.review_id, Decision.stage == Stage.FULL_TEXT)
            .order_by(Decision.record_number)
        )
        return [(d.record_number, d.verdict, d.reasons, d.classification) for d in found]


def pdf_of(number: int, *more: list[str]) -> FilePayload:
    content = pdfs.pdf([f"Title {number}", *LINES], *more)
    return {"name": f"record {number}.pdf", "mimeType": "application/pdf", "buffer": content}


def test_a_report_is_sought_got_and_read(
    visit: Visit, team: Team, world: World, read: Callable[[], None]
) -> None:
    for person in (team.ann, team.ben):
        world.decide(team.review_id, person, 2, "include")
    ann = visit(team.ann, reports(team))
    expect(ann.page.locator(".chip.standing")).to_have_text("Being sought")
    ann.button("Retrieval: Title 2").click()
    ann.page.get_by_label("State").select_option("not_retrieved")
    ann.page.get_by_label("Where you looked").fill("Asked the library twice")
    ann.button("Save the retrieval").click()
    expect(ann.page.locator(".chip.standing")).to_have_text("Not retrieved")
    ann.sees("Asked the library twice")

    ann.page.get_by_role("link", name="Title 2").click()
    ann.page.get_by_label("Add a file").set_input_files(pdf_of(2, ["On page two: peer workers."]))
    ann.sees("A file is being read")
    read()
    expect(ann.page.get_by_role("img", name="Page 1 of 2")).to_be_visible()
    ann.page.get_by_label("Search in this file").fill("peer worker*")
    ann.page.keyboard.press("Enter")
    ann.sees("1 of 2")
    ann.button("Next passage").click()
    ann.sees("2 of 2")
    expect(ann.page.locator(".found-here")).to_have_count(1)
    ann.page.get_by_text("Text", exact=True).click()
    expect(ann.page.locator("mark.found-here")).to_have_text("peer workers")
    expect(ann.page.locator("mark.against")).to_have_text("volunteers")
    if AXE.exists():
        assert faults_of(ann) == {}


def test_full_texts_are_screened_by_keys_with_a_reason_and_undo(
    visit: Visit, team: Team, world: World
) -> None:
    world.to_full_text(team, 1, 2, 3)
    ann = visit(team.ann, reports(team, "/screen"))
    expect(ann.page.locator(".article-title")).to_have_text("Title 1")
    ann.sees("read elsewhere")
    ann.press("x")
    expect(ann.page.get_by_role("heading", name="Exclude because")).to_be_visible()
    ann.page.keyboard.press("2")
    expect(ann.page.locator(".article-title")).to_have_text("Title 2")
    ann.page.wait_for_timeout(400)  # sooner it would be taken for a slip
    ann.button("Include as …").click()
    ann.page.get_by_text("its study is not finished").click()
    expect(ann.page.locator(".article-title")).to_have_text("Title 3")
    ann.press("a")
    ann.sees("You have assessed every full text that is here")
    ann.saved()
    assert given(world, team) == [
        (1, "exclude", ["no interviews"], None),
        (2, "include", [], "ongoing"),
        (3, "include", [], None),
    ]
    ann.page.keyboard.press("z")
    expect(ann.page.locator(".article-title")).to_have_text("Title 3")
    ann.saved()
    assert [number for number, *_ in given(world, team)] == [1, 2]

    ann.go(f"/r/{team.review_id}/mine")
    ann.page.get_by_label("Stage").select_option("full_text")
    ann.button("Change: Title 1").click()
    ann.page.get_by_label("Reason to exclude").select_option("wrong population")
    ann.button("Save").click()
    expect(ann.page.get_by_role("dialog")).to_have_count(0)
    assert given(world, team)[0] == (1, "exclude", ["wrong population"], None)


def test_a_conflict_at_full_text_is_settled_for_a_reason(
    visit: Visit, team: Team, world: World
) -> None:
    world.to_full_text(team, 1)
    for person, verdict in ((team.ann, "include"), (team.ben, "exclude")):
        reasons = ["no interviews"] if verdict == "exclude" else []
        world.decide(team.review_id, person, 1, verdict, stage=Stage.FULL_TEXT, reasons=reasons)
    judge = visit(team.judge, f"/r/{team.review_id}/conflicts")
    judge.page.get_by_label("Stage").select_option("full_text")
    judge.sees("Full text · Different verdicts")
    judge.page.get_by_role("link", name="Title 1").click()
    judge.page.get_by_text("Exclude", exact=True).last.click()
    judge.page.get_by_label("Reason to exclude").select_option("no interviews")
    judge.button("Settle").click()
    judge.sees("Settled by judge")
    judge.go(reports(team, "/1"))
    expect(judge.page.locator(".chip.standing")).to_have_text("Excluded")
    judge.sees("no interviews")


def test_many_files_find_their_reports_and_ask_where_it_is_not_certain(
    visit: Visit, team: Team, world: World, read: Callable[[], None]
) -> None:
    for number in (1, 2, 3):
        for person in (team.ann, team.ben):
            world.decide(team.review_id, person, number, "include")
    ann = visit(team.ann, reports(team, "/files"), width=360)
    ann.sees("No files were sent yet")
    nobody = pdf_of(9)
    nobody["name"], nobody["buffer"] = "scan.pdf", pdfs.pdf(["Of something else"])
    ann.page.get_by_label("Drop PDFs here").set_input_files([pdf_of(1), pdf_of(2), nobody])
    ann.button("Send 3 files").click()
    ann.sees("0 of 3 files are read")
    read()
    ann.sees("2 placed · 1 to settle")
    ann.page.get_by_label("Find another report").fill("Title 3")
    ann.button("It is this one").click()
    ann.sees("3 placed")
    assert ann.page.evaluate("document.documentElement.scrollWidth") <= 360
    if AXE.exists():
        assert faults_of(ann) == {}
    ann.go(reports(team, "?standing=to_assess&has_text=true"))
    expect(ann.page.locator(".chip.standing")).to_have_count(3)


@pytest.fixture(autouse=True)
def _one_engine(database_url: str) -> None:
    assert database_url.startswith("sqlite")
