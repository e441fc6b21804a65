"""After screening, in the browser: studies, the flow whose numbers open lists, and hand-over."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from browser.visitors import Visitor
from tandem.records.models import Record
from tandem.reviews.policy import Stage
from world import Team, World

Visit = Callable[..., Visitor]


@pytest.fixture
def team(world: World) -> Team:
    """Reports 1 to 3 are at full text; 1 is included there, 4 was excluded before."""
    made = world.team(n_records=5, exclusion_reasons=["no interviews"])
    world.to_full_text(made, 1, 2, 3)
    for person in (made.ann, made.ben):
        world.decide(made.review_id, person, 1, "include", stage=Stage.FULL_TEXT)
        world.decide(made.review_id, person, 4, "exclude")
    return made


def test_reports_are_grouped_sampled_rated_and_split_again(
    visit: Visit, team: Team, world: World
) -> None:
    studies = f"/r/{team.review_id}/reports/studies"
    ann = visit(team.ann, studies)
    ann.sees("No reports are grouped")
    for title in ("Title 1", "Title 2"):
        ann.page.get_by_label(title).check()
    ann.page.get_by_label("Name, as in").last.fill("Okafor 2012")
    ann.button("Make a study of 2 reports").click()
    expect(ann.page.get_by_role("heading", name="Okafor 2012")).to_be_visible()
    ann.button("Cite first: Title 2").click()
    ann.sees("cited first")
    expect(ann.page.get_by_text("Used in the synthesis?")).to_have_count(0)

    judge = visit(team.judge, studies)
    judge.page.get_by_label("Used in the synthesis?").select_option("no")
    judge.page.get_by_label("Why (optional)").fill("Thin description")
    judge.sends(judge.button("Save").last)
    judge.go(f"/r/{team.review_id}/reports/1")
    judge.sees("Eligible, not sampled")

    ann.go(f"/r/{team.review_id}/reports/1")
    ann.page.get_by_text("Your rating").click()
    ann.page.get_by_label("Richness of the data").select_option("4")
    ann.sends(ann.button("Save"))
    ann.go(studies)
    ann.button("Split").click()
    ann.page.get_by_role("dialog").get_by_role("button", name="Split").click()
    ann.sees("No reports are grouped")
    judge.go(f"/r/{team.review_id}/reports/1")
    expect(judge.page.locator(".chip.standing")).to_have_text("Included")


def test_what_is_not_one_study_is_not_proposed_again(
    visit: Visit, team: Team, world: World
) -> None:
    with world.database.write.begin() as session:
        for number in (2, 3):
            session.get_one(Record, (team.review_id, number)).registry_ids = ["NCT01234567"]
    ann = visit(team.ann, f"/r/{team.review_id}/reports/studies")
    ann.sees("both name NCT01234567")
    ann.button("Not one study").click()
    expect(ann.page.get_by_text("both name NCT01234567")).to_have_count(0)
    ann.page.get_by_text("Kept apart").click()
    ann.button("Propose again: Title 2 · Title 3").click()
    ann.sees("both name NCT01234567")


def test_each_number_of_the_flow_opens_its_list(visit: Visit, team: Team, world: World) -> None:
    flow = f"/r/{team.review_id}/flow"
    owner = visit(team.owner, flow)
    world.decide(team.review_id, team.ann, 5, "include")  # half done
    owner.page.get_by_role("link", name="1 record is not settled").click()
    expect(owner.page.locator("main li")).to_have_count(1)
    owner.go(f"/r/{team.review_id}/records?status=awaiting")
    owner.page.get_by_role("link", name="Title 5").click()
    owner.page.get_by_role("link", name="All records").click()
    expect(owner.page.get_by_label("Status")).to_have_value("awaiting")
    owner.page.get_by_label("Status").select_option("excluded")
    owner.sees("Title 4")
    owner.page.go_back()
    expect(owner.page.get_by_label("Status")).to_have_value("awaiting")

    owner.go(flow)
    owner.button("Correct the search: test.ris").click()
    owner.page.get_by_label("Search strategy").fill("(peer work*).ti,ab.")
    owner.button("Save").click()
    owner.sees("strategy kept")
    owner.page.locator(".flow-diagram a", has_text="Records excluded").first.click()
    expect(owner.page.get_by_role("heading", name="Records excluded")).to_be_visible()
    expect(owner.page.locator("main li")).to_have_count(1)
    owner.page.get_by_role("link", name="Title 4").click()
    expect(owner.page.get_by_role("heading", name="Title 4")).to_be_visible()

    world.withdraw(team.review_id, team.ann, 5)
    owner.go(f"/r/{team.review_id}/records/5")
    owner.button("Remove before screening…").click()
    owner.page.get_by_label("Reason").fill("Retracted")
    owner.button("Remove it").click()
    owner.sees("Removed before screening: Retracted")
    owner.go(f"{flow}/excluded_other")
    owner.sees("Title 5")
    owner.button("Restore").click()
    owner.sees("Nothing is counted here")

    owner.go(flow)
    owner.page.get_by_label("Found by").select_option("register")
    expect(owner.page.locator(".flow-diagram")).to_contain_text(
        "Registers (n\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}5)"
    )
    with owner.page.expect_download() as download:
        owner.page.get_by_role("link", name="SVG").click()
    assert download.value.path().read_bytes().startswith(b"<svg")


def test_what_is_missing_is_said_and_all_is_handed_over(
    visit: Visit, team: Team, world: World
) -> None:
    for person, verdict in ((team.ann, "exclude"), (team.ben, "include")):
        reasons = ["no interviews"] if verdict == "exclude" else []
        world.decide(team.review_id, person, 2, verdict, stage=Stage.FULL_TEXT, reasons=reasons)
    owner = visit(team.owner, f"/r/{team.review_id}/handover")
    owner.sees("1 included report of 1 study")
    owner.sees("1 included report has no file")
    owner.sees("1 conflict is open")
    owner.sees("Source, day or strategy of 1 of 1 search")
    owner.button("Read it here").click()
    report = owner.page.get_by_role("region", name="Report of the methods")
    expect(report.locator("h3")).to_contain_text("Methods")
    expect(report.locator("a, script, img, style")).to_have_count(0)
    for name, begins in (("Coding project (QDPX)", b"PK"), ("Proof of the review", b"PK")):
        with owner.page.expect_download() as download:
            owner.page.get_by_role("link", name=f"Download: {name}").click()
        assert download.value.path().read_bytes().startswith(begins)

    world.resolve(
        team.review_id, team.judge, 2, "exclude", stage=Stage.FULL_TEXT, reasons=["no interviews"]
    )
    owner.page.get_by_label("Why it was excluded").fill("One interview only")
    owner.sends(owner.button("Save: Title 2"))
    owner.go(f"/r/{team.review_id}/handover")
    expect(owner.page.get_by_label("Why it was excluded")).to_have_value("One interview only")
    owner.button("Strike it: Title 2").click()
    owner.sees("No excluded report came near")


def test_the_flow_is_not_shown_to_who_is_blinded(visit: Visit, team: Team) -> None:
    ann = visit(team.ann, f"/r/{team.review_id}/flow")
    ann.sees("The flow is not shown to you yet")
    expect(ann.page.get_by_role("link", name="Flow", exact=True)).to_have_count(0)


@pytest.fixture(autouse=True)
def _one_engine(database_url: str) -> None:
    assert database_url.startswith("sqlite")
