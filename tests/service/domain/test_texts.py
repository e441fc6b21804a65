"""Texts of reports: proven by the trail, read by workers that may die, gone with their review."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

import pdfs
from tandem.artifacts import Artifacts
from tandem.audit import trail
from tandem.audit.checked import Checked
from tandem.audit.verify import check
from tandem.config import Settings
from tandem.db.session import Database
from tandem.ids import RecordNumber, TextBatchId
from tandem.installation.backup import copies
from tandem.operations import jobs, leftovers
from tandem.texts import batches, reading_work, service, uploads, work
from tandem.texts.maps import FileMap
from tandem.texts.models import (
    ReportText,
    TextBatchItem,
    TextFile,
    TextItemState,
    TextKind,
    TextState,
    artifact_key,
)
from tandem.texts.placing import Targets
from tandem.texts.uploads import Bounds
from tandem.work import lease
from tandem.work.lease import Held
from world import Team, World

pytestmark = pytest.mark.both_engines

BOUNDS = Bounds(file=1 << 20, review=1 << 24)
NAMES = ("nurses", "drivers", "porters", "cooks", "clerks", "guards")


class Library:
    """Adds and reads texts of a review, as the API and a worker do."""

    def __init__(self, world: World, artifacts: Artifacts) -> None:
        self.world, self.database, self.artifacts = world, world.database, artifacts
        self.team: Team = world.team(n_records=0)
        titles = [(f"What {name} say about the work that they do at night", "") for name in NAMES]
        self.numbers = world.records(self.team.review_id, self.team.owner, texts=titles)
        for number in self.numbers:
            for person in (self.team.ann, self.team.ben):
                world.decide(self.team.review_id, person, number, "include")

    def content(self, number: int) -> bytes:
        name = NAMES[number - 1]
        return pdfs.pdf([f"What {name} say about the work that they do at night", "A. Author"])

    def add(self, number: int, content: bytes | None = None) -> ReportText:
        stored = uploads.store(
            self.artifacts,
            review_id=self.team.review_id,
            file=BytesIO(content or self.content(number)),
            filename="a.pdf",
            bounds=BOUNDS,
        )
        with self.world.entered(self.team.review_id, self.team.ann) as (session, review, viewer):
            return service.add(
                session,
                self.artifacts,
                stored,
                review=review,
                viewer=viewer,
                number=RecordNumber(number),
                kind=TextKind.MAIN,
                bounds=BOUNDS,
            )

    def send(self) -> TextBatchId:
        files = [(f"{name}.pdf", BytesIO(self.content(n))) for n, name in enumerate(NAMES, 1)]
        sent = batches.receive(
            self.database,
            self.artifacts,
            review_id=self.team.review_id,
            files=files,
            bounds=BOUNDS,
        )
        batch_id = batches.new_batch_id()
        with self.world.entered(self.team.review_id, self.team.ann) as (session, review, viewer):
            batches.accept(
                session,
                self.artifacts,
                sent,
                review=review,
                viewer=viewer,
                file_map=FileMap(),
                bounds=BOUNDS,
                targets=Targets(self.database, self.team.review_id),
                batch_id=batch_id,
            )
        return batch_id

    def remove(self, text: ReportText) -> None:
        with self.world.entered(self.team.review_id, self.team.ann) as (session, review, viewer):
            file = service.remove(session, review=review, viewer=viewer, text_id=text.id)
        uploads.forget_unused(self.database, self.artifacts, self.team.review_id, file.sha256)

    def read(self) -> None:
        reading_work.run(self.database, self.artifacts, self.team.review_id)

    def trail(self) -> list[dict[str, Any]]:
        lines = trail.lines(
            self.database,
            review_id=self.team.review_id,
            user_id=self.team.owner.id,
            artifacts=self.artifacts,
        )
        return [json.loads(line) for line in lines]

    def checked(self) -> Checked:
        return check(json.dumps(line) for line in self.trail())

    def items(self, batch_id: TextBatchId) -> list[tuple[TextItemState, int | None]]:
        with self.database.read() as session:
            return [(i.state, i.record_number) for i in batches.items(session, batch_id)]

    def on_read(self) -> Counter[tuple[str, str]]:
        """Return how many events each text has, by type and record."""
        found = [line for line in self.trail() if "text_" in line.get("type", "")]
        return Counter((line["type"].rpartition(".")[2], line["subject"]) for line in found)


@pytest.fixture
def library(world: World, settings: Settings) -> Library:
    return Library(world, Artifacts(settings.resolved_artifact_url()))


def test_the_trail_proves_texts_that_came_went_and_were_read(library: Library) -> None:
    first = library.add(1)
    library.add(2)
    assert library.checked().ok
    library.read()
    library.add(3, library.content(1))  # it was read before
    library.remove(first)
    library.send()
    library.read()

    checked = library.checked()

    assert checked.difference is None
    assert checked.n_files == len(NAMES) + 1


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"sha256": "f" * 64}, "the file of text"),
        ({"plain": "Something else."}, "what text"),
    ],
)
def test_the_trail_finds_a_changed_text(
    values: dict[str, str], says: str, library: Library, database: Database
) -> None:
    library.add(1)
    library.read()
    with database.write.begin() as session:
        session.execute(update(TextFile).values(**values))

    assert says in str(library.checked().difference)


@pytest.mark.parametrize(
    ("values", "says"),
    [({"record_number": 2}, "of record 2"), ({"kind": TextKind.ERRATUM}, "erratum of record 1")],
)
def test_the_trail_finds_a_text_at_another_report(
    values: dict[str, Any], says: str, library: Library, database: Database
) -> None:
    library.add(1)
    with database.write.begin() as session:
        session.execute(update(ReportText).values(**values))

    assert says in str(library.checked().difference)


def test_the_trail_finds_changed_and_missing_bytes_and_rows(
    library: Library, database: Database
) -> None:
    text = library.add(1)
    with database.read() as session:
        key = artifact_key(library.team.review_id, session.scalars(select(TextFile.sha256)).one())

    library.artifacts.write(key, BytesIO(pdfs.pdf(["Another text"])))
    assert "the stored file of text" in str(library.checked().difference)
    library.artifacts.remove(key)
    assert "with the digest None" in str(library.checked().difference)
    library.artifacts.write(key, BytesIO(library.content(1)))
    assert library.checked().ok
    with database.write.begin() as session:
        session.delete(session.get_one(ReportText, text.id))
    assert f"nothing of text {text.id}" in str(library.checked().difference)


def test_a_backup_carries_the_files(library: Library, database: Database) -> None:
    library.add(1)
    with database.engine.connect() as connection:
        held = copies.content(connection)

    assert held is not None
    assert [library.artifacts.read(key) for key in held.uploads if key.startswith("texts/")] == [
        library.content(1)
    ]


def test_workers_side_by_side_read_each_file_once(library: Library) -> None:
    batch_id = library.send()
    start = threading.Barrier(3)
    failures: list[BaseException] = []

    def work_too() -> None:
        start.wait()
        try:
            library.read()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work_too) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    library.read()

    assert failures == []
    assert library.items(batch_id) == [(TextItemState.MATCHED, n) for n in library.numbers]
    assert library.on_read() == Counter({("text_added", str(n)): 1 for n in library.numbers})


def test_a_worker_killed_in_a_batch_loses_nothing(
    library: Library, database: Database, database_url: str, settings: Settings, tmp_path: Path
) -> None:
    """It is killed while the scanner is at its third file."""
    batch_id = library.send()
    scanner = tmp_path / "scan.sh"
    scanner.write_text(
        f"#!/bin/sh\ncd {tmp_path}\n"
        "[ -e first ] || { touch first; exit 0; }\n[ -e second ] || { touch second; exit 0; }\n"
        "[ -e third ] || { touch third; sleep 300; }\nexit 0\n"
    )
    scanner.chmod(0o700)
    program = (
        "import sys; from uuid import UUID; from tandem.artifacts import Artifacts; "
        "from tandem.db.session import Database; import tandem.models; "
        "from tandem.texts import reading_work; "
        "reading_work.run(Database(sys.argv[1]), Artifacts(sys.argv[2]), UUID(sys.argv[3]), "
        "scan_command=sys.argv[4])"
    )
    arguments = [
        database_url,
        settings.resolved_artifact_url(),
        str(library.team.review_id),
        str(scanner),
    ]
    worker = subprocess.Popen([sys.executable, "-c", program, *arguments], start_new_session=True)
    try:
        while not (tmp_path / "third").exists():
            assert worker.poll() is None
            time.sleep(0.02)
    finally:
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()

    half = [state for state, _ in library.items(batch_id)]
    assert half == [TextItemState.MATCHED] * 2 + [TextItemState.READING] * 4
    with database.read() as session:
        running = [job for job in jobs.unfinished(session) if job.kind == "text"]
    assert Counter(job.state.value for job in running) == {"running": 1, "queued": 3}
    with database.write.begin() as session:
        assert leftovers.release(session) == 1  # as `tandem up` does; else its lease runs out
    library.read()

    assert library.items(batch_id) == [(TextItemState.MATCHED, n) for n in library.numbers]
    assert library.on_read() == Counter({("text_added", str(n)): 1 for n in library.numbers})
    assert library.checked().ok


def test_who_comes_back_too_late_stores_nothing(library: Library, database: Database) -> None:
    text = library.add(1)
    late = work.claim_next(database, library.team.review_id)
    assert isinstance(late, Held)
    with database.write.begin() as session:
        leftovers.release(session)
    library.read()

    with pytest.raises(lease.Overtaken):
        reading_work.finish(
            database,
            late,
            reading_work.Outcome(TextState.QUARANTINED),
            Targets(database, library.team.review_id),
        )

    with database.read() as session:
        file = session.get_one(TextFile, session.get_one(ReportText, text.id).file_id)
        assert file.state is TextState.READY


def test_metadata_that_no_database_stores_are_left_out(
    library: Library, database: Database
) -> None:
    odd = {"Title": "What\x00 it is", "doi": "10.1000/a\x00b", "Subject": "XY"}
    half = pdfs.pdf(["Words"], info=odd).replace(b"<feff0058", b"<feffd800")
    library.add(1, half)
    library.read()

    with database.read() as session:
        file = session.scalars(select(TextFile)).one()
        assert (file.state, file.title.startswith("What")) == (TextState.READY, True)
        assert "\x00" not in json.dumps([file.title, file.dois])


def test_what_nobody_reads_is_found_by_the_relay(library: Library, database: Database) -> None:
    library.add(1)
    with database.read() as session:
        assert list(work.TEXTS.waiting(session)) == [library.team.review_id]
    library.read()
    with database.read() as session:
        assert list(work.TEXTS.waiting(session)) == []


def test_items_of_a_batch_know_nothing_of_removed_files(
    library: Library, database: Database
) -> None:
    batch_id = library.send()
    library.read()
    with database.read() as session:
        texts = session.scalars(select(ReportText)).all()
    for text in texts:
        library.remove(text)

    with database.read() as session:
        items = session.scalars(
            select(TextBatchItem).where(TextBatchItem.batch_id == batch_id)
        ).all()
        assert {(item.file_id, item.text_id) for item in items} == {(None, None)}
    assert library.artifacts.list(f"texts/{library.team.review_id}") == []
