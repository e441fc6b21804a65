"""A session that only reads writes nothing: it would be rolled back, or fail beside a writer."""

import pytest

from tandem.reviews.models import Member, Review
from world import World

pytestmark = pytest.mark.both_engines


def test_an_object_that_is_changed_in_a_reading_session_is_an_error(world: World) -> None:
    team = world.team(n_records=1)
    for reading in (world.database.read, world.database.glance):
        with reading() as session:
            member = session.get_one(Member, (team.review_id, team.ann.id))
            member.names_compared_to += 1
            with pytest.raises(AssertionError, match="asked to write"):
                session.flush()

    with world.database.read() as session:
        review = session.get_one(Review, team.review_id)
        review.title = review.title
        session.flush()
        session.delete(review)
        with pytest.raises(AssertionError, match="asked to write"):
            session.flush()
