"""Links and parts the records of a review, and tells what stands then."""

from collections.abc import Collection, Sequence

from sqlalchemy import select

from service.domain.tables import events
from tandem.db.session import Database
from tandem.ids import DuplicateGroupId, RecordNumber, ReviewId
from tandem.records.duplicates import groups
from tandem.records.duplicates.models import GroupState
from tandem.records.models import Record
from tandem.reviews import service as reviews
from tandem.screening import progress
from tandem.screening.duplicates import merging
from tandem.screening.models import Conflict, ConflictState
from tandem.screening.rules import Status
from world import TA, Person, Team, World


class Duplicates:
    """Settles duplicates of one review, as the routes do."""

    def __init__(self, world: World, team: Team) -> None:
        self.world, self.team = world, team

    def propose(self, *numbers: int) -> DuplicateGroupId:
        return self.world.propose(self.team.review_id, *numbers)

    def merge(self, group_id: DuplicateGroupId) -> None:
        with self.world.entered(self.team.review_id, self.team.owner) as (session, review, viewer):
            group = groups.get(session, review_id=review.id, group_id=group_id)
            merging.merge(session, review, viewer.policies, group, by=viewer.user_id)

    def link(self, *numbers: int) -> DuplicateGroupId:
        return self.world.merge(self.team.review_id, self.team.owner, *numbers)

    def split(self, group_id: DuplicateGroupId, *numbers: int) -> None:
        self.world.split(self.team.review_id, self.team.owner, group_id, *numbers)

    def state(self, group_id: DuplicateGroupId) -> tuple[GroupState, list[int]]:
        with self.world.database.read() as session:
            group = groups.get(session, review_id=self.team.review_id, group_id=group_id)
            return group.state, [*groups.members_of(session, [group.id])[group.id]]

    def apart(self) -> set[frozenset[RecordNumber]]:
        with self.world.database.read() as session:
            return groups.apart(session, self.team.review_id)


def shown(database: Database, review_id: ReviewId) -> dict[int, int | None]:
    with database.read() as session:
        query = select(Record.number, Record.duplicate_of).where(Record.review_id == review_id)
        return {row.number: row.duplicate_of for row in session.execute(query)}


def open_conflicts(database: Database, review_id: ReviewId) -> list[int]:
    with database.read() as session:
        query = select(Conflict.record_number).where(
            Conflict.review_id == review_id, Conflict.state == ConflictState.OPEN
        )
        return [*session.scalars(query)]


def counts(world: World, team: Team, person: Person) -> dict[str, int]:
    with world.database.read() as session:
        viewer = reviews.viewer(session, review_id=team.review_id, user_id=person.id)
        found = progress.progress(session, viewer=viewer, stage=TA)
        return {status: n for status, n in found.counts.items() if n}


def event_types(database: Database, review_id: ReviewId, *kinds: str) -> Sequence[str]:
    return [e.type for e in events(database, review_id) if not kinds or e.type in kinds]


def enrich(world: World, review_id: ReviewId, number: int, **fields: object) -> None:
    with world.database.write.begin() as session:
        record = session.get_one(Record, (review_id, number))
        for name, value in fields.items():
            setattr(record, name, value)


def statuses(world: World, team: Team, numbers: Collection[int]) -> dict[int, Status]:
    return {number: world.status(team.review_id, number) for number in numbers}
