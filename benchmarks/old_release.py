"""A release of the past, checked out and at work: people screen in it over HTTP."""

import os
import random
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from time import sleep
from typing import Any
from uuid import UUID

from installation import Account, Installation
from tandem.installation.up import environment
from team import Caller, Refused

CHECKOUT = Path(__file__).parents[1]
_WORDS = [
    "sleep",
    "memory",
    "nurse",
    "ward",
    "soil",
    "worm",
    "trial",
    "cohort",
    "stress",
    "water",
    "school",
    "lung",
]
_SOURCE = {"source": "Made up"}


@contextmanager
def code_of(commit: str, folder: Path) -> Iterator[None]:
    """Let every Python process that is started meanwhile run the code of this commit."""
    asked = ["git", "-C", str(CHECKOUT), "archive", commit]
    packed = subprocess.run(asked, check=True, capture_output=True).stdout
    with tarfile.open(fileobj=BytesIO(packed)) as archive:
        archive.extractall(folder, filter="data")
    before = os.environ.get("PYTHONPATH")
    paths = [folder / "shared", folder / "services" / "api", folder / "services" / "worker"]
    os.environ["PYTHONPATH"] = os.pathsep.join(map(str, paths))
    try:
        yield
    finally:
        del os.environ["PYTHONPATH"]
        if before is not None:
            os.environ["PYTHONPATH"] = before


def account(here: Installation, name: str) -> Account:
    """Add an account by the command line, which is that of the code that runs."""
    email = f"{name}@example.org"
    user = _tandem(here, "user", "add", email, "--name", name.title())
    return Account(UUID(user), name, _tandem(here, "token", "add", email))


def _tandem(here: Installation, *arguments: str) -> str:
    command = [str(Path(sys.executable).with_name("tandem")), *arguments]
    done = subprocess.run(
        command, env=environment(here.settings), check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@contextmanager
def _where_there_is_such() -> Iterator[None]:
    """Leave out what an early release does not have: a route, or a field of a body."""
    try:
        yield
    except Refused as refused:
        if not any(f" {status} " in str(refused) for status in (404, 405, 422)):
            raise


def fill(here: Installation, *, n_records: int, words: int = 12) -> str:
    """Screen a made-up review with all that may happen in one; return its id.

    Args:
        here: Where.
        n_records: Of the first file; a second one brings 10 more.
        words: Of an abstract.
    """
    chance = random.Random(7)
    owner, ann, ben, judge = (
        Caller(here.url, account(here, name)) for name in ("owner", "ann", "ben", "judge")
    )
    body = {
        "title": "A review of before the upgrade",
        "question": "Does sleep help memory?",
        "criteria": {"include": ["sleep"], "exclude": ["animals"]},
    }
    review_id: str = owner.call("POST", "/reviews", "setup", json=body).json()["id"]
    review = f"/reviews/{review_id}"
    for person, role in ((ann, "reviewer"), (ben, "reviewer"), (judge, "adjudicator")):
        member = f"{review}/members/{person.account.id}"
        owner.call("PUT", member, "setup", json={"role": role})
    _import(owner, review, chance, range(n_records), words)
    numbers = [one["id"] for one in owner.pages(f"{review}/records")]
    half = len(numbers) // 2
    _screen(review, ann, ben, numbers[:half], chance)
    _settle(review, judge, chance)
    _change_the_rules(review, owner)
    _import(owner, review, chance, range(n_records, n_records + 10), words)
    _screen(review, ann, ben, numbers[half:], chance)
    _change_minds(review, ann, numbers)
    _settle(review, judge, chance, leave=2)
    with _where_there_is_such():
        _pair_up(review, owner)
    wording = {"title": "A corrected title", "year": 1999}
    hook = {"url": "https://hooks.example.org/x", "types": ["tandem.conflict.opened"]}
    more: list[tuple[str, str, dict[str, Any]]] = [
        ("PATCH", f"{review}/records/{numbers[0]}", wording),
        ("POST", f"{review}/webhooks", hook),
        ("POST", f"{review}/invitations", {"role": "observer"}),
    ]
    for method, path, said in more:
        with _where_there_is_such():
            owner.call(method, path, "setup", json=said)
    for person in (owner, ann, ben, judge):
        person.close()
    return review_id


def _import(
    owner: Caller, review: str, chance: random.Random, numbers: range, n_words: int
) -> None:
    entries = []
    for n in numbers:
        words = " ".join(chance.choices(_WORDS, k=12))
        abstract = " ".join(chance.choices(_WORDS, k=n_words))
        entry = f"TY  - JOUR\nTI  - Study {n} of {words}\nAB  - {abstract}\nPY  - 2020\n"
        entries.append(entry + f"AU  - Lee, A{n}\nDO  - 10.1000/{n}\nER  - \n")
    likely = entries[0].replace("DO  - 10.1000/0\n", "").replace("2020", "2021")
    files = {"file": ("export.ris", "".join([*entries, entries[-1], likely]))}
    path = f"{review}/imports"
    made = owner.call("POST", path, "import", data=_SOURCE, files=files).json()
    while made["state"] not in ("done", "failed"):
        sleep(0.2)
        made = owner.call("GET", f"{path}/{made['id']}", "import").json()
    if made["state"] == "failed":
        raise AssertionError(made["error"])


def _screen(
    review: str, ann: Caller, ben: Caller, numbers: list[str], chance: random.Random
) -> None:
    for person in (ann, ben):
        person.call("POST", f"{review}/queue", "queue", json={"limit": 5})
        votes = [
            {"record_id": number, "verdict": _verdict(number, chance)} | _said(number)
            for number in numbers
        ]
        for start in range(0, len(votes), 500):
            part = {"items": votes[start : start + 500]}
            person.call("POST", f"{review}/decisions", "decide", json=part)


def _verdict(number: str, chance: random.Random) -> str:
    if chance.random() < 0.12:
        return chance.choice(["include", "exclude", "maybe"])
    return "include" if int(number) % 6 == 0 else "exclude"


def _said(number: str) -> dict[str, Any]:
    return {"note": "Ünsicher ☂", "labels": ["later"]} if int(number) % 7 == 0 else {}


def _settle(review: str, judge: Caller, chance: random.Random, leave: int = 0) -> None:
    found = judge.pages(f"{review}/conflicts", state="open")
    for one in found[: len(found) - leave]:
        path = f"{review}/conflicts/{one['id']}"
        said = {"verdict": chance.choice(["include", "exclude"]), "cause": "misread"}
        with _where_there_is_such():
            judge.call("POST", f"{path}/messages", "discuss", json={"text": "I read it again."})
        with _where_there_is_such():
            judge.call("POST", f"{path}/resolution", "resolve", json=said)
    if found[: len(found) - leave]:
        with _where_there_is_such():
            judge.call("POST", f"{review}/conflicts/{found[0]['id']}/reopen", "reopen", json={})


def _change_minds(review: str, ann: Caller, numbers: list[str]) -> None:
    decided = [one["id"] for one in ann.pages(f"{review}/records") if one["my_decision"]]
    for number in decided[:3]:
        path = f"{review}/records/{number}/decision"
        ann.call("PUT", path, "decide", json={"verdict": "include", "note": "Changed."})
    for number in decided[3:6]:
        path = f"{review}/records/{number}/decision"
        ann.call("DELETE", path, "withdraw", params={"stage": "title_abstract"})


def _change_the_rules(review: str, owner: Caller) -> None:
    policy = {"policy": {"title_abstract": {"maybe": "conflict"}}}
    criteria = {"criteria": {"include": ["sleep", "adults"], "exclude": ["animals"]}}
    for path, body in ((f"{review}?dry_run=true", policy), (review, policy), (review, criteria)):
        with _where_there_is_such():
            owner.call("PATCH", path, "policy", json=body)


def _pair_up(review: str, owner: Caller) -> None:
    proposed = owner.pages(f"{review}/duplicates", state="proposed")
    for one, what in zip(proposed, ("merge", "keep"), strict=False):
        owner.call("POST", f"{review}/duplicates/{one['id']}/{what}", "duplicates")
    linked = owner.pages(f"{review}/duplicates", state="linked")
    if len(linked) > 1:
        owner.call("POST", f"{review}/duplicates/{linked[-1]['id']}/split", "duplicates")
