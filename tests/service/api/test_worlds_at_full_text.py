"""Two worlds that differ in nothing but what others say of full texts look the same to the blinded.

Title and abstract are the same in both, and complete: that a record is at full text tells that it
was included, see docs/full-text.md. The clock and the ids are made equal as in test_independence.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from service.api.two_worlds import (
    OneWorld,
    StillClock,
    empty,
    opened_client,
    same_people,
    seen,
)
from service.api.world_requests import NOWHERE, STATUSES, Asked, R, Said
from tandem.reports.rules import Standing
from tandem.reviews import service as reviews
from tandem.reviews.models import Role
from tandem.screening.rules import Classification
from world import FT, TA

pytestmark = pytest.mark.usefixtures("still_clock")

Votes = dict[int, tuple[str, Said]]
"""How Ben votes on full texts, by record."""

ALIKE: Votes = {n: ("include", {}) for n in (1, 2, 3, 4, 5)}
UNLIKE: Votes = {
    1: ("exclude", {"reasons": ["design"], "note": "No interviews."}),
    2: ("maybe", {"labels": ["odd"]}),
    3: ("include", {"classification": Classification.ONGOING}),
    4: ("exclude", {"reasons": ["population"]}),
    5: ("include", {"classification": Classification.AWAITING}),
}
NUMBERS = range(1, 9)
STAGE = "stage=full_text"


def _reads() -> Iterator[str]:
    yield from ("reports", "reports?limit=1", "reports?q=title", "reports?reason=design")
    yield from (f"reports?standing={standing}" for standing in Standing)
    yield from (f"reports?retrieval={state}" for state in ("retrieved", "requested"))
    for number in NUMBERS:
        yield from (f"reports/{number}", f"records/{number}?{STAGE}", f"records/{number}/history")
    for status, order in product(STATUSES, ("added", "rank", "decided")):
        query = f"{STAGE}&order={order}&count=true" + (f"&status={status}" if status else "")
        yield f"records?{query}"
    yield from (f"records?{STAGE}&label=odd", f"labels?{STAGE}", f"exclusion-reasons?{STAGE}")
    for format in ("ris", "csv", "jsonl", "decisions"):
        yield f"export?format={format}&{STAGE}"
        yield f"export?format={format}"
    yield from (
        "export?format=decisions&status=included",
        f"export?format=jsonl&{STAGE}&status=done",
    )
    yield from ("conflicts", f"conflicts?{STAGE}&state=open", "conflicts?kind=classification")
    yield from ("events?limit=500", "events?after=20&limit=3", "events?after=latest")
    yield from ("progress", f"plots/recall.svg?{STAGE}", f"plots/progress.svg?{STAGE}")
    yield from (f"agreement?{STAGE}", f"second-looks?{STAGE}", f"members?{STAGE}", "waiting", "")
    yield from ("studies", "studies?state=proposed", "studies?state=separate")
    yield from ("criteria/affected?stage=full_text", "criteria/affected?since=1&stage=full_text")


READS: list[Asked] = [("GET", f"{R}/{path}".rstrip("/"), None) for path in _reads()]


def _tries() -> Iterator[Asked]:
    for number, verdict in product(NUMBERS, ("include", "exclude")):
        body = {"verdict": verdict, "stage": "full_text", "reasons": ["design"]}
        yield "PUT", f"{R}/records/{number}/decision?dry_run=true", body
    yield "DELETE", f"{R}/records/1/decision?{STAGE}&dry_run=true", None


WRITES: list[Asked] = [
    ("POST", f"{R}/queue", {"stage": "full_text", "limit": 2}),
    ("POST", f"{R}/queue", {"stage": "full_text", "limit": 50, "anew": True}),
    ("DELETE", f"{R}/queue/1?{STAGE}", None),
    ("POST", f"{R}/reports/1/retrieval", {"state": "not_retrieved", "note": "It was another."}),
    ("POST", f"{R}/reports/1/retrieval", {"state": "retrieved", "via": "ill"}),
    ("POST", f"{R}/reports/7/retrieval", {"state": "sought"}),
    ("POST", f"{R}/reports/99/retrieval", {"state": "sought"}),
    ("PUT", f"{R}/records/6/decision", {"verdict": "include", "stage": "full_text"}),
    ("PUT", f"{R}/records/7/decision", {"verdict": "include", "stage": "full_text"}),
    ("POST", f"{R}/conflicts/{NOWHERE}/resolution", {"verdict": "include"}),
]


def build(folder: Path, template: Path, first: Said, second: Said, ben: Votes) -> OneWorld:
    """Ann, Ben and Zoe have included 1 to 6; Ben and Zoe vote on their texts, Eve on nothing."""
    StillClock.at = datetime(2027, 1, 1, 12, tzinfo=UTC)
    settings, world = empty(folder, template)
    team = world.team(n_records=8, policy=first)
    id_, zoe = team.review_id, world.person("zoe")
    with world.database.write.begin() as session:
        review = reviews.lock(session, id_)
        reviews.set_member(session, review, user_id=zoe.id, role=Role.REVIEWER)
    world.change_policy(id_, team.owner, stage=FT, **{"blind": True} | second)
    world.rank(id_, *range(8, 0, -1))
    for number, person in product(range(1, 7), (team.ann, team.ben, zoe)):
        StillClock.at += timedelta(minutes=1)
        world.decide(id_, person, number, "include", stage=TA)
    for number in range(1, 7):
        world.retrieve(id_, team.ann, number)
    for number, (verdict, said) in ben.items():
        StillClock.at += timedelta(minutes=1)
        world.decide(id_, team.ben, number, verdict, stage=FT, **said)
    for number in (1, 2, 3):
        world.decide(id_, zoe, number, "include", stage=FT)
    world.withdraw(id_, team.ben, 4, stage=FT)
    names = {"r": str(id_), "u": str(team.ben.id), "i": NOWHERE, "k": NOWHERE, "d": NOWHERE}
    return OneWorld(opened_client(settings), world, team, names)


@pytest.fixture
def worlds(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    migrated_sqlite: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[tuple[OneWorld, OneWorld]]:
    first, second = getattr(request, "param", ({}, {}))
    made = []
    for name, votes in (("alike", ALIKE), ("unlike", UNLIKE)):
        same_people(monkeypatch)
        made.append(build(tmp_path / name, migrated_sqlite, first, second, votes))
    yield made[0], made[1]
    for one in made:
        one.client.__exit__(None, None, None)
        one.world.database.close()


POLICIES: list[Any] = [
    ({}, {}),
    ({"blind": False}, {}),
    pytest.param(({}, {"resolution": "consensus"}), marks=pytest.mark.soak),
    pytest.param(({}, {"reviewers_per_record": 3}), marks=pytest.mark.soak),
    pytest.param(({}, {"voter_may_adjudicate": True}), marks=pytest.mark.soak),
    pytest.param(({"blind": False}, {"maybe": "as_include"}), marks=pytest.mark.soak),
]


@pytest.mark.parametrize("worlds", POLICIES, indirect=True, ids=str)
def test_what_others_say_of_full_texts_is_hidden(worlds: tuple[OneWorld, OneWorld]) -> None:
    both = [*READS, *_tries(), *WRITES, *READS]
    for who in ("eve", "observer"):
        alike, unlike = (seen(one, who, both) for one in worlds)
        for one, other in zip(alike, unlike, strict=True):
            assert one == other


def test_the_worlds_do_differ_for_those_who_may_see(worlds: tuple[OneWorld, OneWorld]) -> None:
    """Without this the test above could pass on two worlds that are the same."""
    for path in ("reports", "conflicts", "progress", "events", f"export?format=jsonl&{STAGE}"):
        alike, unlike = (seen(one, "judge", [("GET", f"{R}/{path}", None)]) for one in worlds)
        assert alike != unlike, path


def test_a_blinded_person_sees_which_reports_there_are_and_no_outcome(
    worlds: tuple[OneWorld, OneWorld],
) -> None:
    one = worlds[1]
    path = R.format(**one.names)

    def stands(person: Any) -> dict[str, str]:
        answer = one.client.get(f"{path}/reports", headers=person.auth).json()
        return {item["id"]: item["standing"] for item in answer["items"]}

    assert stands(one.team.eve) == dict.fromkeys("123456", "to_assess")
    assert stands(one.team.ben) == dict.fromkeys("123456", "to_assess")
    progress = one.client.get(f"{path}/progress", headers=one.team.eve.auth).json()
    assert progress["stages"]["full_text"]["counts"] == {"unscreened": 6, "done": 0}
