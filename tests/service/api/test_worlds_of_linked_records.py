"""Two worlds stay the same to the blinded when records are linked, parted, voided, taken over.

Each history happens in worlds that differ in one verdict of Ben's (or of Kim's, of a file). What
is entered in the ledger then, how often and from where, must not differ: everybody can see that.
"""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import count, permutations
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from service.api.scene import API
from service.api.two_worlds import (
    OneWorld,
    StillClock,
    empty,
    opened_client,
    same_people,
    seen,
    stand_still,
)
from service.api.world_requests import NOWHERE, Asked, R, Said, every_read
from service.domain.tables import assert_in_step, ledger
from tandem.ids import ImportId
from tandem.records.models import Record
from tandem.reviews import service as reviews
from tandem.reviews.policy import Stage
from tandem.screening import priors
from tandem.screening.models import Decision, PresentDecision
from tandem.screening.team import removal
from world import Person, Team, World

DAY_ONE, DAY_TWO = (datetime(2027, 1, day, 12, tzinfo=UTC) for day in (1, 2))
VERDICTS = ("include", "maybe", "exclude")

History = Callable[[World, Team, str], None]


@pytest.fixture(autouse=True)
def _still_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    stand_still(monkeypatch)
    StillClock.at = DAY_ONE


def voided_since(world: World, team: Team, who: Person, since: datetime | None) -> None:
    with world.entered(team.review_id, team.owner) as (session, review, viewer):
        removal.leave(
            session,
            review=review,
            viewer=viewer,
            user_id=who.id,
            decisions="void",
            since=since,
        )


def one_of_three_is_parted(world: World, team: Team, verdict: str) -> None:
    for number, said in ((1, "exclude"), (2, verdict), (3, "exclude")):
        world.decide(team.review_id, team.ben, number, said)
    world.merge(team.review_id, team.owner, 1, 2)
    group = world.merge(team.review_id, team.owner, 1, 3)
    world.split(team.review_id, team.owner, group, 2)


def one_that_stays_was_voted_on(world: World, team: Team, verdict: str) -> None:
    for number, said in ((1, "maybe"), (2, "exclude"), (3, verdict)):
        world.decide(team.review_id, team.ben, number, said)
    world.decide(team.review_id, team.eve, 2, "include")
    world.merge(team.review_id, team.owner, 1, 2)
    group = world.merge(team.review_id, team.owner, 1, 3)
    world.split(team.review_id, team.owner, group, 2)
    world.split(team.review_id, team.owner, group)


def the_shown_one_is_parted(world: World, team: Team, verdict: str) -> None:
    for number, said in ((1, verdict), (2, "maybe"), (3, "maybe")):
        world.decide(team.review_id, team.ben, number, said)
    group = world.merge(team.review_id, team.owner, 1, 2, 3)
    world.split(team.review_id, team.owner, group, 1)
    world.merge(team.review_id, team.owner, 1, 4)


def the_later_of_two_is_voided(world: World, team: Team, verdict: str) -> None:
    world.decide(team.review_id, team.ben, 1, "maybe")
    StillClock.at = DAY_TWO
    world.decide(team.review_id, team.ben, 2, verdict)
    world.merge(team.review_id, team.owner, 1, 2)
    voided_since(world, team, team.ben, DAY_TWO)


def the_later_one_was_on_the_shown_record(world: World, team: Team, verdict: str) -> None:
    world.decide(team.review_id, team.eve, 1, "maybe")
    world.decide(team.review_id, team.ben, 2, "maybe")
    StillClock.at = DAY_TWO
    world.decide(team.review_id, team.ben, 1, verdict)
    group = world.merge(team.review_id, team.owner, 1, 2)
    voided_since(world, team, team.ben, DAY_TWO)
    world.split(team.review_id, team.owner, group)


def the_later_one_is_in_the_middle_of_a_chain(world: World, team: Team, verdict: str) -> None:
    world.decide(team.review_id, team.ben, 3, "maybe")
    StillClock.at = DAY_TWO
    world.decide(team.review_id, team.ben, 2, verdict)
    world.merge(team.review_id, team.owner, 2, 3)
    world.decide(team.review_id, team.eve, 1, "maybe")
    group = world.merge(team.review_id, team.owner, 1, 2)
    voided_since(world, team, team.ben, DAY_TWO)
    world.split(team.review_id, team.owner, group, 3)


def everything_is_voided(world: World, team: Team, verdict: str) -> None:
    world.decide(team.review_id, team.ben, 1, "maybe")
    world.decide(team.review_id, team.ben, 2, verdict)
    group = world.merge(team.review_id, team.owner, 1, 2)
    voided_since(world, team, team.ben, None)
    world.split(team.review_id, team.owner, group)


def two_files_say_it(world: World, team: Team, verdict: str) -> None:
    taken_over(world, team, {1: verdict, 3: "maybe"}, {1: "maybe", 3: verdict})


def taken_over(world: World, team: Team, *files: dict[int, str]) -> None:
    """Let each file bring copies of the records 1 to 3, say how Kim decided them, and be taken."""
    for named, said in enumerate(files, start=1):
        numbers = world.records(team.review_id, team.owner, 3)
        with world.entered(team.review_id, team.owner) as (session, review, _):
            for number, verdict in said.items():
                record = session.get_one(Record, (review.id, numbers[number - 1]))
                because = {"reasons": [f"reason {named}"], "labels": [f"file {named}"]}
                record.priors = [{"by": "Kim", "verdict": verdict} | because]
            import_id = session.get_one(Record, (review.id, numbers[0])).import_id
        for number in said:
            world.merge(team.review_id, team.owner, number, numbers[number - 1])
        with world.entered(team.review_id, team.owner) as (session, review, viewer):
            priors.take(session, review, viewer, import_id=ImportId(import_id))


HISTORIES: list[History] = [
    one_of_three_is_parted,
    one_that_stays_was_voted_on,
    the_shown_one_is_parted,
    the_later_of_two_is_voided,
    the_later_one_was_on_the_shown_record,
    the_later_one_is_in_the_middle_of_a_chain,
    everything_is_voided,
    two_files_say_it,
]


Here = Callable[[World, Team], None]
WorldMaker = Callable[..., OneWorld]


def tell(folder: Path, template: Path, policy: Said, history: Here) -> OneWorld:
    """Return a world in which this happened; Ann decided nothing."""
    StillClock.at = DAY_ONE
    settings, world = empty(folder, template)
    team = world.team(n_records=9, policy=policy)
    history(world, team)
    assert_in_step(world.database, team.review_id)
    ranking = world.rank(team.review_id, *range(9, 0, -1))
    client = opened_client(settings)
    root, auth = f"{API}/reviews/{team.review_id}", team.owner.auth
    first = {
        name: (client.get(f"{root}/{name}", headers=auth).json()["items"] or [{"id": NOWHERE}])[0]
        for name in ("imports", "duplicates")
    }
    names = {
        "r": str(team.review_id),
        "i": first["imports"]["id"],
        "d": first["duplicates"]["id"],
        "k": str(ranking.id),
        "u": str(team.ben.id),
    }
    return OneWorld(client, world, team, names)


@pytest.fixture
def make_world(
    tmp_path: Path, migrated_sqlite: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[WorldMaker]:
    """Return what makes a world for a history, by a policy, with the same people in each."""
    made = list[OneWorld]()

    def make(history: Here, **policy: Any) -> OneWorld:
        same_people(monkeypatch)
        ids = count(1)  # lists put those of the same instant in the order of their ids
        worlds = ("world", "world_people", "world_screening", "world_rows")
        for module in ("tandem.records.duplicates.groups", *worlds):
            monkeypatch.setattr(f"{module}.new_id", lambda: UUID(int=next(ids) << 64))
        made.append(tell(tmp_path / str(len(made)), migrated_sqlite, policy, history))
        return made[-1]

    yield make
    for one in made:
        one.client.__exit__(None, None, None)
        one.world.database.close()


@pytest.mark.parametrize("history", HISTORIES, ids=lambda history: history.__name__)
def test_what_is_entered_of_linked_records_tells_no_verdict(
    make_world: WorldMaker, history: History
) -> None:
    worlds = [
        make_world(lambda world, team, said=said: history(world, team, said)) for said in VERDICTS
    ]
    assert_same(worlds, "ann", every_read())
    assert_same(worlds, "observer", [("GET", f"{R}/events?limit=500", None)])
    # Else the worlds could be equal because they are the same.
    votes = [
        [entry.verdict for entry in ledger(one.world.database, one.team.review_id)]
        for one in worlds
    ]
    assert votes[0] != votes[1] != votes[2]


def assert_same(worlds: list[OneWorld], who: str, asked: list[Asked]) -> None:
    first, *others = (seen(one, who, asked) for one in worlds)
    for other in others:
        for here, there in zip(first, other, strict=True):
            assert here == there


def in_consensus(world: World, team: Team, verdict: str) -> None:
    for number in (1, 2):
        world.decide(team.review_id, team.eve, number, "exclude")
        world.decide(team.review_id, team.ben, number, verdict)


def test_a_second_vote_stays_hidden_from_all_who_may_not_know_of_the_conflict(
    make_world: WorldMaker,
) -> None:
    worlds = [
        make_world(
            lambda world, team, said=said: in_consensus(world, team, said),
            resolution="consensus",
        )
        for said in VERDICTS
    ]
    *differing, agreeing = worlds
    for one in differing:
        for who, verdict in ((one.team.ben, "include"), (one.team.eve, "exclude")):
            one.world.vote_again(one.team.review_id, who, 1, verdict)
        assert_in_step(one.world.database, one.team.review_id)

    assert_same(worlds, "ann", every_read())
    assert_same(worlds, "observer", [("GET", f"{R}/events?limit=500", None)])
    # Who voted again needs no event of it, but has it in their history.
    assert [n_decisions(one, "ben") for one in worlds] == [4, 4, 4]
    assert [n_decisions(one, "owner") for one in worlds] == [6, 6, 4]
    for one, n_own in ((differing[0], 2), (agreeing, 1)):
        own = items(one, "ben", "records/1/history")
        assert len(own) == n_own
        assert [make_world["sequence"] for make_world in own] == sorted(
            make_world["sequence"] for make_world in own
        )


def n_decisions(one: OneWorld, who: str) -> int:
    types = [event["type"] for event in items(one, who, "events?limit=500")]
    return types.count("tandem.decision.recorded")


def items(one: OneWorld, who: str, path: str) -> list[Any]:
    ((_, status, _, text),) = seen(one, who, [("GET", f"{R}/{path}", None)])
    assert status == 200
    found: list[Any] = json.loads(text)["items"]
    return found


@pytest.mark.parametrize("settled", ["include", "exclude", None])
def test_the_number_that_a_merge_takes_tells_of_no_resolution(
    make_world: WorldMaker, settled: str | None
) -> None:
    def history(world: World, team: Team) -> None:
        world.decide(team.review_id, team.eve, 2, "include")
        world.decide(team.review_id, team.ben, 2, "exclude" if settled else "include")
        if settled is not None:
            world.resolve(team.review_id, team.judge, 2, settled)
        world.decide(team.review_id, team.eve, 1, "include")
        world.decide(team.review_id, team.judge, 1, "include")

    one = make_world(history)
    before = labels_seq(one)
    one.world.merge(one.team.review_id, one.team.owner, 1, 2)

    # The merge itself, an entry for each of two voters, and for each stage a resolution's.
    assert labels_seq(one) - before == 1 + 2 + len(Stage)


def labels_seq(one: OneWorld) -> int:
    with one.world.database.read() as session:
        return reviews.get_review(session, one.team.review_id).labels_seq


@pytest.mark.parametrize(("first", "second"), [*permutations(VERDICTS, 2), ("maybe", "maybe")])
def test_what_the_weaker_of_two_files_says_is_in_the_ledger(
    make_world: WorldMaker, first: str, second: str
) -> None:
    one = make_world(lambda *at: taken_over(*at, {1: first}, {1: second}))

    entries = ledger(one.world.database, one.team.review_id)
    kims = [(entry.verdict, *entry.reasons, *entry.labels) for entry in entries]
    files = [(first, "reason 1", "file 1"), (second, "reason 2", "file 2")]
    assert kims[:2] == files
    assert kims[2:] == [min(files, key=lambda file: VERDICTS.index(file[0]))]


@pytest.mark.parametrize("later", VERDICTS)
@pytest.mark.parametrize("is_shown", [True, False], ids=["shown", "linked"])
def test_of_votes_that_met_those_from_before_go_on_counting(
    world: World, later: str, is_shown: bool
) -> None:
    """Ben's vote on one of two linked records is voided, that on the other is from before."""
    team = world.team()
    world.decide(team.review_id, team.eve, 1, "maybe")  # so that the first is shown
    old, new = (2, 1) if is_shown else (1, 2)
    world.decide(team.review_id, team.ben, old, "exclude", reasons=["old"])
    StillClock.at = DAY_TWO
    world.decide(team.review_id, team.ben, new, later)
    group = world.merge(team.review_id, team.owner, 1, 2)

    voided_since(world, team, team.ben, DAY_TWO)

    assert votes_of(world, team.ben) == {1: ("exclude", ["old"])}
    assert_in_step(world.database, team.review_id)
    world.split(team.review_id, team.owner, group)
    assert votes_of(world, team.ben) == {old: ("exclude", ["old"])}
    assert_in_step(world.database, team.review_id)
    voided_since(world, team, team.ben, None)
    assert votes_of(world, team.ben) == {}


def votes_of(world: World, who: Person) -> dict[int, tuple[str | None, list[str]]]:
    query = (
        select(PresentDecision.record_number, Decision.verdict, Decision.reasons)
        .join(Decision, Decision.id == PresentDecision.decision_id)
        .where(PresentDecision.reviewer_id == who.id)
    )
    with world.database.read() as session:
        return {number: (verdict, reasons) for number, verdict, reasons in session.execute(query)}
