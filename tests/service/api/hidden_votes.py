"""Worlds that differ in one vote which even those who settle conflicts do not see."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from service.api.scene import API
from service.api.two_worlds import (
    OneWorld,
    StillClock,
    empty,
    opened_client,
    same_people,
    seen,
)
from service.api.world_requests import Asked, Said
from tandem.ranking.models import Ranking
from tandem.reviews import texts
from world import Person, Team, World

N_RECORDS = 9


@dataclass
class Ids:
    """Ids in order; those made for an include are below all others, so that its letter is A."""

    low: bool = False
    _next: Iterator[int] = field(default_factory=lambda: count(1))

    def __call__(self) -> UUID:
        return UUID(int=((1 if self.low else 2) << 120) + next(self._next))


@dataclass(frozen=True)
class Voting:
    world: World
    team: Team
    ids: Ids

    def decide(self, who: Person, number: int, verdict: str, **said: Any) -> None:
        with self._at_its_place(verdict):
            self.world.decide(self.team.review_id, who, number, verdict, **said)

    def vote_again(self, who: Person, number: int, verdict: str, **said: Any) -> None:
        with self._at_its_place(verdict):
            self.world.vote_again(self.team.review_id, who, number, verdict, **said)

    @contextmanager
    def _at_its_place(self, verdict: str) -> Iterator[None]:
        StillClock.at += timedelta(minutes=1)
        self.ids.low = verdict == "include"
        yield
        self.ids.low = False


def build(
    folder: Path,
    template: Path,
    policy: Said,
    ben: str,
    monkeypatch: pytest.MonkeyPatch,
    say: Callable[[Voting, str], None],
) -> OneWorld:
    StillClock.at = datetime(2027, 1, 1, 12, tzinfo=UTC)
    same_people(monkeypatch)
    ids = Ids()
    monkeypatch.setattr("tandem.ids.uuid4", ids)
    # These stand in cursors.
    monkeypatch.setattr("tandem.screening.ledger.outcome.new_id", Ids())
    settings, world = empty(folder, template)
    team = world.team(
        n_records=N_RECORDS,
        policy={"resolution": "consensus", **policy},
        exclude=["population"],
    )
    say(Voting(world, team, ids), ben)
    with world.entered(team.review_id, team.owner) as (session, review, _):
        texts.change(session, review, {"criteria_exclude": ["age"]}, by=team.owner.id)
    ranking = world.rank(team.review_id, *range(N_RECORDS, 0, -1))
    with world.database.write.begin() as session:
        row = session.get_one(Ranking, ranking.id)
        row.n_relevant = 2 if ben == "include" else 0  # what a training would have found
    client = opened_client(settings)
    listed = client.get(f"{API}/reviews/{team.review_id}/imports", headers=team.ann.auth).json()
    names = {
        "r": str(team.review_id),
        "i": listed["items"][0]["id"],
        "k": str(ranking.id),
        "d": str(UUID(int=1)),
        "u": str(team.ben.id),
        "ann": str(team.ann.id),
    }
    conflicts = client.get(
        f"{API}/reviews/{team.review_id}/conflicts", headers=team.judge.auth
    ).json()["items"]
    found = {f"c{item['record']['id']}": item["id"] for item in conflicts}
    return replace(OneWorld(client, world, team, names), names=names | found)


def close(made: OneWorld) -> None:
    made.client.__exit__(None, None, None)
    made.world.database.close()


def answers(made: OneWorld, who: str, asked: list[Asked]) -> list[tuple[Any, ...]]:
    """Return what somebody is answered, but for what is random in an audit trail."""
    return [(*answer, _CHAINED.sub("", text)) for *answer, text in seen(made, who, asked)]


_CHAINED = re.compile('"(salt|seal|hash|last_hash|tx)":"[^"]*"')
"""In the audit trail: random, or made from what is."""
