"""Pages that a database makes, on both engines."""

import pytest

from tandem.db.keyset import START, Cursor
from tandem.ids import DuplicateGroupId
from tandem.records.duplicates import groups
from world import World

pytestmark = pytest.mark.both_engines


def test_rows_that_are_equal_in_part_follow_each_other(world: World) -> None:
    team = world.team(n_records=8)
    made = [world.propose(team.review_id, n, n + 1) for n in range(1, 8)]
    with world.database.write.begin() as session:
        rows = [groups.get(session, review_id=team.review_id, group_id=id) for id in made]
        for row, score in zip(rows, (0.1, 0.3, 1 / 3, 1 / 3, 0.3, 0.1, 1.0), strict=True):
            row.score, row.created_at = score, rows[0].created_at

    def pages(limit: int) -> list[DuplicateGroupId]:
        found, cursor = list[DuplicateGroupId](), START
        while not found or cursor != START:
            with world.database.read() as session:
                page = groups.page(
                    session, review_id=team.review_id, state=None, cursor=cursor, limit=limit
                )
            found += [group.id for group in page.items]
            cursor = Cursor.parse(page.next_cursor)
        return found

    whole = pages(100)
    assert sorted(whole, key=str) == sorted(made, key=str)
    assert [pages(limit) for limit in (1, 2, 3)] == [whole] * 3
