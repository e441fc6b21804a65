"""How the review stood at an earlier entry is what was shown at that time."""

import time
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import settings
from hypothesis.stateful import invariant, run_state_machine_as_test
from sqlalchemy import insert

import effort
from service.domain.test_any_history import HOW, Merging, Screening
from tandem.audit import history, past
from tandem.audit.history import HistoryEntry
from tandem.audit.past import BeyondTheEnd
from tandem.db.base import now
from tandem.db.keyset import START, Cursor, Slice
from tandem.errors import Forbidden, NotFound
from tandem.events import log
from tandem.events.log import Event
from tandem.events.screening_types import RankingUpdated
from tandem.ids import RecordNumber, ReviewId, new_id
from tandem.reviews import service as reviews
from tandem.reviews.service import Viewer
from tandem.screening import catalogue
from tandem.screening import progress as present
from tandem.screening.progress import Progress
from world import TA, Person, Team, World

RARELY = settings(HOW, max_examples=effort.examples(12))


def progress(world: World, review_id: ReviewId, who: Person, as_of: int | None = None) -> Progress:
    with world.database.read() as session:
        viewer = reviews.viewer(session, review_id=review_id, user_id=who.id)
        if as_of is None:
            found = present.progress(session, viewer=viewer, stage=TA)
            return replace(found, recall=None)  # by records it is of the present only
        return past.progress(session, viewer=viewer, stage=TA, as_of=as_of)


def record(
    world: World, review_id: ReviewId, who: Person, number: int, as_of: int | None = None
) -> tuple[str, Any]:
    """Return the status of a record and this person's decision."""
    of = RecordNumber(number)
    with world.database.read() as session:
        viewer = reviews.viewer(session, review_id=review_id, user_id=who.id)
        if as_of is None:
            shown = catalogue.get_record(session, viewer=viewer, stage=TA, number=of)
        else:
            shown, _ = past.record(session, viewer=viewer, stage=TA, number=of, as_of=as_of)
        mine = shown.my_decision
        return shown.status, mine and (mine.id, mine.verdict)


def last_seq(world: World, review_id: ReviewId) -> int:
    with world.database.read() as session:
        return reviews.get_review(session, review_id).last_seq


class _Remembering:
    """Notes after each step what is shown, and compares in the end."""

    world: World
    team: Team

    def note(self) -> None:
        if not hasattr(self, "team"):
            return
        seen: dict[int, Any] = self.__dict__.setdefault("seen", {})
        seen[last_seq(self.world, self.team.review_id)] = self.now(None)

    def now(self, as_of: int | None) -> Any:
        review_id, owner = self.team.review_id, self.team.owner
        records = [record(self.world, review_id, owner, number, as_of) for number in (1, 2)]
        return progress(self.world, review_id, owner, as_of), records

    def compare(self) -> None:
        seen: dict[int, Any] = self.__dict__.get("seen", {})
        first = min(seen, default=0)
        for seq, shown in seen.items():
            if seq != first:  # before the first vote the records had come without an entry
                assert self.now(seq) == shown, seq


def test_every_earlier_state_of_screening_is_found_again(world: World) -> None:
    class Here(Screening, _Remembering):
        @invariant()
        def all_tables_agree(self) -> None:
            self.note()

        def teardown(self) -> None:
            self.compare()

    Here.world = world
    run_state_machine_as_test(Here, settings=RARELY)


def test_every_earlier_state_of_merging_is_found_again(world: World) -> None:
    class Here(Merging, _Remembering):
        @invariant()
        def all_tables_agree(self) -> None:
            self.note()

        def teardown(self) -> None:
            self.compare()

    Here.world = world
    run_state_machine_as_test(Here, settings=RARELY)


@pytest.mark.both_engines
def test_the_past_of_a_record_and_of_the_review(world: World) -> None:
    team = world.team(n_records=3)
    r, owner = team.review_id, team.owner
    world.decide(r, team.ann, 1, "include")
    awaiting = last_seq(world, r)
    world.decide(r, team.ben, 1, "exclude")
    differing = last_seq(world, r)
    world.resolve(r, team.judge, 1, "exclude")

    stati = [record(world, r, owner, 1, seq)[0] for seq in (1, awaiting, differing)]

    assert stati == ["unscreened", "awaiting", "conflict"]
    assert record(world, r, owner, 1, last_seq(world, r))[0] == "excluded"
    assert progress(world, r, owner, differing).counts["conflict"] == 1
    assert progress(world, r, owner, 1).n_records == 0


def test_a_ranking_in_the_log_is_no_record_of_it(world: World) -> None:
    team = world.team()
    r = team.review_id
    with world.entered(r, team.owner) as (session, review, _):
        updated = RankingUpdated(ranking_id=str(new_id()), stage=TA, labels_seq=review.labels_seq)
        log.append(session, review, updated)
    world.decide(r, team.ann, 1, "include")

    then = progress(world, r, team.owner, last_seq(world, r))

    assert then == progress(world, r, team.owner)
    assert then.counts["awaiting"] == 1


def test_who_is_blinded_has_no_past(world: World) -> None:
    team = world.team()
    for who in (team.ann, team.observer):
        with pytest.raises(Forbidden):
            progress(world, team.review_id, who, 1)
        with pytest.raises(Forbidden):
            record(world, team.review_id, who, 1, 1)
    assert progress(world, team.review_id, team.judge, 1).n_records == 0


def test_there_is_no_future(world: World) -> None:
    team = world.team()
    beyond = last_seq(world, team.review_id) + 1
    with pytest.raises(BeyondTheEnd):
        progress(world, team.review_id, team.owner, beyond)
    with pytest.raises(BeyondTheEnd):
        record(world, team.review_id, team.owner, 1, beyond)
    with pytest.raises(NotFound):
        record(world, team.review_id, team.owner, 9, 1)


def test_votes_that_are_hidden_now_were_hidden_then(world: World) -> None:
    team = world.team(policy={"adjudicator_sees": "nothing"})
    r = team.review_id
    for who, verdict in ((team.ann, "include"), (team.ben, "exclude")):
        world.decide(r, who, 1, verdict)
    seq = last_seq(world, r)

    def votes() -> list[str]:
        with world.database.read() as session:
            viewer = reviews.viewer(session, review_id=r, user_id=team.owner.id)
            found = past.record(session, viewer=viewer, stage=TA, number=RecordNumber(1), as_of=seq)
            return sorted(vote.verdict for vote in found[1])

    assert votes() == []
    world.resolve(r, team.judge, 1, "include")
    assert votes() == ["exclude", "include"]


class TestHistory:
    def history_for(self, world: World, team: Team, who: Person, number: int = 1) -> list[Any]:
        with world.database.read() as session:
            viewer = reviews.viewer(session, review_id=team.review_id, user_id=who.id)
            found = self.ask(session, viewer, number).items
        return [
            (one.type.removeprefix("tandem."), one.name, one.before, one.after) for one in found
        ]

    def ask(
        self, session: Any, viewer: Viewer, number: int, cursor: Cursor = START, limit: int = 100
    ) -> Slice[HistoryEntry]:
        return history.history(
            session, viewer=viewer, number=RecordNumber(number), cursor=cursor, limit=limit
        )

    def build(self, world: World, **policy: Any) -> Team:
        team = world.team(policy=policy)
        r = team.review_id
        world.decide(r, team.ann, 1, "include")
        world.decide(r, team.ben, 1, "exclude")
        world.decide(r, team.ann, 1, "maybe")
        return team

    def test_owners_see_who_did_what(self, world: World) -> None:
        team = self.build(world)
        world.resolve(team.review_id, team.judge, 1, "exclude")
        world.merge(team.review_id, team.owner, 2, 3)

        assert self.history_for(world, team, team.owner) == [
            ("decision.recorded", "ann", None, "include"),
            ("decision.recorded", "ben", None, "exclude"),
            ("conflict.opened", None, None, "open"),
            ("decision.recorded", "ann", "include", "maybe"),
            ("conflict.resolved", "judge", "open", "resolved"),
            ("record.excluded", None, "conflict", "excluded"),
        ]
        (linked,) = self.history_for(world, team, team.owner, 3)
        assert linked == ("duplicates.merged", "owner", None, None)

    def test_the_blinded_see_their_own(self, world: World) -> None:
        team = self.build(world)
        mine = [
            ("decision.recorded", "ann", None, "include"),
            ("decision.recorded", "ann", "include", "maybe"),
        ]
        assert self.history_for(world, team, team.ann) == mine
        assert self.history_for(world, team, team.eve) == []
        assert self.history_for(world, team, team.observer) == []
        world.resolve(team.review_id, team.judge, 1, "exclude")
        assert self.history_for(world, team, team.ann) == mine

    def test_what_the_policy_hides_is_not_shown(self, world: World) -> None:
        team = self.build(world, adjudicator_sees="anonymous")

        history = self.history_for(world, team, team.judge)

        assert [one for one in history if one[0] == "decision.recorded"] == [
            ("decision.recorded", None, None, None)
        ] * 3

    def test_it_comes_in_pages(self, world: World) -> None:
        team = self.build(world)
        with world.database.read() as session:
            viewer = reviews.viewer(session, review_id=team.review_id, user_id=team.owner.id)
            whole, pages, cursor = self.ask(session, viewer, 1).items, list[Any](), START
            while not pages or cursor != START:
                page = self.ask(session, viewer, 1, cursor, limit=1)
                pages.append(page.items)
                cursor = Cursor.parse(page.next_cursor)
            with pytest.raises(NotFound):
                self.ask(session, viewer, 99)
        assert [one for page in pages for one in page] == whole
        assert [one.number for one in whole] == sorted(one.number for one in whole)


def test_each_entry_of_a_long_log_costs_as_much_as_one_of_a_short(world: World) -> None:
    team = world.team(n_records=2)
    n, people = effort.examples(100_000), (team.ann, team.ben)
    seq = last_seq(world, team.review_id)
    with world.database.write.begin() as session:
        rows = [
            {
                "review_id": team.review_id,
                "seq": seq + i,
                "open_seq": None,
                "id": new_id(),
                "type": "tandem.decision.recorded",
                "subject": str(i // 2),
                "data": {
                    "record_id": str(i // 2),
                    "stage": "title_abstract",
                    "reviewer_id": str(people[i % 2].id),
                    "labels_seq": i,
                    "carried_from": None,
                },
                "created_at": now(),
                "detail": {"verdict": "include", "reasons": [], "tx": "x", "records": n},
                "salt": "0" * 32,
                "hash": "0" * 64,
            }
            for i in range(1, n + 1)
        ]
        session.execute(insert(Event), rows)
        reviews.lock(session, team.review_id).last_seq = seq + n

    def seconds(n: int) -> float:
        before = time.process_time()  # not what else runs on the machine
        found = progress(world, team.review_id, team.owner, seq + n)
        assert found.counts["awaiting"] == n // 2 + 1
        return time.process_time() - before

    short, long = seconds(n // 5 // 2 * 2), seconds(n)
    assert long < 3 * 5 * short
