"""A team that has screened a part of the demo review, through the public API only."""

import csv
import json
import time
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from textwrap import wrap
from typing import Any

import httpx

from tandem.demo.replay.coding import CONSTRUCTS, coded
from tandem.demo.replay.papers import NOTICE, packed, pdf

N_BOTH, N_AHEAD = 240, 6
"""Records that both read, and those that one reads alone."""

AT_ONCE = 20

N_WITHOUT_FILE = 4
"""Full texts that are not there: one was not to be had."""

READ_SECONDS = 300

SETTLED_PART = 3
"""One conflict in so many is left open."""

QUESTION = "How do people experience paid peer support work in health services?"
INCLUDE = [
    "Peer workers or those whom they support speak for themselves",
    "Paid or formally appointed roles in a health service",
    "Qualitative interviews, focus groups or open surveys",
]
EXCLUDE = ["Volunteers only", "Protocols, editorials and reviews", "No data of people’s own words"]
REASONS = ["volunteers only", "no qualitative data", "protocol or review", "other population"]
WORDS_FOR = ["peer work*", "peer support", "interview*", "qualitative"]
WORDS_AGAINST = ["protocol", "volunteer*", "randomi*"]


@dataclass(frozen=True)
class DemoPerson:
    """Somebody of the demo, signed in."""

    name: str
    client: httpx.Client
    review: str

    @property
    def session(self) -> str:
        """The secret of the session, as the browser keeps it."""
        (cookie,) = (one for one in self.client.cookies.jar if "session" in one.name)
        return cookie.value or ""

    def send(self, method: str, path: str, body: Any = None) -> Any:
        url = f"/api/v1/reviews/{self.review}{path}"
        answer = self.client.request(method, url, json=body)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def screen(self, n: int, truth: dict[str, bool]) -> None:
        """Decide the next records, a few at a time."""
        for at in range(0, n, AT_ONCE):
            items = self.send("POST", "/queue", {"limit": min(AT_ONCE, n - at)})["items"]
            if not items:
                return
            made = [self._of(item["record"], truth) for item in items]
            self.send("POST", "/decisions", {"items": made})

    def _of(self, record: dict[str, Any], truth: dict[str, bool]) -> dict[str, Any]:
        is_include = truth.get(record["title"], False)
        body = judgement(self.name, record["title"], is_include=is_include)
        return {"record_id": record["id"], "stage": "title_abstract", **body}


def judgement(name: str, title: str, *, is_include: bool) -> dict[str, Any]:
    """Return what somebody says of a record: mostly right, and the same at each call."""
    chance = sha256(f"{name}/{title}".encode()).digest()[0]
    if is_include:
        verdict = "exclude" if chance < 18 else "maybe" if chance < 26 else "include"
    else:
        verdict = "include" if chance < 5 else "maybe" if chance < 8 else "exclude"
    body: dict[str, Any] = {"verdict": verdict}
    if verdict == "exclude":
        body["reasons"] = [REASONS[chance % 3]]
    if chance % 4 == 0:
        body["note"] = "Paid peer workers, interviewed" if verdict == "include" else "See methods"
    return body


def signed_in(url: str, folder: Path) -> dict[str, DemoPerson]:
    """Sign in as each person of the demo: `reviewer`, `reviewer 2` and `adjudicator`."""
    known = json.loads((folder / "demo.json").read_text(encoding="utf-8"))
    people = {}
    for one in known["accounts"]:
        client = httpx.Client(base_url=url, timeout=120)
        body = {"email": one["email"], "password": one["password"]}
        client.post("/api/v1/auth/login", json=body).raise_for_status()
        people[one["does"]] = DemoPerson(one["does"], client, known["review_id"])
    return people


def screen_a_part(people: dict[str, DemoPerson], folder: Path) -> None:
    """Let the demo's people screen, differ, and settle a part of it."""
    owner, first, second = people["adjudicator"], people["reviewer"], people["reviewer 2"]
    owner.send(
        "PATCH",
        "",
        {
            "question": QUESTION,
            "criteria": {"include": INCLUDE, "exclude": EXCLUDE, "note": None},
            "exclusion_reasons": REASONS,
            "highlights": {"for": WORDS_FOR, "against": WORDS_AGAINST},
        },
    )
    with (folder / "labelled.csv").open(encoding="utf-8", newline="") as file:
        truth = {row["title"]: row["label_included"] == "1" for row in csv.DictReader(file)}
    for _ in range(0, N_BOTH, AT_ONCE):
        first.screen(AT_ONCE, truth)
        second.screen(AT_ONCE, truth)
    settle(owner)
    first.screen(N_AHEAD, truth)
    assess_a_part(people)
    send_coded(owner)


def send_coded(owner: DemoPerson) -> None:
    """Send back the hand-over as coded by a program, in place of a person with a tool for that."""
    url = f"/api/v1/reviews/{owner.review}"
    handed = owner.client.get(f"{url}/handover", params={"format": "qdpx"})
    handed.raise_for_status()
    file = ("coded.qdpx", coded(handed.content), "application/zip")
    owner.client.post(f"{url}/synthesis/imports", files={"file": file}).raise_for_status()
    for code in owner.send("GET", "/synthesis/codes")["items"]:
        if code["name"] in CONSTRUCTS:
            owner.send("PATCH", f"/synthesis/codes/{code['id']}", {"kind": "construct"})


def settle(owner: DemoPerson) -> None:
    """Settle most of the conflicts."""
    found = owner.send("GET", "/conflicts?limit=100")["items"]
    for at, one in enumerate(found):
        if at % SETTLED_PART:
            body = {"verdict": "include" if at % 2 else "exclude", "cause": "misread"}
            owner.send("POST", f"/conflicts/{one['id']}/resolution", body)


def assess_a_part(people: dict[str, DemoPerson]) -> None:
    """Bring the files of most reports, and let the two assess half of them."""
    owner, first, second = people["adjudicator"], people["reviewer"], people["reviewer 2"]
    found = owner.send("GET", "/reports?limit=100")["items"]
    lost, *_ = found[-N_WITHOUT_FILE:]
    here = found[:-N_WITHOUT_FILE]
    send_files(owner, {f"record {one['id']}.pdf": paper_of(one) for one in here})
    entry = {"state": "not_retrieved", "note": "Not in three libraries; no answer by the authors"}
    owner.send("POST", f"/reports/{lost['id']}/retrieval", entry)
    for at, one in enumerate(here[: len(here) // 2]):
        verdicts = ("exclude" if at % 3 == 1 else "include", "include" if at % 3 else "exclude")
        for person, verdict in zip((first, second), verdicts, strict=True):
            body: dict[str, Any] = {"verdict": verdict, "stage": "full_text"}
            if verdict == "exclude":
                body |= {"reasons": [REASONS[at % len(REASONS)]]}
            person.send("PUT", f"/records/{one['id']}/decision", body)


def paper_of(report: dict[str, Any]) -> bytes:
    """Return a PDF of a report: its title and abstract, and that it is made up."""
    lines = [NOTICE, "", *wrap(report["title"], 80), "", *wrap(report["abstract"], 88)]
    return pdf([lines, [NOTICE, "", "The second page of a made-up paper."]])


def send_files(person: DemoPerson, files: dict[str, bytes]) -> None:
    """Send many full texts at once, and wait until each is read."""
    url = f"/api/v1/reviews/{person.review}"
    zipped = {"files": ("full texts.zip", packed(files), "application/zip")}
    answer = person.client.post(f"{url}/texts", files=zipped)
    answer.raise_for_status()
    until = time.monotonic() + READ_SECONDS
    batch = answer.json()
    while batch["state"] != "done" and time.monotonic() < until:
        time.sleep(1)
        batch = person.send("GET", f"/text-batches/{batch['id']}")
