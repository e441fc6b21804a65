"""Two worlds stay the same to the blinded when conflicts are settled and opened again in one.

Eve and Ben agree in one world and differ in the others, where the difference is then settled, each
time in another way. What everybody sees afterwards, numbers of decisions and rankings
included, must not say that anything lies between.
"""

import csv
import hashlib
import io
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from service.api.test_worlds_of_linked_records import (
    WorldMaker,
    assert_same,
    items,
    make_world,
    voided_since,
)
from service.api.two_worlds import OneWorld, StillClock
from service.api.world_requests import EVERY_WRITE, Asked, R, every_read
from service.domain.tables import assert_in_step
from tandem.accounts.shown_secrets import Secret
from tandem.events import log
from tandem.events.screening_types import RankingUpdated
from tandem.reviews import service as reviews
from tandem_api import feeds
from tandem_api.feeds import Follower
from world import TA, Person, Team, World

pytestmark = pytest.mark.usefixtures("still_clock")

__all__ = ["make_world"]

CONSENSUS = {"resolution": "consensus"}
DECISIONS: list[Asked] = [
    ("PUT", f"{R}/records/4/decision", {"verdict": "include"}),
    ("POST", f"{R}/decisions", {"items": [{"record_id": "5", "verdict": "maybe"}]}),
    ("POST", f"{R}/rankings", None),
    ("PUT", f"{R}/records/6/decision", {"verdict": "exclude"}),
    ("DELETE", f"{R}/records/6/decision", None),
]

LEDGER: list[Asked] = [("GET", f"{R}/export?format=decisions", None)]

Settle = Callable[[World, Team], None]


def they_agree(world: World, team: Team) -> None:
    pass


def it_is_settled(world: World, team: Team) -> None:
    world.resolve(team.review_id, team.judge, 1, "include")


def it_is_opened_again(world: World, team: Team) -> None:
    it_is_settled(world, team)
    world.reopen(team.review_id, team.judge, 1)


def it_is_settled_anew(world: World, team: Team) -> None:
    it_is_opened_again(world, team)
    world.resolve(team.review_id, team.judge, 1, "exclude")


def one_gives_in(world: World, team: Team) -> None:
    world.vote_again(team.review_id, team.ben, 1, "include")


def both_stand_by_it(world: World, team: Team) -> None:
    world.vote_again(team.review_id, team.ben, 1, "exclude")
    world.vote_again(team.review_id, team.eve, 1, "include")
    it_is_settled(world, team)


UNKNOWN_TO_EVE = (it_is_settled, it_is_opened_again, it_is_settled_anew, one_gives_in)


def history(settle: Settle) -> Settle:
    """Let the two vote, settle what there is, and let more be said and ranked than before it."""

    def happens(world: World, team: Team) -> None:
        world.decide(team.review_id, team.ben, 2, "include")
        world.decide(team.review_id, team.eve, 1, "include")
        world.decide(team.review_id, team.ben, 1, "include" if settle is they_agree else "exclude")
        ranked(world, team)
        settle(world, team)
        ranked(world, team)
        world.decide(team.review_id, team.eve, 2, "include")
        world.withdraw(team.review_id, team.ben, 2)
        ranked(world, team)

    return happens


def ranked(world: World, team: Team) -> None:
    """Publish a ranking as a worker does, at the review's number of the moment."""
    ranking = world.rank(team.review_id, *range(9, 0, -1))
    with world.entered(team.review_id, team.owner) as (session, review, _):
        fact = RankingUpdated(ranking_id=str(ranking.id), stage=TA, labels_seq=ranking.labels_seq)
        log.append(session, review, fact)


def streamed(one: OneWorld, who: Person) -> list[tuple[int, Any]]:
    """Return number and data of every event, as somebody who follows the log is sent them."""
    secret = Secret(hashlib.sha256(who.token.encode()).hexdigest(), is_token=True)
    (stream,) = feeds.look(one.world.database, one.team.review_id, [Follower(secret, 0)])
    assert stream is not None
    lines = [line for line in stream.page.decode().splitlines() if line.startswith("data:")]
    events = [json.loads(line.removeprefix("data:")) for line in lines]
    known = ("record_id", "labels_seq")
    return [(one["sequence"], [one["data"].get(name) for name in known]) for one in events]


def labels_seqs(one: OneWorld, who: str) -> list[int]:
    listed = items(one, who, "events?limit=500")
    return [event["data"]["labels_seq"] for event in listed if "labels_seq" in event["data"]]


@pytest.mark.parametrize(
    ("policy", "ways"),
    [
        ({}, [it_is_settled, it_is_opened_again, it_is_settled_anew]),
        (CONSENSUS, [one_gives_in, both_stand_by_it]),
        ({"adjudicator_sees": "nothing"}, [it_is_settled]),
    ],
    ids=["adjudicated", "by consensus", "adjudicated blindly"],
)
def test_that_a_conflict_was_settled_leaves_no_hole(
    make_world: WorldMaker, policy: dict[str, Any], ways: list[Settle]
) -> None:
    worlds = [make_world(history(settle), **policy) for settle in (they_agree, *ways)]
    agreeing, *differing = worlds

    def assert_same_streams() -> None:
        expected = streamed(agreeing, agreeing.team.ann)
        assert [streamed(one, one.team.ann) for one in differing] == [expected] * len(ways)

    hidden = [one for one, settle in zip(differing, ways, strict=True) if settle in UNKNOWN_TO_EVE]
    assert_same([agreeing, *hidden], "eve", LEDGER)
    for who in ("ann", "observer"):
        assert_same(worlds, who, every_read())
    assert_same_streams()
    # Ann's later decisions have the same numbers in all worlds, too.
    reads, more_reads = every_read(), every_read()
    assert_same(worlds, "ann", [*DECISIONS, *reads, *EVERY_WRITE, *more_reads])
    for one in worlds:
        ranked(one.world, one.team)
        assert_in_step(one.world.database, one.team.review_id)
    assert_same(worlds, "ann", every_read())
    assert_same_streams()
    # Without this the worlds could be equal because they are the same.
    for one in differing:
        assert labels_seqs(agreeing, "owner") != labels_seqs(one, "owner")


def test_who_sees_every_event_gets_the_numbers_as_they_are(make_world: WorldMaker) -> None:
    one = make_world(history(it_is_settled))
    id_, team = one.team.review_id, one.team
    before = {who: labels_seqs(one, who) for who in ("owner", "ann")}
    with one.world.database.read() as session:
        last = reviews.get_review(session, id_).labels_seq

    one.world.decide(id_, team.eve, 3, "include")
    one.world.decide(id_, team.ben, 3, "exclude")
    one.world.resolve(id_, team.judge, 3, "include")
    one.world.decide(id_, team.eve, 4, "include")

    assert labels_seqs(one, "owner") == [*before["owner"], last + 1, last + 2, last + 4]
    assert [data[1] for _, data in streamed(one, team.owner) if data[1]] == labels_seqs(
        one, "owner"
    )
    assert labels_seqs(one, "judge") == labels_seqs(one, "owner")
    # To Ann the first resolution has no number, and no more has the second.
    assert labels_seqs(one, "ann") == [*before["ann"], last, last + 1, last + 2]
    (newest, *_) = items(one, "owner", "rankings")
    assert newest["labels_seq"] == last
    exported = one.ask(team.owner, ("GET", f"{R}/export?format=decisions", None))[3]
    seqs = [int(row["seq"]) for row in csv.DictReader(io.StringIO(exported))]
    assert seqs[-4:] == [last + 1, last + 2, last + 3, last + 4]


def test_a_ranking_counts_a_decision_of_the_blinded_from_its_number_on(
    make_world: WorldMaker,
) -> None:
    one = make_world(history(it_is_settled_anew))
    put: Asked = ("PUT", f"{R}/records/7/decision", {"verdict": "include"})
    _, status, _, text = one.ask(one.team.ann, put)
    assert status == 200
    said = json.loads(text)["decision"]["labels_seq"]

    assert items(one, "ann", "rankings")[0]["labels_seq"] == said - 1
    ranked(one.world, one.team)
    assert items(one, "ann", "rankings")[0]["labels_seq"] >= said


def test_a_second_vote_that_is_voided_stays_hidden(make_world: WorldMaker) -> None:
    def history_of(settle: Settle) -> Settle:
        def happens(world: World, team: Team) -> None:
            world.decide(team.review_id, team.eve, 1, "include")
            verdict = "include" if settle is they_agree else "exclude"
            world.decide(team.review_id, team.ben, 1, verdict)
            StillClock.at += timedelta(days=1)
            settle(world, team)
            world.decide(team.review_id, team.ben, 2, "exclude")
            voided_since(world, team, team.ben, StillClock.at)
            world.decide(team.review_id, team.eve, 3, "include")
            ranked(world, team)

        return happens

    worlds = [make_world(history_of(settle), **CONSENSUS) for settle in (they_agree, one_gives_in)]

    for who in ("ann", "observer"):
        assert_same(worlds, who, every_read())
    assert_same(worlds, "ann", [*DECISIONS, *every_read()])
