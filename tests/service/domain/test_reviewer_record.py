"""What somebody has done, how fast and how steadily, and who may know."""

from datetime import UTC, date, datetime, timedelta

import pytest

from tandem.errors import Forbidden, NotFound
from tandem.reviews import service as reviews
from tandem.screening.agreement.reviewer import ReviewerRecord, reviewer_record
from world import TA, Person, Team, World

pytestmark = pytest.mark.both_engines


class Clock(datetime):
    at = datetime(2027, 1, 6, 12, tzinfo=UTC)  # a Wednesday

    @classmethod
    def now(cls, tz: object = None) -> datetime:  # type: ignore[override]  # not a subclass
        return cls.at


def seen(world: World, team: Team, viewer: Person, of: Person) -> ReviewerRecord:
    with world.database.read() as session:
        who = reviews.viewer(session, review_id=team.review_id, user_id=viewer.id)
        return reviewer_record(session, viewer=who, user_id=of.id, stage=TA)


@pytest.fixture
def team(world: World, monkeypatch: pytest.MonkeyPatch) -> Team:
    """Ann reads four records in two weeks; Ben, who reads them too, differs on 2 and 3."""
    monkeypatch.setattr("tandem.db.base.datetime", Clock)
    Clock.at = datetime(2027, 1, 6, 12, tzinfo=UTC)
    team = world.team(n_records=5)
    votes = (("include", 10.0), ("exclude", 20.0), ("include", None), ("exclude", 60.0))
    for number, (verdict, seconds) in enumerate(votes, 1):
        if number == 4:
            Clock.at += timedelta(days=7)
        world.decide(team.review_id, team.ann, number, verdict, seconds=seconds)
    for number, verdict in ((1, "include"), (2, "include"), (3, "exclude"), (4, "exclude")):
        world.decide(team.review_id, team.ben, number, verdict)
    return team


def test_pace_and_shares(world: World, team: Team) -> None:
    found = seen(world, team, team.ann, team.ann)

    assert (found.name, found.n_read, found.n_decisions) == ("ann", 4, 4)
    assert found.median_seconds == 20
    assert (found.includes.n, found.includes.of, found.includes.value) == (2, 4, 0.5)
    weeks = [(week.monday, week.n_read, week.n_include) for week in found.by_week]
    assert weeks == [(date(2027, 1, 4), 3, 2), (date(2027, 1, 11), 1, 0)]
    assert [week.median_seconds for week in found.by_week] == [15, 60]
    assert "Too few" in found.drift.note


def test_changes_are_counted_once_for_each_record(world: World, team: Team) -> None:
    world.decide(team.review_id, team.ann, 1, "exclude")
    world.decide(team.review_id, team.ann, 1, "include")
    world.decide(team.review_id, team.ann, 2, "exclude", note="A word more changes no verdict.")
    world.withdraw(team.review_id, team.ann, 4)

    found = seen(world, team, team.owner, team.ann)

    assert (found.changed.n, found.changed.of) == (2, 4)
    assert (found.n_read, found.n_decisions) == (4, 7)


def test_against_the_outcome(world: World, team: Team) -> None:
    world.resolve(team.review_id, team.judge, 2, "include")  # Ann had excluded it
    world.resolve(team.review_id, team.judge, 3, "exclude")  # and included that
    against = seen(world, team, team.owner, team.ann).against_outcome
    bens = seen(world, team, team.owner, team.ben).against_outcome

    assert against is not None
    assert bens is not None
    assert (against.missed_of_excludes.n, against.missed_of_excludes.of) == (1, 2)
    assert (against.missed_of_included.n, against.missed_of_included.of) == (1, 2)
    assert (against.overruled_includes.n, against.overruled_includes.of) == (1, 2)
    assert against.informed.n == 0
    assert bens.missed_of_excludes.n == bens.overruled_includes.n == 0
    assert bens.missed_of_excludes.low == 0
    assert 0.5 < (bens.missed_of_excludes.high or 0) < 1


def test_what_the_blinded_see_of_themselves_is_the_same_whatever_others_say(
    world: World, team: Team
) -> None:
    before = seen(world, team, team.ann, team.ann)
    assert before.against_outcome is None

    world.resolve(team.review_id, team.judge, 2, "include")
    world.decide(team.review_id, team.ben, 1, "exclude")
    world.merge(team.review_id, team.owner, 3, 4)

    assert seen(world, team, team.ann, team.ann) == before


def test_only_the_person_and_the_owner_may_see_it(world: World, team: Team) -> None:
    for who in (team.ben, team.judge, team.observer):
        with pytest.raises(Forbidden):
            seen(world, team, who, team.ann)
    assert seen(world, team, team.owner, team.ann).n_read == 4
    assert seen(world, team, team.eve, team.eve).n_read == 0


def test_who_left_still_has_a_record_and_who_never_came_has_none(world: World, team: Team) -> None:
    with world.entered(team.review_id, team.owner) as (session, review, _):
        reviews.remove_member(session, review, user_id=team.ann.id)

    assert seen(world, team, team.owner, team.ann).n_read == 4
    with pytest.raises(NotFound):
        seen(world, team, team.owner, world.person("stranger"))
