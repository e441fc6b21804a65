"""Builds two worlds that differ in nothing but how others voted, and asks in both."""

import base64
import importlib
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient

from application import application
from service.api.scene import API
from service.api.world_requests import Asked, Said
from tandem.config import Settings
from tandem.db.session import Database
from tandem.ids import UserId
from tandem.reviews import service as reviews
from tandem.reviews import texts
from tandem.reviews.models import Role
from whole_answers import Request, ask_all
from world import Person, Team, World


class StillClock(datetime):
    """A clock that moves only when a test moves it."""

    at = datetime(2027, 1, 1, tzinfo=UTC)

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]  # not a subclass
        return cls.at.astimezone(tz)


def stand_still(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stop the clock and what is free on the disk: both change by themselves in either world."""
    monkeypatch.setattr("tandem.db.base.datetime", StillClock)
    # Uses of tokens are noted some seconds later, perhaps between two requests of one world.
    monkeypatch.setattr("tandem_api.uses._TOGETHER_SECONDS", 86_400.0)
    usage = shutil.disk_usage(Path.cwd())
    monkeypatch.setattr("tandem.operations.storage.shutil.disk_usage", lambda _: usage)
    for place in ("screening.plots.recall_plot", "screening.plots.progress_plot"):
        module, _, name = f"tandem.{place}".rpartition(".")
        draw = getattr(importlib.import_module(module), name)
        monkeypatch.setattr(f"{module}.{name}", partial(_drawn_once, draw))


_drawn = dict[str, str]()


def _drawn_once(draw: Callable[..., str], *shown: Any) -> str:
    """Draw what was not drawn before: a picture takes as long as thirty other answers.

    It depends on nothing but what it shows, and that is worked out for each world.
    """
    key = f"{draw.__name__} {shown!r}"
    if key not in _drawn:
        _drawn[key] = draw(*shown)
    return _drawn[key]


def opened_client(settings: Settings) -> TestClient:
    client = TestClient(application(settings), raise_server_exceptions=False)
    client.__enter__()
    return client


def same_people(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on accounts get the ids 1, 2, 3, …"""
    ids = count(1)
    monkeypatch.setattr("world_people.id_of_a_person", lambda: UserId(UUID(int=next(ids))))


@dataclass(frozen=True)
class Votes:
    """How Ben votes in a world: his verdicts on records 1, 2, … and what he says to them."""

    verdicts: tuple[str, ...]
    said: Said


AGREEING = Votes(("include",) * 6, {"note": None})

DIFFERING = Votes(
    ("exclude", "exclude", "maybe", "exclude", "exclude", "maybe"),
    {"note": "The population is wrong.", "reasons": ["population"], "labels": ["odd"]},
)


@dataclass(frozen=True)
class OneWorld:
    client: TestClient
    world: World
    team: Team
    names: dict[str, str]

    def ask(self, who: Person, asked: Asked) -> tuple[Asked, int, list[Any], str]:
        """Return the answer with everything that could tell one world from another."""
        return self.ask_all(who, [asked])[0]

    def ask_all(self, who: Person, asked: list[Asked]) -> list[tuple[Asked, int, list[Any], str]]:
        # Random ids would change the length of a compressed answer.
        headers = who.auth | {"Accept-Encoding": "identity", "X-Request-ID": "same"}
        requests = [
            Request(method, path.format(**self.names), headers, body)
            for method, path, body in asked
        ]
        answers = []
        for each, answer in zip(asked, ask_all(self.client, requests), strict=True):
            assert answer.status < 500, each
            text = answer.body.decode("utf-8", "replace")
            answers.append((each, answer.status, sorted(answer.headers), text))
        return answers


def empty(folder: Path, template: Path) -> tuple[Settings, World]:
    """Return an installation of its own in this new folder, on a copy of a migrated database."""
    folder.mkdir()
    shutil.copy(template, folder / "tandem.sqlite3")
    settings = Settings(
        data_dir=folder,
        database_url=f"sqlite:///{folder}/tandem.sqlite3",
        redis_url=f"unix://{folder}/nobody-listens.sock",
        artifact_url=str(folder / "artifacts"),
    )
    world = World(Database(settings.resolved_database_url()))
    return settings, world


def build(folder: Path, template: Path, policy: Said, ben: Votes) -> OneWorld:
    """Zoe votes the same in both worlds, Ben does not; Ann decided 7 and 8, Eve nothing."""
    StillClock.at = datetime(2027, 1, 1, 12, tzinfo=UTC)
    settings, world = empty(folder, template)
    said: Said = {"seed_studies": ["Title 1", "Title 9", "10.1000/a"], "exclude": ["population"]}
    team = world.team(n_records=11, policy=policy, **said)
    zoe = world.person("zoe")
    with world.database.write.begin() as session:
        review = reviews.lock(session, team.review_id)
        reviews.set_member(session, review, user_id=zoe.id, role=Role.REVIEWER)

    def decide(who: Person, number: int, verdict: str, **said: Any) -> None:
        StillClock.at += timedelta(minutes=1)
        world.decide(team.review_id, who, number, verdict, **said)

    for number in (1, 2, 3, 4):
        decide(zoe, number, "include")
    for number, verdict in enumerate(ben.verdicts, start=1):
        decide(team.ben, number, verdict, **ben.said)
    # He changes his mind, and takes one back.
    decide(team.ben, 2, "include" if ben.verdicts[1] == "exclude" else "exclude")
    world.withdraw(team.review_id, team.ben, 6)
    for who, number in ((team.ann, 7), (team.ben, 7), (team.ann, 8)):
        decide(who, number, "exclude", reasons=["population"], labels=["both"])
    with world.entered(team.review_id, team.owner) as (session, review, _):
        changes = {"criteria_exclude": ["population of title 9"], "exclusion_reasons": ["design"]}
        texts.change(session, review, changes, by=team.owner.id)
    # Two that both of them decided become one, and two that Ben decided one and two again.
    linked = world.merge(team.review_id, team.owner, 3, 4)
    StillClock.at += timedelta(minutes=1)
    world.split(team.review_id, team.owner, world.merge(team.review_id, team.owner, 1, 5))
    ranking = world.rank(team.review_id, *range(11, 0, -1))
    client = opened_client(settings)
    listed = client.get(f"{API}/reviews/{team.review_id}/imports", headers=team.ann.auth).json()
    names = {
        "r": str(team.review_id),
        "i": listed["items"][0]["id"],
        "k": str(ranking.id),
        "d": str(linked),
        "u": str(team.ben.id),
    }
    return OneWorld(client, world, team, names)


_CURSOR = re.compile(r'(?<="next_cursor":")[\w-]+={0,2}(?=")')


def opened(cursor: re.Match[str]) -> str:
    """Return what a cursor contains when it is decoded."""
    try:
        return base64.urlsafe_b64decode(cursor[0]).decode()
    except ValueError:
        return cursor[0]  # of events: a number, as it is


_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def seen(one: OneWorld, who: str, asked: list[Asked]) -> list[tuple[Any, ...]]:
    """Return all answers, with ids numbered as they are met."""
    person: Person = getattr(one.team, who)
    met: dict[str, str] = {}

    def number(found: re.Match[str]) -> str:
        return met.setdefault(found[0], f"{len(met):036}")

    answers = []
    for request, status, headers, text in one.ask_all(person, asked):
        answers.append((request, status, headers, _ID.sub(number, _CURSOR.sub(opened, text))))
    return answers
