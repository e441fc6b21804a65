"""Requests of the replay's people, with a plain sentence for whatever is refused."""

import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tandem.errors import TandemError

_TIMEOUT = 120


class NotReplayed(TandemError):
    """A request of the replay was refused, or its numbers are wrong."""

    code = "not_replayed"


class Caller:
    """One person who uses the API."""

    def __init__(self, url: str, token: str | None = None) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.url = url
        self.http = httpx.Client(base_url=f"{url}/api/v1", headers=headers, timeout=_TIMEOUT)

    def close(self) -> None:
        self.http.close()

    def ask(self, method: str, path: str, **body: Any) -> Any:
        """Send a request; return what the answer holds, None for nothing.

        Raises:
            NotReplayed: It was refused, or nobody answered.
        """
        answer = self.raw(method, path, **body)
        try:
            return answer.json() if answer.content else None
        except ValueError:
            raise NotReplayed(f"{method} {path} was answered with something else.") from None

    def raw(self, method: str, path: str, **body: Any) -> httpx.Response:
        try:
            answer = self.http.request(method, path, **body)
        except httpx.TransportError as error:
            raise NotReplayed(f"{self.url} does not answer ({error}). Is Tandem running?") from None
        if answer.is_error:
            raise NotReplayed(f"{method} {path}: {answer.status_code} {_detail(answer)}")
        return answer

    def pages(self, path: str, **query: Any) -> Iterator[dict[str, Any]]:
        """Yield the items of all pages of a list."""
        cursor: str | None = None
        while True:
            more = {"cursor": cursor} if cursor else {}
            page = self.ask("GET", path, params={**query, **more})
            yield from page["items"]
            if (cursor := page["next_cursor"]) is None:
                return


@dataclass(frozen=True, slots=True)
class People:
    """Two reviewers, and the owner, who settles their conflicts."""

    owner: Caller
    first: Caller
    second: Caller

    def close(self) -> None:
        for one in (self.owner, self.first, self.second):
            one.close()


def with_token(url: str, token: str) -> Caller:
    return Caller(url, token)


def of_the_demo(url: str, data_dir: Path) -> Caller:
    """Sign in as the owner of the demo review of the installation on this machine.

    Raises:
        NotReplayed: There are no such accounts, or their passwords are others now.
    """
    file = data_dir / "demo" / "demo.json"
    hint = "Set TANDEM_TOKEN to a token of `tandem token add EMAIL`."
    try:
        known = json.loads(file.read_text(encoding="utf-8"))["accounts"]
        ada = next(one for one in known if one["does"] == "adjudicator")
    except (OSError, ValueError, KeyError, StopIteration):
        raise NotReplayed(f"No demo accounts are here: start `tandem up --demo`. {hint}") from None
    caller = Caller(url)
    try:
        body = {"email": ada["email"], "password": ada["password"]}
        caller.ask("POST", "/auth/login", json=body)
    except NotReplayed as error:
        caller.close()
        raise NotReplayed(f"The demo's {ada['email']} cannot sign in ({error}) {hint}") from None
    return caller


def invited(owner: Caller, review_id: str, name: str) -> Caller:
    """Make an account that reviews: by an invitation, as people come in."""
    made = owner.ask("POST", f"/reviews/{review_id}/invitations", json={"role": "reviewer"})
    person = Caller(owner.url)
    body = {
        "name": f"{name} (simulated)",
        "email": f"{name.lower()}-{review_id[-12:]}@replay.example",
        "password": secrets.token_urlsafe(18),
    }
    person.ask("POST", f"/invitations/{made['token']}/acceptance", json=body)
    return person


def _detail(answer: httpx.Response) -> str:
    try:
        return str(answer.json().get("detail", ""))
    except (ValueError, AttributeError):
        return ""
