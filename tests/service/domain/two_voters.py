"""Two votes that differ, and the conflict that they make."""

from typing import Any

from service.domain.tables import conflicts
from tandem.db.keyset import START, Cursor
from tandem.db.session import Database
from tandem.ids import ReviewId
from tandem.reviews import service as reviews
from tandem.screening.conflicts.service import (
    Selection,
    get_conflict,
    list_conflicts,
)
from tandem.screening.conflicts.visible import ShownConflict
from tandem.screening.models import Conflict
from world import Person, Team, World

EVERYBODY = ("owner", "judge", "ann", "ben", "eve", "observer")


def only(database: Database, review_id: ReviewId) -> Conflict:
    (found,) = conflicts(database, review_id)
    return found


def differ(world: World, team: Team, number: int = 1) -> Conflict:
    """Let Ann include and Ben exclude."""
    world.decide(team.review_id, team.ann, number, "include")
    world.decide(team.review_id, team.ben, number, "exclude")
    return next(
        row for row in conflicts(world.database, team.review_id) if row.record_number == number
    )


def shown_to(
    world: World,
    team: Team,
    person: Person,
    limit: int = 100,
    cursor: Cursor = START,
    **filters: Any,
) -> list[ShownConflict]:
    with world.database.read() as session:
        viewer = reviews.viewer(session, review_id=team.review_id, user_id=person.id)
        listed = list_conflicts(
            session, viewer=viewer, selection=Selection(**filters), cursor=cursor, limit=limit
        ).items
        for shown in listed:
            single = get_conflict(session, viewer=viewer, conflict_id=shown.conflict.id)
            assert single.decisions == shown.decisions
        return list(listed)
