"""Work that failed, listed: encodings, second looks, webhooks; and what its cause says."""

import errno
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from service.domain.failing_work import Poison, again, fail_encodings, job, jobs
from service.domain.ranked_review import (
    MINUTE,
)
from tandem.db.base import now
from tandem.db.session import Database
from tandem.errors import NotFound
from tandem.events.positions import EventPosition
from tandem.ids import ReviewId
from tandem.operations.jobs import screens_in
from tandem.ranking import (
    encoding_work,
    second_looks,
)
from tandem.ranking.models import SecondLook
from tandem.reviews import service as reviews
from tandem.reviews.models import Role
from tandem.webhooks import endpoints
from tandem.webhooks.addresses import Rules
from tandem.webhooks.models import DisabledReason, Webhook
from tandem.work.attempts import MOST_TRIES, cause_of
from tandem.work.jobs import JobKind, JobState
from world import TA, Team, World

pytestmark = pytest.mark.both_engines


def test_an_encoding_is_parked_until_the_texts_change(world: World, database: Database) -> None:
    team = world.team()
    fail_encodings(database, team.review_id)

    parked = job(database, kinds={JobKind.ENCODING})
    assert (parked.state, parked.cause) == (JobState.PARKED, "Poison: no such instruction")
    with database.read() as session:
        assert encoding_work.unfinished(session) == []

    world.records(team.review_id, team.owner, 1)
    with database.read() as session:
        assert encoding_work.unfinished(session) == [team.review_id]


def test_second_looks_are_parked_until_somebody_asks_again(
    world: World, database: Database
) -> None:
    team = world.team()

    def ask() -> None:
        with database.write.begin() as session:
            second_looks.ask(session, reviews.lock(session, team.review_id), TA)

    def due() -> list[ReviewId]:
        with database.read() as session:
            return list(second_looks.unfinished(session))

    ask()
    for _ in range(MOST_TRIES):
        held = second_looks.claim(database, team.review_id)
        assert held
        second_looks.fail(database, held, Poison("again"))
        with database.write.begin() as session:
            session.execute(update(SecondLook).values(not_before=None))

    assert job(database, kinds={JobKind.SECOND_LOOKS}).state is JobState.PARKED
    assert due() == []
    ask()
    assert due() == [team.review_id]


def failing_webhook(world: World, team: Team) -> str:
    with world.database.write.begin() as session:
        review = reviews.lock(session, team.review_id)
        hook = endpoints.add(
            session,
            review,
            owner_id=team.owner.id,
            url="https://hooks.example.org/a",
            rules=Rules(),
        )
        hook.disabled_at, hook.disabled_reason = now(), DisabledReason.FAILING
        return f"webhook-{hook.id}"


class TestWebhooks:
    def test_one_that_was_switched_off_is_parked_and_can_be_switched_on(
        self, world: World, database: Database
    ) -> None:
        team = world.team()
        name = failing_webhook(world, team)
        parked = job(database, kinds={JobKind.WEBHOOK})
        assert (parked.id, parked.state, parked.cause) == (name, JobState.PARKED, "failing")

        again(database, name, world)

        with database.read() as session:
            hook = session.scalars(select(Webhook)).one()
            assert (hook.disabled_at, hook.owner_id) == (None, team.owner.id)

    def test_it_waits_since_the_first_event_that_it_has_not_got(
        self, world: World, database: Database
    ) -> None:
        team = world.team()
        with database.write.begin() as session:
            review = reviews.lock(session, team.review_id)
            url = "https://hooks.example.org/a"
            endpoints.add(session, review, owner_id=team.owner.id, url=url, rules=Rules())
            session.flush()
            long_ago = now() - timedelta(days=7)
            session.execute(update(EventPosition).values(seq=review.last_seq, moved_at=long_ago))
        assert jobs(database, kinds={JobKind.WEBHOOK}) == []

        world.decide(team.review_id, team.ann, 1, "include")

        assert now() - job(database, kinds={JobKind.WEBHOOK}).since < MINUTE

    def test_an_administrator_who_screens_there_gets_none_of_it(
        self, world: World, database: Database
    ) -> None:
        """That it had something to send may hang on how others voted."""
        team, admin = world.team(), world.person("admin", is_admin=True)
        name = failing_webhook(world, team)
        with database.write.begin() as session:
            review = reviews.lock(session, team.review_id)
            reviews.set_member(session, review, user_id=admin.id, role=Role.REVIEWER)
        with database.read() as session:
            hidden = screens_in(session, admin.id)
        assert hidden == {team.review_id}

        assert jobs(database, kinds={JobKind.WEBHOOK}, without_events_of=hidden) == []
        with pytest.raises(NotFound):
            again(database, name, world, by=admin)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MemoryError(), "too little memory"),
        (OSError(errno.ENOSPC, "No space left on device"), "disk that holds files is full"),
        (OSError(errno.EROFS, "Read-only file system"), "cannot be written"),
    ],
    ids=["memory", "full", "read-only"],
)
def test_the_cause_of_a_failed_try_says_what_helps(error: Exception, said: str) -> None:
    assert said in cause_of(error)
