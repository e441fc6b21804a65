from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine, insert
from sqlalchemy.orm import Session

from tandem.db.base import Base
from tandem.ids import ReviewId, new_id
from tandem.screening.blinding.numbers import numbers_for_the_blinded
from tandem.screening.models import ClosedChange

changes = st.lists(st.booleans(), min_size=1, max_size=40)
"""Whether each of a review's changes is closed."""


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    engine = create_engine("sqlite://")
    Base.metadata.tables["closed_change"].create(engine)
    with Session(engine) as session:
        yield session
    engine.dispose()


def reviewed(session: Session, closed: list[bool]) -> ReviewId:
    """Return a review with these changes, and with another one beside it."""
    review_id = ReviewId(new_id())
    rows = [
        {"review_id": id, "labels_seq": number}
        for number, is_closed in enumerate(closed, start=1)
        for id in ([review_id] if is_closed else [ReviewId(new_id())])
    ]
    session.execute(insert(ClosedChange), rows)
    return review_id


@given(closed=changes, data=st.data())
def test_an_open_change_stands_one_above_what_came_before_it_and_a_closed_one_with_it(
    session: Session, closed: list[bool], data: st.DataObject
) -> None:
    review_id = reviewed(session, closed)
    every = range(len(closed) + 1)
    visible = numbers_for_the_blinded(session, review_id, every)

    assert visible[0] == 0
    for number, is_closed in enumerate(closed, start=1):
        assert visible[number] == visible[number - 1] + (not is_closed)
    # A number does not depend on which are asked for together.
    some = data.draw(st.sets(st.sampled_from(every)))
    assert numbers_for_the_blinded(session, review_id, some) == {n: visible[n] for n in some}


@given(closed=changes)
def test_a_ranking_counts_an_open_change_just_where_its_number_is_at_least_the_changes(
    session: Session, closed: list[bool]
) -> None:
    visible = numbers_for_the_blinded(session, reviewed(session, closed), range(len(closed) + 1))
    for change in (n for n, is_closed in enumerate(closed, start=1) if not is_closed):
        for ranking in range(len(closed) + 1):
            assert (visible[ranking] >= visible[change]) == (ranking >= change)
