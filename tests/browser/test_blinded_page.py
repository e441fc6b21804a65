"""What a blinded reviewer's browser gets and shows is the same, however the others voted."""

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Request, expect

from browser.visitors import Visitor, Visitors
from browser.windows import Windows
from service.live import serve
from tandem.config import Settings
from tandem.db.session import Database
from tandem.reviews.policy import Stage
from world import Team, World

VIEWS = (
    "/",
    "screen",
    "mine",
    "progress",
    "stopping",
    "records",
    "records/1",
    "records/6",
    "records?from=1900&mine=include&abstract=true",
    "records/second-looks",
    "reports",
    "reports/1",
    "reports/screen",
    "reports/studies",
    "flow",
    "team",
    "export",
)
OF_THE_MOMENT = re.compile(
    r"\d{4}-\d\d-\d\dT[\d:.]+(Z|\+00:00)|[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{32}"
    r"|in \d+ minutes?|\d+ (minutes?|seconds?) ago|this minute"
)
"""Times, and ids that are made at random in each world."""


@contextmanager
def world_where(
    ben_says: str, file: Path, team: Team, settings: Settings, windows: Windows
) -> Iterator[Callable[[], Visitor]]:
    """A copy of the world in which Ben has decided, all in one way, what Ann has not decided yet.

    That is titles and abstracts, and the full text of record 1.

    Where both have decided and agree, the record is settled, and everybody may see it.
    """
    copy = file.with_name(f"{ben_says}.sqlite3")
    shutil.copy(file, copy)
    database = Database(f"sqlite:///{copy}")
    world = World(database)
    for number in range(4, 9):
        world.decide(team.review_id, team.ben, number, ben_says, note=f"Clearly: {ben_says}")
    reasons = ["no interviews"] if ben_says == "exclude" else []
    world.decide(team.review_id, team.ben, 1, ben_says, stage=Stage.FULL_TEXT, reasons=reasons)
    changed = settings.model_copy(update={"database_url": f"sqlite:///{copy}", "page_folder": None})
    with serve(changed) as live:
        visitors = Visitors(windows, live.url, world)
        try:
            yield lambda: visitors.opened(team.ann, "/me")
        finally:
            visitors.close()
    database.close()


def test_the_browser_gets_and_shows_the_same_in_two_worlds(
    windows: Windows, settings: Settings, world: World, tmp_path: Path
) -> None:
    team = world.team(n_records=12)
    for number in (1, 2, 3):
        world.decide(team.review_id, team.ann, number, "include")
    world.decide(team.review_id, team.ben, 1, "include")
    world.retrieve(team.review_id, team.ann, 1)
    file = tmp_path / "before.sqlite3"
    world.database.close()
    shutil.copy(tmp_path / "tandem.sqlite3", file)
    with ExitStack() as open_worlds:
        both = [
            Eavesdropper(
                open_worlds.enter_context(world_where(says, file, team, settings, windows))()
            )
            for says in ("include", "exclude")
        ]
        for view in VIEWS:
            for one in both:
                one.open(view, team)
            said = [one.all_of(view) for one in both]
            assert said[0] == said[1]

    assert all(one.n_answers > len(VIEWS) for one in both)


class Eavesdropper:
    """Keeps what a browser gets from the API."""

    def __init__(self, visitor: Visitor) -> None:
        self._visitor, self.n_answers = visitor, 0
        self._asked = list[Request]()
        visitor.page.on("request", self._hear)

    def _hear(self, request: Request) -> None:
        path = request.url.removeprefix(self._visitor.base)
        if path.startswith("/api/v1/") and "/events" not in path:
            self._asked.append(request)

    def open(self, view: str, team: Team) -> None:
        # What the view before still asks for is heard until another page has taken its place.
        self._visitor.page.goto("about:blank")
        self._asked.clear()
        path = view if view == "/" else f"/r/{team.review_id}/{view}"
        self._visitor.page.goto(self._visitor.base + path, wait_until="commit")

    def all_of(self, view: str) -> list[str]:
        """Return what the view shows, and all answers that the browser got for it, sorted."""
        page = self._visitor.page
        expect(page.locator("h1").first).to_be_attached()
        shown = self._calm()
        answers = set[str]()
        for request in self._asked:
            answer = request.response()
            # A page that is left breaks off its requests; a busy machine may answer with 503,
            # and the page asks again.
            if answer is None or answer.status == 503:
                continue
            path = request.url.removeprefix(self._visitor.base)
            body = "" if answer.status == 204 else answer.text()
            answers.add(OF_THE_MOMENT.sub("·", f"{request.method} {path} {answer.status} {body}"))
        self.n_answers += len(answers)
        # A view may be read before or after the last of its answers; each is the same in itself.
        return [OF_THE_MOMENT.sub("·", f"{view}: {shown}"), *sorted(answers)]

    def _calm(self) -> str:
        """Wait until each request has its answer, and what is shown stays; return that."""
        page, before, same = self._visitor.page, "", 0
        while same < 2:
            expect(page.locator(".loading")).to_have_count(0)
            n = len(self._asked)
            now = page.locator("body").inner_html()
            same = same + 1 if now == before and self._is_answered() else 0
            before = now
            page.wait_for_timeout(100)
            if len(self._asked) > n:
                same = 0
        return before

    def _is_answered(self) -> bool:
        """Whether all that was asked has arrived; what was refused as busy is asked again."""
        newest = {(one.method, one.url): one for one in self._asked if one.failure is None}
        answers = [one.existing_response for one in newest.values()]
        return all(answer is not None and answer.status != 503 for answer in answers)


@pytest.fixture(autouse=True)
def _one_engine(database_url: str) -> None:
    assert database_url.startswith("sqlite")
