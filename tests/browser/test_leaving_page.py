"""Who leaves a review, in the browser: the page leads out of it, and the decisions stay."""

from collections.abc import Callable

from playwright.sync_api import expect

from browser.visitors import Visitor
from world import World

Visit = Callable[..., Visitor]


def test_a_reviewer_leaves_and_their_decision_stays_in_the_history(
    visit: Visit, world: World
) -> None:
    team = world.team(n_records=2, exclusion_reasons=["no interviews"])
    world.decide(team.review_id, team.ann, 1, "exclude", reasons=["no interviews"])
    ann = visit(team.ann, f"/r/{team.review_id}/team")
    ann.button("Leave the review").click()
    ann.sees("Your decisions stay and count.")
    ann.sends(ann.page.get_by_role("dialog").get_by_role("button", name="Leave the review"))
    ann.sees("You are in no review yet")

    owner = visit(team.owner, f"/r/{team.review_id}/records/1")
    history = owner.page.get_by_role("listitem").filter(has_text="Decided")
    expect(history).to_contain_text("Decided · ann · Exclude · no interviews")
