"""Who settles conflicts without seeing the votes cannot tell two worlds apart either.

The worlds have the same statuses, which adjudicators and owners see, and the same log. Hidden is
what a single vote on a record says; in an open conflict who of the two said what. As in
test_independence the answers must be equal byte for byte.
"""

from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from service.api.hidden_votes import N_RECORDS, Voting, answers, build, close
from service.api.scene import API
from service.api.two_worlds import (
    OneWorld,
    seen,
)
from service.api.world_requests import TA, Asked, R, Said, every_read
from world import Person

pytestmark = pytest.mark.usefixtures("still_clock")

INCLUDE: Said = {"labels": ["kept"]}
EXCLUDE: Said = {"reasons": ["population"], "note": "No peers.", "labels": ["odd"]}


def vote(voting: Voting, ben: str) -> None:
    """Let Ben say this wherever it is hidden, and Ann the other where they differ."""
    team = voting.team
    ann = "exclude" if ben == "include" else "include"
    of = {"include": INCLUDE, "exclude": EXCLUDE}
    voting.decide(team.ben, 1, ben, **of[ben])
    voting.decide(team.ann, 2, ben, **of[ben])
    for number in (3, 4, 5, 6):
        voting.decide(team.ann, number, ann, **of[ann])
        voting.decide(team.ben, number, ben, **of[ben])
    # One votes once more, one changes what they say to it, one takes it back and says it again,
    # and both of them vote once more.
    voting.vote_again(team.ben, 3, ben, note="I stand by it.", labels=["again"])
    voting.decide(team.ben, 4, ben, note="In other words.", labels=["changed"])
    voting.world.withdraw(team.review_id, team.ann, 5)
    voting.decide(team.ann, 5, ann, note="After all.", labels=["late"])
    for who, verdict in ((team.ben, ben), (team.ann, ann)):
        voting.vote_again(who, 6, verdict, **of[verdict])
    for who, number in product((team.ann, team.ben), (7, 8)):
        voting.decide(who, number, "exclude", **EXCLUDE)


@pytest.fixture
def worlds(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    migrated_sqlite: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[tuple[OneWorld, OneWorld]]:
    policy: Said = {"adjudicator_sees": request.param}
    one, other = (
        build(tmp_path / ben, migrated_sqlite, policy, ben, monkeypatch, vote)
        for ben in ("include", "exclude")
    )
    yield one, other
    for made in (one, other):
        close(made)


TRIED: list[Asked] = [
    *(
        ("PUT", f"{R}/records/{number}/decision?dry_run=true", {"verdict": verdict})
        for number, verdict in product(range(1, N_RECORDS + 1), ("include", "exclude", "maybe"))
    ),
    *(("DELETE", f"{R}/records/{number}/decision?dry_run=true", None) for number in (1, 3, 7)),
    *(
        ("POST", f"{R}/conflicts/{{c{number}}}/resolution?dry_run=true", {"verdict": "include"})
        for number in (3, 4, 5, 6)
    ),
    *(
        ("DELETE", f"{R}/members/{{{who}}}?decisions={fate}&dry_run=true", None)
        for who, fate in product(("u", "ann"), ("keep", "void"))
    ),
    *(
        ("PATCH", f"{R}?dry_run=true", {"policy": {TA: part}})
        for part in (
            *({"reviewers_per_record": 1}, {"single_include_advances": True}, {"blind": False}),
            *({"adjudicator_sees": "all"}, {"reviewers_per_record": 3}),
        )
    ),
]

ASKED: list[Asked] = [
    *(
        ("GET", f"{R}/conflicts/{{c{number}}}{part}", None)
        for number, part in product((3, 4, 5, 6), ("", "/messages"))
    ),
    *(("GET", f"{R}/records?label={label}", None) for label in ("kept", "again", "changed")),
    *(("GET", f"{R}/records/{number}?as_of=30", None) for number in range(1, N_RECORDS + 1)),
    *TRIED,
]


@pytest.mark.parametrize("worlds", ["nothing", "anonymous"], indirect=True)
@pytest.mark.parametrize("who", ["judge", "owner"])
def test_who_settles_without_seeing_the_votes_cannot_tell_the_worlds_apart(
    worlds: tuple[OneWorld, OneWorld], who: str
) -> None:
    # The metrics are of the whole installation, with durations in them.
    asked = [*(one for one in every_read() if one[1] != "/metrics"), *ASKED]
    one, other = (answers(made, who, asked) for made in worlds)

    assert [pair for pair in zip(one, other, strict=True) if pair[0] != pair[1]] == []


@pytest.mark.parametrize("worlds", ["all"], indirect=True)
def test_the_worlds_do_differ_where_the_policy_shows_the_votes(
    worlds: tuple[OneWorld, OneWorld],
) -> None:
    """Without this the test above could pass on two worlds that are the same."""
    plain = ("agreement", "plots/agreement.svg", "conflicts", "records/1", "records/3", "labels")
    more = ("export?format=jsonl", "reviewers/{u}/record", "criteria/affected/reviewers")
    asked: list[Asked] = [("GET", f"{R}/{path}", None) for path in (*plain, *more, "rankings")]
    tried: Asked = ("PUT", f"{R}/records/1/decision?dry_run=true", {"verdict": "include"})
    changed: Asked = ("PATCH", f"{R}?dry_run=true", {"policy": {TA: {"reviewers_per_record": 1}}})
    one, other = (seen(made, "owner", [*asked, tried, changed]) for made in worlds)

    assert [first[0] for first, second in zip(one, other, strict=True) if first == second] == []


@pytest.mark.parametrize("worlds", ["anonymous"], indirect=True)
def test_who_settles_still_sees_the_votes_as_a_and_b(worlds: tuple[OneWorld, OneWorld]) -> None:
    """Else the worlds could look alike because nothing is shown at all."""
    for made in worlds:
        root, judge = f"{API}/reviews/{made.team.review_id}", made.team.judge

        def get(path: str, root: str = root, made: OneWorld = made, judge: Person = judge) -> Any:
            answer = made.client.get(root + path, headers=judge.auth)
            assert answer.status_code == 200
            return answer.json()

        both = {("A", "include"), ("B", "exclude")}
        for number in (3, 4, 5, 6):
            (conflict,) = get(f"/conflicts?record_id={number}")["items"]
            for votes in (conflict["decisions"], get(f"/records/{number}")["decisions"]):
                assert {(one["reviewer"], one["verdict"]) for one in votes} == both
        assert get("/records/1")["decisions"] == []
        agreement = get("/agreement")
        assert (agreement["n_hidden"], agreement["overall"]["n_records"]) == (6, 2)


@pytest.mark.parametrize("worlds", ["nothing"], indirect=True)
def test_previews_say_why_they_are_silent_and_the_change_itself_tells(
    worlds: tuple[OneWorld, OneWorld],
) -> None:
    made = worlds[0]
    root, owner = f"{API}/reviews/{made.team.review_id}", made.team.owner.auth
    void = f"{root}/members/{made.team.ben.id}?decisions=void&dry_run=true"
    body = {"policy": {TA: {"reviewers_per_record": 1}}}

    departure = made.client.delete(void, headers=owner).json()
    tried = made.client.patch(f"{root}?dry_run=true", json=body, headers=owner).json()["effects"][0]
    done = made.client.patch(root, json=body, headers=owner).json()["effects"][0]

    assert (departure["n_decisions_voided"], departure["n_records_changed"]) == (7, None)
    assert departure["records"] is None
    assert "on 5 of the records" in departure["note"]
    assert tried["n_records_changed"] is None
    assert "on 6 of the records" in tried["note"]
    assert (done["n_records_changed"], done["note"]) == (2, None)


@pytest.mark.parametrize("worlds", ["nothing"], indirect=True)
def test_what_is_settled_is_previewed_as_before(worlds: tuple[OneWorld, OneWorld]) -> None:
    made = worlds[0]
    root, team = f"{API}/reviews/{made.team.review_id}", made.team
    try_it = made.client.put(
        f"{root}/records/7/decision?dry_run=true",
        json={"verdict": "include"},
        headers=team.judge.auth,
    ).json()["preview"]
    conflict = made.names["c3"]
    settle = made.client.post(
        f"{root}/conflicts/{conflict}/resolution?dry_run=true",
        json={"verdict": "include"},
        headers=team.judge.auth,
    ).json()["preview"]

    assert (try_it["status_before"], try_it["status_after"]) == ("excluded", "conflict")
    assert (settle["status_before"], settle["status_after"]) == ("conflict", "included")
