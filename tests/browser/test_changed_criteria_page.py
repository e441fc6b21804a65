"""Criteria that change while people screen: who is told, and what becomes of their decisions."""

from collections.abc import Callable

from playwright.sync_api import expect

from browser.visitors import Visitor
from tandem.reviews import texts
from tandem.reviews.policy import Stage
from world import World

Visit = Callable[..., Visitor]


def test_who_decided_by_earlier_criteria_is_asked_to_look_again(visit: Visit, world: World) -> None:
    team = world.team(n_records=4, exclusion_reasons=["no interviews"])
    world.to_full_text(team, 1)
    world.decide(team.review_id, team.ann, 1, "maybe", stage=Stage.FULL_TEXT)
    world.decide(team.review_id, team.ann, 2, "maybe")
    ann = visit(team.ann, f"/r/{team.review_id}/screen")
    expect(ann.page.locator(".article-title")).to_be_visible()
    expect(ann.page.get_by_text("The criteria have changed.")).to_have_count(0)

    owner = visit(team.owner, f"/r/{team.review_id}/settings")
    owner.page.get_by_label("Exclude if, one a line").fill("Volunteers only")
    owner.page.get_by_label("Why do they change?").fill("Volunteers slipped in")
    form = owner.page.locator("form", has=owner.page.get_by_role("heading", name="Criteria"))
    owner.sends(form.get_by_role("button", name="Save"))
    expect(owner.page.get_by_label("Why do they change?")).to_have_value("")
    owner.sees("Title and abstract: Ann 1")
    owner.sees("Full text: Ann 1")

    ann.sees("The criteria have changed. 1 decision of yours is to be looked at again.")
    ann.page.get_by_role("link", name="Look at them").click()
    ann.sees("Volunteers slipped in")
    ann.sees("You were not sure")
    ann.sends(ann.button("It still holds: Title 2"))
    ann.sees("No decision is left to look at again")
    ann.page.get_by_role("link", name="All my decisions").click()
    ann.page.get_by_role("link", name="Full text: 1").click()
    ann.button("Change: Title 1").click()
    dialog = ann.page.get_by_role("dialog")
    dialog.get_by_text("Include", exact=True).click()
    ann.sends(dialog.get_by_role("button", name="Save"))
    ann.sees("No decision is left to look at again")
    owner.go(f"/r/{team.review_id}/settings")
    owner.sees("Of the decisions that you may see, none is left to look at again.")


def test_what_was_decided_offline_is_of_the_criteria_that_were_on_the_screen(
    visit: Visit, world: World
) -> None:
    team = world.team(n_records=3)
    ann = visit(team.ann, f"/r/{team.review_id}/screen")
    expect(ann.page.locator(".article-title")).to_be_visible()
    ann.page.context.set_offline(True)
    ann.press("m")
    ann.sees("Not connected")
    with world.entered(team.review_id, team.owner) as (session, review, viewer):
        texts.change(session, review, {"criteria_exclude": ["Volunteers only"]}, by=viewer.user_id)
    ann.page.context.set_offline(False)
    ann.saved()
    ann.sees("The criteria have changed. 1 decision of yours is to be looked at again.")
