"""The example that people copy: its state is the service's own, however often it is killed."""

import importlib.util
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from service.domain.importing import Importer, titled
from service.live import SOON, Live, serve
from tandem.artifacts import Artifacts
from tandem.config import Settings
from tandem.events import log
from tandem.events.types import ImportFailed
from tandem.operations.jobs import retry
from tandem.reviews import service as reviews
from tandem.reviews.models import Role
from tandem.screening.models import Conflict, ConflictState, ScreenedRecord
from tandem.screening.rules import Status
from tandem_api.schemas.events import EventOut
from world import Team, World

EXAMPLE = Path(__file__).parents[3] / "examples" / "follow_review.py"


def example() -> Any:
    """Return the example as a module: it is no part of any package."""
    spec = importlib.util.spec_from_file_location("follow_review", EXAMPLE)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


example_module = example()
Copy = example_module.Copy


@contextmanager
def following(live: Live, team: Team, folder: Path) -> Iterator["subprocess.Popen[bytes]"]:
    env = {**os.environ, "TANDEM_URL": live.url, "TANDEM_TOKEN": team.owner.token}
    command = [sys.executable, str(EXAMPLE), str(team.review_id)]
    with subprocess.Popen(command, cwd=folder, env=env, stdout=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.kill()


def sequence(file: Path) -> int:
    """Return how far the copy is; 0 while there is none."""
    if not file.exists():
        return 0
    with sqlite3.connect(file) as copy:
        try:
            row = copy.execute("SELECT sequence FROM position").fetchone()
        except sqlite3.OperationalError:  # it is being made
            return 0
    return int(row[0]) if row else 0


def wait_for(file: Path, wanted: int) -> None:
    given_up = time.monotonic() + SOON
    while sequence(file) < wanted:
        assert time.monotonic() < given_up, f"the copy stands at {sequence(file)} of {wanted}"
        time.sleep(0.02)


def last_seq(world: World, team: Team) -> int:
    with world.database.read() as session:
        return reviews.get_review(session, team.review_id).last_seq


def listed(world: World) -> tuple[dict[str, str], set[str]]:
    """Return what the service itself says: settled records, open conflicts."""
    with world.database.read() as session:
        screened = session.scalars(select(ScreenedRecord)).all()
        open_now = select(Conflict.id).where(Conflict.state == ConflictState.OPEN)
        settled = {
            str(row.record_number): row.status.value for row in screened if row.status.is_settled
        }
        assert {row.status for row in screened} >= {Status.INCLUDED, Status.CONFLICT}
        return settled, {str(found) for found in session.scalars(open_now)}


def test_what_a_file_says_ends_no_line(settings: Settings, world: World) -> None:
    """A damaged workbook's cell is quoted in the error of its import."""
    team, error = world.team(n_records=1), "Invalid datetime value 20\u202820\u202920\x8520."
    with world.entered(team.review_id, team.owner) as (session, review, _):
        log.append(session, review, ImportFailed(import_id="1", error=error))
        last = review.last_seq
    with (
        serve(settings) as live,
        httpx.Client(base_url=live.url, headers=team.owner.auth, timeout=SOON) as client,
    ):
        listed = next(example().events(client, str(team.review_id), last - 1))

    assert listed["data"]["error"] == error


def test_a_changed_numbering_is_reported_and_nothing_is_missed(
    settings: Settings, world: World, tmp_path: Path
) -> None:
    """An adjudicator becomes a reviewer: the open stream goes on with lower numbers."""
    team, copy = world.team(n_records=9), Copy(str(tmp_path / "copy.sqlite3"))
    for number in (1, 2, 3):
        world.decide(team.review_id, team.ann, number, "include")
        world.decide(team.review_id, team.ben, number, "exclude")
    with (
        serve(settings) as live,
        httpx.Client(base_url=live.url, headers=team.judge.auth, timeout=SOON) as client,
    ):
        listed = example_module.events(client, str(team.review_id), 0)
        for _ in range(last_seq(world, team)):
            copy.take(next(listed))
        with world.database.write.begin() as session:
            review = reviews.lock(session, team.review_id)
            reviews.set_member(session, review, user_id=team.judge.id, role=Role.REVIEWER)

        with pytest.raises(example_module.Renumbered):
            copy.take(next(listed))


def test_an_import_that_failed_and_is_taken_up_again_is_done_in_the_copy(
    settings: Settings, world: World, tmp_path: Path
) -> None:
    importer = Importer(world, Artifacts(settings.resolved_artifact_url()))
    administrator = world.person("admin", is_admin=True)
    copy = Copy(str(tmp_path / "copy.sqlite3"))

    def imported() -> list[tuple[str, int | None, str | None]]:
        with importer.database.read() as session:
            found = log.read_after(
                session,
                review_id=importer.review_id,
                after=copy.sequence,
                limit=100,
                only_open=False,
            )
        for number, event in found:
            assert copy.take(json.loads(EventOut.of(number, event).model_dump_json()))
        with sqlite3.connect(tmp_path / "copy.sqlite3") as opened:
            return opened.execute("SELECT state, n_added, error FROM import").fetchall()

    row = importer.read(b"no bibliography at all")
    assert imported() == [("failed", None, row.error)]
    with importer.database.write.begin() as session:
        retry(session, job_id=f"import-{row.id}", by=administrator.id)
    assert imported() == [("running", None, None)]
    importer.artifacts.write(row.artifact, BytesIO(titled(range(3))))
    importer.run(row.id)
    assert imported() == [("done", 3, None)]


@pytest.mark.processes
def test_killed_again_and_again_it_has_what_the_service_has(
    settings: Settings, world: World, tmp_path: Path
) -> None:
    team, dice = world.team(n_records=20), Random(7)
    file = tmp_path / f"{team.review_id}.sqlite3"
    n_decisions = 0
    with serve(settings) as live:
        for round in range(4):
            with following(live, team, tmp_path) as process:
                for number in range(1 + 5 * round, 6 + 5 * round):
                    for who in (team.ann, team.ben):
                        live.put(team, who, number, dice.choice(["include", "exclude"]))
                        n_decisions += 1
                wait_for(file, last_seq(world, team) - dice.randint(0, 8))
                process.send_signal(signal.SIGKILL)
                process.wait(SOON)
        with following(live, team, tmp_path):
            wait_for(file, last_seq(world, team))

    settled, in_conflict = listed(world)
    with sqlite3.connect(file) as copy:
        assert sequence(file) == last_seq(world, team)
        rows = copy.execute("SELECT id, status, n_decisions FROM record").fetchall()
        assert {id: status for id, status, _ in rows if status != "open"} == settled
        assert sum(n for _, _, n in rows) == n_decisions
        conflicts = {id for (id,) in copy.execute("SELECT id FROM conflict")}
        assert conflicts == in_conflict
        assert copy.execute("SELECT count(*) FROM member").fetchone() == (6,)
