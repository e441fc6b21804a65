"""Fifty people act on one review at once: nothing is lost, nothing locks up, nothing breaks.

For two seconds, in a soak for eight, and on a busy machine until each has done something.
TANDEM_CROWD_SECONDS sets another time.
"""

import os
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from random import Random
from threading import Barrier
from typing import Any

import pytest
from fastapi.testclient import TestClient

import effort
from service.api.scene import API
from service.domain.tables import assert_in_step, ledger
from service.domain.threads import PATIENCE
from tandem.config import Settings
from tandem.db.session import Database
from tandem.ids import ReviewId
from tandem.reviews import service as reviews
from tandem.reviews.models import Role
from world import Person, World

SECONDS = float(os.environ.get("TANDEM_CROWD_SECONDS", effort.examples(8)))
ROLES = [Role.REVIEWER] * 40 + [Role.ADJUDICATOR] * 6 + [Role.OWNER] * 4
N_RECORDS = 20
LEAST_EACH = effort.examples(8)
"""So many answers each gets, however long that takes: fewer would tell nothing."""

VERDICTS = ("include", "exclude", "maybe")
REASONS: tuple[list[str], ...] = ([], ["wrong population"], ["wrong design"])
POLICIES: tuple[dict[str, Any], ...] = (
    {"reviewers_per_record": 2},
    {"reviewers_per_record": 3, "resolution": "majority"},
    {"resolution": "consensus"},
    {"resolution": "adjudicator", "voter_may_adjudicate": True},
    {"maybe": "conflict"},
    {"maybe": "as_include", "reasons_must_match": True},
    {"single_include_advances": True},
    {"single_include_advances": False, "reasons_must_match": False},
)
REFUSALS = {403, 404, 409}
"""What an action may be answered that comes too late, or is not theirs."""


@dataclass
class Actor:
    """One person: does something at random, and keeps what was accepted."""

    client: TestClient
    person: Person
    role: Role
    review: str
    dice: Random
    accepted: set[str] = field(default_factory=set)
    n_withdrawn: int = 0
    answers: Counter[int] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)

    def act(self) -> None:
        weights = {
            self.decide: 40,
            self.decide_many: 5,
            self.withdraw: 8,
            self.next_records: 15,
            self.look: 12,
            self.settle: 12,
        }
        if self.role is Role.OWNER:
            weights |= {self.change_policy: 6, self.merge_or_split: 4}
        (action,) = self.dice.choices(list(weights), list(weights.values()))
        action()

    def decide(self) -> None:
        body = self._decision()
        answer = self._ask("PUT", f"/records/{self._number()}/decision", body)
        if answer is not None:
            self.accepted.add(answer["decision"]["id"])

    def decide_many(self) -> None:
        items = [self._decision() | {"record_id": str(self._number())} for _ in range(3)]
        answer = self._ask("POST", "/decisions", {"items": items})
        for item in answer["items"] if answer else ():
            self.answers[item["status"]] += 1
            if item["decision"]:
                self.accepted.add(item["decision"]["id"])

    def withdraw(self) -> None:
        if self._ask("DELETE", f"/records/{self._number()}/decision") is not None:
            self.n_withdrawn += 1

    def next_records(self) -> None:
        self._ask("POST", "/queue", {"limit": self.dice.randint(1, 5)})

    def look(self) -> None:
        self._ask("GET", self.dice.choice(["/records", "/conflicts", "/progress", "/events"]))

    def settle(self) -> None:
        page = self._ask("GET", "/conflicts?limit=20")
        if not page or not page["items"]:
            return
        conflict = self.dice.choice(page["items"])["id"]
        path, body = self.dice.choice(
            [
                ("resolution", {"verdict": self.dice.choice(VERDICTS[:2]), "cause": "misread"}),
                ("reopen", {}),
                ("vote", self._decision()),
                ("messages", {"text": "Is a comment a study?"}),
            ]
        )
        answer = self._ask("POST", f"/conflicts/{conflict}/{path}", body)
        if answer is not None and path == "vote":
            self.accepted.add(answer["my_decision"]["id"])

    def change_policy(self) -> None:
        part = self.dice.choice(POLICIES)
        dry = self.dice.choice(["", "?dry_run=true"])
        self._ask("PATCH", dry, {"policy": {"title_abstract": part}})

    def merge_or_split(self) -> None:
        page = self._ask("GET", "/duplicates")
        if page and page["items"]:
            group = self.dice.choice(page["items"])["id"]
            act = self.dice.choice(["merge", "split"])
            self._ask("POST", f"/duplicates/{group}/{act}")

    def _number(self) -> int:
        return self.dice.randint(1, N_RECORDS)

    def _decision(self) -> dict[str, Any]:
        return {"verdict": self.dice.choice(VERDICTS), "reasons": self.dice.choice(REASONS)}

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        """Return what was answered, None for a refusal."""
        answer = self.client.request(
            method, self.review + path, json=body, headers=self.person.auth
        )
        self.answers[answer.status_code] += 1
        if answer.is_success:
            return answer.json() if answer.content else {}
        if answer.status_code not in REFUSALS:
            self.broken.append(f"{method} {path} {answer.status_code} {answer.text[:300]}")
        return None


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Wait for one's turn as long as it takes: how fast this machine is says nothing of races."""
    return settings.model_copy(update={"busy_seconds": 300.0})


def crowd(client: TestClient, world: World) -> tuple[ReviewId, list[Actor]]:
    people = world.people(*(f"{role}{n}" for n, role in enumerate(ROLES)))
    first = world.person("first")
    review_id = world.review(first)
    with world.database.write.begin() as session:
        review = reviews.lock(session, review_id)
        for person, role in zip(people, ROLES, strict=True):
            reviews.set_member(session, review, user_id=person.id, role=role)
    world.records(review_id, first, N_RECORDS)
    for pair in ((1, 2), (3, 4, 5)):
        world.propose(review_id, *pair)
    path = f"{API}/reviews/{review_id}"
    return review_id, [
        Actor(client, person, role, path, Random(f"crowd {n}"))
        for n, (person, role) in enumerate(zip(people, ROLES, strict=True))
    ]


def assert_nothing_lost(database: Database, review_id: ReviewId, actors: list[Actor]) -> None:
    """Check that each accepted vote is in the ledger, once, and that nothing else is."""
    own = [entry for entry in ledger(database, review_id) if entry.carried_from is None]
    for actor in actors:
        entries = [entry for entry in own if entry.reviewer_id == actor.person.id]
        votes = [str(entry.id) for entry in entries if entry.verdict is not None]
        assert sorted(votes) == sorted(actor.accepted)
        assert len(entries) - len(votes) == actor.n_withdrawn


@pytest.mark.both_engines
def test_fifty_people_at_once(client: TestClient, world: World, database: Database) -> None:
    # SQLite has one writer at a time, always: only PostgreSQL could lock itself up.
    seconds = SECONDS / 4 if database.is_sqlite else SECONDS
    review_id, actors = crowd(client, world)
    together, end = Barrier(len(actors)), time.monotonic() + seconds

    def work(actor: Actor) -> None:
        together.wait(timeout=PATIENCE)
        while time.monotonic() < end or actor.answers.total() < LEAST_EACH:
            actor.act()

    with ThreadPoolExecutor(len(actors)) as pool:
        for done in [pool.submit(work, actor) for actor in actors]:
            done.result(timeout=seconds + PATIENCE)

    answers = sum((actor.answers for actor in actors), Counter[int]())
    assert answers[200] > len(actors) * LEAST_EACH / 2, "too little was done to tell anything"
    assert [trouble for actor in actors for trouble in actor.broken] == []
    assert_nothing_lost(database, review_id, actors)
    assert_in_step(database, review_id)
