"""Agreement as the services store and read it."""

import pytest
from sqlalchemy import func, select, update

from prepared import Prepared
from tandem.db.base import now
from tandem.errors import Forbidden
from tandem.ids import RecordNumber, ReviewId, new_id
from tandem.records.origin import RemovalKind
from tandem.reviews import service as reviews
from tandem.screening import sources
from tandem.screening.agreement.service import Agreement, AgreementOn, agreement
from tandem.screening.lease_models import Served
from tandem.screening.models import Decision
from tandem.screening.people import pilot
from tandem.screening.streams import Stream
from world import TA, Person, Team, World

pytestmark = pytest.mark.both_engines


def seen(
    world: World, review_id: ReviewId, who: Person, on: AgreementOn = AgreementOn.ALL
) -> Agreement:
    with world.database.read() as session:
        viewer = reviews.viewer(session, review_id=review_id, user_id=who.id)
        return agreement(session, viewer=viewer, stage=TA, on=on)


def pair_table(found: Agreement, one: Person, other: Person) -> tuple[int, int, int, int]:
    """Return the table of two people, `one` being the first."""
    (pair,) = [p for p in found.pairs if {p.first.user_id, p.second.user_id} == {one.id, other.id}]
    figures = pair.compared.figures
    b, c = figures.b, figures.c
    if pair.first.user_id != one.id:
        b, c = c, b
    return figures.a, b, c, figures.d


def screen(world: World, team: Team, number: int, ann: str, ben: str) -> None:
    world.decide(team.review_id, team.ann, number, ann)
    world.decide(team.review_id, team.ben, number, ben)


@pytest.fixture
def screened(world: World, prepared: Prepared) -> Team:
    return prepared(build, world)


def build(world: World) -> Team:
    """Of five records Ann and Ben agree on 1, 2 and 5; on 3 and 4 they differ."""
    team = world.team(n_records=5)
    votes = [("include", "include"), ("exclude", "exclude"), ("include", "exclude")]
    votes += [("exclude", "include"), ("include", "maybe")]
    for number, (ann, ben) in enumerate(votes, 1):
        screen(world, team, number, ann, ben)
    return team


def test_first_decisions_make_the_table(world: World, screened: Team) -> None:
    found = seen(world, screened.review_id, screened.judge)

    assert pair_table(found, screened.ann, screened.ben) == (2, 1, 1, 1)
    assert found.overall.n_maybe == 1
    assert found.overall.n_informed == 0
    assert found.n_readers == 2
    (month,) = found.by_month
    with world.database.read() as session:
        decided = session.scalars(select(func.max(Decision.created_at))).one()
    assert (month.year, month.month) == (decided.year, decided.month)
    assert month.compared.figures == found.overall.figures


def test_resolutions_and_corrections_change_nothing(world: World, screened: Team) -> None:
    before = seen(world, screened.review_id, screened.owner)

    world.resolve(screened.review_id, screened.judge, 3, "include")
    world.decide(screened.review_id, screened.ben, 3, "include")
    world.decide(screened.review_id, screened.ann, 1, "exclude")
    world.withdraw(screened.review_id, screened.ben, 2)
    world.decide(screened.review_id, screened.ben, 2, "include")

    assert seen(world, screened.review_id, screened.owner) == before


def test_second_votes_change_nothing(world: World, screened: Team) -> None:
    before = seen(world, screened.review_id, screened.owner)
    second = world.decide(screened.review_id, screened.ben, 3, "include").decision
    assert second is not None
    with world.database.write.begin() as session:
        session.execute(update(Decision).where(Decision.id == second.id).values(second_in=new_id()))

    assert seen(world, screened.review_id, screened.owner) == before


def test_who_took_their_decision_back_is_left_out(world: World, screened: Team) -> None:
    world.withdraw(screened.review_id, screened.ben, 3)

    assert pair_table(
        seen(world, screened.review_id, screened.owner), screened.ann, screened.ben
    ) == (2, 0, 1, 1)


def test_linked_records_count_once(world: World, screened: Team) -> None:
    world.merge(screened.review_id, screened.owner, 1, 2)

    found = seen(world, screened.review_id, screened.owner)

    assert found.overall.figures.n_records == 4


def test_informed_decisions_are_counted_and_left_out_of_the_independent_ones(
    world: World, screened: Team
) -> None:
    # An owner sees all: what they say of a record that others have decided is informed.
    world.decide(screened.review_id, screened.owner, 1, "include")

    found = seen(world, screened.review_id, screened.owner)

    assert found.overall.n_informed == 2
    assert found.overall.figures.n == 7
    assert found.overall.independent.n == 5
    assert len(found.pairs) == 3
    assert found.n_readers == 3


def test_a_policy_without_blindness_makes_second_decisions_informed(world: World) -> None:
    team = world.team(n_records=1, policy={"blind": False})
    screen(world, team, 1, "include", "exclude")

    found = seen(world, team.review_id, team.observer)

    assert (found.overall.figures.n, found.overall.n_informed) == (1, 1)
    assert found.overall.independent.n == 0


def test_on_the_random_stream(world: World, screened: Team) -> None:
    with world.database.write.begin() as session:
        for pick, (number, stream) in enumerate(((3, Stream.RANDOM), (1, Stream.RANKING)), 1):
            session.add(
                Served(
                    review_id=screened.review_id,
                    stage=TA,
                    user_id=screened.ben.id,
                    pick=pick,
                    record_number=RecordNumber(number),
                    served_at=now(),
                    rank=None,
                    ranking_id=None,
                    stream=stream,
                )
            )

    found = seen(world, screened.review_id, screened.owner, AgreementOn.RANDOM)

    assert pair_table(found, screened.ann, screened.ben) == (0, 1, 0, 0)


def begin_pilot(world: World, team: Team, size: int) -> list[int]:
    with world.entered(team.review_id, team.owner) as (session, review, viewer):
        pilot.begin(session, review, viewer, size)
        return [int(number) for number in pilot.record_numbers(session, review)]


def end_pilot(world: World, team: Team) -> None:
    with world.entered(team.review_id, team.owner) as (session, review, viewer):
        pilot.end(session, review, viewer)


def test_on_the_pilot_round(world: World, screened: Team) -> None:
    numbers = begin_pilot(world, screened, 2)

    found = seen(world, screened.review_id, screened.owner, AgreementOn.PILOT)

    assert found.overall.figures.n_records == len(numbers) == 2


def test_a_reviewer_sees_the_pilot_round_once_it_is_over_and_they_have_done_it(
    world: World, screened: Team
) -> None:
    numbers = begin_pilot(world, screened, 2)
    team = screened

    def refused(who: Person, on: AgreementOn = AgreementOn.PILOT) -> bool:
        try:
            seen(world, team.review_id, who, on)
        except Forbidden:
            return True
        return False

    assert refused(team.ann)  # it is not over
    end_pilot(world, team)
    assert not refused(team.ann)
    assert refused(team.ann, AgreementOn.ALL)
    assert refused(team.ann, AgreementOn.RANDOM)
    assert refused(team.eve)
    assert refused(team.observer)
    world.decide(team.review_id, team.eve, numbers[0], "include")
    assert refused(team.eve)  # one of two
    world.withdraw(team.review_id, team.ann, numbers[0])
    assert refused(team.ann)  # it is to be decided again


def test_a_pilot_round_is_done_without_what_was_removed_from_it(world: World) -> None:
    team = world.team(n_records=4)
    kept, gone = begin_pilot(world, team, 2)
    with world.entered(team.review_id, team.owner) as (session, review, viewer):
        number, kind = RecordNumber(gone), RemovalKind.OTHER
        sources.remove(
            session, review, viewer, number=number, kind=kind, reason="No abstract", tool=None
        )
    for person in (team.ann, team.ben):
        world.decide(team.review_id, person, kept, "include")
    end_pilot(world, team)
    found = seen(world, team.review_id, team.ann, AgreementOn.PILOT)
    assert found.overall.figures.n_records == 1


@pytest.mark.parametrize("bens", ["include", "exclude"])
def test_of_a_pilot_round_the_blinded_are_shown_no_figures_of_what_is_not_settled(
    world: World, bens: str
) -> None:
    team = world.team(n_records=3, policy={"reviewers_per_record": 3})
    first, second = begin_pilot(world, team, 2)
    for number in (first, second):
        world.decide(team.review_id, team.ann, number, "include")
        world.decide(team.review_id, team.ben, number, "include" if number == first else bens)
    world.decide(team.review_id, team.eve, first, "include")
    end_pilot(world, team)

    found = seen(world, team.review_id, team.ann, AgreementOn.PILOT)

    assert pair_table(found, team.ann, team.ben) == (1, 0, 0, 0)
    assert (found.overall.figures.n_records, found.n_hidden) == (1, 1)
    assert seen(world, team.review_id, team.owner, AgreementOn.PILOT).n_hidden == 0
    changed = world.decide(team.review_id, team.ann, second, "exclude").decision
    assert changed
    assert not changed.informed


def test_the_blinded_are_refused_and_those_who_see_all_are_not(
    world: World, screened: Team
) -> None:
    for who in (screened.ann, screened.eve, screened.observer):
        with pytest.raises(Forbidden, match="owners and adjudicators"):
            seen(world, screened.review_id, who)
    assert seen(world, screened.review_id, screened.judge).overall.figures.n == 5
