"""Screening in a browser: by keyboard, by touch, with slips."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect
from sqlalchemy import func, select

from browser.visitors import Visitor
from tandem.screening.models import Decision, PresentDecision
from tandem.screening.rules import Verdict
from world import Team, World

Visit = Callable[..., Visitor]
WAIT_MS = 5_000


@pytest.fixture
def team(world: World) -> Team:
    return world.team(
        n_records=40,
        exclusion_reasons=["wrong population", "no interviews"],
        include=["paid peer workers"],
        exclude=["volunteers"],
    )


def verdicts(world: World, team: Team) -> dict[str, str]:
    """What the ledger has in force, by record."""
    in_force = (
        select(Decision)
        .join(PresentDecision, PresentDecision.decision_id == Decision.id)
        .where(Decision.review_id == team.review_id)
    )
    with world.database.read() as session:
        rows = session.scalars(in_force).all()
        return {f"Title {row.record_number}": row.verdict.value for row in rows if row.verdict}


def n_entries(world: World, team: Team) -> int:
    """How many entries the ledger has, withdrawn ones too."""
    with world.database.read() as session:
        where = Decision.review_id == team.review_id
        return session.scalar(select(func.count()).where(where)) or 0


def screen(team: Team) -> str:
    return f"/r/{team.review_id}/screen"


def test_a_reviewer_finds_what_waits_and_screens_thirty_records_by_keyboard_alone(
    visit: Visit, team: Team, world: World
) -> None:
    ann = visit(team.ann)
    ann.sees("40 left for you to screen")
    link = ann.page.get_by_role("link", name="Screen", exact=True)
    link.focus()
    ann.page.keyboard.press("Enter")
    said = {}
    for number in range(30):
        expect(ann.page.locator(".article-title")).not_to_have_text("")
        key, verdict = [("a", "include"), ("x", "exclude"), ("2", "exclude"), ("m", "maybe")][
            number % 4
        ]
        before = ann.title()
        said[before] = verdict
        ann.press(key)
        expect(ann.page.locator(".article-title")).not_to_have_text(before)
    ann.saved()

    assert verdicts(world, team) == said
    ann.sees("30 of 40")
    assert n_entries(world, team) == 30


def test_a_decision_that_is_undone_at_once_leaves_no_trace(
    visit: Visit, team: Team, world: World
) -> None:
    ann = visit(team.ann, screen(team), clock=True)
    expect(ann.page.locator(".article-title")).to_be_visible()
    first = ann.title()
    ann.page.clock.pause_at(datetime.now(UTC) + timedelta(hours=1))  # from here by our own clock
    ann.page.keyboard.press("x")
    ann.page.clock.run_for(1000)
    expect(ann.page.locator(".article-title")).not_to_have_text(first)
    ann.page.keyboard.press("z")
    ann.page.clock.run_for(2 * WAIT_MS)
    expect(ann.page.locator(".article-title")).to_have_text(first)
    assert n_entries(world, team) == 0
    ann.page.clock.resume()

    ann.press("a")
    ann.saved()
    assert verdicts(world, team) == {first: "include"}
    assert n_entries(world, team) == 1


def test_undo_reaches_back_over_what_has_arrived(visit: Visit, team: Team, world: World) -> None:
    ann = visit(team.ann, screen(team))
    expect(ann.page.locator(".article-title")).to_be_visible()
    first = ann.title()
    for _ in range(3):
        ann.press("a")
    ann.saved()
    for _ in range(3):
        ann.press("z")
    expect(ann.page.locator(".article-title")).to_have_text(first)
    ann.saved()
    assert verdicts(world, team) == {}

    ann.press("x")
    ann.saved()
    assert verdicts(world, team) == {first: "exclude"}


def test_a_double_press_and_a_held_key_make_one_decision(
    visit: Visit, team: Team, world: World
) -> None:
    ann = visit(team.ann, screen(team))
    expect(ann.page.locator(".article-title")).to_be_visible()
    first = ann.title()
    ann.page.wait_for_timeout(400)
    ann.page.evaluate(
        """() => {
          const press = (repeat) =>
            document.body.dispatchEvent(
              new KeyboardEvent("keydown", {key: "a", bubbles: true, repeat}));
          press(false); press(false);
          for (let n = 0; n < 30; n++) press(true);
        }"""
    )
    ann.saved()

    assert verdicts(world, team) == {first: "include"}


def test_on_a_phone_a_reason_a_note_and_a_label_go_along(
    visit: Visit, team: Team, world: World
) -> None:
    ann = visit(team.ann, screen(team), width=360)
    expect(ann.page.locator(".article-title")).to_be_visible()
    first = ann.title()
    ann.page.wait_for_timeout(400)
    ann.page.get_by_role("button", name="Note").tap()
    ann.page.get_by_label("Note on this record").fill("Volunteers, I think")
    ann.page.get_by_role("button", name="Label").tap()
    ann.page.get_by_label("Labels").fill("background")
    ann.page.keyboard.press("Enter")
    ann.page.get_by_role("button", name="Exclude because").tap()
    ann.page.get_by_role("button", name="no interviews").tap()
    ann.saved()

    with world.database.read() as session:
        (made,) = session.scalars(
            select(Decision).where(Decision.review_id == team.review_id)
        ).all()
    assert f"Title {made.record_number}" == first
    assert (made.verdict, made.reasons) == (Verdict.EXCLUDE, ["no interviews"])
    assert (made.note, made.labels) == ("Volunteers, I think", ["background"])
    assert ann.page.evaluate("document.documentElement.scrollWidth") <= 360
    heights = ann.page.locator(".answers-main .answer").evaluate_all(
        "(all) => all.map((one) => one.getClientRects()[0].height)"
    )
    assert max(heights) < 60, "a word is cut in two"


def test_decisions_of_a_tab_that_is_closed_at_once_arrive(
    visit: Visit, team: Team, world: World
) -> None:
    ann = visit(team.ann, screen(team))
    expect(ann.page.locator(".article-title")).to_be_visible()
    said = {}
    for _ in range(3):
        said[ann.title()] = "include"
        ann.press("a")
    ann.page.reload()
    expect(ann.page.locator(".article-title")).to_be_visible()
    ann.saved()

    assert verdicts(world, team) == said
    assert n_entries(world, team) == 3


def test_the_time_without_a_connection_is_not_lost(visit: Visit, team: Team, world: World) -> None:
    ann = visit(team.ann, screen(team))
    expect(ann.page.locator(".article-title")).to_be_visible()
    ann.page.context.set_offline(True)
    said = {}
    for _ in range(6):
        said[ann.title()] = "exclude"
        ann.press("x")
    ann.sees("Not connected")
    assert n_entries(world, team) == 0
    ann.page.context.set_offline(False)
    ann.saved()

    assert verdicts(world, team) == said


def test_a_newer_decision_made_elsewhere_is_not_overwritten(
    visit: Visit, team: Team, world: World
) -> None:
    ann = visit(team.ann, screen(team))
    expect(ann.page.locator(".article-title")).to_be_visible()
    first = ann.title()
    ann.page.context.set_offline(True)
    ann.press("x")
    world.decide(team.review_id, team.ann, int(first.split()[-1]), "include")
    ann.page.context.set_offline(False)
    ann.sees("1 decision was not taken by the server")
    assert verdicts(world, team) == {first: "include"}

    ann.button("Look at them").click()
    ann.button("Send mine").click()
    expect(ann.page.get_by_text("1 decision was not taken by the server")).to_have_count(0)
    ann.saved()
    assert verdicts(world, team) == {first: "exclude"}


def test_a_session_that_ends_in_the_middle_of_work_loses_nothing(
    visit: Visit, team: Team, world: World
) -> None:
    ann = visit(team.ann, screen(team))
    expect(ann.page.locator(".article-title")).to_be_visible()
    first = ann.title()
    back = ann.signed_out()
    ann.press("a")
    expect(ann.page.get_by_role("heading", name="Sign in again")).to_be_visible()
    assert verdicts(world, team) == {}
    back()
    ann.button("Close").click()
    ann.saved()

    assert verdicts(world, team) == {first: "include"}


def test_a_pilot_round_is_named_and_who_has_done_it_goes_on_when_it_ends(
    visit: Visit, team: Team
) -> None:
    owner = visit(team.owner, f"/r/{team.review_id}/team")
    owner.page.get_by_label("Number of records").fill("2")
    owner.button("Begin the pilot round").click()
    owner.sees("Running: 2 records")
    ann = visit(team.ann, screen(team))
    ann.sees("Pilot round: 0 of 2")
    ann.press("a")
    ann.press("x")
    ann.sees("You have screened the pilot round")

    while not any("/events" in path for _, path in ann.traffic):
        ann.page.wait_for_timeout(50)  # until the stream has begun
    owner.button("End the pilot round").click()
    owner.page.get_by_role("dialog").get_by_role("button", name="End the pilot round").click()
    expect(owner.button("Begin another pilot round")).to_be_visible()
    expect(ann.page.locator(".article-title")).to_be_visible()
    ann.sees("2 of 40")
