"""A review whose records are at full text, and what a worker does with their files."""

from datetime import timedelta
from typing import Any

from fastapi.testclient import TestClient

import pdfs
from tandem.artifacts import Artifacts
from tandem.config import Settings
from tandem.texts import reading_work
from world import Team, World

TITLES = (
    "What peer workers say about their work in psychiatric wards",
    "Night work and the appetite of train drivers in the north",
    "Coffee as a part of the working day of hospital nurses",
    "Of no interest to anybody who reads this review at all",
)
"""Of the records 1 to 4. The last one was excluded."""


def at_full_text(world: World) -> Team:
    """Return a review: records 1, 2 and 3 were included by Ann and Ben, 4 was excluded."""
    team = world.team(n_records=0)
    world.records(team.review_id, team.owner, texts=[(title, "") for title in TITLES])
    for number in (1, 2, 3, 4):
        for person in (team.ann, team.ben):
            world.decide(team.review_id, person, number, "exclude" if number == 4 else "include")
    return team


def titled(number: int, *more: str, **how: Any) -> bytes:
    """Return a PDF with a record's title on its first page."""
    return pdfs.pdf([TITLES[number - 1], "A. Author", *more], **how)


class Api:
    """Sends and asks as one person of the team; `read` is what a worker does."""

    def __init__(self, client: TestClient, world: World, settings: Settings, team: Team) -> None:
        self.client, self.world, self.settings, self.team = client, world, settings, team
        self.review = f"/api/v1/reviews/{team.review_id}"
        self.artifacts = Artifacts(settings.resolved_artifact_url())

    def read(self, scan_command: str | None = None) -> None:
        reading_work.run(
            self.world.database,
            self.artifacts,
            self.team.review_id,
            scan_command=scan_command,
            turn=timedelta(minutes=5),
        )

    def add(
        self, content: bytes, number: int = 1, name: str = "a.pdf", status: int = 202, **said: Any
    ) -> Any:
        answer = self.client.post(
            f"{self.review}/reports/{number}/texts",
            files={"file": (name, content)},
            data=said,
            headers=self.team.ann.auth,
        )
        assert answer.status_code == status, answer.text
        return answer.json()

    def send(
        self, files: dict[str, bytes], map: bytes | None = None, status: int = 202
    ) -> dict[str, Any]:
        parts = [("files", (name, content)) for name, content in files.items()]
        parts += [("map", ("map", map))] if map is not None else []
        answer = self.client.post(f"{self.review}/texts", files=parts, headers=self.team.ann.auth)
        assert answer.status_code == status, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def get(self, path: str, status: int = 200) -> Any:
        answer = self.client.get(f"{self.review}{path}", headers=self.team.ann.auth)
        assert answer.status_code == status, answer.text
        return answer.json()

    def settle(
        self, batch: dict[str, Any], position: int, number: int | None, status: int = 200
    ) -> Any:
        answer = self.client.post(
            f"{self.review}/text-batches/{batch['id']}/items/{position}",
            json={"record_id": None if number is None else str(number)},
            headers=self.team.ann.auth,
        )
        assert answer.status_code == status, answer.text
        return answer.json()

    def stored(self) -> list[str]:
        return self.artifacts.list(f"texts/{self.team.review_id}")
