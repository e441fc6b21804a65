"""Every list in pages: what goes away or comes in meanwhile makes none skip or repeat an item."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from tandem.accounts import service as accounts
from tandem.db.base import now
from tandem.ids import ImportId, new_id
from tandem.ranking.models import SecondLook
from tandem.records.models import Import, ImportState
from tandem.reviews.models import Invitation
from tandem.screening.people.models import Interest
from world import TA, Person, Team, World

API = "/api/v1"
N = 5


@dataclass(frozen=True)
class Scene:
    """A review, its people, and requests to it."""

    client: TestClient
    world: World
    team: Team
    admin: Person

    @property
    def review(self) -> str:
        return f"/reviews/{self.team.review_id}"

    def ask(self, who: Person, method: str, path: str, body: Any = None) -> Any:
        answer = self.client.request(method, API + path, json=body, headers=who.auth)
        assert answer.status_code < 300, answer.text
        return answer.json() if answer.content else None

    def change(self, work: Callable[[Session], object]) -> None:
        with self.world.database.write.begin() as session:
            work(session)

    def add_imports(self, *states: ImportState) -> None:
        self.change(lambda session: session.add_all([self._import(state) for state in states]))

    def _import(self, state: ImportState) -> Import:
        return Import(
            id=ImportId(new_id()), review_id=self.team.review_id, created_by=self.team.owner.id,
            created_at=now(), claimed_at=now(), state=state, source="Medline", filename="a.ris",
            artifact="none", n_read=0, n_added=0, n_duplicates=0, n_rejected=0, rejected=[],
            fence=0,
        )  # fmt: skip


Rows = Callable[[Scene], None]
Change = Callable[[Scene, Any], object]


@dataclass(frozen=True)
class Listed:
    """A list: how its rows are made, and what takes one away, or lets another one in."""

    path: str
    rows: Rows
    change: Change
    who: str = "owner"
    limit: int = 2


def remove(path: str, key: str = "id") -> Change:
    return lambda scene, item: scene.ask(
        scene.team.owner, "DELETE", scene.review + path + item[key]
    )


def decide(*verdicts: tuple[str, str], **said: Any) -> Rows:
    def rows(scene: Scene) -> None:
        for number in range(1, N + 1):
            for who, verdict in verdicts:
                person: Person = getattr(scene.team, who)
                scene.world.decide(scene.team.review_id, person, number, verdict, **said)

    return rows


def proposals(scene: Scene) -> None:
    for number in range(1, N + 1):
        scene.world.propose(scene.team.review_id, number, number + N)


def interests(scene: Scene) -> None:
    for number in range(1, N + 1):
        path = f"{scene.review}/records/{number}/interest"
        scene.ask(scene.team.owner, "PUT", path, {"has_interest": True})


def no_interest(scene: Scene, item: Any) -> None:
    number = int(item["record_id"])
    scene.change(lambda session: session.execute(
        delete(Interest).where(Interest.record_number == number)
    ))  # fmt: skip


def doubtful(scene: Scene) -> None:
    decide(("ann", "exclude"), ("ben", "exclude"))(scene)
    numbers = np.arange(1, N + 1, dtype="<i4")
    scores = np.array([0.9, 0.1, 0.9, 0.3, 0.7], dtype="<f4")
    scene.change(lambda session: session.add(SecondLook(
        review_id=scene.team.review_id, stage=TA, asked=1, done=1, fence=0, made_at=now(),
        model="given",
        labels_seq=1, seconds=0.0, numbers=numbers.tobytes(), scores=scores.tobytes(),
    )))  # fmt: skip


def invitations(scene: Scene) -> None:
    for _ in range(N):
        scene.ask(scene.team.owner, "POST", f"{scene.review}/invitations", {"role": "observer"})


def webhooks(scene: Scene) -> None:
    for number in range(N):
        body = {"url": f"https://9.9.9.9/{number}"}
        scene.ask(scene.team.owner, "POST", f"{scene.review}/webhooks", body)


def tokens(scene: Scene) -> None:
    for number in range(N):
        scene.ask(scene.team.owner, "POST", "/me/tokens", {"name": str(number)})


def labels(scene: Scene) -> None:
    for number in range(1, N + 1):
        scene.world.decide(
            scene.team.review_id, scene.team.owner, number, "include", labels=[f"label {number}"]
        )


def withdraw_label(scene: Scene, item: Any) -> None:
    number = int(item["label"].split()[1])
    scene.world.withdraw(scene.team.review_id, scene.team.owner, number)


def two_reasons(scene: Scene) -> None:
    for number in range(1, N + 1):
        for person in (scene.team.ann, scene.team.ben):
            scene.world.decide(
                scene.team.review_id, person, number, "exclude", reasons=[f"reason {number}"]
            )


def criteria(scene: Scene) -> None:
    for number in range(N):
        scene.ask(
            scene.team.owner,
            "PATCH",
            scene.review,
            {"criteria": {"include": [f"Adults with asthma {number}"]}},
        )


def outdated(scene: Scene) -> None:
    decide(("owner", "maybe"))(scene)
    decide(("ann", "maybe"))(scene)
    criteria(scene)


def reviews(scene: Scene) -> None:
    for number in range(N):
        scene.world.review(scene.team.owner, title=str(number))


def rankings(scene: Scene) -> None:
    for _ in range(N):
        scene.world.rank(scene.team.review_id, 1, 2)


def sign_ins(scene: Scene) -> None:
    for _ in range(N):
        scene.change(
            lambda session: accounts.sign_in(
                session, user_id=scene.team.owner.id, lasting=timedelta(days=1)
            )
        )


LISTS = {
    "duplicates": Listed(
        "{r}/duplicates?state=proposed",
        proposals,
        lambda scene, item: scene.ask(
            scene.team.judge, "POST", f"{scene.review}/duplicates/{item['id']}/keep"
        ),
    ),
    "interests": Listed("{r}/interests", interests, no_interest),
    "members": Listed("{r}/members", lambda _: None, remove("/members/", "user_id"), "judge"),
    "tokens": Listed(
        "/me/tokens",
        tokens,
        lambda scene, item: scene.ask(scene.team.owner, "DELETE", "/me/tokens/" + item["id"]),
    ),
    "invitations": Listed(
        "{r}/invitations",
        invitations,
        lambda scene, item: scene.change(
            lambda session: session.execute(
                delete(Invitation).where(Invitation.id == UUID(item["id"]))
            )
        ),
    ),
    "second looks": Listed(
        "{r}/second-looks",
        doubtful,
        lambda scene, item: scene.world.decide(
            scene.team.review_id, scene.team.ben, int(item["record"]["id"]), "maybe"
        ),
    ),
    "jobs": Listed(
        "/jobs",
        lambda scene: scene.add_imports(*[ImportState.QUEUED] * N),
        lambda scene, item: scene.change(
            lambda session: session.execute(
                update(Import)
                .where(Import.id == UUID(item["target_id"]))
                .values(state=ImportState.DONE, finished_at=now())
            )
        ),
        "admin",
    ),
    "imports": Listed(
        "{r}/imports",
        lambda scene: scene.add_imports(*[ImportState.DONE] * N),
        lambda scene, _: scene.add_imports(ImportState.DONE),
    ),
    "webhooks": Listed("{r}/webhooks", webhooks, remove("/webhooks/")),
    "labels": Listed("{r}/labels", labels, withdraw_label),
    "reasons": Listed(
        "{r}/exclusion-reasons",
        two_reasons,
        lambda scene, item: scene.world.withdraw(
            scene.team.review_id, scene.team.ann, int(item["reason"].split()[1])
        ),
    ),
    "criteria": Listed(
        "{r}/criteria",
        criteria,
        lambda scene, _: scene.ask(
            scene.team.owner, "PATCH", scene.review, {"criteria": {"include": ["Children"]}}
        ),
    ),
    "affected": Listed(
        "{r}/criteria/affected",
        outdated,
        lambda scene, item: scene.ask(
            scene.team.owner,
            "POST",
            f"{scene.review}/records/{item['record']['id']}/decision/confirm",
        ),
    ),
    "affected reviewers": Listed(
        "{r}/criteria/affected/reviewers",
        outdated,
        lambda scene, _: [
            scene.ask(
                scene.team.ann, "POST", f"{scene.review}/records/{number}/decision/confirm"
            )
            for number in range(1, N + 1)
        ],
        limit=1,
    ),
    "conflicts": Listed(
        "{r}/conflicts?state=open",
        decide(("ann", "include"), ("ben", "exclude")),
        lambda scene, item: scene.world.resolve(
            scene.team.review_id, scene.team.judge, int(item["record"]["id"]), "include"
        ),
        "judge",
    ),
    "history": Listed(
        "{r}/records/1/history",
        decide(("ann", "include"), ("ben", "include")),
        lambda scene, _: scene.world.decide(
            scene.team.review_id, scene.team.eve, 1, "exclude"
        ),
    ),
    "reviews": Listed(
        "/reviews",
        reviews,
        lambda scene, item: scene.ask(scene.team.owner, "POST", f"/reviews/{item['id']}/archive"),
    ),
    "rankings": Listed("{r}/rankings", rankings, lambda scene, _: rankings(scene)),
    "sessions": Listed(
        "/me/sessions",
        sign_ins,
        lambda scene, item: scene.ask(scene.team.owner, "DELETE", f"/me/sessions/{item['id']}"),
    ),
    "users": Listed("/users", lambda _: None, lambda scene, _: scene.world.person("aaa"), "admin"),
}  # fmt: skip


@pytest.fixture
def scene(client: TestClient, world: World) -> Scene:
    team = world.team(n_records=2 * N)
    return Scene(client, world, team, world.person("admin", is_admin=True))


@pytest.mark.parametrize("name", LISTS)
def test_a_page_skips_nothing_and_repeats_nothing(scene: Scene, name: str) -> None:
    wanted = LISTS[name]
    wanted.rows(scene)
    who = scene.admin if wanted.who == "admin" else getattr(scene.team, wanted.who)
    path = wanted.path.format(r=scene.review)
    path += "&" if "?" in path else "?"

    def page(limit: int, cursor: str = "") -> tuple[list[str], Any, str | None]:
        answer = scene.ask(who, "GET", f"{path}limit={limit}{cursor}")
        return [named(item) for item in answer["items"]], answer["items"], answer["next_cursor"]

    before, _, following = page(500)
    assert (len(before), following) == (max(len(before), wanted.limit + 1), None)
    seen, items, following = page(wanted.limit)
    assert following is not None
    wanted.change(scene, items[-1])
    while following is not None:
        more, _, following = page(wanted.limit, f"&cursor={following}")
        seen += more

    assert len(seen) == len(set(seen))
    assert set(before) <= set(seen)


def named(item: dict[str, Any]) -> str:
    """Return what tells an item of a list from all others, whatever happens to it."""
    keys = ("id", "user_id", "record_id", "label", "reason", "version", "sequence")
    known = [item["record"]["id"]] if "record" in item else []
    return str([item[key] for key in keys if key in item] + known)
