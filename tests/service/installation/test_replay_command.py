"""`tandem demo replay`, a small one, against a real server and a worker beside it."""

import threading
from collections.abc import Iterator

import pytest

from service.live import Live
from tandem.artifacts import Artifacts
from tandem.cli import replay as command
from tandem.cli.main import main
from tandem.config import Settings
from tandem.demo.replay.calls import NotReplayed
from tandem.demo.replay.plan import Size
from tandem.ids import ReviewId
from tandem.records import import_work, importing
from tandem.reviews.models import Review
from tandem.screening.duplicates import deduplication
from tandem.texts import reading_work
from world import World

SMALL = Size(relevant=3, ongoing=1, not_retrieved=1, excluded=3, other=52)


@pytest.fixture(autouse=True)
def worker(world: World, settings: Settings) -> Iterator[None]:
    """Import and read what comes, as a worker does, until the test is over."""
    over = threading.Event()
    store = Artifacts(settings.resolved_artifact_url())

    def work() -> None:
        while not over.wait(0.05):
            with world.database.read() as session:
                waiting = [*import_work.next_in_line(session)]
                review_ids: list[ReviewId] = [row.id for row in session.query(Review)]
            for import_id in waiting:
                importing.run(world.database, store, import_id, link=deduplication.run)
            for review_id in review_ids:
                reading_work.run(world.database, store, review_id)

    thread = threading.Thread(target=work)
    thread.start()
    yield
    over.set()
    thread.join()


@pytest.fixture(autouse=True)
def signed_in(live: Live, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TANDEM_URL", live.url)
    monkeypatch.setenv("TANDEM_TOKEN", world.person("olga").token)


def test_a_small_review_ends_with_the_planned_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    command.replay(SMALL)

    said = capsys.readouterr().out
    numbers = dict(
        line.strip().rsplit(maxsplit=1) for line in said.splitlines() if line.startswith("  ")
    )
    assert said.startswith("SYNTHETIC")
    assert numbers["records screened by two people"] == "60"
    assert numbers["reports sought"] == "8"
    assert numbers["reports not retrieved"] == "1"
    assert numbers["reports included"] == "3"
    assert numbers["studies included"] == "2"
    assert said.count("settled by hand") == 2
    passages, studies = said.split("Between two roles")[1].split()[:2]
    assert int(passages) >= int(studies) >= 1

    with pytest.raises(NotReplayed, match="--again"):
        command.replay(SMALL)


def test_without_a_token_and_without_a_demo_it_says_what_to_do(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("TANDEM_TOKEN")

    assert main(["demo", "replay", "--data-dir", str(tmp_path)]) == 1

    assert "tandem up --demo" in capsys.readouterr().err
