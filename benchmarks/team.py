"""People of a benchmark: each has a connection of their own and works over HTTP alone."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx

from installation import Account, Installation

_PATIENCE_SECONDS = 90.0
"""How long a request is repeated while nobody answers it."""
_AGAIN_SECONDS = 0.5
_TEMPORARY = (502, 503, 504)


class Refused(Exception):
    """The service answered what no benchmark expects."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """A decision that was answered 2xx. `at` is this process's monotonic clock then.

    `labels_seq` is as its reviewer gets it, who is blinded: resolutions have no number in it.
    """

    decision_id: str
    record_id: str
    reviewer_id: str
    verdict: str
    labels_seq: int
    at: float


@dataclass
class Notes:
    """What happened to one person's requests. `seconds` only of those answered at once."""

    seconds: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    troubles: Counter[str] = field(default_factory=Counter)


class Caller:
    """One person's connection. What is not answered is sent again, with the same key."""

    def __init__(self, url: str, account: Account) -> None:
        self.account, self.notes = account, Notes()
        self._client = httpx.Client(
            base_url=f"{url}/api/v1",
            headers={"Authorization": f"Bearer {account.token}"},
            timeout=30,
            trust_env=False,
        )

    def call(
        self,
        method: str,
        path: str,
        kind: str,
        *,
        once: bool = False,
        may_fail_with: str | None = None,
        **body: Any,
    ) -> httpx.Response:
        """Send until answered, and return the answer.

        Args:
            method: GET, POST, …
            path: Below /api/v1.
            kind: Under which name the time is noted.
            once: Send an Idempotency-Key.
            may_fail_with: The one error code that is an answer, too.
            body: As `httpx` has it.

        Raises:
            Refused: The answer is an error, or none came for a long time.
        """
        headers = {"Idempotency-Key": uuid4().hex} if once else {}
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            started = time.monotonic()
            try:
                answer = self._client.request(method, path, headers=headers, **body)
            except httpx.TransportError as error:
                self._again(type(error).__name__, deadline)
                continue
            if answer.status_code in _TEMPORARY:
                self._again(str(answer.status_code), deadline)
                continue
            if not answer.is_success and answer.json().get("code") != may_fail_with:
                raise Refused(f"{method} {path}: {answer.status_code} {answer.text[:300]}")
            if "Idempotency-Replayed" in answer.headers:
                self.notes.troubles["replayed"] += 1
            took = time.monotonic() - started
            self.notes.seconds.setdefault(kind, []).append((started, took))
            return answer

    def pages(self, path: str, **params: Any) -> list[dict[str, Any]]:
        """Read a list to its end."""
        items: list[dict[str, Any]] = []
        cursor: dict[str, str] = {}
        while True:
            page = self.call("GET", path, "list", params={**params, "limit": 500} | cursor).json()
            items += page["items"]
            if page["next_cursor"] is None:
                return items
            cursor = {"cursor": page["next_cursor"]}

    def close(self) -> None:
        self._client.close()

    def _again(self, why: str, deadline: float) -> None:
        self.notes.troubles[why] += 1
        if time.monotonic() > deadline:
            raise Refused(f"nobody answers {self.account.name}: {why}")
        time.sleep(_AGAIN_SECONDS)


class Person(threading.Thread):
    """Works in a thread until there is nothing left; what they raised is in `error`."""

    def __init__(self, caller: Caller, review_id: str) -> None:
        super().__init__(name=caller.account.name, daemon=True)
        self.caller, self.review = caller, f"/reviews/{review_id}"
        self.error: Exception | None = None

    def run(self) -> None:
        try:
            self.work()
        except Exception as error:
            self.error = error

    def work(self) -> None:
        raise NotImplementedError


class Reviewer(Person):
    """Takes the next record and answers it, until their queue is finished.

    Args:
        caller: Their connection.
        review_id: Where.
        verdict_on: What they say of a record, by its id.
        think: Called after each decision; takes the time that a person takes.
        stop: Ends the work early.
    """

    def __init__(
        self,
        caller: Caller,
        review_id: str,
        *,
        verdict_on: Callable[[str], str],
        think: Callable[[], object],
        stop: threading.Event,
    ) -> None:
        super().__init__(caller, review_id)
        self.accepted: list[Accepted] = []
        self._verdict_on, self._think, self._stopped = verdict_on, think, stop

    def work(self) -> None:
        while not self._stopped.is_set() and self.step():
            self._think()

    def step(self) -> bool:
        """Decide the next record; return whether there can be another."""
        asked = {"limit": 1}
        queue = self.caller.call("POST", f"{self.review}/queue", "queue", json=asked).json()
        for item in queue["items"]:
            record = item["record"]["id"]
            self.decide(record, self._verdict_on(record))
        return bool(queue["state"] != "finished")

    def decide(self, record: str, verdict: str) -> None:
        answer = self.caller.call(
            "PUT",
            f"{self.review}/records/{record}/decision",
            "decision",
            once=True,
            json={"verdict": verdict},
        )
        made = answer.json()["decision"]
        self.accepted.append(
            Accepted(
                decision_id=made["id"],
                record_id=record,
                reviewer_id=str(self.caller.account.id),
                verdict=verdict,
                labels_seq=made["labels_seq"],
                at=time.monotonic(),
            )
        )


class Adjudicator(Person):
    """Settles conflicts as they come, until it is asked to finish and none is left.

    Those on records that they leave alone stay open.
    """

    def __init__(
        self,
        caller: Caller,
        review_id: str,
        *,
        verdict_on: Callable[[str], str],
        every: float,
        leaves: Callable[[str], bool] = lambda _: False,
    ) -> None:
        super().__init__(caller, review_id)
        self.resolved: dict[str, str] = {}
        self.finish = threading.Event()
        self._verdict_on, self._every, self._leaves = verdict_on, every, leaves

    def work(self) -> None:
        while True:
            last = self.finish.wait(self._every)
            listed = self.caller.pages(f"{self.review}/conflicts", state="open")
            found = [each for each in listed if not self._leaves(each["record"]["id"])]
            for conflict in found:
                self._resolve(conflict)
            if last and not found:
                return

    def _resolve(self, conflict: dict[str, Any]) -> None:
        record = conflict["record"]["id"]
        verdict = self._verdict_on(record)
        answer = self.caller.call(
            "POST",
            f"{self.review}/conflicts/{conflict['id']}/resolution",
            "resolution",
            once=True,
            may_fail_with="already_resolved",  # a reviewer was faster, and agrees now
            json={"verdict": verdict},
        )
        if answer.is_success:
            self.resolved[record] = verdict


@dataclass(frozen=True)
class Members:
    """Connections of a review's people."""

    owner: Caller
    judge: Caller
    reviewers: list[Caller]
    review_id: str

    @property
    def all(self) -> list[Caller]:
        return [self.owner, self.judge, *self.reviewers]


def gather(
    here: Installation, n_reviewers: int, *, per_record: int, title: str, question: str | None
) -> Members:
    """Create a review with an owner, an adjudicator and reviewers."""
    names = ["owner", "judge", *(f"reviewer{i}" for i in range(1, n_reviewers + 1))]
    owner, judge, *reviewers = [Caller(here.url, here.add_account(name)) for name in names]
    policy = {"title_abstract": {"reviewers_per_record": per_record}}
    asked = {"title": title, "question": question, "policy": policy}
    review = owner.call("POST", "/reviews", "setup", json=asked, once=True).json()
    for caller in (judge, *reviewers):
        owner.call(
            "PUT",
            f"/reviews/{review['id']}/members/{caller.account.id}",
            "setup",
            json={"role": "adjudicator" if caller is judge else "reviewer"},
        )
    return Members(owner, judge, reviewers, review["id"])


def upload(members: Members, name: str, content: bytes, *, within: float) -> dict[str, Any]:
    """Import a CSV file as the owner and wait until a worker has read it."""
    path = f"/reviews/{members.review_id}/imports"
    answer = members.owner.call(
        "POST", path, "setup", once=True, files={"file": (name, content, "text/csv")}
    )
    deadline, found = time.monotonic() + within, answer.json()
    while found["state"] in ("queued", "running"):
        if time.monotonic() > deadline:
            raise Refused(f"the import is {found['state']} after {within:.0f} s")
        time.sleep(0.2)
        found = members.owner.call("GET", f"{path}/{found['id']}", "setup").json()
    if found["state"] != "done":
        raise Refused(f"the import failed: {found['error']}")
    result: dict[str, Any] = found
    return result
