"""The numbers of what is left are kept; see `ledger.counts`. Here they have gone wrong."""

import pytest
from sqlalchemy import update

from tandem.reviews import service as reviews
from tandem.reviews.models import Review
from tandem.screening.models import ReviewerCount
from tandem.screening.queue import service as queue
from tandem.screening.queue.service import QueueState
from world import TA, Team, World


@pytest.mark.both_engines
@pytest.mark.parametrize("of_whom", ["review", "reviewer"])
def test_nobody_has_finished_by_numbers_that_are_wrong(world: World, of_whom: str) -> None:
    team = world.team(n_records=10)
    for number in range(1, 6):
        world.decide(team.review_id, team.ann, number, "exclude")
    wrong = update(Review).values(n_full=7)
    if of_whom == "reviewer":
        wrong = update(ReviewerCount).values(n_half_done=12)
    with world.database.write.begin() as session:
        session.execute(wrong)
    assert left(world, team) <= 0

    served = world.serve(team.review_id, team.ann, limit=3)

    assert served.state is QueueState.READY
    assert len(served.items) == 3
    assert served.remaining == left(world, team) == 5


def left(world: World, team: Team) -> int:
    with world.database.read() as session:
        review = reviews.get_review(session, team.review_id)
        viewer = reviews.viewer(session, review_id=team.review_id, user_id=team.ann.id)
        return queue.what_is_left(session, review=review, viewer=viewer, stage=TA).remaining
