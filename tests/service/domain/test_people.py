"""Who screens how much, who leaves, who pauses, whose own papers are among the records."""

from typing import Any

import pytest
from sqlalchemy import select

from service.domain.tables import assert_in_step, events
from tandem.accounts.models import User
from tandem.errors import Forbidden
from tandem.ids import RecordNumber, ReviewId
from tandem.records.imports import Found
from tandem.records.models import Record
from tandem.records.origin import FoundBy
from tandem.reports.retrieval import append_retrieval
from tandem.reviews import service as reviews
from tandem.reviews.models import Member, Role
from tandem.screening import streams
from tandem.screening.full_text.models import RetrievalState
from tandem.screening.lease_models import Lease
from tandem.screening.people import interests, pilot
from tandem.screening.queue.service import QueueState
from tandem.screening.team import membership
from world import FT, TA, Person, Team, World

pytestmark = pytest.mark.both_engines


def numbers(queue: Any) -> list[int]:
    return [lease.record_number for lease in queue.items]


def change(world: World, review_id: ReviewId, by: Person, person: Person, **part: Any) -> None:
    with world.entered(review_id, by) as (session, review, viewer):
        membership.change(session, review=review, viewer=viewer, user_id=person.id, **part)


def begin_pilot(world: World, team: Team, size: int) -> list[RecordNumber]:
    with world.entered(team.review_id, team.owner) as (session, review, viewer):
        pilot.begin(session, review, viewer, size)
        return pilot.record_numbers(session, review)


def end_pilot(world: World, team: Team) -> None:
    with world.entered(team.review_id, team.owner) as (session, review, viewer):
        pilot.end(session, review, viewer)


class TestPauses:
    def test_who_pauses_is_served_nothing_and_holds_nothing(self, world: World) -> None:
        team = world.team()
        world.serve(team.review_id, team.ann, limit=2)

        change(world, team.review_id, team.ann, team.ann, paused=True)
        paused = world.serve(team.review_id, team.ann)

        assert (paused.items, paused.state) == ([], QueueState.PAUSED)
        with world.database.read() as session:
            assert session.scalars(select(Lease)).all() == []
        assert world.decide(team.review_id, team.ann, 1, "include").changed
        change(world, team.review_id, team.ann, team.ann, paused=False)
        assert numbers(world.serve(team.review_id, team.ann, limit=9)) == [2, 3]

    def test_others_are_paused_by_owners_only(self, world: World) -> None:
        team = world.team()
        for by in (team.ben, team.judge):
            with pytest.raises(Forbidden):
                change(world, team.review_id, by, team.ann, paused=True)
        with pytest.raises(Forbidden):
            change(world, team.review_id, team.ann, team.ann, share=1.0)
        change(world, team.review_id, team.owner, team.ann, paused=True)
        assert world.serve(team.review_id, team.ann).state is QueueState.PAUSED

    def test_the_trail_tells_who_changed_what(self, world: World) -> None:
        team = world.team()
        change(world, team.review_id, team.owner, team.ann, paused=True, share=0.5)
        change(world, team.review_id, team.owner, team.ann, paused=True, share=0.5)

        removed = [
            event
            for event in events(world.database, team.review_id)
            if event.type == "tandem.member.changed"
        ]

        assert [event.data for event in removed] == [
            {"user_id": str(team.ann.id), "changed": ["paused", "share"]}
        ]
        assert removed[0].detail["by"] == str(team.owner.id)
        assert removed[0].detail["to"] == {"paused": True, "share": 0.5}


class TestShares:
    def test_no_more_than_the_share_is_served(self, world: World) -> None:
        team = world.team(n_records=10)
        change(world, team.review_id, team.owner, team.ann, share=0.2)

        first = world.serve(team.review_id, team.ann, limit=50)
        for number in numbers(first):
            world.decide(team.review_id, team.ann, number, "include")
        then = world.serve(team.review_id, team.ann, limit=50)

        assert (len(first.items), first.remaining, first.workload.left) == (4, 4, 4)
        assert (then.items, then.remaining, then.state) == ([], 0, QueueState.FINISHED)
        assert (then.workload.decided, then.workload.target) == (4, 4)
        assert world.decide(team.review_id, team.ann, 9, "include").changed

    def test_more_records_are_more_work(self, world: World) -> None:
        team = world.team(n_records=2)
        change(world, team.review_id, team.owner, team.ann, share=0.25)
        (number,) = numbers(world.serve(team.review_id, team.ann, limit=5))
        world.decide(team.review_id, team.ann, number, "include")
        assert world.serve(team.review_id, team.ann).state is QueueState.FINISHED

        world.records(team.review_id, team.owner, 2)

        assert world.serve(team.review_id, team.ann).workload.left == 1

    def test_without_a_share_there_is_no_target(self, world: World) -> None:
        team = world.team()
        assert world.serve(team.review_id, team.ann).workload.target is None


class TestPilot:
    def test_everybody_reads_the_same_records_and_no_others(self, world: World) -> None:
        team = world.team(n_records=12)
        world.rank(team.review_id, *range(1, 13))
        chosen = begin_pilot(world, team, 3)

        assert chosen == streams.random_stream(1, TA, 12)[:3].tolist()
        people = (team.ann, team.ben, team.eve, team.owner)
        for person in people:
            served = world.serve(team.review_id, person, limit=50)
            assert numbers(served) == chosen
            assert served.remaining == 3
            for number in chosen:
                world.decide(team.review_id, person, number, "include")
            done = world.serve(team.review_id, person)
            assert (done.items, done.remaining, done.state) == ([], 0, QueueState.PILOT_DONE)
        assert_in_step(world.database, team.review_id)

        end_pilot(world, team)

        assert world.serve(team.review_id, team.ann).state is QueueState.READY
        with world.database.read() as session:
            review = reviews.get_review(session, team.review_id)
            assert pilot.record_numbers(session, review) == chosen
            assert pilot.done_by(session, review) == {person.id: 3 for person in people}

    def test_what_was_held_before_waits(self, world: World) -> None:
        team = world.team(n_records=6)
        world.serve(team.review_id, team.ann, limit=6)
        chosen = begin_pilot(world, team, 2)

        assert sorted(numbers(world.serve(team.review_id, team.ann, limit=6))) == sorted(chosen)
        end_pilot(world, team)
        assert len(numbers(world.serve(team.review_id, team.ann, limit=6))) == 6

    def test_imports_do_not_change_it_and_linked_records_are_read_as_one(
        self, world: World
    ) -> None:
        team = world.team(n_records=6)
        chosen = begin_pilot(world, team, 3)
        world.records(team.review_id, team.owner, 50)
        one, other = sorted(chosen[:2])
        world.merge(team.review_id, team.owner, one, other)

        with world.database.read() as session:
            review = reviews.get_review(session, team.review_id)
            now_read = pilot.record_numbers(session, review)
        assert set(now_read) == {one, chosen[2]}
        assert set(numbers(world.serve(team.review_id, team.ann, limit=9))) == set(now_read)

    def test_another_round_goes_on_behind_the_last(self, world: World) -> None:
        team = world.team(n_records=7)
        rounds = []
        for _ in range(3):
            rounds += begin_pilot(world, team, 3)
            with pytest.raises(pilot.PilotRunning):
                begin_pilot(world, team, 3)
            end_pilot(world, team)
        assert rounds == streams.random_stream(1, TA, 7).tolist()
        with pytest.raises(pilot.NothingToRead):
            begin_pilot(world, team, 3)
        with pytest.raises(pilot.NoPilot):
            end_pilot(world, team)

    def test_what_was_imported_later_is_in_the_next_rounds_wherever_it_has_its_place(
        self, world: World
    ) -> None:
        team = world.team(n_records=10)
        first = begin_pilot(world, team, 10)
        end_pilot(world, team)
        world.records(team.review_id, team.owner, 20)
        order = [n for n in streams.random_stream(1, TA, 30).tolist() if n not in first]
        # Some of the new ones have their place before the last of the first round.
        assert streams.random_stream(1, TA, 30).tolist()[10:] != order

        later = []
        for size in (7, 13):
            later += begin_pilot(world, team, size)
            end_pilot(world, team)

        assert later == order
        with pytest.raises(pilot.NothingToRead, match="All records have been in a pilot round"):
            begin_pilot(world, team, 1)

    def test_what_was_linked_to_a_record_of_an_earlier_round_was_read_in_it(
        self, world: World
    ) -> None:
        team = world.team(n_records=6)
        chosen = begin_pilot(world, team, 3)
        end_pilot(world, team)
        other = next(n for n in range(1, 7) if n not in chosen and n < max(chosen))
        world.merge(team.review_id, team.owner, max(chosen), other)

        assert set(begin_pilot(world, team, 6)) == set(range(1, 7)) - {*chosen, other}

    def test_a_review_without_records_has_none_for_a_round(self, world: World) -> None:
        team = world.team(n_records=0)
        with pytest.raises(pilot.NothingToRead, match="Import some first"):
            begin_pilot(world, team, 1)

    def test_a_share_does_not_shorten_it(self, world: World) -> None:
        team = world.team(n_records=10)
        change(world, team.review_id, team.owner, team.ann, share=0.05)
        begin_pilot(world, team, 4)
        assert len(world.serve(team.review_id, team.ann, limit=9).items) == 4


def name_authors(world: World, review_id: ReviewId, **authors: list[str]) -> None:
    with world.database.write.begin() as session:
        for number, names in authors.items():
            record = session.get_one(Record, (review_id, int(number.removeprefix("r"))))
            record.authors = names


def declare(world: World, review_id: ReviewId, who: Person, number: int, has: bool) -> Any:
    with world.entered(review_id, who) as (session, review, viewer):
        return interests.declare(
            session,
            review=review,
            viewer=viewer,
            record_number=RecordNumber(number),
            has_interest=has,
        )


@pytest.fixture
def authors(world: World) -> tuple[Team, Person]:
    """A team with Ann Lee, who wrote record 2 of four; the others are by Ng."""
    team, lee = world.team(n_records=4), world.person("lee")
    with world.entered(team.review_id, team.owner) as (session, review, viewer):
        session.get_one(User, lee.id).name = "Ann Lee"
        membership.put(session, review=review, viewer=viewer, user_id=lee.id, role=Role.REVIEWER)
    name_authors(
        world, team.review_id, r1=["Ng, T."], r2=["Ng, T.", "Lee, A."], r3=["Ng, T."], r4=["Ng, T."]
    )
    return team, lee


class TestInterests:
    def test_nobody_is_served_their_own_paper(
        self, world: World, authors: tuple[Team, Person]
    ) -> None:
        team, lee = authors
        served = world.serve(team.review_id, lee, limit=9)

        assert numbers(served) == [1, 3, 4]
        assert (served.remaining, served.n_withheld) == (3, 1)
        assert numbers(world.serve(team.review_id, team.ben, limit=9)) == [1, 2, 3, 4]
        assert world.decide(team.review_id, lee, 2, "include").changed

    def test_before_names_are_compared_what_is_served_is_looked_at(
        self, world: World, authors: tuple[Team, Person], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        team, lee = authors
        monkeypatch.setattr(interests, "STEP", 1)

        served = world.serve(team.review_id, lee, limit=9)

        assert numbers(served) == [1, 3, 4]
        assert (served.remaining, served.n_withheld) == (3, 1)
        with world.database.read() as session:
            member = session.get_one(Member, (team.review_id, lee.id))
            assert member.names_compared_to == 1

    def test_a_false_match_is_denied_and_another_interest_declared(
        self, world: World, authors: tuple[Team, Person]
    ) -> None:
        team, lee = authors
        world.serve(team.review_id, lee)
        declare(world, team.review_id, lee, 2, False)
        declare(world, team.review_id, lee, 3, True)
        declare(world, team.review_id, lee, 3, True)

        served = world.serve(team.review_id, lee, limit=9)

        assert numbers(served) == [1, 2, 4]
        assert served.n_withheld == 1
        removed = [event.type for event in events(world.database, team.review_id)]
        assert removed.count("tandem.interest.declared") == 2

    def test_of_a_report_that_starts_at_full_text_too(
        self, world: World, authors: tuple[Team, Person]
    ) -> None:
        team, lee = authors
        (cited,) = world.records(team.review_id, team.owner, 1, found=Found(FoundBy.CITATION))
        with world.entered(team.review_id, team.owner) as (session, review, viewer):
            state = RetrievalState.RETRIEVED
            append_retrieval(session, review=review, viewer=viewer, number=cited, state=state)
        name_authors(world, team.review_id, **{f"r{cited}": ["Lee, A."]})

        def served(who: Person) -> list[int]:
            return numbers(world.serve(team.review_id, who, limit=9, stage=FT))

        assert served(lee) == [], "by the name"
        declare(world, team.review_id, lee, cited, False)
        assert served(lee) == [cited]
        declare(world, team.review_id, lee, cited, True)
        assert served(lee) == []

    def test_what_is_held_is_let_go_when_an_interest_is_declared(
        self, world: World, authors: tuple[Team, Person]
    ) -> None:
        team, lee = authors
        world.serve(team.review_id, lee, limit=9)
        declare(world, team.review_id, lee, 1, True)
        with world.database.read() as session:
            held = set(session.scalars(select(Lease.record_number)))
        assert held == {3, 4}

    def test_linked_records_are_withheld_as_one(
        self, world: World, authors: tuple[Team, Person]
    ) -> None:
        team, lee = authors
        world.merge(team.review_id, team.owner, 1, 2)

        assert numbers(world.serve(team.review_id, lee, limit=9)) == [3, 4]
        declare(world, team.review_id, lee, 1, False)
        assert numbers(world.serve(team.review_id, lee, limit=9)) == [3, 4, 1]

    def test_others_interests_are_for_owners(
        self, world: World, authors: tuple[Team, Person]
    ) -> None:
        team, lee = authors
        world.serve(team.review_id, lee)
        declare(world, team.review_id, team.ben, 4, True)

        def seen(who: Person) -> list[tuple[str, int, str | None]]:
            with world.database.read() as session:
                viewer = reviews.viewer(session, review_id=team.review_id, user_id=who.id)
                return [
                    (known.user.name, known.interest.record_number, known.interest.author)
                    for known in interests.listed(session, viewer, limit=9).items
                ]

        assert seen(lee) == [("Ann Lee", 2, "Lee, A.")]
        assert seen(team.ben) == [("ben", 4, None)]
        assert seen(team.judge) == []
        assert seen(team.owner) == [("Ann Lee", 2, "Lee, A."), ("ben", 4, None)]

    def test_the_pilot_round_is_done_without_it(
        self, world: World, authors: tuple[Team, Person]
    ) -> None:
        team, lee = authors
        begin_pilot(world, team, 4)
        served = numbers(world.serve(team.review_id, lee, limit=9))
        assert sorted(served) == [1, 3, 4]
        for number in served:
            world.decide(team.review_id, lee, number, "exclude")
        assert world.serve(team.review_id, lee).state is QueueState.PILOT_DONE
