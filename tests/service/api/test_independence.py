"""Two worlds that differ in nothing but how others voted look the same to the blinded.

Everything that a blinded person can ask for is asked for in both worlds, and the answers, headers
and lengths included, must be equal byte for byte. Three things are made equal beforehand: the
clock stands still; people have the same ids in both worlds, since each has a queue of their own;
all other ids, which are random, are numbered in the order in which they are first seen.

One policy is left out: with `single_include_advances` the first include takes a record out of
everybody's queue, which is what it is for.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from application import document_of_the_api
from service.api.scene import API, METHODS
from service.api.two_worlds import (
    AGREEING,
    DIFFERING,
    OneWorld,
    build,
    same_people,
    seen,
)
from service.api.world_requests import (
    EVERY_WRITE,
    EXEMPT,
    READS,
    TA,
    TRIED,
    WRITES,
    Asked,
    R,
    Said,
    every_read,
)
from world import Person

pytestmark = pytest.mark.usefixtures("still_clock")


def test_every_route_is_covered() -> None:
    document = document_of_the_api()["paths"]
    routes = {
        (method.upper(), path.removeprefix(API))
        for path, operations in document.items()
        for method in operations
        if method in METHODS
    }
    listed = READS.keys() | WRITES.keys() | EXEMPT.keys()

    missing = sorted(routes - listed)
    assert not missing, f"Ask for it in READS or WRITES, or say in EXEMPT why not: {missing}"
    assert not listed - routes


@pytest.fixture
def worlds(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    migrated_sqlite: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[tuple[OneWorld, OneWorld]]:
    policy: Said = getattr(request, "param", {})
    made = []
    for name, votes in (("agreeing", AGREEING), ("differing", DIFFERING)):
        same_people(monkeypatch)
        made.append(build(tmp_path / name, migrated_sqlite, policy, votes))
    yield made[0], made[1]
    for one in made:
        one.client.__exit__(None, None, None)
        one.world.database.close()


POLICIES: list[Said] = [
    {},
    {"resolution": "consensus"},
    {"reviewers_per_record": 3, "resolution": "majority", "maybe": "conflict"},
]
MORE_POLICIES: list[Said] = [
    {"voter_may_adjudicate": True, "adjudicator_sees": "anonymous"},
    {"maybe": "conflict", "reasons_must_match": True},
    {"reviewers_per_record": 3},
    {"reviewers_per_record": 1},
]
IN_A_SOAK = [pytest.param(policy, marks=pytest.mark.soak) for policy in MORE_POLICIES]


@pytest.mark.parametrize("worlds", [*POLICIES, *IN_A_SOAK], indirect=True, ids=str)
def test_the_blinded_cannot_tell_the_worlds_apart(worlds: tuple[OneWorld, OneWorld]) -> None:
    both = [*every_read(), *EVERY_WRITE]
    # Ann comes again: by then all have done what they may.
    for who, asked in (("ann", both), ("eve", both), ("observer", both), ("ann", every_read())):
        agreeing, differing = (seen(one, who, asked) for one in worlds)
        for one, other in zip(agreeing, differing, strict=True):
            assert one == other


def test_the_worlds_do_differ_for_those_who_may_see(worlds: tuple[OneWorld, OneWorld]) -> None:
    """Without this the test above could pass on two worlds that are the same."""
    exports = ("export?format=jsonl", "export?format=decisions")
    for template in ("records", "conflicts", "progress", "events", *exports):
        asked: Asked = ("GET", f"{R}/{template}", None)
        agreeing, differing = (seen(one, "judge", [asked]) for one in worlds)
        assert agreeing != differing, template


@pytest.mark.parametrize(
    "worlds",
    [{"reviewers_per_record": 3}, {"reviewers_per_record": 3, "resolution": "majority"}],
    indirect=True,
    ids=str,
)
def test_to_have_decided_shows_nothing_while_the_record_is_open(
    worlds: tuple[OneWorld, OneWorld],
) -> None:
    decide: Asked = ("PUT", f"{R}/records/5/decision", {"verdict": "include"})
    withdraw: Asked = ("DELETE", f"{R}/records/5/decision?dry_run=true", None)
    asked = [decide, *TRIED, withdraw, *every_read()]
    agreeing, differing = (seen(one, "ann", asked) for one in worlds)

    assert agreeing == differing
    assert '"status":"done"' in agreeing[0][3]


def test_what_others_settled_after_one_took_a_vote_back_stays_hidden(
    worlds: tuple[OneWorld, OneWorld],
) -> None:
    """In one world the others agree meanwhile; Ann's next vote makes a conflict in both.

    It is informed in both: the record has all its decisions by then, so that full text tells.
    """
    decide: Asked = ("PUT", f"{R}/records/10/decision", {"verdict": "exclude"})
    withdraw: Asked = ("DELETE", f"{R}/records/10/decision", None)
    answers_of_worlds, before, after = [], every_read(), every_read()
    for one, ben in zip(worlds, ("include", "exclude"), strict=True):
        id_, team = one.team.review_id, one.team
        one.world.decide(id_, team.ann, 10, "include")
        one.world.withdraw(id_, team.ann, 10)
        one.world.decide(id_, team.eve, 10, "include")
        one.world.decide(id_, team.ben, 10, ben)
        answers_of_worlds.append(seen(one, "ann", [*before, decide, withdraw, decide, *after]))

    assert answers_of_worlds[0] == answers_of_worlds[1]
    votes = [text for asked, _, _, text in answers_of_worlds[0] if asked == decide]
    assert len(votes) == 2
    assert all('"informed":true' in text for text in votes)


def test_a_dry_run_does_not_depend_on_the_others_while_a_conflict_is_closed(
    worlds: tuple[OneWorld, OneWorld],
) -> None:
    """Ann's vote agrees with the others' in one world only, and the record is open in both."""
    answers_of_worlds = []
    for one in worlds:
        one.world.decide(one.team.review_id, one.team.ann, 5, "include")
        one.world.change_policy(one.team.review_id, one.team.owner, reviewers_per_record=3)
        try_it: Asked = ("PUT", f"{R}/records/5/decision?dry_run=true", {"verdict": "exclude"})
        undo: Asked = ("DELETE", f"{R}/records/5/decision?dry_run=true", None)
        answers_of_worlds.append(seen(one, "ann", [try_it, undo]))

    assert answers_of_worlds[0] == answers_of_worlds[1]
    texts = [answer[3] for answer in answers_of_worlds[0]]
    assert '"status_before":"done","status_after":"done","conflict":null' in texts[0]
    assert '"status_before":"done","status_after":"unscreened","conflict":null' in texts[1]


def test_an_open_audit_tells_the_blinded_nothing(
    worlds: tuple[OneWorld, OneWorld], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Registered and open in both worlds, its order the same; what it has shown differs."""
    monkeypatch.setattr("tandem.stopping.random_order.new_seed", lambda: b"\x01" * 32)
    answers_of_worlds, shown, before, after = [], [], every_read(), every_read()
    for one in worlds:
        owner = one.team.owner
        asked = {"stage": TA, "target_recall": 0.8, "confidence": 0.8}
        made = one.client.post(
            R.format(**one.names) + "/audits", json=asked, headers=owner.auth
        ).json()
        names = one.names | {"a": made["id"]}
        draws = f"{R}/audits/{{a}}"
        here = OneWorld(one.client, one.world, one.team, names)
        here.ask(owner, ("PATCH", draws, {"serving": "draws_only"}))
        own = [("GET", path, None) for path in (draws, f"{draws}/draws", f"{draws}/certificate.md")]
        both = [*before, *own, *EVERY_WRITE, *after, *own]
        answers_of_worlds.append([seen(here, who, both) for who in ("ann", "eve", "observer")])
        shown.append(here.ask(owner, ("GET", f"{R}/stopping", None))[3])

    assert answers_of_worlds[0] == answers_of_worlds[1]
    assert shown[0] != shown[1]


def test_a_change_of_criteria_gives_the_blinded_something_to_look_at(
    worlds: tuple[OneWorld, OneWorld],
) -> None:
    """Else the lists of second looks and labels could be equal because they are empty."""
    asked: list[Asked] = [("GET", f"{R}/{path}", None) for path in ("criteria/affected", "labels")]
    for one in worlds:
        affected, labels = (answer[3] for answer in seen(one, "ann", asked))
        assert '"cause":"reason","criteria":["population"]' in affected
        assert '"label":"both","n_records":2' in labels


def test_who_decided_sees_done_until_the_conflict_is_settled(
    worlds: tuple[OneWorld, OneWorld],
) -> None:
    one = worlds[1]
    ann, judge, root = one.team.ann, one.team.judge, f"{API}/reviews/{one.team.review_id}"

    def get(path: str, who: Person = ann, expect: int = 200) -> Any:
        answer = one.client.get(root + path, headers=who.auth)
        assert answer.status_code == expect
        return answer.json()

    decision = {"verdict": "include"}
    answers_of_worlds = one.client.put(
        f"{root}/records/5/decision", json=decision, headers=ann.auth
    ).json()
    conflicts = get("/conflicts?state=open", judge)["items"]
    (conflict,) = [item["id"] for item in conflicts if item["record"]["id"] == "5"]

    assert answers_of_worlds["record"]["status"] == "done"
    assert get("/records/5")["status"] == "done"
    assert "5" in [item["id"] for item in get("/records?status=done")["items"]]
    assert get("/conflicts")["items"] == []
    get(f"/conflicts/{conflict}", expect=404)
    assert "conflict" not in {event["type"].split(".")[1] for event in get("/events")["items"]}

    path = f"{root}/conflicts/{conflict}/resolution"
    assert one.client.post(path, json=decision, headers=judge.auth).status_code == 200

    assert get("/records/5")["status"] == "included"
    shown = get(f"/conflicts/{conflict}")
    assert shown["resolution"]["verdict"] == "include"
    assert {vote["verdict"] for vote in shown["decisions"]} == {"include", "exclude"}
    changed = one.client.put(
        f"{root}/records/5/decision", json={"verdict": "exclude"}, headers=ann.auth
    ).json()
    assert changed["decision"]["informed"] is True
